"""Every endpoint by its contract: what answers, with which status, headers and members, and what hostile input gets."""
import gzip
import http.client
import json
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest
import uuid

from quern import BUILD, READY_SECONDS, SLOWER, Server, ServerCase, main, reviews_spec, shared, wait_until

UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\Z")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\Z")
PROBLEM_KEYS = {"type", "title", "status", "detail", "instance", "errors"}
JOB_KEYS = set("id name kind state attempt maxAttempts priority tags createdAt startedAt finishedAt updatedAt progress stages "
               "shards metrics evaluation model resources error seed spec".split())
MODEL_KEYS = {"name", "versions", "aliases"}
VERSION_KEYS = set("input response stages metrics evaluation job source size checksum createdAt".split())
STAGE_KEYS = {"stage", "kind", "help", "parameters", "inputs", "outputs"}
PARAMETER_KEYS = {"name", "type", "default", "bounds", "required", "help"}
NOBODY = "0193a0b0-0000-7000-8000-000000000000"
JSON = {"Content-Type": "application/json"}
NDJSON = {"Content-Type": "application/x-ndjson"}
CSV = {"Content-Type": "text/csv"}


def words_spec(name="words", **changes):
    """A text classifier that trains in a moment."""
    rows = [{"text": f"{word} number {i}", "label": label} for i in range(10) for word, label in (("good", 1.0), ("bad", 0.0))]
    spec = {"name": name, "source": {"format": "inline", "rows": rows},
            "pipeline": [{"stage": "Tokenizer", "inputCol": "text", "outputCol": "words"},
                         {"stage": "HashingTF", "inputCol": "words", "outputCol": "features", "numFeatures": 256},
                         {"stage": "LogisticRegression", "regParam": 0.1}],
            "response": {"score": "probability[1]"}, "resources": {"workers": 1}}
    spec.update(changes)
    return spec


def values_spec(name="values", invalid="error", **changes):
    """No learner: what goes in is what comes out, so the values themselves can be looked at."""
    schema = [{"name": "x", "type": "double"}, {"name": "n", "type": "int64"}, {"name": "b", "type": "boolean"},
              {"name": "s", "type": "string"}, {"name": "v", "type": "vector"}]
    rows = [{"x": 1.5, "n": 1, "b": True, "s": c, "v": [1, 2, 3]} for c in ("red", "red", "blue")]
    spec = {"name": name, "source": {"format": "inline", "schema": schema, "rows": rows},
            "pipeline": [{"stage": "StringIndexer", "inputCol": "s", "outputCol": "si", "handleInvalid": invalid},
                         {"stage": "VectorAssembler", "inputCols": ["x", "n", "b"], "outputCol": "all", "handleInvalid": "keep"},
                         {"stage": "VectorAssembler", "inputCols": ["v"], "outputCol": "whole"}],
            "response": {"x": "x", "n": "n", "b": "b", "v": "v", "si": "si", "all": "all", "whole": "whole"},
            "resources": {"workers": 1}}
    spec.update(changes)
    return spec


def slow_spec(name="slow", **changes):
    """Trains for longer than any test looks: many models one after the other."""
    spec = reviews_spec(name=name, evaluate=[], resources={"workers": 1}, **changes)
    last = spec["pipeline"].pop()
    last.update(regParam=0.0, tol=0.0, maxIter=1000000)
    for k in range(100):
        spec["pipeline"].append({**last, "predictionCol": f"p{k}", "rawPredictionCol": f"r{k}", "probabilityCol": f"q{k}"})
    spec["pipeline"].append(last)
    return spec


class Case(ServerCase):
    def check_problem(self, r, status, slug=None, pointers=None, where=None):
        self.assertEqual(r.status, status, (where, r.body[:500]))
        self.assertEqual(r.headers["Content-Type"], "application/problem+json", where)
        p = r.json()
        self.assertEqual(set(p), PROBLEM_KEYS, where)
        self.assertEqual(p["status"], status)
        self.assertTrue(p["type"].startswith("/problems/"), p)
        self.assertTrue(p["title"] and p["detail"] and p["instance"], p)
        if slug:
            self.assertEqual(p["type"], "/problems/" + slug, (where, p))
        if pointers is not None:
            self.assertEqual([e["pointer"] for e in p["errors"]], pointers, (where, p))
        for e in p["errors"]:
            self.assertEqual(set(e), {"pointer", "detail"})
            self.assertTrue(e["detail"])
        if status in (429, 503):
            self.assertRegex(r.headers["Retry-After"] or "", r"\A\d+\Z")
        return p

    def alive(self):
        self.assertEqual(self.server.get("/healthz").status, 200, self.server.log_tail())

    def run_job(self, spec, **headers):
        job = self.server.finish(self.server.submit(spec, **headers)["id"])
        self.assertEqual(job["state"], "succeeded", job["error"])
        return job

    def raw(self, data, seconds=5, half_close=False):
        """What the server sends back until it closes or falls silent."""
        s = socket.create_connection((self.server.address.hostname, self.server.address.port), timeout=seconds)
        out = b""
        try:
            s.sendall(data)
            if half_close:
                s.shutdown(socket.SHUT_WR)
            s.settimeout(seconds)
            while chunk := s.recv(65536):
                out += chunk
            return out, True
        except TimeoutError:
            return out, False
        except OSError:  # reset, or closed before our half was
            return out, True
        finally:
            s.close()


class Conventions(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.job = cls.server.finish(cls.server.submit(words_spec())["id"])
        cls.id = cls.job["id"]

    def resources(self):
        return ["/jobs", f"/jobs/{self.id}", "/models", "/models/words", "/models/words/versions", "/models/words/versions/1",
                "/models/words/versions/1/state", "/models/words/versions/1/export", "/stages", "/openapi.json", "/version",
                "/problems/invalid", f"/jobs/{self.id}/logs"]

    def test_the_job_behind_these_tests_succeeded(self):
        self.assertEqual(self.job["state"], "succeeded", self.job["error"])

    def test_bodies_that_are_not_json(self):
        deep = "[" * 5000 + "]" * 5000
        for body in (b"", b"{", b'{"text":"\xff"}', b'{"text":"\xc0\xaf"}', b'{"text":"\xed\xa0\x80"}', b'{"text":"a","text":"b"}',
                     b'{"name":"a","\\u006eame":"b"}', b'{"text":NaN}', b'{"text":Infinity}', b'{"text":-Infinity}',
                     b"{'text':1}", b'{"text":01}', b'{"text":1.}', b'{"text":"a"}x', b'{"text":"a"},', b'{"text":"\t"}',
                     deep.encode(), b'{"text":' + deep.encode() + b"}", b"\x00", b'{"a":1}\x00'):
            for path in ("/predict?model=words", "/jobs", "/jobs?dryRun=true"):
                self.check_problem(self.server.post(path, body, headers=JSON), 400, "invalid-json", where=(path, body[:40]))

    def test_media_types(self):
        for path in ("/predict?model=words", "/jobs"):
            for kind in ("image/png", "application/xml", "multipart/form-data; boundary=x", "application/json; charset=utf-16",
                         "nonsense"):
                self.check_problem(self.server.post(path, b"{}", headers={"Content-Type": kind}), 415, "unsupported-media-type",
                                   where=(path, kind))
        for kind in ("application/json", "application/json; charset=utf-8", "Application/JSON;charset=\"UTF-8\""):
            r = self.server.post("/predict", b'{"text":"a"}', headers={"Content-Type": kind})
            self.assertEqual(r.status, 200, kind)
        self.check_problem(self.server.post("/jobs", b"text\n", headers=CSV), 415)
        self.check_problem(self.server.post("/predict", b"{}", headers={**JSON, "Content-Encoding": "br"}), 415)

    def test_unknown_paths(self):
        for path in ("/nothing", "/jobs/", "/jobs/1", "/jobs/" + "x" * 36, f"/jobs/{self.id}/nothing", "/models/words/versions/0",
                     "/models/words/versions/x", "/models/words/versions/99999999999999999999", "//", "/models//versions",
                     "/problems/nothing", "/predict/", "/Jobs", f"/jobs/{NOBODY}", "/models/nobody", "/models/nobody/versions",
                     "/models/nobody/versions/1", "/models/words/versions/9", "/models/words/versions/9/state",
                     "/models/words/versions/9/export", f"/jobs/{NOBODY}/logs", f"/jobs/{NOBODY}/events",
                     "/models/%00", "/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o"):
            r = self.server.get(path)
            self.check_problem(r, 400 if "%00" in path else 404, where=path)
        for path in (f"/jobs/{NOBODY}/cancel", f"/jobs/{NOBODY}/retry"):
            self.check_problem(self.server.post(path, b""), 404, "not-found", where=path)
        self.check_problem(self.server.request("DELETE", f"/jobs/{NOBODY}"), 404, "not-found")

    def test_methods(self):
        described = self.server.get("/openapi.json").json()["paths"]
        for path, calls in described.items():
            allowed = {m.upper() for m in calls if m in ("get", "post", "put", "delete", "patch")}
            if "GET" in allowed:
                allowed.add("HEAD")
            for name, value in (("id", self.id), ("name", "words"), ("version", "1"), ("alias", "x"), ("code", "invalid")):
                path = path.replace("{%s}" % name, value)
            for method in {"GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "BREW"} - allowed:
                r = self.server.request(method, path)
                self.check_problem(r, 405, "method-not-allowed", where=(method, path))
                self.assertEqual(set(re.split(r",\s*", r.headers["Allow"])), allowed, (method, path))

    def test_head(self):
        for path in self.resources():
            get, head = self.server.get(path), self.server.request("HEAD", path)
            self.assertEqual((head.status, head.body), (200, b""), path)
            self.assertEqual(head.headers["ETag"], get.headers["ETag"], path)

    def test_every_problem_has_a_page(self):
        problems = self.server.get("/problems").json()["problems"]
        self.assertGreater(len(problems), 10)
        for p in problems:
            r = self.server.get(p["type"])
            self.assertEqual(r.status, 200, p)
            self.assertEqual(r.json()["type"], p["type"])
            self.assertTrue(r.json()["help"])
            r = self.server.get(p["type"], headers={"Accept": "text/html"})
            self.assertIn("text/html", r.headers["Content-Type"])

    def test_validators(self):
        for path in self.resources():
            r = self.server.get(path)
            self.assertEqual(r.status, 200, path)
            with self.subTest(path):
                self.assertRegex(r.headers["ETag"] or "", r'\A(W/)?"[^"]+"\Z')
                self.assertRegex(r.headers["Last-Modified"] or "", r"\A[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} [\d:]{8} GMT\Z")
                tag = r.headers["ETag"]
                for condition in (tag, "W/" + tag, f'"other", {tag}', "*"):
                    same = self.server.get(path, headers={"If-None-Match": condition})
                    self.assertEqual((same.status, same.body, same.headers["ETag"]), (304, b"", tag), condition)
                self.assertEqual(self.server.get(path, headers={"If-None-Match": '"other"'}).status, 200)
                since = {"If-Modified-Since": r.headers["Last-Modified"]}
                if path == "/jobs" and self.server.get(path, headers=since).status == 200:  # it changed twice in this second
                    time.sleep(1.1)
                    since = {"If-Modified-Since": self.server.get(path).headers["Last-Modified"]}
                self.assertEqual(self.server.get(path, headers=since).status, 304)
                self.assertEqual(self.server.get(path, headers={"If-Modified-Since": "Sat, 01 Jan 2000 00:00:00 GMT"}).status, 200)
                self.assertEqual(self.server.get(path, headers={**since, "If-None-Match": '"other"'}).status, 200)

    def test_request_id(self):
        self.assertEqual(self.server.get("/healthz", headers={"X-Request-Id": "abc-123"}).headers["X-Request-Id"], "abc-123")
        made = [self.server.get("/jobs").headers["X-Request-Id"] for _ in range(2)]
        self.assertTrue(made[0] and made[1] and made[0] != made[1])
        for status, path in ((404, "/nothing"), (200, "/stages"), (404, "/predict?model=nobody")):
            r = self.server.request("POST" if "predict" in path else "GET", path, b"{}" if "predict" in path else None,
                                    headers={"X-Request-Id": "x.y"})
            self.assertEqual((r.status, r.headers["X-Request-Id"]), (status, "x.y"), path)
        # One that could forge a header or a log line is not echoed.
        odd = self.server.get("/healthz", headers={"X-Request-Id": "a" * 2000})
        self.assertEqual(odd.status, 200)
        self.assertLess(len(odd.headers["X-Request-Id"]), 300)
        trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
        self.assertEqual(self.server.get("/healthz", headers={"traceparent": trace}).status, 200)
        self.assertEqual(self.server.get("/healthz", headers={"traceparent": "nonsense"}).status, 200)

    def test_gzip_answers(self):
        for path in ("/stages", "/openapi.json", "/models/words/versions/1/state", f"/jobs/{self.id}"):
            plain = self.server.get(path)
            self.assertIsNone(plain.headers["Content-Encoding"], path)
            self.assertIn("Accept-Encoding", plain.headers["Vary"] or "", path)
            for accept, packed in (("gzip", True), ("gzip;q=0", False), ("gzip;q=0.001, br", True), ("*", True), ("*;q=0", False),
                                   ("identity", False), ("br", False), ("gzip;q=0, *", False), ("GZIP", True), ("", False),
                                   ("deflate, gzip;q=1.0, *;q=0.5", True)):
                r = self.server.get(path, headers={"Accept-Encoding": accept})
                self.assertEqual(r.headers["Content-Encoding"], "gzip" if packed else None, (path, accept))
                body = gzip.decompress(r.body) if packed else r.body
                self.assertEqual(json.loads(body), plain.json(), (path, accept))
            packed = self.server.get(path, headers={"Accept-Encoding": "gzip"})
            self.assertNotEqual(packed.headers["ETag"], plain.headers["ETag"])
            r = self.server.get(path, headers={"Accept-Encoding": "gzip", "If-None-Match": packed.headers["ETag"]})
            self.assertEqual(r.status, 304)

    def test_packed_bodies(self):
        body = b'{"text":"good"}'
        want = self.server.post("/predict", body, headers=JSON).json()
        r = self.server.post("/predict", gzip.compress(body), headers={**JSON, "Content-Encoding": "gzip"})
        self.assertEqual((r.status, r.json()), (200, want))
        r = self.server.post("/jobs?dryRun=true", gzip.compress(json.dumps(words_spec()).encode()),
                             headers={**JSON, "Content-Encoding": "gzip"})
        self.assertEqual(r.status, 200, r.body)
        for coding, bad in (("gzip", b"nonsense"), ("gzip", gzip.compress(body)[:-5]), ("zstd", b"nonsense"), ("gzip", b"")):
            r = self.server.post("/predict", bad, headers={**JSON, "Content-Encoding": coding})
            self.check_problem(r, 400, where=(coding, bad))
        if shutil.which("zstd"):
            packed = subprocess.run(["zstd", "-c"], input=body, capture_output=True, check=True).stdout
            r = self.server.post("/predict", packed, headers={**JSON, "Content-Encoding": "zstd"})
            self.assertEqual((r.status, r.json()), (200, want))

    def test_accept(self):
        self.check_problem(self.server.get("/jobs", headers={"Accept": "image/png"}), 406)
        for accept in ("*/*", "application/json", "application/*;q=0.5, text/html", "application/json;q=0.1"):
            self.assertEqual(self.server.get("/jobs", headers={"Accept": accept}).status, 200, accept)

    def test_every_key_of_a_model(self):
        model = self.server.get("/models/words").json()
        self.assertLessEqual(MODEL_KEYS, set(model))
        version = self.server.get("/models/words/versions/1").json()
        self.assertLessEqual(VERSION_KEYS, set(version))
        self.assertEqual(version["job"], self.id)
        self.assertRegex(version["createdAt"], TIME)
        for path, key in (("/models", "models"), ("/models/words/versions", "versions"), ("/jobs", "jobs")):
            page = self.server.get(path).json()
            self.assertEqual(set(page), {key, "nextCursor"}, path)
            self.assertIsNone(page["nextCursor"])
        self.assertEqual(self.server.get("/models/words/versions").json()["versions"], [version])

    def test_state_and_export(self):
        state = self.server.get("/models/words/versions/1/state").json()
        self.assertIn("coefficients", json.dumps(state))
        r = self.server.get("/models/words/versions/1/export")
        self.assertEqual((r.status, r.headers["Content-Type"]), (200, "application/octet-stream"))
        version = self.server.get("/models/words/versions/1").json()
        self.assertEqual(len(r.body), version["size"])
        path = self.server.dir / "words.quern"
        path.write_bytes(r.body)
        out = subprocess.run([BUILD / "quern", "inspect", path], capture_output=True, text=True, timeout=30 * SLOWER)
        self.assertEqual(out.returncode, 0, out.stderr)
        out = subprocess.run([BUILD / "quern", "inspect", path, "--state"], capture_output=True, text=True, timeout=30 * SLOWER)
        self.assertEqual((out.returncode, json.loads(out.stdout)), (0, state), out.stderr)
        path.write_bytes(r.body[:-1])
        out = subprocess.run([BUILD / "quern", "inspect", "--json", path], capture_output=True, text=True, timeout=30 * SLOWER)
        self.assertEqual(out.returncode, 1)
        self.assertEqual(set(json.loads(out.stderr)), PROBLEM_KEYS)

    def test_service(self):
        for path in ("/healthz", "/readyz"):
            self.assertEqual(self.server.get(path).status, 200)
        metrics = self.server.get("/metrics")
        self.assertIn("text/plain", metrics.headers["Content-Type"])
        for line in metrics.body.decode().splitlines():
            self.assertRegex(line, r'\A(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{.*\})? [-+0-9.eINFa]+)\Z')
        self.assertTrue(self.server.get("/version").json()["version"])
        self.assertIn("text/html", self.server.get("/").headers["Content-Type"])
        described = self.server.get("/openapi.json").json()
        self.assertTrue(described["openapi"].startswith("3.1"))
        for path in ("/jobs", "/jobs/{id}", "/predict", "/models", "/stages", "/healthz", "/readyz", "/metrics", "/version"):
            self.assertIn(path, described["paths"])

    def test_stages(self):
        page = self.server.get("/stages").json()
        self.assertEqual(set(page), {"stages"})
        names = [s["stage"] for s in page["stages"]]
        self.assertEqual(len(set(names)), len(names))
        for name in ("Tokenizer RegexTokenizer StopWordsRemover NGram HashingTF CountVectorizer IDF Normalizer StandardScaler Imputer "
                     "StringIndexer IndexToString OneHotEncoder VectorAssembler LogisticRegression").split():
            self.assertIn(name, names)
        for s in page["stages"]:
            self.assertEqual(set(s), STAGE_KEYS, s["stage"])
            self.assertIn(s["kind"], ("transformer", "estimator"))
            self.assertTrue(s["help"])
            for p in s["parameters"]:
                self.assertEqual(set(p), PARAMETER_KEYS, s["stage"])
                self.assertTrue(p["help"] and p["type"], (s["stage"], p))
                self.assertIs(type(p["required"]), bool)
        out = subprocess.run([BUILD / "quern", "stages", "--json"], capture_output=True, text=True, timeout=30 * SLOWER)
        self.assertEqual((out.returncode, json.loads(out.stdout)), (0, page), out.stderr)

    def test_a_page_of_another_site_does_nothing_here(self):
        r = self.server.post("/jobs", words_spec(), headers={"Sec-Fetch-Site": "cross-site"})
        self.check_problem(r, 403)

    def test_queries_that_are_no_queries(self):
        for path in ("/jobs?%zz", "/jobs?name=%ff", "/jobs?name=%00", "/jobs?" + "a=1&" * 100):
            self.check_problem(self.server.get(path), 400, where=path[:40])


class Jobs(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.made = []
        for i in range(5):
            job = cls.server.submit(words_spec(f"list-{i % 2}", tags={"team": "ab"[i % 2], "n": str(i)}))
            cls.made.append(cls.server.finish(job["id"]))

    def names(self, query):
        r = self.server.get("/jobs?" + query)
        self.assertEqual(r.status, 200, (query, r.body))
        return [j["id"] for j in r.json()["jobs"] if j["name"].startswith("list-")]

    def test_submitted(self):
        r = self.server.post("/jobs", words_spec("submitted"))
        job = r.json()
        self.assertEqual(r.status, 202)
        self.assertEqual(r.headers["Location"], f"/jobs/{job['id']}")
        self.assertRegex(job["id"], UUID7)
        self.assertEqual(set(job), JOB_KEYS)
        ended = self.server.finish(job["id"])
        self.assertEqual(set(ended), JOB_KEYS)
        for key in ("createdAt", "startedAt", "finishedAt", "updatedAt"):
            self.assertRegex(ended[key], TIME)
        self.assertEqual(set(ended["progress"]), set("fraction phase message rowsDone rowsTotal etaSeconds".split()))
        self.assertEqual(set(ended["resources"]), set("workers executor cpuSeconds peakMemoryBytes".split()))
        self.assertEqual(len(ended["stages"]), 3)
        for stage in ended["stages"]:
            self.assertEqual(set(stage), set("index stage state iteration objectiveHistory seconds".split()))
        self.assertTrue(ended["stages"][2]["objectiveHistory"])
        self.assertTrue(ended["shards"])
        for shard in ended["shards"]:
            self.assertEqual(set(shard), set("index worker state rows".split()))
        self.assertEqual(sum(s["rows"] for s in ended["shards"]), 20)
        self.assertEqual(ended["kind"], "train")
        self.assertIs(type(ended["seed"]), int)
        self.assertEqual(ended["spec"]["pipeline"][0]["stage"], "Tokenizer")

    def test_faults(self):
        for change, pointer in (({"colour": 1}, "/colour"), ({"name": 5}, "/name"), ({"name": ""}, "/name"), ({"name": "a b"}, "/name"),
                                ({"name": "x" * 1000}, "/name"), ({"kind": "paint"}, "/kind"), ({"source": 1}, "/source"),
                                ({"source": {"format": "parquet"}}, "/source/format"), ({"pipeline": []}, "/pipeline"),
                                ({"pipeline": [{}]}, "/pipeline/0/stage"), ({"pipeline": [{"stage": "Nope"}]}, "/pipeline/0/stage"),
                                ({"priority": 9}, "/priority"), ({"priority": "high"}, "/priority"),
                                ({"retry": {"maxAttempts": 0}}, "/retry/maxAttempts"), ({"timeoutSeconds": -1}, "/timeoutSeconds"),
                                ({"tags": {"a": 1}}, "/tags/a"), ({"resources": {"workers": 0}}, "/resources/workers"),
                                ({"resources": {"workers": 1.5}}, "/resources/workers"), ({"resources": {"memory": "lots"}}, "/resources/memory"),
                                ({"split": {"test": 1.5}}, "/split/test"), ({"seed": "x"}, "/seed"),
                                ({"response": {"a": "nothing"}}, "/response/a"),
                                ({"evaluate": [{"evaluator": "Nope"}]}, "/evaluate/0/evaluator"),
                                ({"promote": {"alias": "a", "when": "never"}}, "/promote/when")):
            for path in ("/jobs", "/jobs?dryRun=true"):
                with self.subTest(path=path, change=change):
                    p = self.check_problem(self.server.post(path, words_spec(**change)), 422)
                    self.assertIn(pointer, [e["pointer"] for e in p["errors"]])
        for missing in ("name", "source", "pipeline"):
            spec = words_spec()
            del spec[missing]
            with self.subTest(missing=missing):
                p = self.check_problem(self.server.post("/jobs", spec), 422)
                self.assertIn("/" + missing, [e["pointer"] for e in p["errors"]])
        for body in ("[]", "1", "null", '"x"'):
            self.check_problem(self.server.post("/jobs", body, headers=JSON), 422)

    def test_files_outside_the_roots(self):
        for uri in ("file:/etc/passwd", "file:../../../etc/passwd", "file:nowhere.csv", "/etc/passwd", "file:///etc/shadow", "ftp://x/y",
                    "file:reviews.csv\x00", "file:"):
            spec = reviews_spec(name="outside")
            spec["source"]["uri"] = uri
            with self.subTest(uri):
                self.check_problem(self.server.post("/jobs", spec), 422)

    def test_dry_run(self):
        before = len(self.server.get("/jobs?limit=1000").json()["jobs"])
        r = self.server.post("/jobs?dryRun=true", words_spec("dry"))
        self.assertEqual((r.status, r.json()["valid"]), (200, True))
        self.assertTrue(r.json()["plan"])
        self.assertEqual(len(self.server.get("/jobs?limit=1000").json()["jobs"]), before)
        self.check_problem(self.server.post("/jobs?dryRun=maybe", words_spec("dry")), 400)

    def test_filters(self):
        ids = [j["id"] for j in self.made]
        self.assertEqual(self.names(""), ids[::-1])
        self.assertEqual(self.names("sort=createdAt"), ids)
        self.assertEqual(self.names("sort=-createdAt"), ids[::-1])
        self.assertEqual(sorted(self.names("sort=updatedAt")), sorted(ids))
        self.assertEqual(self.names("name=list-0&sort=createdAt"), ids[::2])
        self.assertEqual(self.names("tag.team=b&sort=createdAt"), ids[1::2])
        self.assertEqual(self.names("tag.team=b&tag.n=3"), [ids[3]])
        self.assertEqual(self.names("tag.team=c"), [])
        self.assertEqual(sorted(self.names("state=succeeded")), sorted(ids))
        self.assertEqual(self.names("state=failed"), [])
        middle = self.made[2]["createdAt"]
        self.assertEqual(self.names(f"createdFrom={middle}&sort=createdAt"), ids[2:])
        self.assertEqual(self.names(f"createdTo={middle}&sort=createdAt"), ids[:2])
        last = max(j["updatedAt"] for j in self.made)
        self.assertIn(ids[4], self.names(f"updatedSince={last}"))
        self.assertNotIn(ids[0], self.names(f"updatedSince={last}"))
        self.assertEqual(self.names("createdFrom=2100-01-01T00:00:00Z"), [])
        self.assertEqual(self.names("name=%27%3B%20drop%20table%20job%3B--"), [])

    def test_bad_filters(self):
        for query in ("state=paused", "state=", "limit=0", "limit=1001", "limit=x", "limit=-1", "limit=", "cursor=nonsense", "cursor=",
                      "cursor=%F0%9F%98%80", "createdFrom=yesterday", "createdTo=2026-13-01T00:00:00Z", "updatedSince=1", "sort=colour",
                      "sort=", "sort=-"):
            with self.subTest(query):
                self.check_problem(self.server.get("/jobs?" + query), 400)

    def test_pages(self):
        for query in ("sort=createdAt", "sort=-createdAt", "sort=updatedAt", "sort=-updatedAt", "name=list-0&sort=createdAt"):
            whole = self.names(query)
            seen, path = [], f"/jobs?{query}&limit=2"
            for _ in range(100):
                r = self.server.get(path)
                self.assertEqual(r.status, 200, r.body)
                page = r.json()
                self.assertLessEqual(len(page["jobs"]), 2)
                seen += [j["id"] for j in page["jobs"] if j["name"].startswith("list-")]
                if page["nextCursor"] is None:
                    self.assertIsNone(r.headers["Link"])
                    break
                link = re.fullmatch(r'<([^>]+)>; rel="next"', r.headers["Link"])
                self.assertTrue(link, r.headers["Link"])
                path = link[1]
            self.assertEqual(seen, whole, query)
        r = self.server.get("/jobs?limit=1&sort=createdAt")
        self.check_problem(self.server.get("/jobs?sort=-updatedAt&cursor=" + r.json()["nextCursor"]), 400)

    def test_idempotency(self):
        spec = words_spec("once")
        key = {"Idempotency-Key": str(uuid.uuid4())}
        first, again = self.server.post("/jobs", spec, headers=key), self.server.post("/jobs", spec, headers=key)
        self.assertEqual((first.status, again.status), (202, 200))
        self.assertEqual(first.json()["id"], again.json()["id"])
        self.assertEqual(again.headers["Location"], f"/jobs/{first.json()['id']}")
        self.check_problem(self.server.post("/jobs", words_spec("other"), headers=key), 422, "idempotency-mismatch")
        for bad in ("", "x" * 300):
            self.check_problem(self.server.post("/jobs", spec, headers={"Idempotency-Key": bad}), 400, where=bad)
        self.assertEqual(len(self.server.get("/jobs?name=once").json()["jobs"]), 1)

    def test_idempotency_when_all_come_at_once(self):
        from concurrent.futures import ThreadPoolExecutor
        key = {"Idempotency-Key": "at-once"}
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: self.server.post("/jobs", words_spec("at-once"), headers=key), range(16)))
        statuses = [a.status for a in answers]
        self.assertEqual(statuses.count(202), 1, statuses)
        self.assertEqual(set(statuses) - {200, 202, 409}, set())
        self.assertEqual(len({a.json()["id"] for a in answers if a.status != 409}), 1)

    def test_prefer_wait(self):
        r = self.server.post("/jobs", words_spec("waited"), headers={"Prefer": f"wait={30 * SLOWER}"})
        self.assertEqual(r.json()["state"], "succeeded")
        self.assertEqual(set(r.json()), JOB_KEYS)
        begun = time.monotonic()
        r = self.server.post("/jobs", slow_spec(), headers={"Prefer": "wait=1"})
        waited = time.monotonic() - begun
        self.assertLess(waited, 10)
        # It answers before the second is over only when the job is.
        if waited < 0.9:
            self.assertEqual(r.json()["state"], "succeeded")
        self.server.post(f"/jobs/{r.json()['id']}/cancel", b"")
        self.server.finish(r.json()["id"])

    def test_long_poll_cancel_retry_delete(self):
        job = self.server.submit(slow_spec("polled"))
        path = f"/jobs/{job['id']}"
        wait_until("the job runs", 30, lambda: self.server.job(job["id"])["state"] == "running")
        self.check_problem(self.server.request("DELETE", path), 409, "conflict")
        self.check_problem(self.server.post(path + "/retry", b""), 409, "conflict")
        tag = self.server.get(path).headers["ETag"]
        r = self.server.get(path + "?wait=20", headers={"If-None-Match": tag})
        self.assertEqual(r.status, 200, "progress is a change")
        self.assertNotEqual(r.headers["ETag"], tag)
        r = self.server.post(path + "/cancel", b"")
        self.assertEqual(r.status, 202)
        self.assertEqual(set(r.json()), JOB_KEYS)
        begun = time.monotonic()
        while self.server.get(path + "?wait=20").json()["state"] == "running":
            self.assertLess(time.monotonic() - begun, 60)
        self.assertEqual(self.server.job(job["id"])["state"], "cancelled")
        self.assertEqual(self.server.get(path + "?wait=20").json()["state"], "cancelled")
        self.assertEqual(self.server.post(path + "/cancel", b"").status, 202, "cancelling is idempotent")
        r = self.server.post(path + "/retry", b"")
        self.assertEqual(r.status, 202, r.body)
        again = r.json()
        self.assertEqual(self.server.post(f"/jobs/{again['id']}/cancel", b"").status, 202)
        self.assertEqual(self.server.finish(again["id"])["state"], "cancelled")
        self.assertEqual(self.server.request("DELETE", path).status, 204)
        self.check_problem(self.server.get(path), 404)
        self.check_problem(self.server.request("DELETE", path), 404)
        for wait in ("x", "-1", ""):
            self.check_problem(self.server.get(f"/jobs/{again['id']}?wait={wait}"), 400, where=wait)

    def test_queued_jobs_are_cancelled_at_once(self):
        running = self.server.submit(slow_spec("ahead"))
        queued = self.server.submit(words_spec("behind", priority=4))
        r = self.server.post(f"/jobs/{queued['id']}/cancel", b"")
        self.assertEqual((r.status, r.json()["state"]), (202, "cancelled"))
        self.server.post(f"/jobs/{running['id']}/cancel", b"")
        self.server.finish(running["id"])

    def events(self, job_id, **headers):
        r = self.server.get(f"/jobs/{job_id}/events", headers=headers)
        self.assertEqual(r.status, 200, r.body)
        self.assertIn("text/event-stream", r.headers["Content-Type"])
        out = []
        for block in r.body.decode().split("\n\n"):
            fields = [line.partition(": ") for line in block.splitlines() if line and not line.startswith(":")]
            if fields:
                event = {k: v for k, _, v in fields}
                out.append((int(event["id"]), event["event"], json.loads(event["data"])))
        return out

    def test_events(self):
        job = self.made[0]
        events = self.events(job["id"])
        self.assertEqual([e[0] for e in events], sorted({e[0] for e in events}))
        kinds = [e[1] for e in events]
        self.assertLessEqual(set(kinds), {"state", "progress", "metric", "log"})
        self.assertIn("state", kinds)
        self.assertIn("succeeded", json.dumps([e[2] for e in events if e[1] == "state"][-1]))
        self.assertEqual(self.events(job["id"], **{"Last-Event-ID": str(events[1][0])}), events[2:])
        self.assertEqual(self.events(job["id"], **{"Last-Event-ID": str(events[-1][0])}), [])
        r = self.server.get(f"/jobs/{job['id']}/events", headers={"Last-Event-ID": "x"})
        self.check_problem(r, 400)

    def test_events_as_they_happen(self):
        job = self.server.submit(words_spec("followed"))
        events = self.events(job["id"])
        self.assertIn("succeeded", json.dumps(events))

    def test_logs(self):
        job = self.made[0]["id"]
        r = self.server.get(f"/jobs/{job}/logs")
        self.assertEqual(r.status, 200)
        self.assertIn("text/plain", r.headers["Content-Type"])
        self.assertTrue(r.body)
        self.assertEqual(self.server.get(f"/jobs/{job}/logs?tail=1").body, r.body.splitlines(True)[-1])
        for tail in ("x", "-1", ""):
            self.check_problem(self.server.get(f"/jobs/{job}/logs?tail={tail}"), 400, where=tail)

    def test_kinds_that_are_not_there_say_so(self):
        for kind in ("score", "evaluate"):
            r = self.server.post("/jobs", words_spec(kind=kind))
            if r.status != 202:
                self.check_problem(r, 422, pointers=None)

    def test_client(self):
        url = self.server.address.geturl()
        env = {"PATH": "/usr/bin:/bin"}
        spec = self.server.dir / "client.json"
        spec.write_text(json.dumps(words_spec("client")))
        run = lambda *a, **kw: subprocess.run([BUILD / "quern", *a], capture_output=True, text=True, timeout=60 * SLOWER, env=env, **kw)
        out = run("train", spec, "--url", url, "--follow")
        self.assertEqual(out.returncode, 0, out.stderr)
        out = run("predict", "--model", "client", "--url", url, "-", input='{"text":"good"}\n{"text":"bad"}\n')
        self.assertEqual(out.returncode, 0, out.stderr)
        self.assertEqual(len([json.loads(x) for x in out.stdout.splitlines()]), 2)
        out = run("jobs", "--url", url, "--json")
        self.assertEqual(out.returncode, 0, out.stderr)
        self.assertTrue(json.loads(out.stdout))
        out = run("models", "--url", url)
        self.assertEqual(out.returncode, 0, out.stderr)
        self.assertIn("client", out.stdout)
        spec.write_text(json.dumps(words_spec("client", colour=1)))
        out = run("train", spec, "--url", url, "--json")
        self.assertEqual(out.returncode, 1)
        self.assertEqual(json.loads(out.stderr)["errors"][0]["pointer"], "/colour")
        for args in (("predict", "--nonsense"), ("nonsense",), ("jobs", "--url"), ()):
            self.assertEqual(run(*args).returncode, 2, args)
        out = run("jobs", "--url", "http://127.0.0.1:1")
        self.assertEqual(out.returncode, 1)
        self.assertTrue(out.stderr)


class Predictions(Case):
    flags = ("--serving.pollSeconds=1",)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for spec in (values_spec("values"), values_spec("keeps", invalid="keep"), values_spec("skips", invalid="skip"), words_spec()):
            job = cls.server.finish(cls.server.submit(spec)["id"])
            if job["state"] != "succeeded":
                cls.tearDownClass()
                raise AssertionError(job["error"])

    row = {"x": 1, "n": 2, "b": True, "s": "red", "v": [1, 2, 3]}

    def predict(self, body, path="/predict?model=values", **headers):
        return self.server.post(path, body, headers=headers)

    def answer(self, path="/predict?model=values", **changes):
        row = {**self.row, **changes}
        r = self.predict(row, path)
        self.assertEqual(r.status, 200, (changes, r.body))
        return r.json()

    def test_which_model(self):
        p = self.check_problem(self.predict({"text": "good"}, "/predict"), 409, "ambiguous-model")
        for name in ("values", "keeps", "skips", "words"):
            self.assertIn(name, p["detail"])
        for path in ("/predict?model=words", "/predict?model=words:1", "/models/words/predict", "/models/words/versions/1/predict"):
            r = self.predict({"text": "good"}, path)
            self.assertEqual((r.status, r.headers["Quern-Model"]), (200, "words:1"), path)
        for path in ("/predict?model=nobody", "/predict?model=words:2", "/predict?model=words@none", "/models/nobody/predict",
                     "/models/words/versions/2/predict", "/models/words/aliases/none/predict"):
            self.check_problem(self.predict({"text": "good"}, path), 404, where=path)
        for path in ("/predict?model=", "/predict?model=words:", "/predict?model=words@", "/predict?model=words:x", "/predict?model=:1"):
            self.check_problem(self.predict({"text": "good"}, path), 400, where=path)

    def test_forms(self):
        one = self.predict({"text": "good"}, "/predict?model=words")
        self.assertEqual(set(one.json()), {"score"})
        self.assertGreater(one.json()["score"], 0.5)
        texts = ["good", "bad", "good bad", "", "neither"]
        want = [self.predict({"text": t}, "/predict?model=words").json() for t in texts]
        r = self.predict({"instances": [{"text": t} for t in texts]}, "/predict?model=words")
        self.assertEqual(r.json(), {"predictions": want})
        self.assertEqual(self.predict({"instances": []}, "/predict?model=words").json(), {"predictions": []})
        r = self.predict("".join(json.dumps({"text": t}) + "\n" for t in texts), "/predict?model=words", **NDJSON)
        self.assertEqual([json.loads(x) for x in r.body.splitlines()], want)
        self.assertIn("application/x-ndjson", r.headers["Content-Type"])
        self.assertEqual(r.headers["Quern-Model"], "words:1")
        r = self.predict('text,other\ngood,1\n"bad",2\n', "/predict?model=words", **CSV)
        lines = r.body.decode().splitlines()
        self.assertEqual((r.status, lines[0], len(lines)), (200, "score", 3))
        self.assertAlmostEqual(float(lines[1]), want[0]["score"])
        big = self.predict({"instances": [{"text": t} for t in texts] * 2000}, "/predict?model=words")
        self.assertEqual(big.json()["predictions"], want * 2000)

    def test_no_line_feed_at_the_end_and_crlf(self):
        want = self.predict({"text": "good"}, "/predict?model=words").json()
        for body in ('{"text":"good"}', '{"text":"good"}\r\n', '\n{"text":"good"}\n\n'):
            r = self.predict(body, "/predict?model=words", **NDJSON)
            self.assertEqual([json.loads(x) for x in r.body.splitlines()], [want], body)

    def test_options(self):
        full = self.predict({"text": "good"}, "/predict?model=words&output=full").json()
        self.assertLessEqual({"score", "prediction", "probability", "rawPrediction"}, set(full))
        self.assertEqual(len(full["probability"]), 2)
        self.check_problem(self.predict({"text": "good"}, "/predict?model=words&output=half"), 400)
        self.check_problem(self.predict({"text": "good", "x": 1}, "/predict?model=words&strict=true"), 422, "invalid", ["/x"])
        self.check_problem(self.predict({"instances": [{"text": "a"}, {"text": "a", "x/y~": 1}]}, "/predict?model=words&strict=true"),
                           422, "invalid", ["/instances/1/x~1y~0"])
        self.assertEqual(self.predict({"text": "good", "x": 1}, "/predict?model=words&strict=false").status, 200)
        self.check_problem(self.predict({"text": "good"}, "/predict?model=words&strict=perhaps"), 400)

    def test_pointers(self):
        for body, pointers in (({}, ["/text"]), ({"text": 5}, ["/text"]), ({"text": ["a"]}, ["/text"]), ({"text": {"a": 1}}, ["/text"]),
                               ({"text": True}, ["/text"]),
                               ({"instances": [{"text": "a"}, {}]}, ["/instances/1/text"]),
                               ({"instances": [{"text": "a"}, 5]}, ["/instances/1"]), ({"instances": 5}, ["/instances"]),
                               ({"instances": {"text": "a"}}, ["/instances"])):
            self.check_problem(self.predict(body, "/predict?model=words"), 422, "invalid", pointers, where=body)
        for body in ("[]", "5", "null", '"good"'):
            self.check_problem(self.predict(body, "/predict?model=words", **JSON), 422, where=body)
        r = self.predict('{"text":"good"}\n{"text":5}\n', "/predict?model=words", **NDJSON)
        if r.status != 200:
            self.check_problem(r, 422)
        r = self.predict('{"text":"good"}\n{"text":\n', "/predict?model=words", **NDJSON)
        self.assertIn(r.status, (200, 400, 422))

    def test_labels(self):
        self.assertEqual(self.answer(s="red")["si"], 0)
        self.assertEqual(self.answer(s="blue")["si"], 1)
        self.check_problem(self.predict({**self.row, "s": "green"}), 422, where="unknown label")
        p = self.predict({"instances": [self.row, {**self.row, "s": "green"}]}).json()
        self.assertEqual([e["pointer"] for e in p["errors"]], ["/instances/1/s"])
        self.assertEqual(self.answer("/predict?model=keeps", s="green")["si"], 2)
        r = self.predict({"instances": [self.row, {**self.row, "s": "green"}, self.row]}, "/predict?model=skips")
        self.assertEqual(r.status, 200, r.body)
        self.assertEqual(len(r.json()["predictions"]), 3, "order kept: a row that was skipped keeps its place")

    def test_values(self):
        for value in (0, -0.0, 0.1, 1e-320, 1.7976931348623157e308, 123456789.123456789, 5e-324, 1 / 3):
            self.assertEqual(self.answer(x=value)["x"], value)
        for value in ("NaN", "Infinity", "-Infinity"):
            self.assertEqual(self.answer(x=value)["x"], value)
            self.assertEqual(self.answer(x=value)["all"][0], value)
        for value, want in ((2**53 - 1, 2**53 - 1), (str(2**53 + 1), 2**53 + 1), (str(-2**63), -2**63), (str(2**63 - 1), 2**63 - 1), (0, 0)):
            self.assertEqual(int(self.answer(n=value)["n"]), want, value)
        for v in ([1, 2, 3], {"size": 3, "indices": [1], "values": [5]}, {"type": 1, "values": [1, 2, 3]},
                  {"type": 0, "size": 3, "indices": [0, 2], "values": [1, 9]}, {"size": 3, "indices": [], "values": []}, [0, 0, 0],
                  {"type": 1, "values": [1, 2, "NaN"]}):
            got = self.answer(v=v)
            self.assertEqual(dense(got["v"]), dense(v), v)
            self.assertEqual(dense(got["whole"]), dense(v), v)
        self.assertEqual(self.answer(b=False)["b"], False)

    def test_nulls(self):
        got = self.answer("/predict?model=keeps", x=None)
        self.assertIsNone(got["x"])
        self.assertEqual(dense(got["all"])[0], "NaN")
        without = {k: v for k, v in self.row.items() if k != "x"}
        self.check_problem(self.predict(without), 422, "invalid", ["/x"])

    def test_wrong_values(self):
        for field, value in (("x", "1"), ("x", True), ("x", [1]), ("x", "nan"), ("x", "inf"), ("x", {}), ("n", 1.5), ("n", "1.5"),
                             ("n", str(2**63)), ("n", 1e30), ("n", "x"), ("n", True), ("b", 1), ("b", "true"), ("s", 1), ("s", None),
                             ("v", 5), ("v", "1,2,3"), ("v", [1, "a"]), ("v", [1, None]), ("v", {"size": 3}),
                             ("v", {"size": 3, "indices": [3], "values": [1]}), ("v", {"size": 3, "indices": [1, 1], "values": [1, 2]}),
                             ("v", {"size": 3, "indices": [2, 1], "values": [1, 2]}), ("v", {"size": 3, "indices": [1], "values": [1, 2]}),
                             ("v", {"size": -1, "indices": [], "values": []}), ("v", {"size": 1e18, "indices": [0], "values": [1]}),
                             ("v", {"type": 2, "values": [1]})):
            with self.subTest(field=field, value=value):
                p = self.check_problem(self.predict({**self.row, field: value}), 422)
                self.assertTrue(p["errors"], p)
                self.assertTrue(p["errors"][0]["pointer"].startswith("/" + field), p)
        for text in ('{"x":1e999,"n":2,"b":true,"s":"red","v":[1,2,3]}',):
            self.assertIn(self.predict(text, **JSON).status, (400, 422))
        self.alive()


def dense(v):
    if isinstance(v, list):
        return v
    if "indices" not in v:
        return v["values"]
    out = [0] * v["size"]
    for i, x in zip(v["indices"], v["values"]):
        out[i] = x
    return out


class DefaultModel(Case):
    flags = ("--serving.defaultModel=words",)

    def test_default(self):
        self.check_problem(self.server.post("/predict", {"text": "a"}), 404)
        self.assertEqual(self.server.get("/models").json(), {"models": [], "nextCursor": None})
        self.assertTrue(self.server.get("/models").headers["Last-Modified"])
        self.run_job(words_spec("other"))
        self.run_job(words_spec("words"))
        r = self.server.post("/predict", {"text": "a"})
        self.assertEqual((r.status, r.headers["Quern-Model"]), (200, "words:1"), r.body)


class Limits(Case):
    flags = ("--limits.bodyBytes=4KiB", "--limits.jobSpecBytes=8KiB", "--limits.instances=10", "--limits.inlineRows=50")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server.finish(cls.server.submit(words_spec())["id"])

    def test_bodies(self):
        self.check_problem(self.server.post("/predict", {"text": "a" * 5000}), 413, "too-large")
        self.check_problem(self.server.post("/jobs", words_spec(tags={"a": "x" * 9000})), 413, "too-large")
        bomb = gzip.compress(b'{"text":"' + b"a" * 1_000_000 + b'"}')
        self.assertLess(len(bomb), 4096)
        r = self.server.post("/predict", bomb, headers={**JSON, "Content-Encoding": "gzip"})
        self.check_problem(r, 413, "too-large")
        self.assertEqual(self.server.post("/predict", {"text": "a" * 1000}).status, 200)

    def test_chunked(self):
        chunk = b"1000\r\n" + b"a" * 0x1000 + b"\r\n"
        head = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        out, _ = self.raw(head + chunk * 4 + b"0\r\n\r\n")
        self.assertTrue(out.startswith(b"HTTP/1.1 413 "), out[:200])

    def test_refused_before_it_is_sent(self):
        head = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100000000\r\n"
        out, _ = self.raw(head + b"Expect: 100-continue\r\n\r\n", 3)
        self.assertTrue(out.startswith(b"HTTP/1.1 413 "), out[:200])

    def test_counts(self):
        r = self.server.post("/predict", {"instances": [{"text": ""}] * 11})
        self.assertIn(r.status, (413, 422))
        self.check_problem(r, r.status)
        rows = [{"text": "a", "label": 1.0}] * 51
        r = self.server.post("/jobs", words_spec(source={"format": "inline", "rows": rows}))
        self.assertIn(r.status, (413, 422))
        self.check_problem(r, r.status)


class Hostile(Case):
    flags = ("--http.timeoutSeconds=3",)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server.finish(cls.server.submit(words_spec())["id"])

    def test_json_test_suite(self):
        for file in sorted(shared("conformance/json-test-suite/test_parsing").iterdir()):
            body = file.read_bytes()
            for path in ("/predict", "/jobs?dryRun=true"):
                with self.subTest(file=file.name, path=path):
                    r = self.server.post(path, body, headers=JSON)
                    invalid = file.name[0] == "n" or "duplicated_key" in file.name
                    want = {400} if invalid else {200, 422} if file.name[0] == "y" else {200, 400, 422}
                    self.assertIn(r.status, want)
                    if r.status != 200:
                        self.check_problem(r, r.status)
        self.alive()

    def test_naughty_strings(self):
        for text in json.loads(shared("conformance/blns/blns.json").read_text()):
            r = self.server.post("/predict", {"text": text})
            self.assertEqual(r.status, 200, text)
            self.assertTrue(0 <= r.json()["score"] <= 1)
            self.assertEqual(self.server.post("/predict", "text\n\"" + text.replace('"', '""') + "\"\n", headers=CSV).status, 200, text)
            for spec in (words_spec(name=text), words_spec(tags={"a": text}), words_spec(tags={text: "a"}), words_spec(kind=text)):
                r = self.server.post("/jobs?dryRun=true", spec)
                self.assertIn(r.status, (200, 422), (text, r.body))
        job = self.run_job(words_spec("naughty", tags={"a": "Ṱ̺̺̕o͞ ̷i̲̬͇̪͙n̝̗͕v̟̜̘̦͟o̶̙̰̠kè͚̮̺̪̹̱̤", "b": "'; DROP TABLE job; --", "c": "\u202e<script>"}))
        self.assertEqual(self.server.job(job["id"])["tags"]["b"], "'; DROP TABLE job; --")
        self.alive()

    def test_texts_that_postgres_cannot_hold(self):
        for spec in (words_spec(tags={"a": "\u0000"}), words_spec(name="a\u0000"), words_spec(tags={"\u0000": "a"})):
            self.check_problem(self.server.post("/jobs", spec), 422)
        spec = words_spec("nul")
        spec["source"]["rows"][0]["text"] = "a\u0000b"
        self.assertIn(self.server.post("/jobs", spec).status, (202, 422))
        self.alive()

    def framed(self, head, body=b"", line=b"GET /healthz HTTP/1.1"):
        return self.raw(line + b"\r\n" + head + b"\r\n" + body, 3)

    def test_framing(self):
        host, post = b"Host: x\r\n", b"POST /predict HTTP/1.1"
        smuggled = b"GET /version HTTP/1.1\r\nHost: x\r\n\r\n"
        for name, line, head, body in (
                ("CL CL equal", post, host + b"Content-Length: 5\r\nContent-Length: 5\r\n", b"aaaaa"),
                ("CL CL", post, host + b"Content-Length: 5\r\nContent-Length: 40\r\n", b"aaaaa" + smuggled),
                ("CL CL reversed", post, host + b"Content-Length: 40\r\nContent-Length: 5\r\n", b"aaaaa" + smuggled),
                ("CL list", post, host + b"Content-Length: 5, 5\r\n", b"aaaaa" + smuggled),
                ("CL TE", post, host + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n" + smuggled),
                ("TE CL", post, host + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", b"0\r\n\r\n" + smuggled),
                ("TE TE", post, host + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n" + smuggled),
                ("TE gzip", post, host + b"Transfer-Encoding: gzip, chunked\r\n", b"0\r\n\r\n" + smuggled),
                ("TE xchunked", post, host + b"Transfer-Encoding: xchunked\r\n", b"0\r\n\r\n" + smuggled),
                ("TE identity", post, host + b"Transfer-Encoding: identity\r\nContent-Length: 5\r\n", b"aaaaa" + smuggled),
                ("blank before colon", post, host + b"Content-Length : 5\r\n", b"aaaaa" + smuggled),
                ("CL +5", post, host + b"Content-Length: +5\r\n", b"aaaaa" + smuggled),
                ("CL -1", post, host + b"Content-Length: -1\r\n", smuggled),
                ("CL 0x5", post, host + b"Content-Length: 0x5\r\n", b"aaaaa" + smuggled),
                ("CL huge", post, host + b"Content-Length: 100000000000000000000\r\n", smuggled),
                ("no host", b"GET /healthz HTTP/1.1", b"", b""),
                ("two hosts", b"GET /healthz HTTP/1.1", host + host, b""),
                ("folded", b"GET /healthz HTTP/1.1", host + b"X-A: a\r\n b\r\n", b""),
                ("NUL in a value", b"GET /healthz HTTP/1.1", host + b"X-A: a\0b\r\n", b""),
                ("CR in a value", b"GET /healthz HTTP/1.1", host + b"X-A: a\rb\r\n", b""),
                ("empty name", b"GET /healthz HTTP/1.1", host + b": a\r\n", b""),
                ("%00", b"GET /healthz%00 HTTP/1.1", host, b""),
                ("a target that is none", b"GET healthz HTTP/1.1", host, b""),
                ("40 KB of headers", b"GET /healthz HTTP/1.1", host + b"X-A: " + b"a" * 40000 + b"\r\n", b""),
                ("a long target", b"GET /healthz?" + b"a" * 9000 + b" HTTP/1.1", host, b""),
                ("HTTP/2", b"PRI * HTTP/2.0", b"\r\nSM\r\n", b""),
                ("HTTP/3.7", b"GET /healthz HTTP/3.7", host, b"")):
            with self.subTest(name):
                out, closed = self.framed(head, body, line)
                statuses = re.findall(rb"HTTP/1\.[01] (\d{3}) ", out)
                # libmicrohttpd 0.9.75 writes its own 400 (Content-Length is no number) twice; what matters is that nothing was smuggled.
                self.assertLessEqual(set(statuses), {b"400", b"413", b"414", b"431", b"501", b"505"}, out[:300])
                self.assertTrue(statuses and closed)
        self.alive()

    def test_status_of_long_things(self):
        out, _ = self.framed(b"Host: x\r\n", line=b"GET /healthz?" + b"a" * 9000 + b" HTTP/1.1")
        self.assertRegex(out, rb"\AHTTP/1\.1 414 ")
        out, _ = self.framed(b"Host: x\r\nX-A: " + b"a" * 40000 + b"\r\n")
        self.assertRegex(out, rb"\AHTTP/1\.1 431 ")

    def test_requests_that_exhaust_a_connection_leave_nothing_behind(self):
        def in_flight():
            return int(re.search(rb"\nquern_http_requests_in_flight (\d+)", self.server.get("/metrics").body)[1])
        for _ in range(3):
            self.raw(b"GET /jobs?" + b"a=1&" * 400 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 0.2, half_close=True)
        wait_until("the requests are over", 10, lambda: in_flight() == 1)

    def test_pipelined(self):
        n = 200
        request = b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Request-Id: %d\r\n\r\n"
        last = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Request-Id: last\r\n\r\n"
        out, closed = self.raw(b"".join(request % i for i in range(n)) + last)
        self.assertTrue(closed)
        self.assertEqual(re.findall(rb"X-Request-Id: (\w+)", out, re.I), [b"%d" % i for i in range(n)] + [b"last"])

    def test_chunked_body(self):
        head = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
        out, _ = self.raw(head + b'5\r\n{"tex\r\n5;x=y\r\nt":"g\r\n5\r\nood"}\r\n0\r\nX: y\r\n\r\n')
        self.assertRegex(out, rb"\AHTTP/1\.1 200 ")
        for bad in (b"zz\r\n", b"-1\r\n", b"ffffffffffffffffff\r\n", b"5\r\n{\"tex"):
            out, _ = self.raw(head + bad, 2, half_close=True)
            self.assertNotRegex(out, rb"\AHTTP/1\.1 200 ")
        self.alive()

    def test_noise(self):
        for data in (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 200, b"\r\n\r\n\r\n", b"\x00" * 1000, b"GET", b"G" * 20000):
            self.raw(data, 1, half_close=True)
        self.alive()

    def test_a_client_that_goes_away(self):
        spec = self.server.submit(slow_spec("left"))
        for path in (f"/jobs/{spec['id']}/events", f"/jobs/{spec['id']}?wait=60"):
            s = socket.create_connection((self.server.address.hostname, self.server.address.port))
            s.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            time.sleep(0.2)
            s.close()
        self.alive()
        self.server.post(f"/jobs/{spec['id']}/cancel", b"")
        self.server.finish(spec["id"])


class Process(unittest.TestCase):
    def serve(self, *flags, **env):
        folder = tempfile.mkdtemp(prefix="quern-scenario.")
        self.addCleanup(shutil.rmtree, folder, True)
        return subprocess.run([BUILD / "quern", "serve", "--data-dir", folder + "/data", *flags], capture_output=True, text=True,
                              timeout=READY_SECONDS)

    def test_other_addresses_are_refused(self):
        for address in ("0.0.0.0:0", "[::]:0", "192.0.2.1:0"):
            out = self.serve("--listen", address)
            self.assertIn(out.returncode, (1, 2), address)
            self.assertNotIn("quern ready", out.stdout)
            self.assertTrue(out.stderr)

    def test_usage(self):
        for flags in (("--nonsense",), ("--listen",), ("--listen", "nowhere"), ("--listen", "127.0.0.1:99999"), ("--http.queue=x",),
                      ("--roles", "dance")):
            out = self.serve(*flags)
            self.assertIn(out.returncode, (1, 2), (flags, out.stderr))
            self.assertTrue(out.stderr, flags)

    def test_signals(self):
        server = Server()
        try:
            self.assertNotEqual(server.address.port, 0)
            server.process.send_signal(signal.SIGHUP)
            time.sleep(0.3)
            self.assertEqual(server.get("/readyz").status, 200)
            job = server.submit(words_spec())
            server.finish(job["id"])
            want = server.post("/predict", {"text": "good"}).json()
            self.assertEqual(server.stop(), 0, server.log_tail())
            begun = time.monotonic()
            server.start()
            self.assertLess(time.monotonic() - begun, 30)
            r = server.post("/predict", {"text": "good"})
            self.assertEqual((r.status, r.json()), (200, want), "the model is loaded before the port says ready")
            waiting = http.client.HTTPConnection(server.address.hostname, server.address.port, timeout=30)
            slow = server.submit(slow_spec())
            waiting.request("GET", f"/jobs/{slow['id']}/events")
            begun = time.monotonic()
            self.assertEqual(server.stop(), 0, server.log_tail())
            self.assertLess(time.monotonic() - begun, 45)
            waiting.close()
        finally:
            server.stop()
            server.remove()


if __name__ == "__main__":
    main()
