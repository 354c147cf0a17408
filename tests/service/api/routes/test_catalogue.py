"""Movies that are added, changed and taken away while the service runs."""

from typing import Any

import httpx
import pytest

from movierec.recommender.artifacts import Artifacts
from tests.service.clients import NEW_USER, post_rating, recommend

pytestmark = pytest.mark.anyio
MOVIE = {"title": "The Zebra Umpire (2019)", "genres": ["Drama", "War"], "tags": ["zebra"]}
TITLE = "The Zebra Umpire"


async def post(client: httpx.AsyncClient, **more: Any) -> httpx.Response:
    headers = more.pop("headers", {"x-author": "ann"})
    return await client.post("/v1/movies", json={**MOVIE, **more}, headers=headers)


async def add(client: httpx.AsyncClient, **more: Any) -> Any:
    answer = await post(client, **more)
    assert answer.status_code == 201, answer.text
    return answer.json()["movie_id"]


async def search(client: httpx.AsyncClient, query: str) -> list[Any]:
    found = (await client.get("/v1/movies", params={"query": query})).json()["items"]
    return [item["movie"]["movie_id"] for item in found]


async def find_item(client: httpx.AsyncClient, movie_id: Any, user: Any = NEW_USER, **query: Any) -> dict[str, Any]:
    answer = await recommend(client, user, k=200, **query)
    return next((item for item in answer["items"] if item["movie"]["movie_id"] == movie_id), {})


async def test_a_new_movie_is_found_recommended_explained_and_predicted(
    client: httpx.AsyncClient, artifacts: Artifacts
) -> None:
    answer = await post(client)
    assert answer.status_code == 201
    change = answer.json()
    movie_id = change["movie_id"]
    assert {name: change[name] for name in ("title", "year", "genres", "version", "kind", "author")} == {
        "title": TITLE, "year": 2019, "genres": ["Drama", "War"], "version": 1, "kind": "add", "author": "ann",
    }  # fmt: skip
    assert artifacts.catalogue.get(movie_id) is None
    assert await search(client, "zebra umpyre") == [movie_id]
    shown = (await client.get(f"/v1/movies/{movie_id}")).json()
    assert (shown["ratings"], shown["mean"]) == (0, None)
    assert 2010 in (await client.get("/v1/genres")).json()["decades"]
    similar = (await client.get(f"/v1/movies/{movie_id}/similar")).json()["items"]
    assert movie_id not in [item["movie"]["movie_id"] for item in similar]
    await post_rating(client, 1, 5)
    for model in ("als", "als_tuned", "ease", "blend", "bayes", "svd", "svd_tuned"):
        assert (await find_item(client, movie_id, decade=2010, model=model))["movie"] == shown
    item = await find_item(client, movie_id, decade=2010, explain=True, model="blend")
    assert 0.5 <= item["low"] < item["predicted_rating"] < item["high"] <= 5
    assert [reason["movie"]["movie_id"] for reason in item["reasons"]] in ([1], [])


async def test_its_ratings_move_what_is_predicted_for_others(client: httpx.AsyncClient, artifacts: Artifacts) -> None:
    movie_id = await add(client)
    raters = artifacts.models["bayes"].users.ids[:12].tolist()
    pairs = {"pairs": [{"user_id": raters[-1], "movie_id": movie_id}]}

    async def predict() -> float:
        stars: float = (await client.post("/v1/predictions", json=pairs)).json()["predictions"][0]
        return stars

    found = [await predict()]
    for stars in (5, 1):
        for user in raters[:-1]:
            body = {"user_id": user, "movie_id": movie_id, "rating": stars}
            assert (await client.post("/v1/ratings", json=body)).status_code == 201
        await add(client, title="Any")  # whose answer waits for what was stored
        found.append(await predict())
    assert found[1] > found[0] > found[2]
    assert (await client.get(f"/v1/movies/{movie_id}")).json()["ratings"] == 11
    assert movie_id in [
        each["movie"]["movie_id"] for each in (await client.get(f"/v1/users/{raters[0]}/ratings")).json()["ratings"]
    ]


async def test_sent_again_it_is_stored_once(client: httpx.AsyncClient) -> None:
    key = {"idempotency-key": "k1"}
    first, again = await post(client, headers=key), await post(client, headers=key)
    assert (first.status_code, again.status_code, first.json()) == (201, 200, again.json())
    assert (await post(client, headers=key, year=2001)).status_code == 409
    assert (await post(client, movie_id=99_999)).status_code == 201
    assert (await post(client, movie_id=99_999)).status_code == 200
    assert (await post(client, movie_id=99_999, title="Other")).status_code == 409
    assert "PATCH" in (await post(client, movie_id=1)).json()["detail"]
    assert (await post(client, movie_id="tt1")).json()["detail"].endswith("the ids of this data are whole numbers")


async def test_a_change_is_shown_and_kept(client: httpx.AsyncClient) -> None:
    movie_id = await add(client)
    path = f"/v1/movies/{movie_id}"
    changed = await client.patch(path, json={"title": "Yak", "genres": ["Yodel"]}, headers={"x-author": "bob"})
    assert changed.status_code == 200
    assert (await client.get(path)).json()["genres"] == ["Yodel"]
    assert "Yodel" in (await client.get("/v1/genres")).json()["genres"]
    assert (await search(client, "zebra umpire"), await search(client, "yak")) == ([], [movie_id])
    assert changed.json() == (await client.get(f"{path}/history")).json()
    told = [(each["version"], each["kind"], each["author"], each["title"]) for each in changed.json()["changes"]]
    assert told == [(1, "add", "ann", TITLE), (2, "change", "bob", "Yak")]
    assert (await client.patch(path, json={"title": "Yak"})).json() == changed.json()
    assert (await client.patch(path, json={"title": None})).status_code == 422
    assert (await client.patch(path, json={"year": None})).json()["changes"][-1]["year"] is None


async def test_movies_of_the_data_are_changed_and_deleted(client: httpx.AsyncClient) -> None:
    before = (await client.get("/v1/movies/5")).json()
    assert (await client.get("/v1/movies/5/history")).json() == {"changes": []}
    await client.patch("/v1/movies/5", json={"title": "Quagga"})
    assert (await client.get("/v1/movies/5")).json() == {**before, "title": "Quagga"}
    assert await search(client, "quagga") == [5]
    assert (await find_item(client, 5))["movie"]["title"] == "Quagga"
    assert (await client.delete("/v1/movies/5")).status_code == 204
    assert await find_item(client, 5) == {}
    assert (await client.get("/v1/movies/5")).status_code == 404
    assert (await client.get("/v1/movies/5/history")).json()["changes"][-1]["kind"] == "delete"
    assert (await post(client, movie_id=5, title="Back")).status_code == 201
    assert (await client.get("/v1/movies/5")).json()["ratings"] == before["ratings"]


async def test_a_deleted_movie_is_nowhere(client: httpx.AsyncClient) -> None:
    movie_id, other = await add(client), await add(client, title="Zebra Two")
    await post_rating(client, 1, 5)
    unknown = {"pairs": [{"user_id": NEW_USER, "movie_id": each} for each in (movie_id, 77_777)]}
    assert len(set((await client.post("/v1/predictions", json=unknown)).json()["predictions"])) == 2
    similar = (await client.get(f"/v1/movies/{other}/similar", params={"k": 200})).json()["items"]
    assert movie_id in [item["movie"]["movie_id"] for item in similar]
    assert (await client.delete(f"/v1/movies/{movie_id}")).status_code == 204
    assert len(set((await client.post("/v1/predictions", json=unknown)).json()["predictions"])) == 1
    similar = (await client.get(f"/v1/movies/{other}/similar", params={"k": 200})).json()["items"]
    assert movie_id not in [item["movie"]["movie_id"] for item in similar]
    assert await search(client, TITLE) != [movie_id]
    assert await find_item(client, movie_id, decade=2010) == {}
    assert (await post_rating(client, movie_id, 4)).status_code == 404
    assert (await client.delete(f"/v1/movies/{movie_id}")).status_code == 404
    assert (await client.patch(f"/v1/movies/{movie_id}", json={})).status_code == 404


@pytest.mark.parametrize(
    "wrong",
    [
        {"title": ""}, {"title": " \t"}, {"title": "x" * 201}, {"title": "a\nb"}, {"year": 1799}, {"year": 2100},
        {"genres": ["a|b"]}, {"genres": [" "]}, {"genres": [str(n) for n in range(21)]}, {"genres": ["x" * 51]},
        {"tags": ["x"] * 51}, {"tags": ["x" * 101]}, {"movie_id": -1}, {"movie_id": "x" * 201}, {"stars": 5},
    ],
)  # fmt: skip
async def test_what_is_out_of_bounds_is_refused(client: httpx.AsyncClient, wrong: dict[str, Any]) -> None:
    assert (await post(client, **wrong)).status_code == 422
