"""A client of an app that runs in the test's own event loop, and ways to wait for it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx
from fastapi import FastAPI

from movierec.params import load_params
from movierec.service.app import create_app
from movierec.service.settings import OnlineExperiment, ServiceSettings

TOKEN = "a-token-of-some-length"  # noqa: S105
LARGEST = 2**31 - 1
NEW_USER = 2_000_000_000
EXPERIMENT = OnlineExperiment(
    name=load_params().abtest.experiment,
    models={"control": "popularity", "treatment": "als"},
    minimum_effect=0.02,
    significance=0.1,
    power=0.9,
)


def set_up(root: Path, tmp_path: Path, **changes: Any) -> ServiceSettings:
    values = {"root": root, "database_url": f"sqlite:///{tmp_path / 'service.db'}", "reload_interval_s": 0.02}
    return ServiceSettings.model_validate({**values, **changes})


@asynccontextmanager
async def running(settings: ServiceSettings) -> AsyncIterator[tuple[FastAPI, httpx.AsyncClient]]:
    """Yield an app whose watcher runs, ready or not, and a client of it."""
    app = create_app(settings)
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://localhost") as client,
    ):
        yield app, client


@asynccontextmanager
async def ready(settings: ServiceSettings) -> AsyncIterator[httpx.AsyncClient]:
    async with running(settings) as (_, client):
        await until(lambda: is_ready(client))
        yield client


async def is_ready(client: httpx.AsyncClient) -> bool:
    return (await client.get("/health/ready")).status_code == 200


async def until(check: Callable[[], Awaitable[bool]], within_s: float = 60) -> None:
    """Poll until a check holds; fail after a bound."""
    with anyio.fail_after(within_s):
        while not await check():  # noqa: ASYNC110  # what is waited for tells nobody
            await anyio.sleep(0.01)


async def post_rating(client: httpx.AsyncClient, movie_id: int, rating: float, **more: Any) -> httpx.Response:
    body = {"user_id": NEW_USER, "movie_id": movie_id, "rating": rating, **more}
    return await client.post("/v1/ratings", json=body)


async def recommend(client: httpx.AsyncClient, user_id: int | str, **query: Any) -> dict[str, Any]:
    answer = await client.get(f"/v1/users/{user_id}/recommendations", params=query)
    assert answer.status_code == 200, answer.text
    content: dict[str, Any] = answer.json()
    return content
