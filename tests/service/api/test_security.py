from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from movierec.errors import MovierecError
from movierec.service.api import security
from movierec.service.api.security import check_address
from tests.service.clients import TOKEN, ready, set_up

pytestmark = pytest.mark.anyio
RATING = {"user_id": 7, "movie_id": 1, "rating": 4, "timestamp": 1}
WRITING = [
    ("POST", "/v1/ratings", RATING),
    ("POST", "/v1/events", {"events": []}),
    ("POST", "/admin/reload", None),
    ("POST", "/v1/movies", {"title": "New"}),
    ("PATCH", "/v1/movies/{movie_id}", {"title": "New"}),
    ("DELETE", "/v1/movies/{movie_id}", None),
]


@pytest.fixture
async def guarded(shop: Path, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with ready(set_up(shop, tmp_path, api_token=TOKEN, max_body_bytes=2000)) as client:
        yield client


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_own_machine_needs_no_token(host: str) -> None:
    check_address(host, None)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.2", "example.org", "", "localhost.example.org"])  # noqa: S104
def test_other_addresses_need_a_token(host: str) -> None:
    check_address(host, SecretStr(TOKEN))
    with pytest.raises(MovierecError, match="set MOVIEREC_API_TOKEN or listen on 127.0.0.1"):
        check_address(host, None)


@pytest.mark.parametrize(
    "given", [None, "", "Bearer", "Bearer ", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer \u00e4", TOKEN]
)
async def test_wrong_tokens_are_refused(guarded: httpx.AsyncClient, given: str | None) -> None:
    headers = [] if given is None else [(b"authorization", given.encode("latin-1"))]
    refused = await guarded.post("/admin/reload", headers=headers)
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"] == "Bearer"


async def test_right_token_passes(guarded: httpx.AsyncClient) -> None:
    for given in (f"Bearer {TOKEN}", f"bearer  {TOKEN} "):
        assert (await guarded.post("/admin/reload", headers={"authorization": given})).status_code == 200


async def read_security(client: httpx.AsyncClient) -> dict[tuple[str, str], Any]:
    contract = (await client.get("/openapi.json")).json()
    assert contract["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    return {
        (method.upper(), path): operation["security"]
        for path, operations in contract["paths"].items()
        for method, operation in operations.items()
        if "security" in operation
    }


async def test_contract_says_what_takes_the_token(guarded: httpx.AsyncClient, shop: Path, tmp_path: Path) -> None:
    writing = [(method, route) for method, route, _ in WRITING]
    assert await read_security(guarded) == {route: [{"token": []}] for route in writing}
    async with ready(set_up(shop, tmp_path)) as unguarded:
        assert await read_security(unguarded) == {route: [{}] for route in writing}


@pytest.mark.parametrize(("method", "route", "body"), WRITING)
async def test_writing_takes_the_token(guarded: httpx.AsyncClient, method: str, route: str, body: object) -> None:
    route = route.format(movie_id=1)
    for headers in ({}, {"authorization": "Bearer wrong"}):
        refused = await guarded.request(method, route, json=body, headers=headers)
        assert refused.status_code == 401
        assert refused.headers["www-authenticate"] == "Bearer"
    allowed = await guarded.request(method, route, json=body, headers={"authorization": f"Bearer {TOKEN}"})
    assert allowed.status_code not in {401, 403}


async def test_reading_takes_no_token(guarded: httpx.AsyncClient) -> None:
    for route in ("/v1/users/1/recommendations", "/v1/genres", "/health/live", "/metrics"):
        assert (await guarded.get(route)).status_code == 200


async def test_reload_needs_a_token_to_exist(shop: Path, tmp_path: Path) -> None:
    async with ready(set_up(shop, tmp_path)) as client:
        refused = await client.post("/admin/reload", headers={"authorization": "Bearer "})
        assert refused.status_code == 403
        assert "MOVIEREC_API_TOKEN" in refused.json()["detail"]


@pytest.mark.parametrize("route", ["/", "/v1/genres", "/v1/movies/0", "/nowhere", "/static/style.css"])
async def test_every_answer_has_the_headers(guarded: httpx.AsyncClient, route: str) -> None:
    headers = (await guarded.get(route, headers={"origin": "https://example.org"})).headers
    assert headers["content-security-policy"].startswith("default-src 'self';")
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert "access-control-allow-origin" not in headers


async def test_large_bodies_are_refused_announced_or_not(guarded: httpx.AsyncClient) -> None:
    async def trickle() -> AsyncIterator[bytes]:
        for _ in range(30):
            yield b" " * 100

    for content in (b" " * 2001, trickle(), b"[" * 100_000):
        headers = {"authorization": f"Bearer {TOKEN}", "content-type": "application/json"}
        refused = await guarded.post("/v1/ratings", content=content, headers=headers)
        assert refused.status_code == 413
        assert "2000 bytes" in refused.json()["detail"]


async def test_body_at_the_limit_is_read(guarded: httpx.AsyncClient) -> None:
    headers = {"authorization": f"Bearer {TOKEN}", "content-type": "application/json"}
    body = b'{"user_id":7,"movie_id":1,"rating":4}'.ljust(2000)
    assert (await guarded.post("/v1/ratings", content=body, headers=headers)).status_code == 201


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the time that the rate limit sees: it passes when a test says so."""
    now = [0.0]
    monkeypatch.setattr(security, "time", SimpleNamespace(monotonic=lambda: now[0]))
    return now


async def test_who_asks_too_often_waits_but_health_is_told(shop: Path, tmp_path: Path, clock: list[float]) -> None:
    async with ready(set_up(shop, tmp_path, rate_limit=5)) as client:
        statuses = [(await client.get("/v1/genres")).status_code for _ in range(6)]
        assert statuses == [200] * 5 + [429]
        refused = await client.get("/v1/genres")
        assert refused.headers["retry-after"].isdigit()
        assert refused.headers["x-frame-options"] == "DENY"
        assert (await client.get("/health/ready")).status_code == 200
        figures = (await client.get("/metrics")).text
        assert 'movierec_request_seconds_count{method="GET",route="unknown",status="429"} 2.0' in figures
        clock[0] = 24.0  # two of five requests a minute
        assert [(await client.get("/v1/genres")).status_code for _ in range(3)] == [200, 200, 429]


@pytest.mark.usefixtures("clock")
async def test_clients_do_not_pay_for_each_other(shop: Path, tmp_path: Path) -> None:
    async with ready(set_up(shop, tmp_path, rate_limit=1)) as client:
        app = client._transport.app  # type: ignore[attr-defined]
        addresses = ["10.0.0.1", "10.0.0.2", "2001:db8:0:1::1", "2001:db8:0:1::2", "2001:db8:0:2::1", "fe80::1%eth0"]
        statuses = []
        for address in addresses:
            transport = httpx.ASGITransport(app, client=(address, 1))
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as other:
                statuses.append((await other.get("/v1/genres")).status_code)
        assert statuses == [200, 200, 200, 429, 200, 200]  # one network of 64 bits is one client
