"""quern import-spark: pipelines as Spark saves them, written here in its form, become specifications that train."""
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from quern import BUILD, SLOWER

FEATURE = "org.apache.spark.ml.feature."
CLASSIFICATION = "org.apache.spark.ml.classification."
PIPELINE = "org.apache.spark.ml.Pipeline"


def metadata(folder, cls, uid, params, defaults, part="part-00000"):
    """One folder as DefaultParamsWriter leaves it, with the checksums and marks of Hadoop's writer."""
    where = folder / "metadata"
    where.mkdir(parents=True)
    doc = {"class": cls, "timestamp": 1719400000000, "sparkVersion": "4.0.1", "uid": uid, "paramMap": params,
           "defaultParamMap": defaults}
    if defaults is None:
        del doc["defaultParamMap"]
    (where / part).write_text(json.dumps(doc, separators=(",", ":")) + "\n")
    (where / f".{part}.crc").write_bytes(b"crc\0\0\0\2\0")
    (where / "_SUCCESS").write_bytes(b"")


def pipeline(folder, stages, cls=PIPELINE + "Model", uid="pipeline_0f"):
    """stages: (class, params, defaults), or a list of such for a pipeline in the pipeline."""
    uids = [f"stage_{i:x}" for i in range(len(stages))]
    metadata(folder, cls, uid, {"stageUids": uids}, {})
    for i, (stage, own) in enumerate(zip(stages, uids)):
        path = folder / "stages" / f"{i:0{len(str(len(stages)))}d}_{own}"
        if isinstance(stage, list):
            pipeline(path, stage, uid=own)
        else:
            metadata(path, stage[0], own, *stage[1:])
    return folder


SAVED = pathlib.Path(__file__).resolve().parent / "spark_pipelines"
WORDS = {"Inf": "Infinity", "-Inf": "-Infinity"}


def plain(value):
    """A parameter as Spark writes it, as a specification has it."""
    if isinstance(value, dict):
        cells = value["values"]
        if value["type"] == 0:
            at = dict(zip(value["indices"], cells))
            cells = [at.get(i, 0) for i in range(value["size"])]
        return plain(cells)
    if isinstance(value, list):
        return [plain(v) for v in value]
    return WORDS.get(value, value) if isinstance(value, str) else value


def saved_stages(folder):
    """(class, parameters that were set) of each stage, those of pipelines in their place."""
    (part,) = (folder / "metadata").glob("part-*")
    doc = json.loads(part.read_text())
    uids = doc["paramMap"].get("stageUids")
    if uids is None:
        return [(doc["class"], {name: plain(v) for name, v in doc["paramMap"].items()})]
    paths = [next((folder / "stages").glob(f"*_{uid}")) for uid in uids]
    return [stage for path in paths for stage in saved_stages(path)]


REVIEWS = [
    (FEATURE + "StringIndexerModel", {"inputCol": "kind", "outputCol": "label"},
     {"handleInvalid": "error", "stringOrderType": "frequencyDesc", "outputCol": "stage_0__output"}),
    [
        (FEATURE + "RegexTokenizer", {"inputCol": "text", "pattern": "\\W+"},
         {"outputCol": "stage_0__output", "gaps": True, "minTokenLength": 1, "pattern": "\\s+", "toLowercase": True}),
        [(FEATURE + "HashingTF", {"inputCol": "stage_0__output", "outputCol": "tf", "numFeatures": 64},
          {"numFeatures": 262144, "binary": False, "outputCol": "stage_0__output"})],
    ],
    (FEATURE + "IDFModel", {"inputCol": "tf", "outputCol": "features"}, {"minDocFreq": 0, "outputCol": "x"}),
    (CLASSIFICATION + "LogisticRegressionModel", {"regParam": 0.01, "family": "Binomial", "thresholds": [0.5, 0.5]},
     {"tol": 1.0E-6, "maxIter": 50, "threshold": 0.5, "labelCol": "label", "fitIntercept": True, "elasticNetParam": 0.0}),
]
REVIEWS_HERE = [
    {"stage": "StringIndexer", "inputCol": "kind", "outputCol": "label"},
    {"stage": "RegexTokenizer", "inputCol": "text", "pattern": "\\W+", "outputCol": "stage_0__output"},
    {"stage": "HashingTF", "inputCol": "stage_0__output", "outputCol": "tf", "numFeatures": 64},
    {"stage": "IDF", "inputCol": "tf", "outputCol": "features"},
    {"stage": "LogisticRegression", "regParam": 0.01, "family": "binomial", "thresholds": [0.5, 0.5], "maxIter": 50},
]


class ImportSpark(unittest.TestCase):
    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="quern-spark."))

    def tearDown(self):
        shutil.rmtree(self.dir, ignore_errors=True)

    def quern(self, *args, timeout=60 * SLOWER):
        return subprocess.run([BUILD / "quern", *map(str, args)], capture_output=True, text=True, timeout=timeout)

    def taken(self, *args):
        run = self.quern("import-spark", *args)
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        return json.loads(run.stdout)

    def refused(self, *args, says):
        run = self.quern("import-spark", *args)
        self.assertEqual((run.returncode, run.stdout), (1, ""))
        self.assertIn(says, run.stderr)
        return run.stderr

    def one(self, cls, params, defaults=None, *, more=()):
        """The stage that a pipeline of this one becomes."""
        folder = pathlib.Path(tempfile.mkdtemp(dir=self.dir))
        return self.taken(pipeline(folder, [(FEATURE + cls, params, defaults or {})]), *more)["pipeline"][0]

    # --- What is taken over -----------------------------------------------------------------------------------------------

    def test_a_model_becomes_what_trains_it(self):
        spec = self.taken(pipeline(self.dir / "reviews", REVIEWS))
        self.assertEqual(spec, {"name": "reviews", "pipeline": REVIEWS_HERE})

    def test_the_specification_trains(self):
        spec, model, rows = self.dir / "spec.json", self.dir / "m.quern", self.dir / "rows.ndjson"
        spec.write_text(json.dumps(self.taken(pipeline(self.dir / "reviews", REVIEWS))))
        rows.write_text("".join(json.dumps({"kind": k, "text": t}) + "\n" for k, t in
                                [("good", "a fine day"), ("good", "fine food"), ("bad", "cold food"), ("bad", "a cold day")] * 5))
        run = self.quern("fit", spec, "--rows", rows, "--out", model)
        self.assertEqual(run.returncode, 0, run.stderr)

    def test_an_estimator_and_parts_of_spark_4(self):
        folder = self.dir / "p"
        metadata(folder, PIPELINE, "pipeline_1", {"stageUids": ["n"]}, {}, part="part-00000-5f0e-c000.txt")
        (folder / "metadata" / "part-00001-5f0e-c000.txt").write_bytes(b"")
        metadata(folder / "stages" / "0_n", FEATURE + "NGram", "n", {"inputCol": "a", "outputCol": "b", "n": 3}, {"n": 2})
        self.assertEqual(self.taken(folder)["pipeline"], [{"stage": "NGram", "inputCol": "a", "outputCol": "b", "n": 3}])

    def test_numbers_have_as_many_digits_as_the_count(self):
        stages = [(FEATURE + "Tokenizer", {"inputCol": f"c{i}", "outputCol": f"c{i + 1}"}, {}) for i in range(100)]
        self.assertEqual([s["inputCol"] for s in self.taken(pipeline(self.dir / "p", stages))["pipeline"]],
                         [f"c{i}" for i in range(100)])

    def test_a_stage_alone(self):
        metadata(self.dir / "tok", FEATURE + "Tokenizer", "tok_1", {"inputCol": "a"}, {"outputCol": "tok_1__output"})
        self.assertEqual(self.taken(self.dir / "tok")["pipeline"],
                         [{"stage": "Tokenizer", "inputCol": "a", "outputCol": "tok_1__output"}])

    def test_defaults_that_differ_are_kept(self):
        kept = self.one("HashingTF", {"inputCol": "a", "outputCol": "b"}, {"numFeatures": 1 << 20, "binary": False})
        self.assertEqual(kept, {"stage": "HashingTF", "inputCol": "a", "outputCol": "b", "numFeatures": 1 << 20})

    def test_what_is_set_is_kept_though_it_is_the_default(self):
        kept = self.one("HashingTF", {"inputCol": "a", "numFeatures": 262144}, {"numFeatures": 262144})
        self.assertEqual(kept, {"stage": "HashingTF", "inputCol": "a", "numFeatures": 262144})

    def test_several_columns_go_without_the_default_of_one(self):
        cols = {"inputCols": ["a", "b"], "outputCols": ["x", "y"]}
        self.assertEqual(self.one("ImputerModel", cols, {"outputCol": "i__output", "strategy": "mean"}), {"stage": "Imputer", **cols})

    def test_before_spark_2_4_defaults_stand_among_the_parameters(self):
        folder = self.dir / "old"
        metadata(folder, FEATURE + "CountVectorizer", "cv_1", {"inputCol": "a", "minTF": 1.0, "minDF": 2.0, "outputCol": "b"}, None)
        self.assertEqual(self.taken(folder)["pipeline"],
                         [{"stage": "CountVectorizer", "inputCol": "a", "minDF": 2.0, "outputCol": "b"}])

    def test_names(self):
        self.assertEqual(self.taken(pipeline(self.dir / "p", []), "--name", "urgency")["name"], "urgency")
        self.assertEqual(self.taken(pipeline(self.dir / "my model", []))["name"], "pipeline_0f")
        self.assertEqual(self.taken(f"{self.dir}/p//")["name"], "p")
        self.assertEqual(self.quern("import-spark", self.dir / "p", "--name", "a b").returncode, 2)

    # --- What Spark itself wrote ------------------------------------------------------------------------------------------

    def test_every_set_parameter_arrives(self):
        for folder in ("BucketizerM", "EP", "EPS", "F_multi", "F_tab", "Imp1", "ImpNaN", "Norm"):
            spec = self.taken(SAVED / folder)
            for (cls, params), here in zip(saved_stages(SAVED / folder), spec["pipeline"], strict=True):
                self.assertEqual(here["stage"], cls.split(".")[-1].removesuffix("ClassificationModel").removesuffix("Model"), folder)
                self.assertEqual({name: here.get(name) for name in params}, params, folder)

    def test_an_estimator_that_is_not_here(self):
        self.refused(SAVED / "RFC", says="org.apache.spark.ml.classification.RandomForestClassifier is no stage of Quern")

    # --- Forms of values --------------------------------------------------------------------------------------------------

    def test_infinities(self):
        kept = self.one("Imputer", {"inputCol": "a", "outputCol": "b", "missingValue": "-Inf"})
        self.assertEqual(kept["missingValue"], "-Infinity")
        self.assertEqual(self.one("Normalizer", {"inputCol": "a", "outputCol": "b", "p": "Inf"})["p"], "Infinity")

    def known(self, stage):
        return self.quern("stages", stage).returncode == 0

    def test_vectors(self):
        if not self.known("ElementwiseProduct"):
            self.skipTest("no stage takes a vector yet")
        for vector, want in (({"type": 1, "values": [0.5, "-Inf", 2.0]}, [0.5, "-Infinity", 2.0]),
                             ({"type": 0, "size": 4, "indices": [1, 3], "values": [5.0, -1.5]}, [0, 5.0, 0, -1.5])):
            kept = self.one("ElementwiseProduct", {"inputCol": "a", "outputCol": "b", "scalingVec": vector})
            self.assertEqual(kept["scalingVec"], want)

    def bounds(self, value):
        """Of a matrix-valued parameter, as far as the specification shows it."""
        folder = pathlib.Path(tempfile.mkdtemp(dir=self.dir))
        stage = (CLASSIFICATION + "LogisticRegression", {"lowerBoundsOnCoefficients": value}, {})
        run = self.quern("import-spark", pipeline(folder, [stage]), "--partial")
        self.assertEqual(run.returncode, 0, run.stderr)
        return json.loads(run.stdout)["pipeline"][0].get("lowerBoundsOnCoefficients"), run.stderr

    def test_matrices(self):
        rows = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
        dense = {"type": 1, "numRows": 2, "numCols": 3}
        self.assertEqual(self.bounds({**dense, "values": [1.0, 4.0, 2.0, 5.0, 3.0, 6.0], "isTransposed": False})[0], rows)
        self.assertEqual(self.bounds({**dense, "values": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], "isTransposed": True})[0], rows)
        sparse = {"type": 0, "numRows": 2, "numCols": 3, "values": [7.0, 8.0]}
        self.assertEqual(self.bounds({**sparse, "colPtrs": [0, 1, 1, 2], "rowIndices": [1, 0], "isTransposed": False})[0],
                         [[0, 0, 8.0], [7.0, 0, 0]])
        self.assertEqual(self.bounds({**sparse, "colPtrs": [0, 1, 2], "rowIndices": [2, 0], "isTransposed": True})[0],
                         [[0, 0, 7.0], [8.0, 0, 0]])

    def test_broken_matrices_and_vectors(self):
        whole = {"type": 0, "numRows": 2, "numCols": 3, "values": [7.0, 8.0], "colPtrs": [0, 1, 1, 2], "rowIndices": [1, 0],
                 "isTransposed": False}
        for change in ({"numRows": -1}, {"numRows": 1 << 60, "numCols": 1 << 60}, {"colPtrs": [0, 1]}, {"colPtrs": [0, 1, 1, 3]},
                       {"rowIndices": [2, 0]}, {"rowIndices": [0]}, {"rowIndices": [-1, 0]}, {"values": "x"},
                       {"type": 1}, {"numCols": None}):
            value, said = self.bounds({**whole, **change})
            self.assertIsNone(value, change)
            self.assertIn("lowerBoundsOnCoefficients is a broken matrix", said, change)
        for vector in ({"type": 0, "size": 1 << 40, "indices": [], "values": []}, {"type": 0, "size": 2, "indices": [2], "values": [1]},
                       {"type": 0, "size": 2, "indices": [0, 1], "values": [1]}, {"type": 1, "values": {}}):
            value, said = self.bounds(vector)
            self.assertIn("lowerBoundsOnCoefficients is a broken vector", said, vector)

    def test_nesting(self):
        for depth in (10, 61):
            deep = json.loads("[" * depth + "]" * depth)
            value, said = self.bounds(deep)
            self.assertIsNone(value)
            self.assertIn("lowerBoundsOnCoefficients is nested too deeply", said)

    # --- What cannot be taken over ----------------------------------------------------------------------------------------

    def unknown(self):
        stages = [
            (FEATURE + "Tokenizer", {"inputCol": "a", "outputCol": "b", "colour": "blue"}, {"shade": 1}),
            ("com.example.feature.Tokenizer", {"inputCol": "a"}, {}),
            (FEATURE + "NoSuchStageModel", {}, {}),
            (FEATURE + "NGram", {"inputCol": "b", "outputCol": "c", "n": 0}, {}),
        ]
        return pipeline(self.dir / "p", stages)

    def test_everything_is_listed(self):
        folder = self.unknown()
        said = self.refused(folder, says="--partial")
        for line in (f"{folder}/stages/0_stage_0: {FEATURE}Tokenizer has a parameter colour",
                     f"{folder}/stages/0_stage_0: {FEATURE}Tokenizer has a parameter shade",
                     f"{folder}/stages/1_stage_1: com.example.feature.Tokenizer is no stage of Quern",
                     f"{folder}/stages/2_stage_2: {FEATURE}NoSuchStageModel is no stage of Quern",
                     f"{folder}/stages/3_stage_3: {FEATURE}NGram n must be "):
            self.assertIn("quern import-spark: " + line, said)

    def test_however_many(self):
        folder = pipeline(self.dir / "p", [(FEATURE + "Nothing", {}, {})] * 50)
        self.assertEqual(self.refused(folder, says="Nothing").count("is no stage of Quern"), 50)

    def test_partial(self):
        run = self.quern("import-spark", self.unknown(), "--partial")
        self.assertEqual(run.returncode, 0)
        self.assertEqual([s["stage"] for s in json.loads(run.stdout)["pipeline"]], ["Tokenizer", "NGram"])
        self.assertEqual(run.stderr.count("\n"), 5)

    def test_as_a_problem_document(self):
        run = self.quern("import-spark", self.unknown(), "--json")
        self.assertEqual((run.returncode, run.stdout), (1, ""))
        problem = json.loads(run.stderr)
        self.assertEqual((problem["type"], len(problem["errors"])), ("/problems/invalid", 5))

    # --- Folders that are none, or hostile --------------------------------------------------------------------------------

    def test_no_such_folder(self):
        self.refused(self.dir / "nowhere", says="No such file")
        self.refused("hdfs://namenode/models/reviews", says="No such file")
        (self.dir / "file").write_text("x")
        self.refused(self.dir / "file", says="Not a directory")
        (self.dir / "metadata").mkdir()
        self.refused(self.dir, says="no part-")

    def test_no_metadata(self):
        where = self.dir / "metadata"
        where.mkdir()
        for text in ("nonsense", "[]", "{}", '{"class":"a","uid":"b","paramMap":[]}', '{"class":1,"uid":"b","paramMap":{}}'):
            (where / "part-00000").write_text(text)
            self.refused(self.dir, says="part-00000")
        (where / "part-00000").write_bytes(b"\xff{}")
        self.refused(self.dir, says="part-00000")

    def test_a_missing_stage(self):
        metadata(self.dir / "p", PIPELINE, "p", {"stageUids": ["a"]}, {})
        self.refused(self.dir / "p", says="stages/0_a/metadata")
        metadata(self.dir / "q", PIPELINE, "q", {}, {})
        self.refused(self.dir / "q", says="stageUids")

    def test_uids_lead_nowhere_else(self):
        for i, uid in enumerate(("x/../../../secret", "a\0b", 5, "u" * 300)):
            metadata(self.dir / f"p{i}", PIPELINE, "p", {"stageUids": [uid]}, {})
            self.refused(self.dir / f"p{i}", says="stageUids/0 is no uid")

    def test_links_in_a_circle(self):
        folder = self.dir / "p"
        metadata(folder, PIPELINE, "p", {"stageUids": ["a", "b"]}, {})
        (folder / "stages").mkdir()
        for name in ("0_a", "1_b"):
            os.symlink(folder, folder / "stages" / name)
        self.refused(folder, says="pipelines in one another")
        os.symlink("loop", self.dir / "loop")
        self.refused(self.dir / "loop", says="symbolic links")

    def test_what_has_no_end(self):
        (self.dir / "metadata").mkdir()
        os.mkfifo(self.dir / "metadata" / "part-00000")
        self.refused(self.dir, says="no part-")
        os.symlink("/dev/zero", self.dir / "metadata" / "part-00001")
        self.refused(self.dir, says="no part-")

    def test_too_much(self):
        folder = pipeline(self.dir / "wide", [(FEATURE + "Tokenizer", {}, {})] * 1100)
        self.refused(folder, says="more than 1024 stages")
        metadata(self.dir / "long", FEATURE + "Tokenizer", "t", {"inputCol": "x" * (17 << 20)}, {})
        self.refused(self.dir / "long", says="over 16777216 bytes")


if __name__ == "__main__":
    unittest.main()
