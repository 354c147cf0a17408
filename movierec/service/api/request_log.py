"""The middleware that gives each request an id, logs it and measures it; no user's id is logged."""

import re
import time
import uuid
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from movierec.service.api.problems import make_problem
from movierec.service.live.monitor import Monitor
from movierec.service.logs import LOGGER

UNKNOWN_ROUTE: Final = "unknown"

_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_METHODS: Final = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


class RequestLog:
    """ASGI middleware: gives each request an id, logs and measures it, and answers what nobody foresaw.

    Parameters
    ----------
    app : ASGI app
        What is wrapped.
    monitor : Monitor
        Where requests are counted.
    """

    def __init__(self, app: ASGIApp, monitor: Monitor) -> None:
        self._app, self._monitor = app, monitor

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        started, request_id, status = time.perf_counter(), _choose_id(scope), 0

        async def send_on(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["x-request-id"] = request_id
            await send(message)

        try:
            await self._app(scope, receive, send_on)
        except Exception:
            LOGGER.exception("internal error", extra={"fields": {"request_id": request_id}})
            if status:  # an answer that was begun cannot be taken back: let the server cut it off
                raise
            await make_problem(500, "internal error", request_id=request_id)(scope, receive, send_on)
        finally:
            self._record(scope, request_id, status, time.perf_counter() - started)
        return None

    def _record(self, scope: Scope, request_id: str, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path_format", UNKNOWN_ROUTE)  # its template: a path holds a user's id
        method = scope["method"] if scope["method"] in _METHODS else "other"
        self._monitor.requests.labels(route, method, str(status)).observe(seconds)
        if status >= 500:
            self._monitor.errors.labels(route).inc()
        fields = {"method": method, "route": route, "status": status, "duration_ms": round(seconds * 1000, 2)}
        LOGGER.info("request", extra={"fields": {"request_id": request_id, **fields}})


def _choose_id(scope: Scope) -> str:
    """Take the client's request id if it is harmless, else a new one."""
    given = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"").decode("latin-1")
    return given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
