"""What scenario and fault tests share: a real `quern serve` on a free port with its private Postgres, and a small HTTP client.

Every wait has a deadline; every process started is ended by its id.
"""
import http.client
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from urllib.parse import urlsplit

SOURCE = pathlib.Path(os.environ.get("QUERN_SOURCE", ".")).resolve()
BUILD = pathlib.Path(os.environ.get("QUERN_BUILD", SOURCE / "build")).resolve()
SHARED = pathlib.Path(os.environ.get("QUERN_SHARED", SOURCE.parent / "shared" / "data"))
EXAMPLES = SOURCE / "deploy" / "examples"
SLOWER = int(os.environ.get("QUERN_SLOWER", "1"))  # how much a build with sanitizers is: deadlines grow by it
READY_SECONDS = 90


def shared(relative):
    """Path of a shared data file; skips the test where it is absent."""
    path = SHARED / relative
    if not path.exists():
        raise unittest.SkipTest("no ../shared/data")
    return path


def wait_until(what, seconds, check):
    """The first true value of check(); fails after the deadline."""
    seconds *= SLOWER
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = check()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s: {what}")


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)


class Server:
    """One `quern serve`; restart() starts it again on the same data folder."""

    def __init__(self, *flags, roots=(EXAMPLES,), env=None):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="quern-scenario."))
        self.flags = list(flags)
        self.roots = [str(r) for r in roots]
        self.env = {**os.environ, **(env or {})}
        self.process = None
        self.start()

    def start(self):
        command = [str(BUILD / "quern"), "serve", "--listen", "127.0.0.1:0", "--data-dir", str(self.dir / "data")]
        for root in self.roots:
            command += ["--file-root", root]
        self.log = open(self.dir / "log", "ab")
        self.process = subprocess.Popen(command + self.flags, stdout=subprocess.PIPE, stderr=self.log, env=self.env)
        line = self._ready_line()
        self.address = urlsplit(line.split()[-1])

    def _ready_line(self):
        import select
        end = time.monotonic() + READY_SECONDS
        text = b""
        while time.monotonic() < end:
            if select.select([self.process.stdout], [], [], 0.2)[0]:
                chunk = os.read(self.process.stdout.fileno(), 4096)
                if not chunk:
                    break
                text += chunk
                for line in text.decode().splitlines():
                    if line.startswith("quern ready "):
                        return line
        raise AssertionError("quern serve is not ready:\n" + self.log_tail())

    def log_tail(self, lines=40):
        return "\n".join((self.dir / "log").read_text(errors="replace").splitlines()[-lines:])

    def kill(self):
        """kill -9 of the server process alone."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(30)
        self.process.stdout.close()
        self.log.close()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10)
                raise AssertionError("quern serve did not end within a minute of SIGTERM")
            finally:
                self.process.stdout.close()
                self.log.close()
        return self.process.returncode

    def remove(self):
        shutil.rmtree(self.dir, ignore_errors=True)

    # --- HTTP -----------------------------------------------------------------------------------------------------------

    def request(self, method, path, body=None, headers=None, timeout=60 * SLOWER):
        headers = dict(headers or {})
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
            headers.setdefault("Content-Type", "application/json")
        if isinstance(body, str):
            body = body.encode()
        c = http.client.HTTPConnection(self.address.hostname, self.address.port, timeout=timeout)
        try:
            c.request(method, path, body, headers)
            r = c.getresponse()
            return Answer(r.status, r.headers, r.read())
        finally:
            c.close()

    def get(self, path, **kw):
        return self.request("GET", path, **kw)

    def post(self, path, body, **kw):
        return self.request("POST", path, body, **kw)

    # --- Jobs -----------------------------------------------------------------------------------------------------------

    def submit(self, spec, **headers):
        r = self.post("/jobs", spec, headers=headers)
        if r.status != 202:
            raise AssertionError(f"POST /jobs: {r.status} {r.body[:2000]}")
        return r.json()

    def job(self, job_id):
        return self.get(f"/jobs/{job_id}").json()

    def finish(self, job_id, seconds=120):
        """The job once it has ended; restarts and outages of the server in between are no fault."""
        def ended():
            try:
                job = self.job(job_id)
            except (OSError, ValueError, http.client.HTTPException):
                return None
            return job if job.get("state") in ("succeeded", "failed", "cancelled") else None
        try:
            return wait_until(f"job {job_id} ends", seconds, ended)
        except AssertionError:
            raise AssertionError(f"job {job_id} has not ended:\n{self.get(f'/jobs/{job_id}').body[:3000]}\n{self.log_tail()}")

    def workers(self):
        """Process ids of this server's quern-worker children."""
        out = subprocess.run(["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True).stdout
        pids = []
        for pid in out.split():
            try:
                if "quern-worker" in pathlib.Path(f"/proc/{pid}/cmdline").read_text():
                    pids.append(int(pid))
            except OSError:
                pass
        return pids


def reviews_spec(**changes):
    spec = json.loads((EXAMPLES / "reviews.json").read_text())
    spec.update(changes)
    return spec


class ServerCase(unittest.TestCase):
    """One server for all tests of the class."""
    flags = ()
    roots = (EXAMPLES,)

    @classmethod
    def setUpClass(cls):
        cls.server = Server(*cls.flags, roots=cls.roots)

    @classmethod
    def tearDownClass(cls):
        code = cls.server.stop()
        tail = cls.server.log_tail()
        cls.server.remove()
        if code != 0:
            raise AssertionError(f"quern serve ended with {code}:\n{tail}")


def main():
    unittest.main(argv=sys.argv[:1], verbosity=2)
