"""Latency, throughput and memory of the service on loopback, one worker, measured by wrk (Debian's package).

Serves what the pipeline made in the working directory (`make repro` first), for 30 s each: about 300 requests a second
by connections that pause at random between two, without and with a warm cache, then as many as it answers. Server and
load share the machine. Writes benchmarks/results/service.json.
"""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil

from movierec.errors import MovierecError, run_command
from movierec.io import read_json, write_json
from movierec.paths import METRICS

HERE = Path(__file__).parent
RESULT = HERE / "results/service.json"
DURATION_S = 30
CONNECTIONS = 12
PAUSE_MS = 36  # 12 connections with this pause make 300 requests a second with the time that an answer takes
START_TRIES = 600
CACHED_USERS = 100


def main() -> None:
    """Measure the three loads on a server each."""
    users = read_json(METRICS / "clean.json")["users"]
    loads = {
        "uncached": measure(users, PAUSE_MS, {"MOVIEREC_CACHE_SIZE": "0"}),
        "cached": measure(CACHED_USERS, PAUSE_MS, {}, warm_up=True),
        "maximum_uncached": measure(users, 0, {"MOVIEREC_CACHE_SIZE": "0"}),
        "maximum_cached": measure(CACHED_USERS, 0, {}, warm_up=True),
    }
    write_json({"duration_s": DURATION_S, "connections": CONNECTIONS, **loads}, RESULT)
    print(RESULT.read_text())


def measure(users: int, pause_ms: int, variables: dict[str, str], *, warm_up: bool = False) -> dict[str, Any]:
    """Return wrk's figures and the server's memory before and after them, in MB."""
    with serve(variables) as (url, process):
        run_wrk(url, users, pause_ms, 10 if warm_up else 2)  # compiles, opens files, fills the cache
        before = process.memory_info().rss
        figures = run_wrk(url, users, pause_ms, DURATION_S)
        after = process.memory_info().rss
    return figures | {"memory_mb": after / 1e6, "memory_growth_mb": (after - before) / 1e6}


@contextmanager
def serve(variables: dict[str, str]) -> Iterator[tuple[str, psutil.Process]]:
    """Run the service with a database of its own and without a rate limit, and yield its address and process."""
    with socket.socket() as probe, TemporaryDirectory() as folder:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        database = {"MOVIEREC_DATABASE_URL": f"sqlite:///{folder}/ratings.db", "MOVIEREC_RATE_LIMIT": "0"}
        command = [sys.executable, "-c", "from movierec.cli import main; main()", "serve", "--port", str(port)]
        with subprocess.Popen(command, env=os.environ | database | variables, stderr=subprocess.DEVNULL) as server:
            try:
                wait_until_ready(f"http://127.0.0.1:{port}", server)
                yield f"http://127.0.0.1:{port}", psutil.Process(server.pid)
            finally:
                server.terminate()


def wait_until_ready(url: str, server: "subprocess.Popen[bytes]") -> None:
    """Return as soon as the service says that it is ready."""
    for _ in range(START_TRIES):
        try:
            urllib.request.urlopen(f"{url}/health/ready", timeout=5).close()  # noqa: S310  # our own address
        except (urllib.error.URLError, ConnectionError):
            if server.poll() is not None:
                break
            time.sleep(0.1)
        else:
            return
    raise MovierecError("the service did not become ready: run `make repro`, then see `movierec serve`")


def run_wrk(url: str, users: int, pause_ms: int, duration_s: int) -> dict[str, Any]:
    """Run wrk with benchmarks/service.lua and return the line that it ends with."""
    command = ["wrk", "--threads", "1", "--connections", str(CONNECTIONS), "--duration", f"{duration_s}s"]
    command += ["--script", str(HERE / "service.lua"), url, "--", str(users), str(pause_ms)]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    figures: dict[str, Any] = json.loads(output.splitlines()[-1])
    return figures


if __name__ == "__main__":
    run_command(main)
