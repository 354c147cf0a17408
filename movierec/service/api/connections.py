"""What one connection may cost before a request is complete: bytes, lines and time; uvicorn bounds none of them."""

import json
from asyncio import TimerHandle, Transport
from http import HTTPStatus
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST_HEAD_BYTES: Final = 65_536  # address, names and values; and what is sent between two of these
MOST_HEAD_LINES: Final = 100
HEAD_S: Final = 10.0
BODY_S: Final = 30.0

_TOO_LARGE: Final = f"the headers are larger than {MOST_HEAD_BYTES} bytes or {MOST_HEAD_LINES} lines: send less"


class BoundedConnection(HttpToolsProtocol):
    """Uvicorn's connection, closed with 431 when a request's headers are too large, with 408 when it takes too long.

    Lines behind a body in pieces ("trailers") count as headers, as they are kept like these.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401  # uvicorn's own
        super().__init__(*arguments, **options)
        self._head_bytes = self._head_lines = self._unparsed_bytes = 0
        self._limit_s: float | None = HEAD_S
        self._timer: TimerHandle | None = None
        self._refusal: tuple[int, str] | None = None

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._watch_time()

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._limit_time(None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take in what came, if the bounds allow."""
        self._limit_s = self._limit_s or HEAD_S  # a new request begins
        self._unparsed_bytes += len(data)
        super().data_received(data)
        if self._unparsed_bytes > MOST_HEAD_BYTES:  # such as a header that does not end
            self._refuse(431, _TOO_LARGE)
        self._watch_time()

    def on_message_begin(self) -> None:
        """Begin to count."""
        super().on_message_begin()
        self._head_bytes = self._head_lines = 0
        self._limit_time(HEAD_S)

    def on_url(self, url: bytes) -> None:
        """Count a piece of the address."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Count a header."""
        self._head_lines += 1
        self._count(len(name) + len(value))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Begin to wait for the body."""
        self._unparsed_bytes = 0
        self._limit_time(BODY_S)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Pass on a piece of the body, whose size the app bounds."""
        self._unparsed_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Stop the clock: the request is complete."""
        self._unparsed_bytes = 0
        self._limit_time(None)
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP, or what a callback refused, and close."""
        self._refuse(*(self._refusal or (400, msg)))

    def _count(self, size: int) -> None:
        self._unparsed_bytes = 0
        self._head_bytes += size
        if self._head_bytes > MOST_HEAD_BYTES or self._head_lines > MOST_HEAD_LINES:
            self._refusal = 431, _TOO_LARGE
            raise ValueError(_TOO_LARGE)  # the parser stops, and `send_400_response` is called

    def _limit_time(self, seconds: float | None) -> None:
        self._limit_s = seconds
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def _watch_time(self) -> None:
        if self._limit_s and not self._timer and not self.transport.is_closing():
            self._timer = self.loop.call_later(self._limit_s, self._refuse, 408, "the request took too long to arrive")

    def _refuse(self, status: int, detail: str) -> None:
        if self.transport.is_closing():
            return
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            body = json.dumps({"detail": detail})
            lines = [
                f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
                "content-type: application/json",
                f"content-length: {len(body)}",
                "connection: close",
            ]
            self.transport.write("\r\n".join([*lines, "", body]).encode())
        self.transport.close()
