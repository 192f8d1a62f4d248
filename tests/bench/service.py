"""What a service does beside its models: status polls, predictions beside a hand-written scorer, starting.

    tests/bench/service.py [polls] [scorer] [start]     all of them where none is named

polls    GET /jobs/{id} with If-None-Match, wrk on 32 connections; beside it a bare libmicrohttpd handler (budget: 10,000/s)
scorer   POST /predict, short text, beside scikit-learn behind FastAPI and uvicorn, one process a core (budget: 100 times)
start    `quern serve` on an external Postgres that runs, from the call to the first 200 of /readyz (budget: 0.2 s), and on its own
"""
import http.client
import os
import pathlib
import re
import socket
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "scenario"))
from quern import BUILD, EXAMPLES, Server, reviews_spec, wait_until  # noqa: E402
from peer_env import peer_python  # noqa: E402

ROUNDS, SECONDS, CONNECTIONS, STARTS = 3, 3, 32, 7


def wrk(script, url, env=None):
    out = subprocess.run(["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "-s", HERE / script, url], capture_output=True, text=True,
                         check=True, env={**os.environ, **(env or {})}).stdout
    rate, p50, p99, errors = map(int, re.search(r"RESULT (\d+) (\d+) (\d+) (\d+)", out).groups())
    if errors:
        raise SystemExit(f"{errors} errors from {url}:\n{out}")
    return {"rate": rate, "p50": p50, "p99": p99}


def compare(what, ours, theirs, peer):
    """Rounds in turn, then the medians."""
    rounds = [(ours(), theirs()) for _ in range(ROUNDS)]
    us, them = ({k: statistics.median(r[side][k] for r in rounds) for k in ("rate", "p99")} for side in (0, 1))
    print(f"{what}: {us['rate']:,.0f}/s, p99 {us['p99']:,.0f} us; {peer} {them['rate']:,.0f}/s, p99 {them['p99']:,.0f} us: "
          f"{us['rate'] / them['rate']:.2f} times", flush=True)


class Peer:
    """A process that is ended by its id."""

    def __init__(self, command, **kw):
        self.process = subprocess.Popen(command, **kw)

    def __enter__(self):
        return self.process

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(30)


def polls(server):
    path = "/jobs/" + server.finish(server.submit(reviews_spec())["id"])["id"]
    etag = server.get(path).headers["ETag"]
    assert server.get(path, headers={"If-None-Match": etag}).status == 304
    url = f"http://{server.address.netloc}{path}"
    with Peer([BUILD / "bare_mhd", str(os.cpu_count())], stdout=subprocess.PIPE, text=True) as bare:
        peer = f"http://127.0.0.1:{bare.stdout.readline().split()[-1]}/"
        compare("status polls", lambda: wrk("status.lua", url, {"QUERN_ETAG": etag}),
                lambda: wrk("status.lua", peer, {"QUERN_ETAG": etag}), "bare libmicrohttpd")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def scorer(server):
    server.finish(server.submit(reviews_spec())["id"])
    python, port = peer_python("scikit-learn", "fastapi", "uvicorn"), free_port()
    command = [python, "-m", "uvicorn", "peer_uvicorn:app", "--port", str(port), "--workers", str(os.cpu_count()),
               "--log-level", "error", "--no-access-log"]
    with Peer(command, cwd=HERE, env={**os.environ, "QUERN_CORPUS": str(EXAMPLES / "reviews.csv")}):
        def listens():
            with socket.socket() as s:
                return s.connect_ex(("127.0.0.1", port)) == 0
        wait_until("uvicorn listens", 120, listens)
        compare("predictions", lambda: wrk("predict.lua", f"http://{server.address.netloc}/predict"),
                lambda: wrk("predict.lua", f"http://127.0.0.1:{port}/predict"), "uvicorn")


def ready(address):
    c = http.client.HTTPConnection(address, timeout=1)
    try:
        c.request("GET", "/readyz")
        return c.getresponse().status == 200
    except OSError:
        return False
    finally:
        c.close()


def started(flags):
    """Seconds from the call to the first 200 of /readyz."""
    port = free_port()
    begin = time.perf_counter()
    with Peer([BUILD / "quern", "serve", "--listen", f"127.0.0.1:{port}", *flags], stdout=subprocess.DEVNULL,
              stderr=subprocess.DEVNULL):
        while not ready(f"127.0.0.1:{port}"):
            time.sleep(0.002)
            if time.perf_counter() - begin > 60:
                raise SystemExit("quern serve is not ready")
        return time.perf_counter() - begin


def start(server):
    server.finish(server.submit(reviews_spec())["id"])
    database = f"host={next(server.dir.rglob('.s.PGSQL.*')).parent} port=5432 user=quern dbname=postgres"
    apart = [started(["--database", database, "--data-dir", str(server.dir / f"apart{i}")]) for i in range(STARTS)]
    server.stop()
    own = [started(["--data-dir", str(server.dir / "data")]) for _ in range(STARTS)]
    print(f"start to ready: {statistics.median(apart) * 1000:.0f} ms with Postgres up, {statistics.median(own) * 1000:.0f} ms with "
          f"its own Postgres (medians of {STARTS})", flush=True)


def main():
    parts = {"polls": polls, "scorer": scorer, "start": start}
    for name in sys.argv[1:] or parts:
        server = Server()
        try:
            parts[name](server)
        finally:
            server.stop()
            server.remove()


if __name__ == "__main__":
    main()
