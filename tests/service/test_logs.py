import json
import logging
import re
import sys
from pathlib import Path

import httpx
import pytest

from movierec.service.logs import JsonFormatter
from movierec.service.settings import ServiceSettings
from movierec.service.storage.store import Store
from tests.service.clients import ready, set_up

pytestmark = pytest.mark.anyio
USER = 1_234_567_890


@pytest.fixture
def settings(shop: Path, tmp_path: Path) -> ServiceSettings:
    return set_up(shop, tmp_path)


async def test_lines_tell_the_route_but_no_user(settings: ServiceSettings, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with ready(settings) as client:
        title = (await client.get("/v1/movies/1")).json()["title"]
        caplog.clear()
        await client.get(f"/v1/users/{USER}/recommendations?genre=Drama", headers={"user-agent": "secretive"})
        await client.get("/v1/movies", params={"query": title})
        await client.post("/v1/ratings", json={"user_id": USER, "movie_id": 1, "rating": 4})
        await client.get(f"/v1/nowhere/{USER}")
    lines = [JsonFormatter().format(record) for record in caplog.records if record.name == "movierec.service"]
    requests = [json.loads(line) for line in lines]
    assert [(line["method"], line["route"], line["status"]) for line in requests] == [
        ("GET", "/v1/users/{user_id}/recommendations", 200),
        ("GET", "/v1/movies", 200),
        ("POST", "/v1/ratings", 201),
        ("GET", "unknown", 404),
    ]
    assert all(line["duration_ms"] > 0 and line["level"] == "info" for line in requests)
    for private in (str(USER), title, "Drama", "secretive"):
        assert private not in "".join(lines)


@pytest.mark.parametrize("given", ["abc-1.2_X", "a" * 64])
async def test_harmless_request_id_is_kept(settings: ServiceSettings, given: str) -> None:
    async with ready(settings) as client:
        assert (await client.get("/health/live", headers={"x-request-id": given})).headers["x-request-id"] == given


@pytest.mark.parametrize("given", ["", "a" * 65, "a b", 'x"}', "ä"])
async def test_other_request_ids_are_replaced(settings: ServiceSettings, given: str) -> None:
    async with ready(settings) as client:
        headers = [("x-request-id", given.encode("latin-1"))]
        found = (await client.get("/health/live", headers=headers)).headers["x-request-id"]  # type: ignore[arg-type]
        assert re.fullmatch("[0-9a-f]{32}", found)


async def test_defect_is_logged_and_told_without_its_message(
    settings: ServiceSettings, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Store, user_id: int, **_how: bool) -> dict[int, float]:
        raise ZeroDivisionError(f"user {user_id}")

    async with ready(settings) as client:
        monkeypatch.setattr(Store, "ratings_of", fail)
        answer = await client.get(f"/v1/users/{USER}/recommendations", headers={"x-request-id": "r1"})
        assert answer.status_code == 500
        assert answer.json() == {"detail": "internal error", "request_id": "r1"}
        assert answer.headers["x-request-id"] == "r1"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert 'movierec_errors_total{route="/v1/users/{user_id}/recommendations"} 1.0' in await metrics(client)
        monkeypatch.undo()
        assert (await client.get(f"/v1/users/{USER}/recommendations")).status_code == 200
    record = next(record for record in caplog.records if record.exc_info)
    line = JsonFormatter().format(record)
    assert str(USER) not in line
    assert json.loads(line)["error"] == "ZeroDivisionError"
    assert json.loads(line)["request_id"] == "r1"
    assert any(" fail" in frame for frame in json.loads(line)["traceback"])


async def metrics(client: httpx.AsyncClient) -> str:
    return (await client.get("/metrics")).text


def test_any_message_is_one_line() -> None:
    record = logging.LogRecord("x", logging.WARNING, "", 0, "a\n%s", ("ä\u2028",), None)
    line = JsonFormatter().format(record)
    assert len(line.splitlines()) == 1
    assert json.loads(line)["message"] == "a\nä\u2028"
    try:
        int("secret")
    except ValueError:
        record.exc_info = sys.exc_info()
    assert "secret" not in JsonFormatter().format(record)
