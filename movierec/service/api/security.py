"""Who may do what, how much and how often: tokens, addresses, headers, sizes and rates."""

import hmac
import ipaddress
import time
from dataclasses import dataclass
from typing import Annotated, Any, Final

from cachetools import LRUCache
from fastapi import FastAPI, HTTPException, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import SecretStr
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from movierec.errors import MovierecError
from movierec.service.api.problems import make_problem

MOST_CLIENTS: Final = 10_000
UNLIMITED: Final = ("/health/", "/metrics")  # whoever watches the service must see it under any load

_HEADERS: Final = {
    "content-security-policy": "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}

_BEARER: Final = HTTPBearer(auto_error=False, scheme_name="token", description="the service's MOVIEREC_API_TOKEN")
Credentials = Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)]


def check_token(token: SecretStr | None, credentials: HTTPAuthorizationCredentials | None) -> None:
    """Refuse a request without the service's token; a service without one refuses nobody.

    Raises
    ------
    HTTPException
        401 if the token is absent or wrong. The comparison takes the same time for every wrong token.
    """
    if token is None:
        return
    given = credentials.credentials.strip() if credentials else ""
    if not hmac.compare_digest(given.encode(), token.get_secret_value().encode()):
        raise HTTPException(401, "send `Authorization: Bearer` and the token", {"www-authenticate": "Bearer"})


def declare_open(app: FastAPI) -> None:
    """State in the OpenAPI contract of an app without a token that no route needs one."""
    describe = app.openapi

    def describe_open() -> dict[str, Any]:
        contract = describe()
        for operation in (each for path in contract["paths"].values() for each in path.values()):
            if "security" in operation:
                operation["security"] = [{}]
        return contract

    app.openapi = describe_open  # type: ignore[method-assign]  # FastAPI's own way


def check_address(host: str, token: SecretStr | None) -> None:
    """Refuse to be reached from elsewhere without a token.

    Parameters
    ----------
    host : str
        Address to listen on; any name but ``localhost`` counts as reachable.
    token : SecretStr or None
        What writing takes.

    Raises
    ------
    MovierecError
        If there is no token and `host` is not the machine's own loopback.
    """
    try:
        private = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        private = False
    if token is None and not private:
        raise MovierecError(f"{host} can be reached from elsewhere: set MOVIEREC_API_TOKEN or listen on 127.0.0.1")


class SecurityHeaders:
    """ASGI middleware: adds the headers that keep a browser from doing more than it must."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""

        async def send_on(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        await self._app(scope, receive, send_on)


class BodyLimit:
    """ASGI middleware: answers 413 to a body above a size, announced or not, in the form of all other problems.

    FastAPI's `max_body_size` would do, but for its answer in plain text.

    Parameters
    ----------
    app : ASGI app
        What is wrapped.
    most_bytes : int
        The largest body that is let through.
    """

    def __init__(self, app: ASGIApp, most_bytes: int) -> None:
        self._app, self._most_bytes = app, most_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        detail = f"the body is larger than {self._most_bytes} bytes: send less at a time"
        announced = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        if announced.isdigit() and int(announced[:20]) > self._most_bytes:
            return await make_problem(413, detail)(scope, receive, send)
        received = 0

        async def receive_on() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._most_bytes:
                raise HTTPException(413, detail)
            return message

        return await self._app(scope, receive_on, send)


@dataclass
class _Bucket:
    tokens: float
    filled_s: float


class RateLimit:
    """ASGI middleware: answers 429 to a client that asks too often (token bucket, a minute's requests deep).

    Parameters
    ----------
    app : ASGI app
        What is wrapped.
    per_minute : int
        Requests of one address, or of one IPv6 network of 64 bits; 0 for any number. The `MOST_CLIENTS` seen last are
        remembered.
    """

    def __init__(self, app: ASGIApp, per_minute: int) -> None:
        self._app, self._per_minute = app, per_minute
        self._buckets: LRUCache[str, _Bucket] = LRUCache(MOST_CLIENTS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        limited = self._per_minute and scope["type"] == "http" and not scope["path"].startswith(UNLIMITED)
        if limited and not self._take(_name_client(scope)):
            detail = f"more than {self._per_minute} requests a minute: slow down"
            return await make_problem(429, detail)(scope, receive, send)
        return await self._app(scope, receive, send)

    def _take(self, client: str) -> bool:
        now, full = time.monotonic(), float(self._per_minute)
        bucket = self._buckets.get(client)
        if bucket is None:
            bucket = self._buckets[client] = _Bucket(full, now)
        bucket.tokens = min(full, bucket.tokens + (now - bucket.filled_s) * full / 60)
        bucket.filled_s = now
        if bucket.tokens < 1:
            return False
        bucket.tokens -= 1
        return True


def _name_client(scope: Scope) -> str:
    host = scope["client"][0] if scope.get("client") else ""
    return str(ipaddress.ip_network((host.partition("%")[0], 64), strict=False)) if ":" in host else host
