"""Searches with a stored model's LSH stage: neighbors and similarity, beside what Spark answered."""
import json
import os
import pathlib

from quern import ServerCase, main

FIXTURES = pathlib.Path(os.environ.get("QUERN_SOURCE", ".")) / "tests/parity/fixtures/features"
STAGES = ("BucketedRandomProjectionLSH", "MinHashLSH")


def vector(v):
    return v["d"] if "d" in v else {"size": v["n"], "indices": v["i"], "values": v["v"]}


def rows_of(case):
    return [{"id": i, "x": vector(v)} for i, v in case["rows"]]


def cases(question):
    for stage in STAGES:
        for case in json.loads((FIXTURES / f"{stage}.json").read_text())["cases"]:
            for asked in case.get("model", {}).get(question, []):
                yield stage, case, asked


class Case(ServerCase):
    def train(self, stage, case):
        """The fixture's model, by the name of its case."""
        schema = [{"name": "id", "type": "int64"}, {"name": "x", "type": "vector"}]
        name = f"{stage}-{case['case']}".lower()
        if self.server.get(f"/models/{name}").status == 404:
            spec = {"name": name, "source": {"format": "inline", "schema": schema, "rows": rows_of(case)},
                    "pipeline": [{"stage": stage, **case["params"]}], "response": {"hashes": "hashes"},
                    "resources": {"workers": 1}}
            job = self.server.finish(self.server.submit(spec)["id"])
            self.assertEqual(job["state"], "succeeded", job["error"])
        return f"/models/{name}"

    def guide(self):
        case = next(case for stage, case, _ in cases("approxSimilarityJoin") if stage == STAGES[0] and case["case"] == "guide-example")
        return self.train(STAGES[0], case), rows_of(case)

    def refused(self, path, body, status, pointers):
        r = self.server.post(path, body)
        self.assertEqual((r.status, r.headers["Content-Type"]), (status, "application/problem+json"), r.body[:500])
        self.assertEqual([e["pointer"] for e in r.json()["errors"]], pointers, r.body[:500])
        return r.json()["detail"]


class Search(Case):
    def test_neighbors_are_those_of_spark(self):
        asked = 0
        for stage, case, q in cases("approxNearestNeighbors"):
            model = self.train(stage, case)
            for path in (model, model + "/versions/1"):
                r = self.server.post(path + "/neighbors", {"key": vector(q["key"]), "numNearestNeighbors": q["n"], "rows": rows_of(case)})
                self.assertEqual((r.status, r.headers["Quern-Model"]), (200, model.split("/")[-1] + ":1"), r.body[:500])
                found = r.json()["neighbors"]
                self.assertEqual([n["id"] for n in found], [i for i, _ in q["rows"]], (stage, case["case"]))
                for n, (_, distance) in zip(found, q["rows"]):
                    self.assertAlmostEqual(n["distCol"], distance, delta=1e-12)
                    self.assertEqual(set(n), {"id", "x", "hashes", "distCol"})
            asked += 1
        self.assertGreater(asked, 5)

    def test_pairs_are_those_of_spark(self):
        asked = 0
        for stage, case, q in cases("approxSimilarityJoin"):
            path = self.train(stage, case) + "/similarity"
            for body in ({"datasetA": rows_of(case)}, {"datasetA": rows_of(case), "datasetB": rows_of(case)}):
                r = self.server.post(path, {**body, "threshold": q["threshold"], "distCol": "d"})
                self.assertEqual(r.status, 200, r.body[:500])
                pairs = sorted((p["datasetA"]["id"], p["datasetB"]["id"], p["d"]) for p in r.json()["pairs"])
                self.assertEqual([p[:2] for p in pairs], [tuple(p[:2]) for p in q["rows"]], (stage, case["case"]))
                for (_, _, got), (_, _, want) in zip(pairs, q["rows"]):
                    self.assertAlmostEqual(got, want, delta=1e-12)
            asked += 1
        self.assertGreater(asked, 5)

    def test_nothing_near_is_an_empty_answer(self):
        model, rows = self.guide()
        r = self.server.post(model + "/neighbors", {"key": [1e6, 1e6], "numNearestNeighbors": 3, "rows": rows})
        self.assertEqual((r.status, r.json()), (200, {"neighbors": []}))
        for body in ({"datasetA": [], "threshold": 9}, {"datasetA": rows, "datasetB": [], "threshold": 9}, {"datasetA": rows, "threshold": 0}):
            r = self.server.post(model + "/similarity", body)
            self.assertEqual((r.status, r.json()), (200, {"pairs": []}), body)

    def test_faults_are_pointed_at(self):
        model, rows = self.guide()
        good = {"key": [1, 0], "numNearestNeighbors": 2, "rows": rows}
        for change, pointers in (({"numNearestNeighbors": 0}, ["/numNearestNeighbors"]), ({"numNearestNeighbors": 1.5}, ["/numNearestNeighbors"]),
                                 ({"rows": {}}, ["/rows"]), ({"distCol": "hashes"}, ["/distCol"]), ({"outputCol": "none"}, ["/outputCol"]),
                                 ({"unknown": 1}, ["/unknown"]), ({"key": None}, ["/key"]), ({"key": "near"}, ["/key"]),
                                 ({"key": [1, 2, 3]}, ["/key"]), ({"rows": [rows[0], {"x": "?"}, 7]}, ["/rows/1/x", "/rows/2"]),
                                 ({"rows": [{"x": [1, 2, 3]}]}, ["/rows/0/x"])):
            with self.subTest(change=change):
                self.refused(model + "/neighbors", {**good, **change}, 422, pointers)
        self.refused(model + "/neighbors", {"key": [1, 0]}, 422, ["/numNearestNeighbors", "/rows"])
        self.refused(model + "/similarity", {"datasetA": rows, "datasetB": [{}], "threshold": 1}, 422, ["/datasetB/0/x"])
        self.refused(model + "/similarity", {"datasetA": rows, "threshold": "1"}, 422, ["/threshold"])
        self.refused(model + "/similarity", {"datasetA": rows, "threshold": 1, "distCol": "datasetA"}, 422, ["/distCol"])
        self.refused(model + "/similarity", b"[", 400, [])

    def test_a_model_without_lsh_is_a_conflict(self):
        spec = {"name": "plain", "source": {"format": "inline", "rows": [{"x": 1.0}, {"x": 2.0}]},
                "pipeline": [{"stage": "Binarizer", "inputCol": "x", "outputCol": "y"}], "response": {"y": "y"}, "resources": {"workers": 1}}
        self.assertEqual(self.server.finish(self.server.submit(spec)["id"])["state"], "succeeded")
        self.refused("/models/plain/neighbors", {"key": [1], "numNearestNeighbors": 1, "rows": []}, 409, [])
        self.refused("/models/none/neighbors", {"key": [1], "numNearestNeighbors": 1, "rows": []}, 404, [])


class Limits(Case):
    flags = ("--limits.instances=20", "--limits.answerBytes=4KiB")

    def test_each_list_of_rows_has_a_limit(self):
        model, rows = self.guide()
        r = self.server.post(model + "/similarity", {"datasetA": rows * 5, "datasetB": rows * 5, "threshold": 1})
        self.assertEqual((r.status, len(r.json()["pairs"])), (200, 4), r.body[:500])
        for body in ({"datasetA": rows * 6}, {"datasetA": rows, "datasetB": rows * 6}):
            self.assertIn("limits.instances", self.refused(model + "/similarity", {**body, "threshold": 1}, 413, []))
        body = {"key": [1, 0], "numNearestNeighbors": 2, "rows": rows * 6}
        self.assertIn("limits.instances", self.refused(model + "/neighbors", body, 413, []))

    def test_the_answer_has_a_limit(self):
        model, _ = self.guide()
        rows = [{"id": i, "x": [1, 1]} for i in range(20)]
        for path, body in (("/neighbors", {"key": [1, 1], "numNearestNeighbors": 20, "rows": [{**r, "note": "x" * 300} for r in rows]}),
                           ("/similarity", {"datasetA": rows, "threshold": 1})):
            self.assertIn("limits.answerBytes", self.refused(model + path, body, 413, []))


if __name__ == "__main__":
    main()
