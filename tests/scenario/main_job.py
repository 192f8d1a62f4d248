"""The main job, as a user does it: a CSV goes in by POST /jobs, /predict answers."""
import json
import subprocess

from quern import BUILD, EXAMPLES, SLOWER, ServerCase, main, reviews_spec, wait_until


class MainJob(ServerCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.submitted = cls.server.submit(reviews_spec())
        cls.ended = cls.server.finish(cls.submitted["id"])

    def predict(self, body, path="/predict", **headers):
        return self.server.post(path, body, headers=headers)

    def test_job_is_accepted_queued_and_succeeds(self):
        self.assertIn(self.submitted["state"], ("queued", "running"))
        self.assertEqual(self.ended["state"], "succeeded", self.ended["error"])
        self.assertEqual(self.ended["model"], {"name": "reviews", "version": 1})
        self.assertEqual(self.ended["progress"]["fraction"], 1)
        self.assertGreater(self.ended["metrics"]["areaUnderROC"], 0.85)
        self.assertGreater(self.ended["metrics"]["accuracy"], 0.75)

    def test_a_job_has_every_key(self):
        keys = ("id name kind state attempt maxAttempts priority tags createdAt startedAt finishedAt updatedAt progress stages "
                "shards metrics evaluation model resources error seed spec").split()
        for job in (self.submitted, self.ended):
            self.assertEqual([k for k in keys if k not in job], [])
        self.assertEqual(sorted(self.ended["progress"]),
                         sorted("fraction phase message rowsDone rowsTotal etaSeconds".split()))

    def test_predict(self):
        r = self.predict({"text": "Mountain biking is awesome!"})
        self.assertEqual(r.status, 200, r.body)
        self.assertEqual(list(r.json()), ["sentiment"])
        self.assertGreater(r.json()["sentiment"], 0.8)
        self.assertEqual(r.headers["Quern-Model"], "reviews:1")
        self.assertLess(self.predict({"text": "The food was cold and the waiter was rude."}).json()["sentiment"], 0.4)

    def test_instances_keep_their_order(self):
        texts = ["awesome", "awful", "great fun", "boring"]
        one_by_one = [self.predict({"text": t}).json() for t in texts]
        r = self.predict({"instances": [{"text": t} for t in texts]})
        self.assertEqual(r.json(), {"predictions": one_by_one})

    def test_lines(self):
        body = '{"text":"awesome"}\n{"text":"awful"}\n'
        r = self.predict(body, **{"Content-Type": "application/x-ndjson"})
        self.assertEqual([json.loads(x) for x in r.body.splitlines()],
                         [self.predict({"text": t}).json() for t in ("awesome", "awful")])
        r = self.predict("text\nawesome\nawful\n", **{"Content-Type": "text/csv"})
        self.assertEqual(r.status, 200)
        self.assertEqual(len(r.body.splitlines()), 3)

    def test_full_output(self):
        r = self.predict({"text": "awesome"}, "/predict?output=full").json()
        for column in ("sentiment", "prediction", "probability", "rawPrediction"):
            self.assertIn(column, r)

    def test_paths_to_the_model(self):
        want = self.predict({"text": "nice"}).json()
        for path in ("/predict?model=reviews", "/predict?model=reviews:1", "/predict?model=reviews@production",
                     "/models/reviews/predict", "/models/reviews/versions/1/predict",
                     "/models/reviews/aliases/production/predict"):
            r = self.predict({"text": "nice"}, path)
            self.assertEqual((r.status, r.json()), (200, want), path)
        for path in ("/predict?model=nobody", "/models/reviews/versions/9/predict", "/predict?model=reviews@nothing"):
            self.assertEqual(self.predict({"text": "nice"}, path).status, 404, path)

    def test_faults_have_pointers(self):
        r = self.predict({"instances": [{"text": "a"}, {"text": 5}]})
        self.assertEqual(r.status, 422)
        self.assertEqual(r.headers["Content-Type"], "application/problem+json")
        self.assertEqual(r.json()["errors"][0]["pointer"], "/instances/1/text")
        self.assertEqual(self.predict({}).json()["errors"][0]["pointer"], "/text")
        self.assertEqual(self.predict({"text": "a", "x": 1}).status, 200)
        self.assertEqual(self.predict({"text": "a", "x": 1}, "/predict?strict=true").status, 422)
        self.assertEqual(self.predict("{", **{"Content-Type": "application/json"}).status, 400)
        self.assertEqual(self.predict("x", **{"Content-Type": "image/png"}).status, 415)

    def test_same_answer_as_apply(self):
        model = self.server.get("/models/reviews/versions/1/export")
        self.assertEqual(model.status, 200)
        path = self.server.dir / "m.quern"
        path.write_bytes(model.body)
        texts = ["Mountain biking is awesome!", "meh", "never again", ""]
        rows = "".join(json.dumps({"text": t}) + "\n" for t in texts)
        out = subprocess.run([BUILD / "quern", "apply", path, "-"], input=rows, capture_output=True, text=True, timeout=60 * SLOWER)
        self.assertEqual(out.returncode, 0, out.stderr)
        self.assertEqual([json.loads(x) for x in out.stdout.splitlines()],
                         [self.predict({"text": t}).json() for t in texts])

    def test_fit_without_a_server_gives_the_same_bytes(self):
        exported = self.server.get("/models/reviews/versions/1/export").body
        spec = self.server.dir / "spec.json"
        spec.write_text(json.dumps(self.ended["spec"]))
        for workers in (1, 3):
            out = self.server.dir / f"w{workers}.quern"
            run = subprocess.run([BUILD / "quern", "fit", spec, "--workers", str(workers), "--out", out], cwd=EXAMPLES,
                                 capture_output=True, text=True, timeout=120 * SLOWER)
            self.assertEqual(run.returncode, 0, run.stderr)
            self.assertEqual(out.read_bytes(), exported, f"{workers} workers")

    def test_models(self):
        models = self.server.get("/models").json()
        self.assertEqual([m["name"] for m in models["models"]], ["reviews"])
        version = self.server.get("/models/reviews/versions/1").json()
        self.assertEqual(version["job"], self.ended["id"])
        state = self.server.get("/models/reviews/versions/1/state")
        self.assertEqual(state.status, 200)

    def test_etag(self):
        for path in (f"/jobs/{self.ended['id']}", "/jobs", "/models", "/models/reviews", "/models/reviews/versions/1", "/stages"):
            tag = self.server.get(path).headers["ETag"]
            self.assertTrue(tag, path)
            r = self.server.get(path, headers={"If-None-Match": tag})
            self.assertEqual((r.status, r.body), (304, b""), path)

    def test_dry_run_finds_every_fault(self):
        spec = reviews_spec(colour="blue")
        spec["pipeline"][2]["numFeatures"] = 0
        spec["pipeline"][5]["inputCol"] = "nowhere"
        r = self.server.post("/jobs?dryRun=true", spec)
        self.assertEqual(r.status, 422)
        pointers = [e["pointer"] for e in r.json()["errors"]]
        self.assertIn("/colour", pointers)
        self.assertIn("/pipeline/2/numFeatures", pointers)
        r = self.server.post("/jobs?dryRun=true", reviews_spec())
        self.assertEqual((r.status, r.json()["valid"]), (200, True))

    def test_logs_and_events(self):
        r = self.server.get(f"/jobs/{self.ended['id']}/logs?tail=5")
        self.assertEqual(r.status, 200)
        self.assertLessEqual(len(r.body.splitlines()), 5)
        r = self.server.get(f"/jobs/{self.ended['id']}/events", headers={"Accept": "text/event-stream"})
        self.assertIn(b"event: state", r.body)


class FurtherJobs(ServerCase):
    """On a server of their own: with a second model, /predict alone would be ambiguous."""

    def test_idempotency_key(self):
        spec = reviews_spec(name="once", tags={"why": "idempotency"})
        headers = {"Idempotency-Key": "\"key-1\""}
        first = self.server.post("/jobs", spec, headers=headers)
        again = self.server.post("/jobs", spec, headers=headers)
        self.assertEqual((first.status, again.status), (202, 200))
        self.assertEqual(first.json()["id"], again.json()["id"])
        self.assertEqual(self.server.post("/jobs", reviews_spec(name="other"), headers=headers).status, 422)
        self.server.finish(first.json()["id"])

    def test_prefer_wait(self):
        r = self.server.post("/jobs", reviews_spec(name="waited"), headers={"Prefer": f"wait={30 * SLOWER}"})
        self.assertIn(r.status, (200, 202))
        self.assertEqual(r.json()["state"], "succeeded")

    def test_data_faults_fail_the_job_with_a_reason(self):
        spec = reviews_spec(name="bad")
        spec["source"]["options"]["mode"] = "FAILFAST"
        spec["source"]["schema"][0]["type"] = "double"
        spec["pipeline"] = [{"stage": "VectorAssembler", "inputCols": ["text"], "outputCol": "features"},
                            {"stage": "LogisticRegression"}]
        r = self.server.post("/jobs", spec)
        if r.status == 202:
            job = self.server.finish(r.json()["id"])
            self.assertEqual(job["state"], "failed")
            self.assertEqual(job["attempt"], 1)
            self.assertTrue(job["error"]["detail"])
        else:
            self.assertEqual(r.status, 422)

    def test_delete_and_retry(self):
        job = self.server.submit(reviews_spec(name="gone"))
        self.server.finish(job["id"])
        self.assertEqual(self.server.post(f"/jobs/{job['id']}/retry", b"").status, 409)
        self.assertEqual(self.server.post(f"/jobs/{job['id']}/cancel", b"").status, 409)
        self.assertEqual(self.server.request("DELETE", f"/jobs/{job['id']}").status, 204)
        self.assertEqual(self.server.get(f"/jobs/{job['id']}").status, 404)
        self.assertEqual(self.server.get("/models/gone").status, 200)

    def test_a_new_version_takes_over(self):
        job = self.server.submit(reviews_spec(promote=None, name="versions"))
        self.server.finish(job["id"])
        job = self.server.submit(reviews_spec(promote=None, name="versions"))
        self.assertEqual(self.server.finish(job["id"])["model"]["version"], 2)
        wait_until("the newest version answers", 10, lambda: self.server.post(
            "/models/versions/predict", {"text": "x"}).headers["Quern-Model"] == "versions:2")


if __name__ == "__main__":
    main()
