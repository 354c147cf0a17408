"""Several processes answer by one catalogue, and newer models let go of what they hold."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from movierec import io, paths
from movierec.data.described_movie import DescribedMovie
from movierec.service.live.catalogue_watch import CatalogueWatch
from movierec.service.storage.store import StoreUnavailableError
from tests.service.clients import is_ready, ready, recommend, running, set_up, until
from tests.shop import lock_shop

pytestmark = pytest.mark.anyio
MOVIE = {"title": "The Zebra Umpire", "year": 2019, "genres": ["Drama"]}


async def show(client: httpx.AsyncClient, movie_id: Any) -> dict[str, Any]:
    shown: dict[str, Any] = (await client.get(f"/v1/movies/{movie_id}")).json()
    return shown


async def test_what_one_process_changes_another_answers_by(shop: Path, tmp_path: Path) -> None:
    settings = set_up(shop, tmp_path)
    async with ready(settings) as here, ready(settings) as there:
        movie_id = (await here.post("/v1/movies", json=MOVIE)).json()["movie_id"]
        path = f"/v1/movies/{movie_id}"

        async def is_there(**expected: Any) -> bool:
            shown = await show(there, movie_id)
            return all(shown.get(name) == value for name, value in expected.items())

        await until(lambda: is_there(title="The Zebra Umpire", ratings=0))
        await here.post("/v1/ratings", json={"user_id": 9, "movie_id": movie_id, "rating": 5})
        await until(lambda: is_there(ratings=1))
        await here.patch(path, json={"title": "Yak"})
        await until(lambda: is_there(title="Yak"))
        await here.delete(path)
        await until(lambda: is_there(title=None))
    async with ready(settings) as later:
        assert (await later.get(path)).status_code == 404


async def test_a_swap_keeps_what_the_models_do_not_hold_and_lets_go_of_the_rest(own_shop: Path, tmp_path: Path) -> None:
    async with running(set_up(own_shop, tmp_path)) as (app, client):
        models = app.state.dependencies.models
        await until(lambda: is_ready(client))
        held, kept = 7, (await client.post("/v1/movies", json=MOVIE)).json()["movie_id"]
        await client.patch(f"/v1/movies/{held}", json={"title": "Yak"})
        before = models.live
        listed = io.read_parquet(own_shop / paths.CLEAN_MOVIES)
        listed.loc[listed["movie_id"] == 8, "title"] = "From the pipeline"
        io.write_parquet(listed, own_shop / paths.CLEAN_MOVIES)
        lock_shop(own_shop)
        await until(lambda: _titled(client, 8, "From the pipeline"))
        assert models.live.artifacts.version != before.artifacts.version
        assert (await show(client, held))["title"] == "Yak"
        assert (await show(client, kept))["title"] == MOVIE["title"]
        answer = await recommend(client, 1, k=200, decade=2010)
        assert kept in [item["movie"]["movie_id"] for item in answer["items"]]


async def test_a_database_that_is_away_is_made_up_for(
    shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = list[str]()
    look = CatalogueWatch.look

    async def stumble(self: CatalogueWatch) -> None:
        looks.append("look")
        if len(looks) == 1:
            raise StoreUnavailableError("away")
        if len(looks) == 2:
            raise ZeroDivisionError
        await look(self)

    monkeypatch.setattr(CatalogueWatch, "look", stumble)
    async with running(set_up(shop, tmp_path)) as (app, client):
        app.state.dependencies.store.add_movie(
            None, lambda own: DescribedMovie(own, "Zebra", None), author=None, timestamp=5
        )
        await until(lambda: _titled(client, 1_000_000_000, "Zebra"))
        assert len(looks) > 2


async def _titled(client: httpx.AsyncClient, movie_id: int, title: str) -> bool:
    return (await show(client, movie_id)).get("title") == title
