import httpx
import pytest

from movierec.recommender.artifacts import Artifacts
from movierec.recommender.engine import Engine
from movierec.roster import SERVED
from tests.service.clients import LARGEST, post_rating

pytestmark = pytest.mark.anyio


async def test_movies_are_found_by_title_and_by_likeness(client: httpx.AsyncClient, engine: Engine) -> None:
    movie = (await client.get("/v1/movies/1")).json()
    found = (await client.get("/v1/movies", params={"query": movie["title"], "limit": 3})).json()["items"]
    assert len(found) == 3
    assert movie in [item["movie"] for item in found]
    similar = (await client.get("/v1/movies/1/similar", params={"k": 4})).json()["items"]
    assert [item["movie"]["movie_id"] for item in similar] == [movie.movie_id for movie, _ in engine.similar(1, 4)]


async def test_models_are_listed_and_those_that_answer_unasked_named(
    client: httpx.AsyncClient, artifacts: Artifacts
) -> None:
    assert (await client.get("/v1/models")).json() == {
        "model_version": artifacts.version, "models": list(SERVED), "champion": "als_tuned", "rating_model": "bayes",
    }  # fmt: skip


async def test_unknown_movies_are_not_found(client: httpx.AsyncClient) -> None:
    assert (await post_rating(client, LARGEST, 4)).status_code == 404
    for route in (f"/v1/movies/{LARGEST}", f"/v1/movies/{LARGEST}/similar", "/v1/nothing"):
        assert (await client.get(route)).status_code == 404
    assert (await client.put("/v1/ratings")).status_code == 405
