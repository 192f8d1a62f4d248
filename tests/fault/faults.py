"""Processes and Postgres are killed in the middle of a training job: the job still ends, once, with the same model.

The model of a disturbed job equals, byte for byte, that of an undisturbed one.
"""
import json
import os
import pathlib
import random
import signal
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "scenario"))
from quern import SLOWER, Server, main, wait_until  # noqa: E402

# A job of some seconds, whatever the build.
ROWS = 80000 // (SLOWER + 1)
FEATURES = 1048576 // SLOWER
MODELS = 12 // SLOWER


def corpus(path):
    """Rows for a job that trains for some seconds: wide vectors, labels that are wrong now and then, MODELS models."""
    draw = random.Random(11)
    with open(path, "w", encoding="utf-8") as f:
        f.write("text,label\n")
        for i in range(ROWS):
            label = i % 2
            words = [f"w{int(draw.paretovariate(0.25)) % 800000 + label}" for _ in range(80)]
            f.write(f"{' '.join(words)},{label if draw.random() < 0.8 else 1 - label}\n")


def spec(name):
    return {
        "name": name,
        "source": {"format": "csv", "uri": "file:slow.csv", "options": {"header": True},
                   "schema": [{"name": "text", "type": "string"}, {"name": "label", "type": "double"}]},
        "pipeline": [
            {"stage": "Tokenizer", "inputCol": "text", "outputCol": "words"},
            {"stage": "HashingTF", "inputCol": "words", "outputCol": "tf", "numFeatures": FEATURES},
            {"stage": "IDF", "inputCol": "tf", "outputCol": "features"},
            *[{"stage": "LogisticRegression", "maxIter": 600, "tol": 0.0, "regParam": 1e-9 * (k + 1), "predictionCol": f"p{k}",
               "rawPredictionCol": f"r{k}", "probabilityCol": f"q{k}"} for k in range(MODELS)],
        ],
        "resources": {"workers": 2, "memory": f"{4 * SLOWER}GiB"},  # sanitizers' shadows count too
        "retry": {"maxAttempts": 3},
    }


class Faults(unittest.TestCase):
    flags = ("--trainer.leaseSeconds=10", "--trainer.heartbeatSeconds=2", "--trainer.rescueSeconds=1",
             "--trainer.backoffSeconds=1", "--trainer.checkpointSeconds=1")

    @classmethod
    def setUpClass(cls):
        import tempfile
        cls.folder = tempfile.TemporaryDirectory(prefix="quern-fault.")
        cls.addClassCleanup(cls.folder.cleanup)
        os.chmod(cls.folder.name, 0o755)
        corpus(os.path.join(cls.folder.name, "slow.csv"))
        cls.server = Server(*cls.flags, roots=(cls.folder.name,))
        cls.addClassCleanup(cls.server.remove)
        cls.addClassCleanup(cls.server.stop)
        job = cls.server.finish(cls.server.submit(spec("reference"))["id"])
        assert job["state"] == "succeeded", job["error"]
        cls.reference = cls.model("reference")

    @classmethod
    def model(cls, name, version=1):
        return cls.server.get(f"/models/{name}/versions/{version}").json()["checksum"]

    def start(self, name):
        """Submits and waits until both workers are training."""
        job = self.server.submit(spec("reference"))
        wait_until("two workers", 20, lambda: len(self.server.workers()) == 2)
        wait_until("iterations", 30, lambda: self.iterations(job["id"]) >= 2)
        return job["id"]

    def iterations(self, job_id):
        stages = self.server.job(job_id)["stages"] or []
        return max([s["iteration"] or 0 for s in stages] or [0])

    def expect_same_model(self, job_id, attempts):
        job = self.server.finish(job_id, 180)
        self.assertEqual(job["state"], "succeeded", job["error"])
        self.assertIn(job["attempt"], attempts)
        self.assertEqual(self.model("reference", job["model"]["version"]), self.reference)
        versions = self.server.get("/models/reference/versions").json()["versions"]
        self.assertEqual(len([v for v in versions if v["job"] == job_id]), 1)
        return job

    def test_one_worker_killed(self):
        job_id = self.start("one")
        os.kill(self.server.workers()[0], signal.SIGKILL)
        self.expect_same_model(job_id, (2,))

    def test_all_workers_killed(self):
        job_id = self.start("all")
        for pid in self.server.workers():
            os.kill(pid, signal.SIGKILL)
        self.expect_same_model(job_id, (2,))

    def test_server_killed(self):
        job_id = self.start("server")
        workers = self.server.workers()
        self.server.kill()
        wait_until("no orphan workers", 10, lambda: not any(os.path.exists(f"/proc/{pid}") for pid in workers))
        self.server.start()
        self.expect_same_model(job_id, (2,))

    def test_server_drained(self):
        job_id = self.start("drain")
        self.assertEqual(self.server.stop(), 0)
        self.server.start()
        self.expect_same_model(job_id, (1, 2))

    def postmaster(self):
        for path in (self.server.dir / "data").rglob("postmaster.pid"):
            return int(path.read_text().splitlines()[0])
        raise AssertionError("no postmaster.pid below the data dir")

    def test_postgres_killed(self):
        """While Postgres is away /predict goes on and POST /jobs says 503; when it is back everything goes on."""
        job_id = self.start("postgres")
        text = {"text": "w1 w2 w3"}
        before = self.server.post("/models/reference/predict", text).json()
        pid = self.postmaster()
        os.kill(pid, signal.SIGSTOP)
        try:
            for _ in range(20):
                r = self.server.post("/models/reference/predict", text)
                self.assertEqual((r.status, r.json()), (200, before))
            started = time.monotonic()
        finally:
            os.kill(pid, signal.SIGCONT)
        os.kill(pid, signal.SIGQUIT)
        refused = 0
        while time.monotonic() - started < 20:
            self.assertEqual(self.server.post("/models/reference/predict", text).status, 200)
            r = self.server.post("/jobs", spec("reference"))
            self.assertIn(r.status, (202, 503), r.body)
            if r.status == 202:
                self.server.post(f"/jobs/{r.json()['id']}/cancel", b"")
                break
            refused += 1
            self.assertGreaterEqual(int(r.headers["Retry-After"]), 1)
            time.sleep(0.05)
        else:
            self.fail("Postgres did not come back")
        self.expect_same_model(job_id, (1, 2))

    def test_cancel_while_running(self):
        job_id = self.start("cancel")
        self.assertEqual(self.server.post(f"/jobs/{job_id}/cancel", b"").status, 202)
        job = self.server.finish(job_id, 30)
        self.assertEqual(job["state"], "cancelled")
        wait_until("workers gone", 15, lambda: not self.server.workers())

    def test_crash_loop_is_given_up(self):
        job_id = self.start("loop")
        for _ in range(3):
            wait_until("workers", 60, lambda: len(self.server.workers()) == 2 or self.server.job(job_id)["state"] == "failed")
            killed = self.server.workers()
            for pid in killed:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            wait_until("the attempt ends", 30, lambda: not set(killed) & set(self.server.workers()))
        job = self.server.finish(job_id, 60)
        self.assertEqual((job["state"], job["attempt"]), ("failed", 3))
        self.assertEqual(job["error"]["type"], "/problems/crash-loop")


if __name__ == "__main__":
    main()
