"""Spark's transform of the rows of stages.py: a peer process that a python with pyspark runs.

A line of standard input is {"schema": {column: {"type", "attributes"?}}, "rows": NDJSON's path, "stages": […]}; the answer on standard output is
{"batch": ns a row, "single": ns of one row alone} of the fitted pipeline. `batch` writes all rows nowhere (the noop sink), from a
cached table; `single` is what a scorer does: a table of the one row, transformed and collected. One core.
"""
import json
import os
import sys
import time

os.environ["PYSPARK_PYTHON"] = sys.executable
from pyspark.ml import Pipeline, classification, feature  # noqa: E402
from pyspark.ml.linalg import Vectors, VectorUDT  # noqa: E402
from pyspark.sql import SparkSession, types  # noqa: E402

BATCH_SECONDS, SINGLE_SECONDS = 3, 3
TYPES = {"double": types.DoubleType(), "string": types.StringType(), "array<string>": types.ArrayType(types.StringType()),
         "vector": VectorUDT()}


def session():
    options = {"spark.ui.enabled": "false", "spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1",
               "spark.sql.shuffle.partitions": "1", "spark.default.parallelism": "1"}
    builder = SparkSession.builder.master("local[1]")
    for name, value in options.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("OFF")
    return spark


def value(v, kind):
    if kind != "vector" or v is None:
        return v
    return Vectors.sparse(v["size"], v["indices"], v["values"]) if isinstance(v, dict) else Vectors.dense(v)


def parameter(name, v):
    if name == "scalingVec":
        return Vectors.dense(v)
    if isinstance(v, list):
        return [parameter(name, x) for x in v]
    return float(v) if name == "splits" else v


def make(stage):
    kind = getattr(feature, stage["stage"], None) or getattr(classification, stage["stage"])
    return kind()._set(**{k: parameter(k, v) for k, v in stage.items() if k != "stage"})


def best_ns(seconds, call):
    best, end = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter_ns()
        call()
        best = min(best, time.perf_counter_ns() - start)
    return best


def measure(spark, case):
    columns = {**case["schema"], "label": {"type": "double"}}
    kinds = {n: known["type"] for n, known in columns.items()}
    about = {n: {"ml_attr": known["attributes"]} if "attributes" in known else {} for n, known in columns.items()}
    schema = types.StructType([types.StructField(n, TYPES[k], True, about[n]) for n, k in kinds.items()])
    with open(case["rows"]) as f:
        rows = [tuple(value(row.get(n), k) for n, k in kinds.items()) for row in map(json.loads, f)]
    table = spark.createDataFrame(rows, schema).coalesce(1).cache()
    model = Pipeline(stages=[make(s) for s in case["stages"]]).fit(table)
    batch = best_ns(BATCH_SECONDS, lambda: model.transform(table).write.format("noop").mode("overwrite").save())
    single = best_ns(SINGLE_SECONDS, lambda: model.transform(spark.createDataFrame(rows[:1], schema)).collect())
    table.unpersist()
    return {"batch": batch / len(rows), "single": single}


def main():
    spark, out = session(), os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        print(json.dumps(measure(spark, json.loads(line))), file=out, flush=True)
    spark.stop()


if __name__ == "__main__":
    main()
