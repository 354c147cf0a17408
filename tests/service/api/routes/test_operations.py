import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from movierec.service.live.models import Models
from tests.service.clients import EXPERIMENT, LARGEST, post_rating, recommend, running, set_up

pytestmark = pytest.mark.anyio
NAME = EXPERIMENT.name


@pytest.mark.usefixtures("hasty")
async def test_locked_database_fails_cleanly_and_recovers(client: httpx.AsyncClient, tmp_path: Path) -> None:
    assert (await post_rating(client, 1, 4, timestamp=1)).status_code == 201
    with closing(sqlite3.connect(tmp_path / "service.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        refused = await post_rating(client, 1, 4, timestamp=2)
        assert refused.status_code == 503
        assert refused.headers["retry-after"].isdigit()
        assert len((await recommend(client, 1))["items"]) == 10
        other.execute("ROLLBACK")
    assert (await post_rating(client, 1, 4, timestamp=2)).status_code == 201


async def test_database_that_is_gone_is_not_ready_and_comes_back(client: httpx.AsyncClient, tmp_path: Path) -> None:
    database, away = tmp_path / "service.db", tmp_path / "away.db"
    assert (await post_rating(client, 1, 4, timestamp=1)).status_code == 201
    database.rename(away)
    answer = await client.get("/health/ready")
    assert answer.status_code == 503
    assert "Traceback" not in answer.text
    assert (await post_rating(client, 1, 4, timestamp=2)).status_code == 503
    assert (await client.get("/health/live")).status_code == 200
    away.rename(database)
    assert (await client.get("/health/ready")).status_code == 200


async def test_nothing_is_answered_before_the_models_are_there(
    shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(_: Models) -> bool:
        await asyncio.Event().wait()
        return False

    monkeypatch.setattr(Models, "load", never)
    async with running(set_up(shop, tmp_path)) as (_, client):
        assert (await client.get("/health/live")).status_code == 200
        for route in ("/health/ready", "/v1/users/1/recommendations", "/v1/genres", "/v1/movies?query=a"):
            answer = await client.get(route)
            assert answer.status_code == 503
            assert answer.headers["retry-after"].isdigit()
            assert "being loaded" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("route", "named"),
    [
        (f"/v1/users/{'x' * 201}/recommendations", "path.user_id"),
        ("/v1/users/1/recommendations?k=0", "query.k"),
        ("/v1/users/1/recommendations?k=201", "query.k"),
        ("/v1/users/1/recommendations?gener=Drama", "query.gener"),
        ("/v1/users/1/recommendations?decade=1995", "query.decade"),
        ("/v1/users/1/recommendations?model=bias", "query.model"),
        ("/v1/users/1/ratings?limit=0", "query.limit"),
        ("/v1/movies", "query.query"),
        ("/v1/movies?query=", "query.query"),
        ("/v1/movies?limit=51&query=a", "query.limit"),
        (f"/v1/movies?query={'x' * 101}", "query.query"),
        ("/v1/movies/1/similar?k=-1", "query.k"),
        (f"/v1/experiments/{NAME}/assignment", "query.user_id"),
    ],
)
async def test_bad_questions_are_refused_readably(client: httpx.AsyncClient, route: str, named: str) -> None:
    answer = await client.get(route)
    assert answer.status_code == 422
    assert named in answer.json()["detail"]
    assert len(answer.text) < 300


@pytest.mark.parametrize(
    "route", ["users/one/recommendations", f"users/{LARGEST + 1}/ratings", "movies/one", "movies/0"]
)
async def test_ids_that_the_data_cannot_have_are_not_there(client: httpx.AsyncClient, route: str) -> None:
    answer = await client.get(f"/v1/{route}")
    assert answer.status_code == 404
    assert answer.json()["detail"].startswith(("there is no id", "there is no movie"))
