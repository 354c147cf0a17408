from pathlib import Path
from typing import Any

import httpx
import pytest

from movierec.service.api.hosts import TrustedHosts
from tests.service.clients import NEW_USER, TOKEN, post_rating, ready, set_up

pytestmark = pytest.mark.anyio
OWN = ["localhost", "LOCALHOST:8000", "127.0.0.1", "127.9.9.9:80", "[::1]:8000", "[::1]"]
FOREIGN = ["evil.example", "evil.example:8000", "localhost.evil.example", "127.0.0.1.evil.example", "192.168.1.2"]
FOREIGN += ["", ":8000", "[::2]", "localhost:evil.example", "localhost@evil.example", "evil.example, localhost"]
NAMES = ("movies.example", "*.example.org", "[fd00::1]")


async def ask(
    *, host: str | None = None, origin: str | None = None, method: str = "GET", **settings: Any
) -> tuple[int, str]:
    """Return the status and body of what the middleware lets through, 200, or answers itself."""

    async def accept(*_: Any) -> None:
        await _[2]({"type": "http.response.start", "status": 200, "headers": []})
        await _[2]({"type": "http.response.body", "body": b""})

    given = [(b"host", host), (b"origin", origin)]
    headers = [(name, value.encode("latin-1")) for name, value in given if value is not None]
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    app = TrustedHosts(accept, **{"names": (), "any_host": False, **settings})
    await app({"type": "http", "method": method, "headers": headers}, lambda: None, send)  # type: ignore[arg-type,return-value]
    return sent[0]["status"], sent[1]["body"].decode()


@pytest.mark.parametrize("host", OWN)
async def test_the_machines_own_names_are_trusted(host: str) -> None:
    assert (await ask(host=host))[0] == 200
    assert (await ask(host=host, names=NAMES))[0] == 200


@pytest.mark.parametrize("host", [*FOREIGN, None])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_other_names_are_refused_readably(host: str | None, method: str) -> None:
    status, body = await ask(host=host, method=method)
    assert status == 400
    assert "MOVIEREC_ALLOWED_HOSTS" in body
    assert (await ask(host=host, method=method, any_host=True))[0] == 200


@pytest.mark.parametrize("host", ["movies.example", "Movies.Example:443", "a.b.example.org", "[fd00::1]:80"])
async def test_listed_names_are_trusted(host: str) -> None:
    assert (await ask(host=host, names=NAMES))[0] == 200


@pytest.mark.parametrize("host", ["example.org", "evilexample.org", "x.movies.example", "[fd00::2]"])
async def test_only_listed_names_are_trusted(host: str) -> None:
    assert (await ask(host=host, names=NAMES))[0] == 400


@pytest.mark.parametrize(
    ("host", "origin", "allowed"),
    [
        ("localhost:8000", "http://localhost:8000", True),
        ("localhost:8000", None, True),
        ("localhost:8000", "http://localhost:3000", False),
        ("localhost:8000", "http://localhost", False),
        ("localhost:8000", "null", False),
        ("localhost:8000", "", False),
        ("localhost:8000", "http://evil.example", False),
        ("movies.example", "https://movies.example", True),
        ("10.0.0.1:8000", "https://movies.example", True),  # behind a proxy that asks by the address
        ("10.0.0.1:8000", "https://movies.example:8443", False),
        ("10.0.0.1:8000", "https://evil.example", False),
    ],
)
async def test_only_the_services_own_pages_write(host: str, origin: str | None, allowed: bool) -> None:  # noqa: FBT001
    for method in ("POST", "PUT", "DELETE", "PATCH", "BREW"):
        status, body = await ask(host=host, origin=origin, method=method, names=NAMES, any_host=True)
        assert status == (200 if allowed else 403)
        assert allowed or "another site" in body
    assert (await ask(host=host, origin=origin, names=NAMES, any_host=True))[0] == 200


async def post_as(client: httpx.AsyncClient, **headers: str) -> int:
    body = {"user_id": NEW_USER, "movie_id": 1, "rating": 4, "timestamp": 1}
    return (await client.post("/v1/ratings", json=body, headers=headers)).status_code


async def test_without_a_token_no_other_name_reads_or_writes(shop: Path, tmp_path: Path) -> None:
    async with ready(set_up(shop, tmp_path)) as client:
        assert await post_as(client, host="evil.example") == 400
        assert await post_as(client, origin="http://evil.example") == 403
        for route in ("/", "/static/app.js", "/v1/users/1/ratings", "/health/live", "/openapi.json"):
            refused = await client.get(route, headers={"host": "evil.example"})
            assert refused.status_code == 400
            assert refused.headers["x-frame-options"] == "DENY"
        assert (await client.get(f"/v1/users/{NEW_USER}/ratings")).json()["ratings"] == []
        assert await post_as(client, host="127.0.0.1:8000", origin="http://127.0.0.1:8000") == 201


async def test_with_a_token_the_list_is_optional(shop: Path, tmp_path: Path) -> None:
    token = {"authorization": f"Bearer {TOKEN}"}
    async with ready(set_up(shop, tmp_path, api_token=TOKEN)) as client:
        assert await post_as(client, host="movies.example", **token) == 201
        assert await post_as(client, host="movies.example", origin="http://evil.example", **token) == 403
    async with ready(set_up(shop, tmp_path, api_token=TOKEN, allowed_hosts=NAMES)) as client:
        assert await post_as(client, host="evil.example", **token) == 400
        assert await post_as(client, host="movies.example", **token) == 200
        assert (await post_rating(client, 1, 4)).status_code == 401


async def test_two_hosts_are_none(shop: Path, tmp_path: Path) -> None:
    async with ready(set_up(shop, tmp_path, api_token=TOKEN)) as client:
        hosts = [("host", "localhost"), ("host", "evil.example")]
        assert (await client.get("/health/live", headers=hosts)).status_code == 400
