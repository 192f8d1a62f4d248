"""The commands that need no service: fit, apply, evaluate, neighbors, similarity, inspect, stages; exit codes, and how errors are said."""
import csv
import gzip
import io
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from quern import BUILD, EXAMPLES, SLOWER, main, reviews_spec

TEXTS = ["Mountain biking is awesome!", "The food was cold, and the waiter \"rude\".", "", "naïve café\nin two lines"]


def quern(*args, stdin=None, cwd=EXAMPLES, timeout=120 * SLOWER, tmp=None):
    if isinstance(stdin, str):
        stdin = stdin.encode()
    env = {**os.environ, "TMPDIR": str(tmp)} if tmp else None
    return subprocess.run([BUILD / "quern", *map(str, args)], input=stdin, capture_output=True, cwd=cwd, timeout=timeout, env=env)


def ndjson(rows):
    return "".join(json.dumps(r) + "\n" for r in rows)


def lines(run):
    return [json.loads(x) for x in run.stdout.splitlines()]


class Local(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dir = pathlib.Path(tempfile.mkdtemp(prefix="quern-cli."))
        cls.spec = cls.dir / "spec.json"
        cls.spec.write_text(json.dumps(reviews_spec(seed=1)))
        cls.model = cls.dir / "m.quern"
        cls.fitted = quern("fit", cls.spec, "--workers", 2, "--out", cls.model)
        if cls.fitted.returncode != 0:
            raise AssertionError(cls.fitted.stderr)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.dir, ignore_errors=True)

    def ok(self, *args, **kw):
        run = quern(*args, **kw)
        self.assertEqual(run.returncode, 0, run.stderr)
        return run

    def answers(self):
        return lines(self.ok("apply", self.model, stdin=ndjson({"text": t} for t in TEXTS)))

    # --- fit ------------------------------------------------------------------------------------------------------------

    def test_fit_says_what_came_of_it(self):
        summary = json.loads(self.fitted.stdout)
        self.assertGreater(summary["metrics"]["areaUnderROC"], 0.85)
        self.assertEqual(summary["rows"], summary["trainRows"] + summary["testRows"])
        self.assertEqual(self.fitted.stderr, b"")

    def test_fit_gives_the_same_bytes_for_any_number_of_workers(self):
        for workers in (1, 3):
            out = self.dir / f"w{workers}.quern"
            self.ok("fit", self.spec, "--workers", workers, "--out", out)
            self.assertEqual(out.read_bytes(), self.model.read_bytes(), f"{workers} workers")

    def test_fit_takes_rows_in_the_sources_place(self):
        with open(EXAMPLES / "reviews.csv", newline="") as f:
            rows = [{"text": r["text"], "label": float(r["label"])} for r in csv.DictReader(f)]
        file = self.dir / "rows.ndjson"
        file.write_text(ndjson(rows))
        a, b = self.dir / "a.quern", self.dir / "b.quern"
        self.ok("fit", self.spec, "--rows", file, "--out", a)
        self.ok("fit", self.spec, "--rows", "-", "--out", b, stdin=file.read_bytes())
        want = [a["sentiment"] for a in self.answers()]
        for model in (a, b):
            run = self.ok("apply", model, stdin=ndjson({"text": t} for t in TEXTS))
            for got, x in zip(lines(run), want):
                self.assertAlmostEqual(got["sentiment"], x, delta=0.3)

    def test_fit_refuses_a_bad_specification(self):
        bad = reviews_spec(colour="blue")
        bad["pipeline"][2]["numFeatures"] = 0
        file = self.dir / "bad.json"
        file.write_text(json.dumps(bad))
        out = self.dir / "never.quern"
        run = quern("fit", file, "--out", out)
        self.assertEqual((run.returncode, run.stdout), (1, b""))
        said = run.stderr.decode().splitlines()
        self.assertTrue(any(s.startswith("quern fit: /pipeline/2/numFeatures must be ") for s in said), said)
        self.assertTrue(any(s.startswith("quern fit: /colour ") for s in said), said)
        self.assertFalse(out.exists())
        problem = json.loads(quern("fit", file, "--out", out, "--json").stderr)
        self.assertEqual((problem["type"], problem["status"]), ("/problems/invalid", 422))
        self.assertIn("/pipeline/2/numFeatures", [e["pointer"] for e in problem["errors"]])

    def test_fit_leaves_nothing_behind(self):
        tmp = self.dir / "tmp"
        tmp.mkdir()
        self.assertEqual(quern("fit", self.spec, "--out", self.dir / "x.quern", tmp=tmp).returncode, 0)
        self.assertNotEqual(quern("fit", self.spec, "--rows", "nowhere.ndjson", "--out", self.dir / "y.quern", tmp=tmp).returncode, 0)
        self.assertEqual(list(tmp.iterdir()), [])

    # --- apply ----------------------------------------------------------------------------------------------------------

    def test_apply_formats(self):
        want = self.answers()
        self.assertEqual([list(a) for a in want], [["sentiment"]] * len(TEXTS))
        table = io.StringIO()
        w = csv.writer(table)
        w.writerow(["id", "text"])
        w.writerows(enumerate(TEXTS))
        # csv writes an empty text as nothing, which is null; "" is the empty text.
        text = table.getvalue().replace("2,\r\n", "2,\"\"\r\n")
        plain, packed = self.dir / "rows.csv", self.dir / "rows.csv.gz"
        plain.write_bytes(text.encode())
        packed.write_bytes(gzip.compress(text.encode()))
        self.assertEqual(lines(self.ok("apply", self.model, plain)), want)
        self.assertEqual(lines(self.ok("apply", self.model, packed)), want)
        self.assertEqual(lines(self.ok("apply", self.model, "-", stdin=text)), want)
        out = self.ok("apply", self.model, "--format", "csv", plain).stdout.decode()
        got = list(csv.DictReader(io.StringIO(out)))
        self.assertEqual([float(r["sentiment"]) for r in got], [a["sentiment"] for a in want])

    def test_apply_full_has_what_came_and_what_was_made(self):
        rows = [{"id": i, "more": {"a": [i]}, "text": t} for i, t in enumerate(TEXTS)]
        got = lines(self.ok("apply", self.model, "--output", "full", stdin=ndjson(rows)))
        for row, answer, response in zip(rows, got, self.answers()):
            self.assertEqual({k: answer[k] for k in row}, row)
            for column in ("words", "bigrams", "features", "rawPrediction", "probability", "prediction"):
                self.assertIn(column, answer)
            self.assertEqual(answer["sentiment"], response["sentiment"])
            self.assertEqual(answer["probability"][1], response["sentiment"])

    def test_apply_streams(self):
        """Answers come while the input is still open, and a long input takes little memory."""
        p = subprocess.Popen([BUILD / "quern", "apply", self.model], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for text in TEXTS:
            p.stdin.write((json.dumps({"text": text}) + "\n").encode())
            p.stdin.flush()
            self.assertIn("sentiment", json.loads(p.stdout.readline()))
        p.stdin.close()
        self.assertEqual(p.wait(30), 0)
        p.stdout.close()

    def test_apply_keeps_order_over_many_rows(self):
        n = 5000
        rows = "".join(json.dumps({"id": i, "text": TEXTS[i * i % 4]}) + "\n" for i in range(n))
        got = lines(self.ok("apply", self.model, "--output", "full", stdin=rows))
        self.assertEqual([a["id"] for a in got], list(range(n)))

    def test_apply_answers_bad_rows_on_their_lines(self):
        run = quern("apply", self.model, stdin='{"text":"a"}\n{"text":5}\nnonsense\n{"text":"b"}\n')
        self.assertEqual(run.returncode, 1)
        got = lines(run)
        self.assertEqual(["sentiment" in a for a in got], [True, False, False, True])
        self.assertEqual(got[1]["errors"][0]["pointer"], "/text")
        self.assertEqual(got[2]["type"], "/problems/invalid-json")
        self.assertIn(b"2 of 4 rows", run.stderr)
        self.assertEqual(quern("apply", self.model, "--format", "csv", stdin='{"text":5}\n').returncode, 1)

    def test_apply_refuses_what_is_no_model(self):
        run = quern("apply", self.spec, stdin="")
        self.assertEqual(run.returncode, 1)
        self.assertIn(b"quern apply: ", run.stderr)
        broken = self.dir / "broken.quern"
        data = bytearray(self.model.read_bytes())
        data[len(data) // 2] ^= 1
        broken.write_bytes(data)
        self.assertEqual(json.loads(quern("apply", broken, "--json", stdin="").stderr)["type"], "/problems/bad-model")

    # --- evaluate, inspect, stages ----------------------------------------------------------------------------------------

    def test_evaluate(self):
        rows = EXAMPLES / "reviews.csv"
        by_source = json.loads(self.ok("evaluate", self.spec, "--model", self.model).stdout)
        by_file = json.loads(self.ok("evaluate", self.spec, "--model", self.model, rows).stdout)
        by_stdin = json.loads(self.ok("evaluate", self.spec, "--model", self.model, "-", stdin=rows.read_bytes()).stdout)
        full = self.ok("apply", self.model, "--output", "full", rows).stdout
        by_columns = json.loads(self.ok("evaluate", self.spec, "-", stdin=full).stdout)
        self.assertEqual(sorted(by_source), ["evaluation", "metrics"])
        self.assertGreater(by_source["metrics"]["accuracy"], 0.9)
        self.assertIn("roc", by_source["evaluation"])
        for other in (by_file, by_stdin, by_columns):
            self.assertEqual(other["metrics"], by_source["metrics"])

    def test_inspect(self):
        manifest = json.loads(self.ok("inspect", self.model).stdout)
        self.assertEqual([c["name"] for c in manifest["input"]], ["text"])
        self.assertEqual(manifest["response"], {"sentiment": "probability[1]"})
        self.assertEqual([s["stage"] for s in manifest["stages"]], [s["stage"] for s in reviews_spec()["pipeline"]])
        state = json.loads(self.ok("inspect", self.model, "--state").stdout)
        self.assertIn("coefficients", state["stages"][-1])

    def test_stages(self):
        self.assertIn(b"LogisticRegression", self.ok("stages").stdout)
        shown = self.ok("stages", "HashingTF").stdout.decode()
        for part in ("transformer", "array<string>", "vector", "numFeatures", "262144", "in [1, 2147483647]"):
            self.assertIn(part, shown)
        self.assertIn(b"one of areaUnderROC, areaUnderPR", self.ok("stages", "BinaryClassificationEvaluator").stdout)
        catalogue = json.loads(self.ok("stages", "--json").stdout)
        self.assertIn("NGram", [s["stage"] for s in catalogue["stages"]])
        evaluator = json.loads(self.ok("stages", "MulticlassClassificationEvaluator", "--json").stdout)
        page = self.ok("stages", "--markdown").stdout.decode()
        for entry in [*catalogue["stages"], evaluator]:
            self.assertIn(f"\n### {entry.get('stage') or entry['evaluator']}\n", page)
            for p in entry["parameters"]:
                self.assertIn(f"\n| `{p['name']}` | `{p['type']}` | ", page)
        self.assertEqual(quern("stages", "NoSuchStage").returncode, 1)

    def test_a_formula_is_applied_to_rows_without_their_label(self):
        rows = [{"y": "yes", "c": "a", "x": 1.0}, {"y": "no", "c": "b", "x": 2.0}, {"y": "no", "c": "c", "x": 3.0}]
        spec = {"name": "formula", "source": {"format": "inline", "rows": rows}, "pipeline": [{"stage": "RFormula", "formula": "y ~ c + x"}]}
        with tempfile.TemporaryDirectory() as dir:
            path, model = pathlib.Path(dir, "spec.json"), pathlib.Path(dir, "m.quern")
            path.write_text(json.dumps(spec))
            self.ok("fit", path, "--out", model)
            known = lines(self.ok("apply", model, "--output", "full", stdin=json.dumps(rows[0]) + "\n"))
            self.assertEqual(known[0]["label"], 1)
            self.assertEqual(lines(self.ok("apply", model, stdin='{"c":"a","x":1.0}\n')), [{"features": known[0]["features"]}])

    # --- neighbors, similarity --------------------------------------------------------------------------------------------

    POINTS = [{"id": i, "x": [i % 4, i // 4 % 3]} for i in range(24)]

    def hashed(self, **more):
        """A model that hashes points in buckets so wide that near ones always share one."""
        stage = {"stage": "BucketedRandomProjectionLSH", "inputCol": "x", "outputCol": "h", "bucketLength": 8,
                 "numHashTables": 4, "seed": 3, **more}
        spec, out = self.dir / "lsh.json", self.dir / "lsh.quern"
        spec.write_text(json.dumps({"name": "lsh", "pipeline": [stage], "source": {"format": "inline",
                        "schema": [{"name": "x", "type": "vector"}], "rows": [{"x": p["x"]} for p in self.POINTS]}}))
        self.ok("fit", spec, "--out", out)
        return out

    @staticmethod
    def distance(a, b):
        return sum((x - y) ** 2 for x, y in zip(a, b)) ** 0.5

    def test_neighbors(self):
        model, rows = self.hashed(), ndjson(self.POINTS)
        got = lines(self.ok("neighbors", model, "--key", "[3,2]", "-n", 5, stdin=rows))
        want = sorted(self.POINTS, key=lambda p: (self.distance(p["x"], [3, 2]), p["id"]))[:5]
        self.assertEqual([(a["id"], a["x"], a["distCol"]) for a in got],
                         [(p["id"], p["x"], self.distance(p["x"], [3, 2])) for p in want])
        self.assertEqual([len(a["h"]) for a in got], [4] * 5)
        sparse = self.ok("neighbors", model, "-k", '{"size":2,"indices":[0,1],"values":[3,2]}', "-n", 5, "--dist-col", "d",
                         stdin=rows)
        self.assertEqual([a["d"] for a in lines(sparse)], [a["distCol"] for a in got])
        # Rows that share no bucket with the key are not found, however many were asked for.
        narrow = self.ok("neighbors", self.hashed(bucketLength=1e-6), "-k", "[0.3,0.7]", "-n", 9, stdin=rows)
        self.assertEqual(lines(narrow), [])

    def test_similarity(self):
        model = self.hashed()
        file = self.dir / "points.ndjson"
        file.write_text(ndjson(self.POINTS + self.POINTS[:3]))
        want = [(a["id"], b["id"], self.distance(a["x"], b["x"])) for a in self.POINTS for b in self.POINTS
                if self.distance(a["x"], b["x"]) < 1.2]
        for files, stdin in (((file,), None), ((file, "-"), file.read_bytes()), (("-",), file.read_bytes())):
            got = lines(self.ok("similarity", model, *files, "--threshold", "1.2", stdin=stdin))
            self.assertEqual([(p["datasetA"]["id"], p["datasetB"]["id"], p["distCol"]) for p in got], want)
        # The bound itself is not nearer than the bound.
        near = lines(self.ok("similarity", model, file, "-t", 1, "--dist-col", "d"))
        self.assertEqual({p["d"] for p in near}, {0})

    def test_searches_refuse(self):
        model, rows = self.hashed(), ndjson(self.POINTS)
        for args, said in (((model, "-k", "[1]", "-n", 1), b"another length"), ((model, "-k", "[1", "-n", 1), b"--key"),
                           ((model, "-k", '["a",1]', "-n", 1), b"/key/0 must be a number"),
                           ((model, "-k", "[1,2]", "-n", 1, "--dist-col", "id"), b"row 1 has a column id already"),
                           ((model, "-k", "[1,2]", "-n", 1, "--output-col", "z"), b"outputCol z"),
                           ((self.model, "-k", "[1,2]", "-n", 1), b"no LSH stage")):
            run = quern("neighbors", *args, stdin=rows)
            self.assertEqual((run.returncode, run.stdout), (1, b""), args)
            self.assertIn(said, run.stderr)
        run = quern("similarity", model, "-", "-t", "1", stdin=rows + '{"x":[1]}\n')
        self.assertEqual((run.returncode, run.stdout), (1, b""))
        self.assertIn(b"row 25", run.stderr)
        for args in (("neighbors", model), ("neighbors", model, "-k", "[1,2]", "-n", "0"), ("similarity", model, "x"),
                     ("similarity", model, "-t", "near", "x"), ("similarity", model, "-t", "1", "-", "-")):
            self.assertEqual(quern(*args).returncode, 2, args)

    # --- Usage ------------------------------------------------------------------------------------------------------------

    def test_exit_codes(self):
        for args in ((), ("nonsense",), ("fit",), ("fit", self.spec), ("apply",), ("apply", self.model, "--format", "xml"),
                     ("apply", self.model, "a", "b"), ("fit", self.spec, "--workers", "0", "--out", "x"),
                     ("jobs", "get"), ("models", "export", "m", "1"), ("stages", "--nonsense"), ("stages", "NGram", "--markdown")):
            run = quern(*args)
            self.assertEqual((run.returncode, run.stdout), (2, b""), args)
            self.assertTrue(run.stderr, args)
        for args in (("help",), ("--help",), ("fit", "--help"), ("jobs", "--help"), ("version",), ("--version",)):
            run = quern(*args)
            self.assertEqual((run.returncode, run.stderr), (0, b""), args)
            self.assertTrue(run.stdout, args)
        run = quern("jobs", "list", "--url", "http://127.0.0.1:1", "--json")
        self.assertEqual(run.returncode, 1)
        self.assertEqual(json.loads(run.stderr)["status"], 503)


if __name__ == "__main__":
    main()
