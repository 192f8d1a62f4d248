"""The commands that speak to a service: train, predict, jobs, models."""
import json
import subprocess

from quern import BUILD, EXAMPLES, SLOWER, ServerCase, main, reviews_spec


class Client(ServerCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.url = f"http://{cls.server.address.netloc}"
        cls.trained = cls.quern("train", EXAMPLES / "reviews.json", "--follow")
        if cls.trained.returncode != 0:
            raise AssertionError(cls.trained.stderr)
        cls.job = json.loads(cls.trained.stdout)

    @classmethod
    def quern(cls, *args, stdin=None, url=True, env=None):
        command = [BUILD / "quern", *map(str, args)] + (["--url", cls.url] if url else [])
        return subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=120 * SLOWER, env=env)

    def ok(self, *args, **kw):
        run = self.quern(*args, **kw)
        self.assertEqual(run.returncode, 0, run.stderr)
        return run.stdout

    def test_train_follows_a_job_to_its_end(self):
        self.assertEqual(self.job["state"], "succeeded")
        self.assertEqual(self.job["model"], {"name": "reviews", "version": 1})

    def test_train_without_following_says_what_was_accepted(self):
        job = json.loads(self.ok("train", "-", stdin=json.dumps(reviews_spec(name="later"))))
        self.assertIn(job["state"], ("queued", "running"))
        self.server.finish(job["id"])

    def test_train_fails_as_the_job_does(self):
        run = self.quern("train", "-", stdin=json.dumps(reviews_spec(colour="blue")))
        self.assertEqual((run.returncode, run.stdout), (1, ""))
        self.assertIn("quern train: /colour ", run.stderr)
        spec = {"name": "failing",
                "source": {"format": "inline", "rows": [{"x": 1.5, "label": 0.5}, {"x": 2.5, "label": 1}]},
                "pipeline": [{"stage": "VectorAssembler", "inputCols": ["x"], "outputCol": "features"},
                             {"stage": "LogisticRegression"}]}
        run = self.quern("train", "-", "--follow", stdin=json.dumps(spec))
        self.assertEqual(run.returncode, 1)
        self.assertEqual(json.loads(run.stdout)["state"], "failed")
        self.assertIn("quern train: the job failed: LogisticRegression", run.stderr)

    def test_predict_answers_as_the_service(self):
        texts = ["awesome", "awful", "naïve"]
        want = [self.server.post("/predict?model=reviews", {"text": t}).json() for t in texts]
        rows = "".join(json.dumps({"text": t}) + "\n" for t in texts)
        for model in ("reviews", "reviews:1", "reviews@production"):
            got = self.ok("predict", "--model", model, stdin=rows)
            self.assertEqual([json.loads(x) for x in got.splitlines()], want)
        got = self.ok("predict", "--model", "reviews", "--output", "full", stdin=rows.rstrip("\n"))
        self.assertEqual([json.loads(x)["sentiment"] for x in got.splitlines()], [a["sentiment"] for a in want])

    def test_predict_sends_many_rows_in_parts(self):
        n = 25000
        rows = "".join(f'{{"text":"row {i % 7}"}}\n' for i in range(n))
        got = self.ok("predict", "--model", "reviews", stdin=rows).splitlines()
        self.assertEqual(len(got), n)
        self.assertEqual(got[:7] * 3, got[7:28])

    def test_predict_says_what_was_refused(self):
        run = self.quern("predict", "--model", "reviews", stdin='{"text":"a"}\n{"text":1}\n')
        self.assertEqual(run.returncode, 1)
        self.assertEqual(len(run.stdout.splitlines()), 2)
        self.assertIn("1 of 2 rows", run.stderr)
        run = self.quern("predict", "--model", "nobody", "--json", stdin='{"text":"a"}\n')
        self.assertEqual((run.returncode, json.loads(run.stderr)["status"]), (1, 404))

    def test_jobs(self):
        table = self.ok("jobs", "list", "--name", "reviews").splitlines()
        self.assertTrue(table[0].startswith("ID "))
        self.assertIn(self.job["id"], table[1])
        listed = json.loads(self.ok("jobs", "--json", "--state", "succeeded", "--name", "reviews"))
        self.assertEqual([j["id"] for j in listed["jobs"]], [self.job["id"]])
        self.assertEqual(json.loads(self.ok("jobs", "get", self.job["id"]))["state"], "succeeded")
        self.assertTrue(self.ok("jobs", "logs", self.job["id"], "--tail", "3"))
        run = self.quern("jobs", "cancel", self.job["id"], "--json")
        self.assertEqual((run.returncode, json.loads(run.stderr)["status"]), (1, 409))
        job = self.server.submit(reviews_spec(name="deleted"))
        self.server.finish(job["id"])
        self.assertEqual(self.ok("jobs", "delete", job["id"]), "")
        self.assertEqual(self.quern("jobs", "get", job["id"]).returncode, 1)

    def test_models(self):
        self.assertIn("reviews", self.ok("models"))
        self.assertEqual(json.loads(self.ok("models", "get", "reviews"))["name"], "reviews")
        self.assertIn(self.job["id"], self.ok("models", "versions", "reviews"))
        out = self.server.dir / "exported.quern"
        self.ok("models", "export", "reviews", "1", "-o", out)
        self.assertEqual(out.read_bytes(), self.server.get("/models/reviews/versions/1/export").body)
        missing = self.server.dir / "missing.quern"
        self.assertEqual(self.quern("models", "export", "reviews", "99", "-o", missing).returncode, 1)
        self.assertEqual(list(self.server.dir.glob("missing*")), [])

    def test_the_url_comes_from_the_environment(self):
        import os
        run = self.quern("models", url=False, env={**os.environ, "QUERN_URL": self.url + "/"})
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertIn("reviews", run.stdout)


if __name__ == "__main__":
    main()
