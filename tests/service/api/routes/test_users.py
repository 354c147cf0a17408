import asyncio
from pathlib import Path

import httpx
import pytest

from movierec.recommender.artifacts import Artifacts
from movierec.recommender.engine import Engine
from movierec.roster import SERVED
from movierec.service.settings import OnlineExperiment
from tests.service.clients import EXPERIMENT, NEW_USER, ready, recommend, set_up

pytestmark = pytest.mark.anyio
NAME = EXPERIMENT.name


async def test_known_user_gets_what_the_engine_says(
    client: httpx.AsyncClient, known: int, artifacts: Artifacts, engine: Engine
) -> None:
    expected = engine.recommend(artifacts.profiles.find(known), 7, explain=True)
    found = await recommend(client, known, k=7, explain=True)
    assert (found["strategy"], found["model"], found["model_version"]) == ("personal", "als_tuned", artifacts.version)
    assert found["experiment"] is None
    assert [item["movie"]["movie_id"] for item in found["items"]] == [item.movie.movie_id for item in expected.items]
    for item, stated in zip(found["items"], expected.items, strict=True):
        stars = item["low"], item["predicted_rating"], item["high"]
        assert stars == pytest.approx((stated.low, stated.predicted_rating, stated.high))
        assert 0.5 <= stars[0] < stars[1] < stars[2] <= 5
    assert [item["score"] for item in found["items"]] == pytest.approx([item.score for item in expected.items])
    reasons = [[reason["movie"]["movie_id"] for reason in item["reasons"]] for item in found["items"]]
    assert reasons == [[reason.movie_id for reason in item.reasons] for item in expected.items]
    assert any(reasons)


async def test_unknown_user_gets_what_most_like(client: httpx.AsyncClient) -> None:
    found = await recommend(client, NEW_USER)
    assert (found["strategy"], found["model"]) == ("popular", "popularity")
    means = [item["movie"]["mean"] for item in found["items"]]
    assert means == sorted(means, reverse=True)
    assert {item[name] for item in found["items"] for name in ("predicted_rating", "low", "high")} == {None}


async def test_filters_hold(client: httpx.AsyncClient, known: int) -> None:
    filters = (await client.get("/v1/genres")).json()
    genre, decade = filters["genres"][0], filters["decades"][-1]
    for user_id in (known, NEW_USER):
        for item in (await recommend(client, user_id, k=200, genre=genre))["items"]:
            assert genre in item["movie"]["genres"]
        for item in (await recommend(client, user_id, k=200, decade=decade))["items"]:
            assert decade <= item["movie"]["year"] < decade + 10


async def test_seen_movies_are_left_out_unless_asked_for(client: httpx.AsyncClient, known: int) -> None:
    rated = (await client.get(f"/v1/users/{known}/ratings")).json()["ratings"]
    own = {rating["movie"]["movie_id"] for rating in rated}
    assert {rating["source"] for rating in rated} == {"training"}
    assert not own & {item["movie"]["movie_id"] for item in (await recommend(client, known, k=200))["items"]}
    everything = (await recommend(client, known, k=200, exclude_seen=False))["items"]
    assert own & {item["movie"]["movie_id"] for item in everything}


@pytest.mark.parametrize("model", SERVED)
async def test_model_can_be_chosen(client: httpx.AsyncClient, known: int, model: str) -> None:
    assert (await recommend(client, known, model=model))["model"] == model


async def test_misses_at_once_compute_once(client: httpx.AsyncClient, known: int) -> None:
    await asyncio.gather(*(recommend(client, known, k=9) for _ in range(20)))
    await recommend(client, known, k=9)
    figures = (await client.get("/metrics")).text
    assert 'movierec_strategy_total{strategy="personal"} 1.0' in figures
    assert 'movierec_cache_total{result="hit"} 1.0' in figures
    assert 'movierec_cache_total{result="miss"} 20.0' in figures


@pytest.mark.parametrize(("filters", "hint"), [("genre=Drame", "did you mean 'Drama'"), ("decade=1800", "1990")])
async def test_unknown_filters_are_not_found(client: httpx.AsyncClient, filters: str, hint: str) -> None:
    answer = await client.get(f"/v1/users/1/recommendations?{filters}")
    assert answer.status_code == 404
    assert hint in answer.json()["detail"]


async def test_arm_decides_the_model_when_the_experiment_is_on(shop: Path, tmp_path: Path) -> None:
    async with ready(set_up(shop, tmp_path, experiment=EXPERIMENT, serve_experiment=True)) as client:
        arms = set()
        for user_id in range(1, 11):
            found = await recommend(client, user_id)
            arm = found["experiment"]["arm"]
            assert found["experiment"]["name"] == NAME
            assert found["model"] == EXPERIMENT.models[arm]
            arms.add(arm)
            assert (await recommend(client, user_id, model="svd"))["experiment"] is None
        assert arms == {"control", "treatment"}


async def test_an_exploring_arm_is_tested_like_any_other(shop: Path, tmp_path: Path, engine: Engine) -> None:
    arms = {"control": "bayes", "treatment": "bayes_explore"}
    experiment = OnlineExperiment.model_validate({"name": "bayes_explore-against-bayes", "models": arms})
    async with ready(set_up(shop, tmp_path, experiment=experiment, serve_experiment=True)) as client:
        differ = dict.fromkeys(arms, 0)
        for user_id in range(1, 21):
            found = await recommend(client, user_id)
            arm = found["experiment"]["arm"]
            assert found["model"] == arms[arm]
            mean = engine.recommend(engine.artifacts.profiles.find(user_id), 10, model="bayes")
            differ[arm] += [item["movie"]["movie_id"] for item in found["items"]] != [
                item.movie.movie_id for item in mean.items
            ]
        assert differ["control"] == 0
        assert differ["treatment"] > 0
