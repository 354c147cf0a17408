"""Routes for operators: liveness, readiness, metrics and reloading the models."""

from typing import Final

from anyio import to_thread
from fastapi import APIRouter, HTTPException, Response

from movierec.errors import MovierecError
from movierec.service.api.dependencies import Deps
from movierec.service.api.problems import describe_problems
from movierec.service.api.replies import Health, Reloaded
from movierec.service.api.security import Credentials, check_token

router = APIRouter(tags=["operations"])

_TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"


@router.get("/health/live")
async def show_live() -> Health:
    """Answer as long as the process does."""
    return Health(status="live")


@router.get("/health/ready", responses=describe_problems(503))
async def show_ready(dependencies: Deps) -> Health:
    """Answer 200 when there are models to answer from and the database works."""
    version = dependencies.models.live.artifacts.version
    await to_thread.run_sync(dependencies.store.check)
    return Health(status="ready", model_version=version, problem=dependencies.models.problem)


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def show_metrics(dependencies: Deps) -> Response:
    """Give the figures in Prometheus's format."""
    return Response(dependencies.monitor.expose(), media_type=_TEXT)


@router.post("/admin/reload", responses=describe_problems(401, 403, 409, 422, 429))
async def reload_models(dependencies: Deps, credentials: Credentials) -> Reloaded:
    """Load the models anew; those that were served go on until newer ones are complete, and if there are none."""
    if dependencies.settings.api_token is None:
        raise HTTPException(403, "set MOVIEREC_API_TOKEN to allow this; changed files are noticed without it")
    check_token(dependencies.settings.api_token, credentials)
    try:
        changed = await dependencies.models.load()
    except MovierecError as error:
        raise HTTPException(409, str(error)) from error
    return Reloaded(model_version=dependencies.models.live.artifacts.version, changed=changed)
