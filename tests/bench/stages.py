"""What a row costs in each stage and in three chains, beside scikit-learn's transform of the same rows, and Spark's.

    [QUERN_SPARK_PYTHON=python] tests/bench/stages.py [STAGE]... [--rows N] [--fit]

Columns to columns on both sides: no JSON here, no table there. `batch` is all rows at once, `single` one row alone, in
nanoseconds a row, the best of some rounds; the ratio says how many times as fast Quern is. With --fit it is what fitting
costs instead, on rows that lie in memory, for the stages that are fitted. One core on every side. Spark takes part where
QUERN_SPARK_PYTHON names a python that has pyspark (and a Java); its start is not counted.
"""
import argparse
import csv
import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "scenario")]
from quern import BUILD, EXAMPLES  # noqa: E402
from peer_env import peer_python  # noqa: E402

SECONDS, SINGLES = 0.2, 64
WORDS = [f"w{k}" for k in range(20)]


def columns(prefix, count):
    return [f"{prefix}{i}" for i in range(count)]


NUMBERS, STRINGS, INDICES = columns("n", 40), columns("c", 10), columns("i", 10)


class Rows:
    """One kind of rows: for the peer as `data`, for us as columns of NDJSON; a column's schema is what follows its name."""

    def __init__(self, data, schema, lines):
        self.data, self.schema, self.lines = data, schema, lines

    def write(self, path):
        with open(path, "w") as f:
            for i, line in enumerate(self.lines):
                f.write(json.dumps({**line, "label": float(i % 2)}) + "\n")


def part(data, begin, end):
    return tuple(x[begin:end] for x in data) if isinstance(data, tuple) else data[begin:end]


def vector_rows(array):
    width = array.shape[1]
    attributes = {"attrs": {"numeric": [{"idx": k} for k in range(width)]}, "num_attrs": width}
    return Rows(array, {"v": {"type": "vector", "attributes": attributes}}, [{"v": row.tolist()} for row in array])


def table_rows(names, array, kind):
    values = [[None if x != x else x for x in row] for row in array.tolist()]
    return Rows(array, {n: {"type": kind} for n in names}, [dict(zip(names, row)) for row in values])


def sparse_rows(matrix):
    lines = []
    for k in range(matrix.shape[0]):
        row = matrix[k]
        row.sort_indices()
        lines.append({"v": {"size": matrix.shape[1], "indices": row.indices.tolist(), "values": row.data.tolist()}})
    return Rows(matrix, {"v": {"type": "vector"}}, lines)


def make_rows(n):
    """name -> Rows; the same for every run."""
    import numpy as np
    import stage_peers
    rng = np.random.default_rng(1)
    with open(EXAMPLES / "reviews.csv", newline="") as f:
        sentences = [r["text"] for r in csv.DictReader(f)]
    random.Random(1).shuffle(sentences)
    texts = [" ".join(sentences[(3 * i + k) % len(sentences)] for k in range(3)) for i in range(n)]
    tokens = [re.findall(r"\w+", t.lower()) for t in texts]
    numbers = np.where(rng.random((n, 40)) < 0.05, np.nan, rng.normal(size=(n, 40)))
    strings = rng.choice(WORDS, (n, 10)).astype(object)
    indices = rng.integers(0, 20, (n, 10)).astype(float)
    left, right = table_rows(NUMBERS[:30], numbers[:, :30], "double"), table_rows(STRINGS, strings, "string")
    both = Rows((left.data, right.data), {**left.schema, **right.schema}, [{**a, **b} for a, b in zip(left.lines, right.lines)])
    return {
        "texts": Rows(texts, {"text": {"type": "string"}}, [{"text": t} for t in texts]),
        "tokens": Rows(tokens, {"words": {"type": "array<string>"}}, [{"words": t} for t in tokens]),
        "sparse": sparse_rows(stage_peers.hasher()(tokens)),
        "dense": vector_rows(rng.normal(size=(n, 40)) * np.linspace(0.5, 2, 40)),
        "counts": vector_rows(rng.integers(0, 5, (n, 40)).astype(float)),
        "ten": vector_rows(rng.normal(size=(n, 10))),
        "numbers": table_rows(NUMBERS, numbers, "double"),
        "number": table_rows(["n0"], rng.normal(size=(n, 1)), "double"),
        "whole": table_rows(NUMBERS, rng.normal(size=(n, 40)), "double"),
        "strings": right,
        "indices": table_rows(INDICES, indices, "double"),
        "index": table_rows(INDICES[:1], indices[:, :1], "double"),
        "tabular": both,
    }


def stage(name, **parameters):
    return {"stage": name, **parameters}


def one(name, column, **parameters):
    return [stage(name, inputCol=column, outputCol="out", **parameters)]


def several(name, names, **parameters):
    return [stage(name, inputCols=names, outputCols=["out_" + c for c in names], **parameters)]


WIDE = 1 << 18
TABULAR = [
    *several("Imputer", NUMBERS[:30]),
    *several("StringIndexer", STRINGS),
    *several("OneHotEncoder", ["out_" + c for c in STRINGS]),
    stage("VectorAssembler", inputCols=["out_out_" + c for c in STRINGS] + ["out_" + c for c in NUMBERS[:30]], outputCol="all"),
    *one("StandardScaler", "all"),
]
# What is measured, on which rows, by which stages; peers have the same names.
CASES = [
    ("Tokenizer", "texts", one("Tokenizer", "text")),
    ("RegexTokenizer", "texts", one("RegexTokenizer", "text", pattern="\\W+")),
    ("StopWordsRemover", "tokens", one("StopWordsRemover", "words")),
    ("NGram", "tokens", one("NGram", "words")),
    ("HashingTF", "tokens", one("HashingTF", "words", numFeatures=WIDE)),
    ("CountVectorizer", "tokens", one("CountVectorizer", "words")),
    ("Word2Vec", "tokens", one("Word2Vec", "words", vectorSize=16, maxIter=1, minCount=1)),
    ("FeatureHasher", "strings", [stage("FeatureHasher", inputCols=STRINGS, outputCol="out", numFeatures=WIDE)]),
    ("IDF", "sparse", one("IDF", "v")),
    ("Normalizer", "sparse", one("Normalizer", "v")),
    ("StandardScaler", "dense", one("StandardScaler", "v", withMean=True)),
    ("MinMaxScaler", "dense", one("MinMaxScaler", "v")),
    ("MaxAbsScaler", "dense", one("MaxAbsScaler", "v")),
    ("RobustScaler", "dense", one("RobustScaler", "v", withCentering=True)),
    ("Binarizer", "dense", one("Binarizer", "v")),
    ("PCA", "dense", one("PCA", "v", k=8)),
    ("PolynomialExpansion", "ten", one("PolynomialExpansion", "v")),
    ("DCT", "dense", one("DCT", "v")),
    ("ElementwiseProduct", "dense", one("ElementwiseProduct", "v", scalingVec=[k / 20 - 1 for k in range(40)])),
    ("VectorSlicer", "dense", one("VectorSlicer", "v", indices=[0, 3, 5, 8])),
    ("VectorSizeHint", "dense", [stage("VectorSizeHint", inputCol="v", size=40)]),
    ("VectorIndexer", "counts", one("VectorIndexer", "v", maxCategories=20)),
    ("Interaction", "ten", [stage("Interaction", inputCols=["v", "label"], outputCol="out")]),
    ("VarianceThresholdSelector", "dense", [stage("VarianceThresholdSelector", featuresCol="v", outputCol="out",
                                                  varianceThreshold=0.5)]),
    ("ChiSqSelector", "counts", [stage("ChiSqSelector", featuresCol="v", outputCol="out", numTopFeatures=8)]),
    ("UnivariateFeatureSelector", "dense", [stage("UnivariateFeatureSelector", featuresCol="v", outputCol="out", selectionThreshold=8,
                                                  featureType="continuous", labelType="categorical")]),
    ("Bucketizer", "number", one("Bucketizer", "n0", splits=["-Infinity", -1, 0, 1, "Infinity"])),
    ("QuantileDiscretizer", "number", one("QuantileDiscretizer", "n0", numBuckets=8)),
    ("Imputer", "numbers", several("Imputer", NUMBERS)),
    ("StringIndexer", "strings", several("StringIndexer", STRINGS)),
    ("IndexToString", "index", one("IndexToString", "i0", labels=WORDS)),
    ("OneHotEncoder", "indices", several("OneHotEncoder", INDICES)),
    ("TargetEncoder", "indices", several("TargetEncoder", INDICES)),
    ("VectorAssembler", "whole", [stage("VectorAssembler", inputCols=NUMBERS, outputCol="out")]),
    ("RFormula", "tabular", [stage("RFormula", formula="label ~ " + " + ".join(NUMBERS[:1] + STRINGS[:2]), handleInvalid="keep")]),
    ("SQLTransformer", "whole", [stage("SQLTransformer", statement="SELECT *, n0 * 2 + abs(n1) AS s FROM __THIS__")]),
    ("BucketedRandomProjectionLSH", "dense", one("BucketedRandomProjectionLSH", "v", bucketLength=0.5, numHashTables=4, seed=1)),
    ("MinHashLSH", "sparse", one("MinHashLSH", "v", numHashTables=4, seed=1)),
    ("LogisticRegression", "dense", [stage("LogisticRegression", featuresCol="v", regParam=0.01)]),
    ("text chain", "texts", [
        *one("RegexTokenizer", "text", pattern="\\W+"), stage("StopWordsRemover", inputCol="out", outputCol="content"),
        stage("NGram", inputCol="content", outputCol="grams"),
        stage("HashingTF", inputCol="grams", outputCol="tf", numFeatures=WIDE), stage("IDF", inputCol="tf", outputCol="features")]),
    ("tabular chain, 40 columns", "tabular", [{**s, "outputCol": "features"} if s["stage"] == "StandardScaler" else s for s in TABULAR]),
    ("wide sparse chain", "tokens", [
        *one("HashingTF", "words", numFeatures=WIDE), stage("IDF", inputCol="out", outputCol="idf"),
        stage("Normalizer", inputCol="idf", outputCol="features")]),
]


def catalogue():
    run = subprocess.run([BUILD / "quern", "stages", "--json"], capture_output=True, check=True)
    return [s["stage"] for s in json.loads(run.stdout)["stages"]]


def run_ours(commands):
    """The commands one after the other; what the last one prints."""
    for command in commands:
        run = subprocess.run(command, capture_output=True, text=True, timeout=300)
        if run.returncode != 0:
            raise SystemExit(f"{command[0].name}: {run.stderr}")
    return json.loads(run.stdout)


class Spark:
    """The peer process that peer_spark.py is, where there is a python for it."""

    def __init__(self):
        python = os.environ.get("QUERN_SPARK_PYTHON")
        self.process = python and subprocess.Popen([python, HERE / "peer_spark.py"], text=True, stdin=subprocess.PIPE,
                                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def measure(self, rows, lines, stages):
        if not self.process:
            return None
        case = {"schema": rows.schema, "rows": str(lines), "stages": stages}
        print(json.dumps(case), file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline()
        if not answer:
            raise SystemExit(f"peer_spark.py ended with {self.process.wait()}")
        return json.loads(answer)

    def close(self):
        if self.process:
            self.process.stdin.close()
            self.process.wait()


def ours(folder, lines, rows, stages, fit=False):
    """Fits the stages on the rows and times their transform, or the fit alone."""
    spec, model = folder / "spec.json", folder / "m.quern"
    schema = [{"name": n, **known} for n, known in {**rows.schema, "label": {"type": "double"}}.items()]
    spec.write_text(json.dumps({"name": "bench", "source": {"format": "jsonl", "uri": f"file:{lines}", "schema": schema},
                                "pipeline": stages, "resources": {"workers": 1}}))
    if fit:
        return run_ours([[BUILD / "fit_cost", spec, lines]])
    return run_ours([[BUILD / "quern", "fit", spec, "--out", model], [BUILD / "stage_cost", model, lines]])


def best_ns(count, call):
    best, end = float("inf"), time.perf_counter() + SECONDS
    while time.perf_counter() < end:
        start = time.perf_counter_ns()
        call()
        best = min(best, time.perf_counter_ns() - start)
    return best / count


def theirs(rows, fit):
    transform = fit(rows.data)
    singles = [part(rows.data, k, k + 1) for k in range(SINGLES)]
    return {"batch": best_ns(len(rows.lines), lambda: transform(rows.data)),
            "single": best_ns(SINGLES, lambda: [transform(s) for s in singles])}


def fit_line(name, a, rows, peer):
    """None where there is nothing to fit."""
    if a["fit"] is None:
        return None
    b = best_ns(len(rows.lines), lambda: peer(rows.data)) if peer else None
    cells = f"{b:12.0f} {b / a['fit']:8.1f}" if b else f"{'-':>12} {'-':>8}"
    return f"{name:28} {a['fit']:10.0f} {cells}" + ("  SLOWER" if b and b < a["fit"] else "")


def line(name, a, b, spark):
    cells = [f"{name:28}"]
    for kind in ("batch", "single"):
        cells.append(f"{a[kind]:10.0f}")
        cells.append(f"{b[kind]:12.0f} {b[kind] / a[kind]:8.1f}" if b else f"{'-':>12} {'-':>8}")
        if spark:
            cells.append(f"{spark[kind]:12.0f} {spark[kind] / a[kind]:8.0f}")
    slower = b and min(b["batch"] / a["batch"], b["single"] / a["single"]) < 1
    return " ".join(cells) + f" {a['allocations']:7.2f}" + ("  SLOWER" if slower else "")


def main():
    import stage_peers
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("stage", nargs="*", help="cases to measure, or the beginnings of their names; default: all")
    args.add_argument("--rows", type=int, default=0, help="default: 2048, to fit on 16384")
    args.add_argument("--fit", action="store_true", help="what fitting costs")
    args = args.parse_args()
    known, rows = catalogue(), make_rows(args.rows or (16384 if args.fit else 2048))
    spark = None if args.fit else Spark()
    peers = f"{'scikit-learn':>12} {'ratio':>8}" + (f" {'Spark':>12} {'ratio':>8}" if spark and spark.process else "")
    print(f"{'ns a row':28} " + (f"{'fit':>10} {peers}" if args.fit else f"{'batch':>10} {peers} {'single':>10} {peers} allocs"), flush=True)
    for name, kind, stages in CASES:
        wanted = not args.stage or any(name.startswith(s) for s in args.stage)
        if not wanted or not {s["stage"] for s in stages} <= set(known) or (args.fit and len(stages) > 1):
            continue
        folder = pathlib.Path(tempfile.mkdtemp(prefix="quern-bench."))
        peer, lines = stage_peers.PEERS.get(name), folder / "rows.ndjson"
        try:
            rows[kind].write(lines)
            a = ours(folder, lines, rows[kind], stages, args.fit)
            beside = None if args.fit else spark.measure(rows[kind], lines, stages)
        finally:
            shutil.rmtree(folder)
        shown = fit_line(name, a, rows[kind], peer) if args.fit else line(name, a, theirs(rows[kind], peer) if peer else None, beside)
        if shown:
            print(shown, flush=True)
    if spark:
        spark.close()
    for name in sorted(set(known) - {c[0] for c in CASES}):
        print(f"{name}: no case")


if __name__ == "__main__":
    os.environ |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    python = peer_python("scikit-learn")
    if pathlib.Path(sys.prefix).resolve() != python.parent.parent.resolve():
        os.execv(python, [str(python), *sys.argv])
    main()
