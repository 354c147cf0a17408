"""The app: routes, limits and models put together."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI

from movierec.service.api.dependencies import Dependencies
from movierec.service.api.head import HeadLikeGet
from movierec.service.api.hosts import TrustedHosts
from movierec.service.api.page import mount_page
from movierec.service.api.problems import handle_problems
from movierec.service.api.request_log import RequestLog
from movierec.service.api.routes import catalogue, experiments, movies, operations, ratings, users
from movierec.service.api.security import BodyLimit, RateLimit, SecurityHeaders, declare_open
from movierec.service.settings import ServiceSettings


def create_app(settings: ServiceSettings) -> FastAPI:
    """Make an app that shares nothing with another one.

    Parameters
    ----------
    settings : ServiceSettings
        How it is set up.

    Returns
    -------
    FastAPI
        Alive as soon as it is started, ready once the models are loaded. /openapi.json is its contract; there is no
        page for it, because FastAPI's loads its scripts from another host.

    Raises
    ------
    MovierecError
        If the URL of the database is none.
    """
    app = FastAPI(
        title="movierec",
        version=version("movierec"),
        description="Movie recommendations by what the pipeline trained.",
        lifespan=_run,
        docs_url=None,
        redoc_url=None,
    )
    dependencies = app.state.dependencies = Dependencies(settings)
    for module in (users, catalogue, movies, ratings, experiments, operations):
        app.include_router(module.router)
    if settings.api_token is None:
        declare_open(app)
    mount_page(app)
    handle_problems(app)
    app.add_middleware(HeadLikeGet)
    app.add_middleware(BodyLimit, most_bytes=settings.max_body_bytes)
    app.add_middleware(RateLimit, per_minute=settings.rate_limit)
    any_host = settings.api_token is not None and not settings.allowed_hosts
    app.add_middleware(TrustedHosts, names=settings.allowed_hosts, any_host=any_host)
    app.add_middleware(RequestLog, monitor=dependencies.monitor)
    app.add_middleware(SecurityHeaders)  # the last one added sees the request first and the answer last
    return app


@asynccontextmanager
async def _run(app: FastAPI) -> AsyncIterator[None]:
    dependencies: Dependencies = app.state.dependencies
    watched = dependencies.models, dependencies.rating_watch, dependencies.catalogue_watch
    watchers = [asyncio.create_task(each.watch()) for each in watched]
    try:
        yield
    finally:
        for watcher in watchers:
            watcher.cancel()
        await asyncio.gather(*watchers, return_exceptions=True)
        dependencies.store.close()
