"""The page at `/`: its files and where they hang on an application; what it shows comes from the routes under `/v1`."""

from pathlib import Path
from typing import Final

from fastapi import FastAPI
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

STATIC: Final = Path(__file__).parents[1] / "static"

_REVALIDATED: Final = {"Cache-Control": "no-cache"}  # else a browser mixes files of two versions


class _PageFiles(StaticFiles):
    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers.update(_REVALIDATED)
        return response


def mount_page(app: FastAPI) -> None:
    """Serve the page at `/` and its files below `/static`, both outside the OpenAPI contract.

    Parameters
    ----------
    app : FastAPI
        Has the routes under `/v1` that the page asks. The page works under `Content-Security-Policy: default-src
        'self'`: it has no inline script or style and asks no other host.
    """

    @app.get("/", include_in_schema=False)
    async def show_page() -> FileResponse:
        return FileResponse(STATIC / "index.html", headers=_REVALIDATED)

    app.mount("/static", _PageFiles(directory=STATIC), name="static")
