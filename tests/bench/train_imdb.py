"""IMDb, CSV to stored model: POST /jobs against scikit-learn's same job, alternating in one run on the same cores.

    tests/bench/train_imdb.py [--rounds N] [--memory 512MiB] [--no-peer]

Prints seconds of each round, the ratio of the medians, and accuracy on the test reviews.
"""
import argparse
import csv
import gzip
import json
import pathlib
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "scenario"))
from peer_env import peer_python  # noqa: E402
from quern import BUILD, SHARED, Server  # noqa: E402

IMDB = SHARED / "text" / "imdb"


def spec(memory, workers):
    return {
        "name": "imdb",
        "source": {"format": "csv", "uri": "file:train.csv.gz", "options": {"header": True, "escape": "\""}},
        "pipeline": [
            {"stage": "StringIndexer", "inputCol": "label", "outputCol": "labelIndex", "stringOrderType": "alphabetAsc"},
            {"stage": "RegexTokenizer", "inputCol": "text", "outputCol": "words", "pattern": "\\W+"},
            {"stage": "NGram", "inputCol": "words", "outputCol": "bigrams", "n": 2},
            {"stage": "HashingTF", "inputCol": "words", "outputCol": "tf1", "numFeatures": 262144},
            {"stage": "HashingTF", "inputCol": "bigrams", "outputCol": "tf2", "numFeatures": 262144},
            {"stage": "VectorAssembler", "inputCols": ["tf1", "tf2"], "outputCol": "tf"},
            {"stage": "IDF", "inputCol": "tf", "outputCol": "idf"},
            {"stage": "Normalizer", "inputCol": "idf", "outputCol": "features"},
            {"stage": "LogisticRegression", "labelCol": "labelIndex", "regParam": 2e-6, "standardization": False},
        ],
        "response": {"sentiment": "probability[1]"},
        "resources": {"workers": workers, "memory": memory},
    }


def train(server, job_spec):
    start = time.perf_counter()
    r = server.post("/jobs", job_spec, headers={"Prefer": "wait=60"})
    job = r.json()
    while job["state"] not in ("succeeded", "failed", "cancelled"):
        job = server.get(f"/jobs/{job['id']}?wait=30").json()
    seconds = time.perf_counter() - start
    if job["state"] != "succeeded":
        raise SystemExit(f"the job failed: {json.dumps(job['error'])}\n{server.log_tail()}")
    return seconds, job


def accuracy(server, job):
    """The stored model over the test reviews, by quern apply on the exported container."""
    model = server.get(f"/models/imdb/versions/{job['model']['version']}/export").body
    path = server.dir / "imdb.quern"
    path.write_bytes(model)
    csv.field_size_limit(1 << 30)
    with gzip.open(IMDB / "test.csv.gz", "rt", encoding="utf-8", newline="") as f:
        rows = list(csv.DictReader(f))
    lines = "".join(json.dumps({"text": r["text"]}) + "\n" for r in rows)
    out = subprocess.run([BUILD / "quern", "apply", path, "-"], input=lines, capture_output=True, text=True, check=True)
    answers = [json.loads(line)["sentiment"] > 0.5 for line in out.stdout.splitlines()]
    return sum(a == (r["label"] == "pos") for a, r in zip(answers, rows)) / len(rows)


def peer():
    out = subprocess.run([peer_python("scikit-learn"), HERE / "peer_sklearn.py", IMDB / "train.csv.gz", IMDB / "test.csv.gz"],
                         capture_output=True, text=True, check=True)
    return json.loads(out.stdout)


def main():
    args = argparse.ArgumentParser()
    args.add_argument("--rounds", type=int, default=3)
    args.add_argument("--memory", default="4GiB")
    args.add_argument("--workers", type=int, default=2)
    args.add_argument("--no-peer", action="store_true")
    args = args.parse_args()
    if not IMDB.exists():
        print("skipped: no ../shared/data")
        return
    server = Server(roots=(IMDB,))
    ours, theirs = [], []
    try:
        for i in range(args.rounds):
            seconds, job = train(server, spec(args.memory, args.workers))
            ours.append(seconds)
            peak = (job["resources"].get("peakMemoryBytes") or 0) / 2**20
            print(f"quern {seconds:.3f} s, peak memory {peak:.0f} MiB, checksum "
                  f"{server.get(f'/models/imdb/versions/{i + 1}').json()['checksum']}", flush=True)
            if not args.no_peer:
                theirs.append(peer())
                print(f"scikit-learn {theirs[-1]['seconds']:.3f} s", flush=True)
        print(f"accuracy on the test reviews: quern {accuracy(server, job):.4f}"
              + (f", scikit-learn {theirs[-1]['accuracy']:.4f}" if theirs else ""))
        if theirs:
            ratio = statistics.median(t["seconds"] for t in theirs) / statistics.median(ours)
            print(f"quern is {ratio:.1f} times as fast (medians of {args.rounds}; budget: 10)")
    finally:
        server.stop()
        server.remove()


if __name__ == "__main__":
    main()
