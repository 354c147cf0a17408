from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from movierec.service.api.page import STATIC
from tests.service.clients import EXPERIMENT, ready, set_up

pytestmark = pytest.mark.anyio
VALUES = {"user_id": "1", "movie_id": "1", "name": EXPERIMENT.name}
QUERIES = {"/v1/movies": "?query=a", f"/v1/experiments/{EXPERIMENT.name}/assignment": "?user_id=1"}


@pytest.fixture
async def client(shop: Path, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with ready(set_up(shop, tmp_path, experiment=EXPERIMENT)) as client:
        yield client


async def list_routes(client: httpx.AsyncClient, method: str) -> list[str]:
    """Return every path of the contract with a method, its parameters filled in."""
    contract = (await client.get("/openapi.json")).json()
    paths = [path.format(**VALUES) for path, operations in contract["paths"].items() if method in operations]
    return [path + QUERIES.get(path, "") for path in paths]


async def test_every_route_that_answers_get_answers_head_alike(client: httpx.AsyncClient) -> None:
    routes = await list_routes(client, "get")
    assert len(routes) >= 10
    files = [f"/static/{path.name}" for path in STATIC.iterdir() if path.name != "index.html"]
    for route in (*routes, *files, "/", "/openapi.json", "/v1/movies/2147483647", "/v1/movies/0", "/nowhere"):
        got = await client.get(route)
        head = await client.head(route)
        assert (head.status_code, head.content) == (got.status_code, b""), route
        assert head.headers.keys() == got.headers.keys(), route
        if route != "/metrics":  # which counts both
            assert head.headers["content-length"] == str(len(got.content)), route


async def test_what_answers_no_get_answers_no_head(client: httpx.AsyncClient) -> None:
    routes = set(await list_routes(client, "post")) - set(await list_routes(client, "get"))
    assert len(routes) >= 4
    for route in routes:
        head = await client.head(route)
        assert (head.status_code, head.headers["allow"], head.content) == (405, "POST", b"")


async def test_who_asks_by_a_wrong_method_is_told_of_head(client: httpx.AsyncClient) -> None:
    for route in ("/v1/genres", "/", "/openapi.json"):
        refused = await client.put(route)
        assert refused.status_code == 405
        assert set(refused.headers["allow"].split(", ")) == {"GET", "HEAD"}
    told = (await client.put("/v1/movies/1")).headers["allow"]
    assert set(told.split(", ")) == {"DELETE", "GET", "HEAD", "PATCH"}


async def test_head_is_logged_and_measured_as_such(client: httpx.AsyncClient) -> None:
    await client.head("/v1/users/1/ratings")
    figures = (await client.get("/metrics")).text
    route = "/v1/users/{user_id}/ratings"
    assert f'movierec_request_seconds_count{{method="HEAD",route="{route}",status="200"}} 1.0' in figures
