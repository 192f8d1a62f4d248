"""How training grows: with workers, and with rows.

    tests/bench/scaling.py [workers] [rows]     both where none is named

workers   the IMDb job on one worker and on two, in turns (budget: 1.8 times as fast on two processors)
rows      the same pipeline, ten iterations, on the reviews once and ten times over, in the memory of --memory (512MiB), which the
          longer one passes many times (budget: 10.5 times the time, peak memory within it)
"""
import argparse
import csv
import gzip
import pathlib
import statistics
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "scenario")]
from quern import Server  # noqa: E402
from train_imdb import IMDB, spec, train  # noqa: E402


def workers(args):
    server = Server(roots=(IMDB,))
    try:
        seconds = {1: [], 2: []}
        train(server, spec("4GiB", 2))  # what is read once is in the page cache now
        for _ in range(args.rounds):
            for n, took in seconds.items():
                took.append(train(server, spec("4GiB", n))[0])
        one, two = (statistics.median(s) for s in seconds.values())
        print(f"1 worker {one:.2f} s, 2 workers {two:.2f} s: {one / two:.2f} times as fast (medians of {args.rounds})", flush=True)
    finally:
        server.stop()
        server.remove()


def repeat(path, times):
    with gzip.open(IMDB / "train.csv.gz", "rt", encoding="utf-8", newline="") as f:
        head, *reviews = csv.reader(f)
    with open(path, "w", encoding="utf-8", newline="") as f:
        out = csv.writer(f)
        out.writerow(head)
        for _ in range(times):
            out.writerows(reviews)


def rows(args):
    with tempfile.TemporaryDirectory(prefix="quern-scaling.") as folder:
        pathlib.Path(folder).chmod(0o755)
        server = Server(roots=(folder,))
        took = []
        try:
            for times in (1, 10):
                repeat(f"{folder}/reviews{times}.csv", times)
                job_spec = spec(args.memory, 2)
                job_spec["source"]["uri"] = f"file:reviews{times}.csv"
                job_spec["pipeline"][-1].update(maxIter=10, tol=0)
                seconds, job = zip(*(train(server, job_spec) for _ in range(args.rounds)))
                took.append(statistics.median(seconds))
                peak = max(j["resources"]["peakMemoryBytes"] for j in job) / 2**20
                print(f"{times} times the reviews: {took[-1]:.2f} s, peak memory {peak:.0f} MiB", flush=True)
            print(f"10 times the rows take {took[1] / took[0]:.1f} times the time at {args.memory}")
        finally:
            server.stop()
            server.remove()


def main():
    parts = {"workers": workers, "rows": rows}
    args = argparse.ArgumentParser()
    args.add_argument("parts", nargs="*")
    args.add_argument("--rounds", type=int, default=3)
    args.add_argument("--memory", default="512MiB")
    args = args.parse_args()
    if not IMDB.exists():
        print("skipped: no ../shared/data")
        return
    csv.field_size_limit(1 << 30)
    for name in args.parts or parts:
        parts[name](args)


if __name__ == "__main__":
    main()
