"""How every refusal and failure looks to a client: a status and one readable line."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from movierec.errors import MovierecError
from movierec.recommender.own_ids import UnknownIdError
from movierec.service.api.replies import Problem
from movierec.service.live.models import NotReadyError
from movierec.service.storage.store import ConflictError, StoreUnavailableError, UnknownMovieError

RETRY_AFTER_S: Final = 2
_MOST_PROBLEMS, _LONGEST_NAME = 3, 40
_PLACE: Final = re.compile(r"\{\w+\}")
_STATUSES: Final = {
    UnknownIdError: 404,
    UnknownMovieError: 404,
    ConflictError: 409,
    StoreUnavailableError: 503,
    NotReadyError: 503,
}  # of other mistakes 422

_MEANINGS: Final = {
    400: "not JSON",
    401: "no or a wrong token",
    403: "not allowed on this instance, or to a page of another site",
    404: "there is no such thing",
    409: "contradicts what is stored",
    413: "body too large",
    422: "an input is missing, of the wrong type or out of range",
    429: "too many requests of one client",
    503: "the models or the database are not there yet, or not there now",
}


def describe_problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the `responses` of a route that may answer with these statuses, for OpenAPI."""
    return {status: {"model": Problem, "description": _MEANINGS[status]} for status in statuses}


def make_problem(status: int, detail: str, headers: Mapping[str, str] | None = None, **more: str) -> Response:
    """Return ``{"detail": ...}`` with a status; a 429 or 503 says when to try again."""
    body = json.dumps({"detail": detail, **more})  # ASCII: half a surrogate pair from a client has no UTF-8
    extra = {"retry-after": str(RETRY_AFTER_S)} if status in {429, 503} else {}
    return Response(body, status, {**extra, **(headers or {})}, "application/json")


def handle_problems(app: FastAPI) -> None:
    """Let an app answer every foreseen error in one form; unforeseen ones are `RequestLog`'s."""
    app.add_exception_handler(HTTPException, _answer_http)
    app.add_exception_handler(RequestValidationError, _answer_invalid)
    app.add_exception_handler(MovierecError, _answer_mistake)


async def _answer_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  # registered for nothing else
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers["allow"] = _list_methods(request) or headers["Allow"]
        headers.pop("Allow")
    return make_problem(error.status_code, str(error.detail), headers)


def _list_methods(request: Request) -> str:
    """Name the methods that the contract has for an address: Starlette names those of its first route alone."""
    paths = request.app.openapi()["paths"].items()
    here = [operations for path, operations in paths if re.fullmatch(_PLACE.sub("[^/]+", path), request.scope["path"])]
    return ", ".join(sorted(method.upper() for operations in here for method in operations))


async def _answer_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    problems = error.errors()
    kind = request.headers.get("content-type", "")
    if "json" not in kind and any(problem["loc"] == ("body",) for problem in problems):
        return make_problem(422, "send JSON with the header `Content-Type: application/json`")
    shown = "; ".join(_tell(problem["loc"], problem["msg"]) for problem in problems[:_MOST_PROBLEMS])
    left = len(problems) - _MOST_PROBLEMS
    return make_problem(422, f"{shown}; and {left} more" if left > 0 else shown)


async def _answer_mistake(_: Request, error: Exception) -> Response:
    status = next((status for kind, status in _STATUSES.items() if isinstance(error, kind)), 422)
    return make_problem(status, " ".join(str(error).split()))


def _tell(location: Sequence[int | str], message: str) -> str:
    """Name the place of a mistake and what is wrong, but never what was sent, which may be huge."""
    names = (str(part) for part in location)
    return (
        f"{'.'.join(name if len(name) <= _LONGEST_NAME else name[:_LONGEST_NAME] + '…' for name in names)}: {message}"
    )
