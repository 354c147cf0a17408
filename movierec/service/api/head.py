"""HEAD wherever GET is: the same answer without its body (RFC 9110, section 9.3.2)."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class HeadLikeGet:
    """ASGI middleware: answers HEAD as the app answers GET, and sends no body.

    FastAPI's routes would answer 405. That they answer HEAD stays out of the contract, as it goes without saying.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        is_head = scope["method"] == "HEAD"

        async def send_on(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 405:
                _allow_head(MutableHeaders(scope=message))
            elif is_head and message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        if not is_head:
            return await self._app(scope, receive, send_on)
        asked = {**scope, "method": "GET"}  # the server, too, goes by its own scope's method
        try:
            await self._app(asked, receive, send_on)
        finally:
            scope["route"] = asked.get("route")  # for whoever logs the request
        return None


def _allow_head(headers: MutableHeaders) -> None:
    allowed = headers.get("allow", "").split(", ")
    if "GET" in allowed and "HEAD" not in allowed:
        headers["allow"] = ", ".join([*allowed, "HEAD"])
