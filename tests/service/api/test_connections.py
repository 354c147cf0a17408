import json
import socket
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
import uvicorn

from movierec.service.api import connections
from movierec.service.api.connections import MOST_HEAD_BYTES, MOST_HEAD_LINES, BoundedConnection
from tests.waiting import PATIENCE_S

GET = b"GET / HTTP/1.1\r\nhost: x\r\n"
POST = b"POST / HTTP/1.1\r\nhost: x\r\n"
CHUNKED = POST + b"transfer-encoding: chunked\r\n\r\n"
CLOSE = b"connection: close\r\n"
ENDLESS_BYTES, BLOCK_BYTES = 57_000_000, 32_768


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Answer with the length of the body."""
    if scope["type"] == "lifespan":
        return
    length, more = 0, True
    while more:
        message = await receive()
        length, more = length + len(message.get("body", b"")), message.get("more_body", False)
    body = json.dumps(length).encode()
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@contextmanager
def serve(**options: Any) -> Iterator[int]:
    config = uvicorn.Config(echo, http=BoundedConnection, log_config=None, lifespan="off", ws="none", **options)
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join(PATIENCE_S)


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with serve() as port:
        yield port


def talk(port: int, pieces: Iterable[bytes]) -> list[tuple[int, Any]]:
    """Send pieces, then read until the other side closes; return the statuses and bodies."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as client:
        received = b""
        with suppress(ConnectionError):  # closed while more was on its way: what was said may be lost
            for piece in pieces:
                client.sendall(piece)
            while more := client.recv(65_536):
                received += more
    answers = []
    while received:
        head, _, rest = received.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].split()[0])
        answers.append((int(head.split()[1]), json.loads(rest[:length])))
        received = rest[length:]
    return answers


@pytest.mark.parametrize(
    ("prefix", "piece"),
    [
        pytest.param(GET, b"a: b\r\n", id="lines"),
        pytest.param(GET, b"a: " + b"b" * 1000 + b"\r\n", id="long lines"),
        pytest.param(GET + b"a: ", b"b", id="one value"),
        pytest.param(GET, b"b", id="one name"),
        pytest.param(b"GET /", b"b", id="address"),
        pytest.param(b"", b"\r\n", id="empty lines"),
        pytest.param(CHUNKED + b"0\r\n", b"a: b\r\n", id="trailers"),
        pytest.param(CHUNKED + b"0\r\na: ", b"b", id="one trailer"),
        pytest.param(CHUNKED + b"1;a=", b"b", id="extension of a chunk"),
    ],
)
def test_what_never_ends_is_cut_off(port: int, prefix: bytes, piece: bytes) -> None:
    sent = 0

    def write_on() -> Iterator[bytes]:
        nonlocal sent
        yield prefix
        for _ in range(ENDLESS_BYTES // BLOCK_BYTES):
            yield piece * (BLOCK_BYTES // len(piece))
            sent += BLOCK_BYTES

    answers = talk(port, write_on())
    assert sent < ENDLESS_BYTES // 2  # the sockets' buffers take some megabytes
    assert [status for status, _ in answers] in ([], [431])


@pytest.mark.parametrize(
    ("count", "size", "status"),
    [
        (MOST_HEAD_LINES - 2, 1, 200),  # the lines `host` and `connection` come with them
        (MOST_HEAD_LINES - 1, 1, 431),
        (50, MOST_HEAD_BYTES // 50 - 10, 200),
        (50, MOST_HEAD_BYTES // 50, 431),
    ],
)
def test_headers_up_to_the_bounds_are_read(port: int, count: int, size: int, status: int) -> None:
    lines = [b"a: " + b"b" * size + b"\r\n"] * count
    ((found, body),) = talk(port, [GET + CLOSE + b"".join(lines) + b"\r\n"])
    assert found == status
    assert status == 200 or "65536 bytes or 100 lines: send less" in body["detail"]


def test_bodies_are_not_counted_as_headers(port: int) -> None:
    body = b"x" * 1_000_000
    length = b"content-length: %d\r\n\r\n" % len(body)
    assert talk(port, [POST + CLOSE + length, body]) == [(200, len(body))]
    chunks = [b"%x\r\n%s\r\n" % (1000, body[:1000])] * 300
    assert talk(port, [CHUNKED.replace(b"host: x\r\n", CLOSE), *chunks, b"0\r\n\r\n"]) == [(200, 300_000)]


def test_each_request_of_a_connection_has_bounds_of_its_own(port: int) -> None:
    line = b"a: " + b"b" * (MOST_HEAD_BYTES // 2) + b"\r\n"
    assert talk(port, [GET + line + b"\r\n"] * 5 + [GET + CLOSE + b"\r\n"]) == [(200, 0)] * 6


def test_what_is_no_http_is_refused(port: int) -> None:
    assert talk(port, [b"hello\r\n\r\n"]) == [(400, {"detail": "Invalid HTTP request received."})]


@pytest.mark.parametrize(
    ("pieces", "answered"),
    [
        ([], []),
        ([b"G"], []),
        ([GET], []),
        ([GET + b"\r\n" + GET], [200]),
        ([POST + b"content-length: 5\r\n\r\nab"], []),
        ([CHUNKED + b"5\r\nab"], []),
    ],
)
def test_who_does_not_end_a_request_in_time_is_cut_off(
    monkeypatch: pytest.MonkeyPatch, pieces: list[bytes], answered: list[int]
) -> None:
    monkeypatch.setattr(connections, "HEAD_S", 0.2)
    monkeypatch.setattr(connections, "BODY_S", 0.2)
    with serve(timeout_keep_alive=10 * PATIENCE_S) as port:
        assert [status for status, _ in talk(port, pieces)] == [*answered, 408]


def test_an_empty_line_does_not_keep_a_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEAD_S", 0.2)
    with (
        serve(timeout_keep_alive=10 * PATIENCE_S) as port,
        socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as client,
    ):
        client.sendall(GET + b"\r\n")
        assert client.recv(65_536).startswith(b"HTTP/1.1 200 ")
        client.sendall(b"\r\n")
        assert client.recv(65_536).startswith(b"HTTP/1.1 408 ")


def test_a_connection_that_idles_is_closed_by_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEAD_S", 10 * PATIENCE_S)
    with serve(timeout_keep_alive=0) as port:
        assert talk(port, [GET + b"\r\n"]) == [(200, 0)]
