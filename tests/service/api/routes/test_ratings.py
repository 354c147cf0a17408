import asyncio
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from movierec.recommender.artifacts import Artifacts
from movierec.recommender.engine import Engine
from movierec.recommender.profiles import Profile
from movierec.service.api import schemas
from movierec.service.api.routes import ratings as routes
from movierec.service.storage.store import Store
from tests.service.clients import EXPERIMENT, LARGEST, NEW_USER, post_rating, ready, recommend, set_up

pytestmark = pytest.mark.anyio

RATING = {"user_id": 1, "movie_id": 1, "rating": 4}


async def test_next_recommendation_reflects_a_rating(client: httpx.AsyncClient) -> None:
    before = await recommend(client, NEW_USER, explain=True)
    movie_id = before["items"][0]["movie"]["movie_id"]
    answer = await post_rating(client, movie_id, 4.5, timestamp=123)
    assert answer.status_code == 201
    assert answer.json() == {
        "stored": True,
        "user_id": NEW_USER,
        "movie_id": movie_id,
        "rating": 4.5,
        "timestamp": 123,
    }
    after = await recommend(client, NEW_USER, explain=True)
    assert after["strategy"] == "folded_in"
    assert movie_id not in [item["movie"]["movie_id"] for item in after["items"]]
    assert {reason["movie"]["movie_id"] for item in after["items"] for reason in item["reasons"]} == {movie_id}
    own = (await client.get(f"/v1/users/{NEW_USER}/ratings")).json()["ratings"]
    assert [(rating["movie"]["movie_id"], rating["rating"], rating["source"]) for rating in own] == [
        (movie_id, 4.5, "service")
    ]


async def test_rating_is_stored_once(client: httpx.AsyncClient) -> None:
    statuses = [(await post_rating(client, 1, 4, timestamp=5)).status_code for _ in range(3)]
    assert statuses == [201, 200, 200]
    conflict = await post_rating(client, 1, 3, timestamp=5)
    assert conflict.status_code == 409
    assert "later timestamp" in conflict.json()["detail"]


async def test_idempotency_key_covers_a_request_without_time(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    body, headers = {"user_id": NEW_USER, "movie_id": 1, "rating": 4}, {"idempotency-key": "abc"}
    monkeypatch.setattr(routes, "now_s", iter(range(100, 110)).__next__)
    answers = [await client.post("/v1/ratings", json=body, headers=headers) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201, 200, 200]
    assert [answer.json()["timestamp"] for answer in answers] == [100, 100, 100]
    other = await client.post("/v1/ratings", json={**body, "rating": 1}, headers=headers)
    assert other.status_code == 409


async def test_mind_may_be_changed_within_a_second(client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes, "now_s", iter([100, 100, 100, 100, 101]).__next__)
    answers = [await post_rating(client, 1, rating) for rating in (4, 3, 2, 2, 3)]
    assert [answer.status_code for answer in answers] == [201, 201, 201, 200, 201]
    assert [answer.json()["timestamp"] for answer in answers] == [100, 101, 102, 102, 103]
    own = (await client.get(f"/v1/users/{NEW_USER}/ratings")).json()["ratings"]
    assert [rating["rating"] for rating in own] == [3]


async def test_one_rating_posted_at_once_is_stored_once(client: httpx.AsyncClient, tmp_path: Path) -> None:
    answers = await asyncio.gather(*(post_rating(client, 1, 4, timestamp=5) for _ in range(20)))
    assert sorted(answer.status_code for answer in answers) == [200] * 19 + [201]
    assert len(list(Store(f"sqlite:///{tmp_path / 'service.db'}").all_ratings())) == 1


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, "body.user_id: Field required"),
        ([], "body"),
        ({**RATING, "rating": 4.3}, "body.rating"),
        ({**RATING, "rating": 0}, "body.rating"),
        ({**RATING, "rating": "4"}, "body.rating"),
        ({**RATING, "user_id": True}, "body.user_id"),
        ({**RATING, "user_id": 1.5}, "body.user_id"),
        ({**RATING, "timestamp": -1}, "body.timestamp"),
        ({**RATING, "timestamp": 10**30}, "body.timestamp"),
        ({**RATING, "timestamp": 253_402_300_799}, "body.timestamp: lies more than a day ahead"),
        ({**RATING, "x" * 5000: 1}, "body.xxx"),
        ({str(number): 1 for number in range(500)}, "and 499 more"),
    ],
)
async def test_bad_ratings_are_refused_readably(client: httpx.AsyncClient, body: object, named: str) -> None:
    answer = await client.post("/v1/ratings", json=body)
    assert answer.status_code == 422
    assert named in answer.json()["detail"]
    assert len(answer.text) < 400


async def test_times_more_than_a_day_ahead_are_refused(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1_700_000_000
    monkeypatch.setattr(schemas, "time", SimpleNamespace(time=lambda: now))
    monkeypatch.setattr(routes, "now_s", lambda: now)
    event = {"user_id": 1, "movie_id": 1, "kind": "click", "experiment": EXPERIMENT.name}
    for ahead, rated, counted in ((86_401, 422, 422), (86_400, 201, 200)):
        assert (await post_rating(client, 1, 4, timestamp=now + ahead)).status_code == rated
        events = [event, {**event, "timestamp": now + ahead}]
        answer = await client.post("/v1/events", json={"events": events})
        assert answer.status_code == counted
    assert (await post_rating(client, 1, 3)).json()["timestamp"] == now + 86_401  # the newest, though


async def test_body_that_is_not_called_json_is_told_so(client: httpx.AsyncClient) -> None:
    for headers in ({}, {"content-type": "text/plain"}):
        answer = await client.post("/v1/ratings", content=json.dumps(RATING), headers=headers)
        assert answer.status_code == 422
        assert answer.json()["detail"] == "send JSON with the header `Content-Type: application/json`"
    empty = await client.post("/v1/ratings", headers={"content-type": "application/json"})
    assert empty.json()["detail"] == "body: Field required"


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b'{"user_id": NaN, "movie_id": 1, "rating": 4}',
        b'{"user_id": 1, "movie_id": 1, "rating": Infinity}',
        b'{"user_id": 1, "movie_id": 1, "rating": 4, "\\ud800": 1}',
        b"[" * 100_000,
        b"\xff\xfe",
        b'{"user_id": ' + b"9" * 10_000 + b"}",
    ],
)
async def test_broken_json_is_refused(client: httpx.AsyncClient, content: bytes) -> None:
    answer = await client.post("/v1/ratings", content=content, headers={"content-type": "application/json"})
    assert answer.status_code in {400, 422}
    assert answer.json()["detail"]


async def test_whole_numbers_may_be_written_with_a_point(client: httpx.AsyncClient) -> None:
    body = b'{"user_id": 7.0, "movie_id": 1e0, "rating": 4, "timestamp": 5.0}'
    answer = await client.post("/v1/ratings", content=body, headers={"content-type": "application/json"})
    assert answer.json() == {"stored": True, "user_id": 7, "movie_id": 1, "rating": 4.0, "timestamp": 5}


async def test_predictions_are_the_engines_in_the_order_of_the_pairs(
    client: httpx.AsyncClient, known: int, artifacts: Artifacts, engine: Engine
) -> None:
    pairs = [(known, 3), (NEW_USER, 1), (known, 1), (known, LARGEST)]
    body = {"pairs": [{"user_id": user, "movie_id": movie} for user, movie in pairs]}
    found = (await client.post("/v1/predictions", json=body)).json()
    expected = [engine.predict(artifacts.profiles.find(user), [movie]).by_movie()[0] for user, movie in pairs]
    for name, values in zip(("predictions", "low", "high"), zip(*expected, strict=True), strict=True):
        assert found[name] == pytest.approx(values)
    assert (found["model"], found["model_version"]) == ("bayes", artifacts.version)
    other = (await client.post("/v1/predictions", json={**body, "model": "als"})).json()
    assert (other["model"], other["low"], other["high"]) == ("als", None, None)
    assert other["predictions"] != found["predictions"]


async def test_errors_of_known_users_ratings_are_measured_before_they_are_folded_in(
    client: httpx.AsyncClient, known: int, artifacts: Artifacts, engine: Engine
) -> None:
    profile = artifacts.profiles.find(known)
    new = next(int(movie_id) for movie_id in artifacts.catalogue.movie_ids if movie_id not in profile.movie_ids)
    rating = 0.5
    for user_id, movie_id in ((known, int(profile.movie_ids[0])), (NEW_USER, 1), (known, new)):
        await client.post("/v1/ratings", json={"user_id": user_id, "movie_id": movie_id, "rating": rating})
        figures = (await client.get("/metrics")).text
        assert ("movierec_rating_rmse NaN" in figures) == ((user_id, movie_id) != (known, new))
    stored = Profile(known, *_overlay(profile, int(profile.movie_ids[0]), rating), trained=True, changed=True)
    expected = abs(engine.predict(stored, [new]).stars[0] - rating)
    line = next(line for line in figures.splitlines() if line.startswith("movierec_rating_rmse "))
    assert float(line.split()[1]) == pytest.approx(expected)
    assert f"movierec_rating_rmse_baseline {artifacts.baseline_rmse}" in figures
    assert 'movierec_ratings_total{result="stored"} 3.0' in figures


def _overlay(profile: Profile, movie_id: int, rating: float) -> tuple[Any, Any]:
    stars = profile.stars.copy()
    stars[profile.movie_ids == movie_id] = rating
    return profile.movie_ids, stars


async def test_bad_ratings_of_known_users_raise_the_alarm(client: httpx.AsyncClient, artifacts: Artifacts) -> None:
    users = artifacts.models[artifacts.champion].users.ids[:30].tolist()
    for user_id in users:
        rated = set(artifacts.profiles.find(user_id).movie_ids.tolist())
        for movie_id in [movie for movie in artifacts.catalogue.movie_ids.tolist() if movie not in rated][:7]:
            rating = {"user_id": user_id, "movie_id": movie_id, "rating": 0.5 if movie_id % 2 else 5.0, "timestamp": 1}
            assert (await client.post("/v1/ratings", json=rating)).status_code == 201
    assert "movierec_rating_drift 1.0" in (await client.get("/metrics")).text


async def test_writers_that_wait_too_long_are_told(shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("movierec.service.api.dependencies.LONGEST_WAIT_S", 0.0)
    async with ready(set_up(shop, tmp_path)) as client:
        answer = await post_rating(client, 1, 4)
        assert answer.status_code == 503
        assert "busy" in answer.json()["detail"]
