"""Data whose ids are text and whose ratings are on another scale, through the whole service and the command line."""

import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from movierec import cli, io, paths
from movierec.data.source_ids import SOURCE_ID
from tests.service.clients import EXPERIMENT, ready, recommend, set_up
from tests.shop import lock_shop

pytestmark = pytest.mark.anyio


@pytest.fixture
def text_shop(own_shop: Path) -> Path:
    """Return the shop with ids such as U7 and 007, and ratings from -4 to 6 in whole steps."""
    users, movies = io.read_parquet(own_shop / paths.CLEAN_USERS), io.read_parquet(own_shop / paths.CLEAN_MOVIES)
    users[SOURCE_ID] = [f"U{code}" for code in users["user_id"]]
    movies[SOURCE_ID] = [f"{code:03}/é" for code in movies["movie_id"]]
    io.write_parquet(users, own_shop / paths.CLEAN_USERS)
    io.write_parquet(movies, own_shop / paths.CLEAN_MOVIES)
    found = {"implicit": 0, "scale": {"low": -4.0, "high": 6.0, "step": 1.0}}
    io.write_json(found, own_shop / paths.DETAILS / "clean.json")
    lock_shop(own_shop)
    return own_shop


@pytest.fixture
async def text_client(text_shop: Path, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with ready(set_up(text_shop, tmp_path, experiment=EXPERIMENT)) as client:
        yield client


async def test_the_same_is_recommended_by_other_names(
    client: httpx.AsyncClient, text_client: httpx.AsyncClient, known: int
) -> None:
    codes, texts = await recommend(client, known, explain=True), await recommend(text_client, f"U{known}", explain=True)
    assert texts["user_id"] == f"U{known}"
    assert texts["strategy"] == codes["strategy"] == "personal"
    named = [f"{item['movie']['movie_id']:03}/é" for item in codes["items"]]
    assert [item["movie"]["movie_id"] for item in texts["items"]] == named
    reasons = [[one["movie"]["movie_id"] for one in item["reasons"]] for item in codes["items"]]
    assert [[one["movie"]["movie_id"] for one in item["reasons"]] for item in texts["items"]] == [
        [f"{movie:03}/é" for movie in one] for one in reasons
    ]


async def test_what_is_rated_is_stored_under_its_own_ids(text_client: httpx.AsyncClient) -> None:
    movie = (await recommend(text_client, "new one"))["items"][0]["movie"]["movie_id"]
    body = {"user_id": "new one", "movie_id": movie, "rating": -4}
    answer = await text_client.post("/v1/ratings", json=body)
    assert answer.status_code == 201
    assert {name: answer.json()[name] for name in body} == body
    listed = (await text_client.get("/v1/users/new one/ratings")).json()
    assert (listed["user_id"], [each["movie"]["movie_id"] for each in listed["ratings"]]) == ("new one", [movie])
    again = await recommend(text_client, "new one")
    assert again["strategy"] == "folded_in"
    assert movie not in [item["movie"]["movie_id"] for item in again["items"]]


@pytest.mark.parametrize("rating", [-5, 0.5, 7])
async def test_ratings_off_the_scale_are_refused(text_client: httpx.AsyncClient, rating: float) -> None:
    answer = await text_client.post("/v1/ratings", json={"user_id": "U1", "movie_id": "001/é", "rating": rating})
    assert answer.status_code == 422
    assert answer.json()["detail"] == "body.rating: the ratings of this data are from -4 to 6 in steps of 1"


async def test_predictions_events_and_the_page_know_the_ids(text_client: httpx.AsyncClient) -> None:
    pairs = [{"user_id": "U1", "movie_id": "001/é"}, {"user_id": 9, "movie_id": "nothing"}]
    assert len((await text_client.post("/v1/predictions", json={"pairs": pairs})).json()["predictions"]) == 2
    event = {"user_id": "U1", "movie_id": "001/é", "kind": "click", "experiment": EXPERIMENT.name}
    assert (await text_client.post("/v1/events", json={"events": [event]})).json() == {"accepted": 1}
    told = (await text_client.get("/v1/genres")).json()
    assert (told["scale"], told["text_ids"]) == ({"low": -4, "high": 6, "step": 1}, True)


def test_the_command_line_takes_and_gives_own_ids(
    text_shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(text_shop)
    monkeypatch.setenv("MOVIEREC_DATABASE_URL", f"sqlite:///{tmp_path / 'ratings.db'}")
    monkeypatch.setattr(sys, "argv", ["movierec", "predict", "--user", "U1", "--movie", "001/é", "--json"])
    with pytest.raises(SystemExit, match="^0$"):
        cli.main()
    assert json.loads(capsys.readouterr().out)["user_id"] == "U1"
