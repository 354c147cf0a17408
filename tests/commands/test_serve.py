import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event

import httpx
import pytest
from typer.testing import CliRunner

from movierec import paths
from movierec.cli import app
from movierec.errors import MovierecError
from movierec.service.storage.store import Store
from tests.shop import own_shop, running_server, server, shop, url

__all__ = ["own_shop", "running_server", "server", "shop", "url"]

TOKEN = "a-token-of-some-length"  # noqa: S105


class Server:
    def __init__(self, root: Path, variables: Mapping[str, str]) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.log = root / "log"
        command = [sys.executable, "-c", "from movierec.cli import main; main()", "serve", "--port", str(port)]
        with self.log.open("a") as log:
            environment = {**os.environ, "PYTHONPATH": str(Path.cwd()), **variables}
            self.process = subprocess.Popen([*command, "--root", str(root)], stderr=log, env=environment)
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60)

    def wait(self) -> None:
        deadline = time.monotonic() + 90
        while not self.is_ready():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()

    def is_ready(self) -> bool:
        try:
            return self.client.get("/health/ready").status_code == 200
        except httpx.TransportError:
            return False

    def stop(self, number: int = signal.SIGKILL) -> int:
        self.client.close()
        self.process.send_signal(number)
        return self.process.wait(60)


@contextmanager
def serving(root: Path, **variables: str) -> Iterator[Server]:
    server = Server(root, variables)
    try:
        server.wait()
        yield server
    finally:
        server.stop()


def test_serves_until_it_is_told_to_stop_and_logs_json_without_users(own_shop: Path) -> None:
    with serving(own_shop) as server:
        assert server.client.get("/v1/users/1234567/recommendations").json()["strategy"] == "popular"
        answer = server.client.get("/openapi.json")
        assert answer.json()["info"]["title"] == "movierec"
        assert "server" not in answer.headers
        assert server.client.get("/docs").status_code == 404
        assert server.client.get("/").status_code == 200
        assert server.stop(signal.SIGTERM) in {0, -signal.SIGTERM}
    lines = [json.loads(line) for line in server.log.read_text().splitlines()]
    assert "/v1/users/{user_id}/recommendations" in {line.get("route") for line in lines}
    assert "1234567" not in server.log.read_text()


def test_every_acknowledged_rating_survives_kill_9(own_shop: Path, url: str) -> None:
    acknowledged: set[int] = set()
    enough = Event()

    def post(server: Server, number: int) -> None:
        rating = {"user_id": number, "movie_id": 1 + number % 5, "rating": 4, "timestamp": number}
        try:
            if server.client.post("/v1/ratings", json=rating).status_code == 201:
                acknowledged.add(number)
        except (httpx.TransportError, RuntimeError):  # RuntimeError: the client was closed
            return
        finally:
            if len(acknowledged) >= 200:
                enough.set()

    with serving(own_shop, MOVIEREC_DATABASE_URL=url) as server, ThreadPoolExecutor(100) as posters:
        for number in range(1, 1001):
            posters.submit(post, server, number)
        assert enough.wait(60)
        server.stop()
        posters.shutdown(cancel_futures=True)
    assert 200 <= len(acknowledged) < 1000
    with serving(own_shop, MOVIEREC_DATABASE_URL=url) as server:
        for number in sorted(acknowledged)[:: max(1, len(acknowledged) // 20)]:
            ratings = server.client.get(f"/v1/users/{number}/ratings").json()["ratings"]
            assert (1 + number % 5, "service") in {(own["movie"]["movie_id"], own["source"]) for own in ratings}
    with closing(Store(url)) as store:
        stored = {rating.timestamp for rating in store.all_ratings()}
    assert acknowledged <= stored


def refuse(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["serve", *arguments])
    assert isinstance(result.exception, MovierecError)
    return str(result.exception)


def test_public_address_needs_a_token(own_shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MOVIEREC_API_TOKEN", raising=False)
    assert "set MOVIEREC_API_TOKEN" in refuse("--host", "0.0.0.0", "--root", str(own_shop))  # noqa: S104


def test_missing_models_are_named(own_shop: Path) -> None:
    (own_shop / paths.MODELS / "svd.npz").unlink()
    assert refuse("--root", str(own_shop)) == f"{own_shop / 'models/svd.npz'} is missing: run `make repro` first"


def test_port_in_use_is_told(own_shop: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert f"port {port}" in refuse("--root", str(own_shop), "--port", port)


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("MOVIEREC_DATABASE_URL", "nonsense", "cannot be parsed"),
        ("MOVIEREC_CACHE_SIZE", "big", "MOVIEREC_CACHE_SIZE: input should be a valid integer"),
    ],
)
def test_wrong_setting_is_told(
    own_shop: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, problem: str
) -> None:
    monkeypatch.setenv(name, value)
    assert problem in refuse("--root", str(own_shop), "--port", "0")
