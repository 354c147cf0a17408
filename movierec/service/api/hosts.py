"""Whom a request may be meant for and whose page may have sent it: names of hosts, and origins."""

import ipaddress
from collections.abc import Collection
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from movierec.service.api.problems import make_problem

SAFE_METHODS: Final = ("GET", "HEAD", "OPTIONS")


class TrustedHosts:
    """ASGI middleware: answers 400 to a host that is not the service's, and 403 to another site's page that writes.

    A page on the web whose name is made to lead to this machine (DNS rebinding) asks for its own host. Starlette's
    `TrustedHostMiddleware` does half of it, and answers in plain text.

    Parameters
    ----------
    app : ASGI app
        What is wrapped.
    names : collection of str
        Names of the service in small letters; ``*.example`` stands for all that end so. The machine's own loopback
        names always count.
    any_host : bool
        Whether a request may be meant for any host. Even so a page may write only to the host that it came from, or
        if its own host, at the usual port, is among `names`.
    """

    def __init__(self, app: ASGIApp, names: Collection[str], *, any_host: bool) -> None:
        self._app, self._names, self._any_host = app, frozenset(names), any_host

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        hosts, origins = ([value.decode("latin-1").lower() for value in _find(scope, name)] for name in _NAMES)
        if len(hosts) > 1 or not (self._any_host or (hosts and self._is_own(_cut_port(hosts[0])))):
            detail = "this service has another name: ask it by that, or list this one in MOVIEREC_ALLOWED_HOSTS"
            return await make_problem(400, detail)(scope, receive, send)
        if scope["method"] not in SAFE_METHODS and not all(self._may_write(origin, hosts) for origin in origins):
            detail = "a page of another site may not write here: list its host in MOVIEREC_ALLOWED_HOSTS if it is yours"
            return await make_problem(403, detail)(scope, receive, send)
        return await self._app(scope, receive, send)

    def _is_own(self, host: str) -> bool:
        return _is_loopback(host) or self._is_listed(host)

    def _is_listed(self, host: str) -> bool:
        parts = host.split(".")
        wider = {".".join(["*", *parts[number:]]) for number in range(1, len(parts))}
        return host in self._names or not wider.isdisjoint(self._names)

    def _may_write(self, origin: str, hosts: list[str]) -> bool:
        _, _, authority = origin.partition("://")
        return authority in hosts or self._is_listed(authority)


_NAMES: Final = (b"host", b"origin")


def _find(scope: Scope, name: bytes) -> list[bytes]:
    return [value for found, value in scope["headers"] if found == name]


def _cut_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return name if colon and not port.strip("0123456789") else host


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host.removeprefix("[").removesuffix("]")).is_loopback
    except ValueError:
        return False
