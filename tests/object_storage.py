"""A server on the loopback interface that answers as S3 does, as far as Arrow's client asks."""

import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedIOBase, BytesIO
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

import pytest

DATED = "Sun, 29 Nov 2026 00:00:00 GMT"


class Storage(ThreadingHTTPServer):
    """One bucket, named ``bucket``: what its objects hold by key, and the parts of those that are on their way."""

    def __init__(self, objects: dict[str, bytes]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.objects = objects
        self.parts: dict[str, dict[int, bytes]] = {}
        self.refused = ""  # a key that nobody may read

    def address(self, prefix: str) -> str:
        """Return what leads there by itself."""
        options = f"scheme=http&endpoint_override=127.0.0.1:{self.server_port}&region=us-east-1"
        return f"s3://key:secret@bucket/{prefix}?{options}"

    @property
    def settings(self) -> dict[str, str]:
        """What leads Arrow's client here, in AWS's own variables."""
        return {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.server_port}",
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_DEFAULT_REGION": "us-east-1",
        }


class Handler(BaseHTTPRequestHandler):
    """Answers of `Storage`."""

    server: Storage
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._answer_object(with_content=False)

    def do_GET(self) -> None:
        if "list-type=2" in self.path:
            self._list(self._query.get("prefix", [""])[0])
        else:
            self._answer_object(with_content=True)

    def do_PUT(self) -> None:
        content = self._read_content()
        if "partNumber" in self._query:
            self.server.parts[self._key][int(self._query["partNumber"][0])] = content
        else:
            self.server.objects[self._key] = content
        self._send(200, b"")

    def do_POST(self) -> None:
        content = self._read_content()
        if "delete" in self._query:
            for key in re.findall(r"<Key>(.*?)</Key>", content.decode()):
                self.server.objects.pop(key, None)
            self._send(200, b"<DeleteResult/>")
        elif "uploads" in self._query:
            self.server.parts[self._key] = {}
            self._send(200, b"<InitiateMultipartUploadResult><UploadId>1</UploadId></InitiateMultipartUploadResult>")
        else:
            self.server.objects[self._key] = b"".join(part for _, part in sorted(self.server.parts[self._key].items()))
            self._send(200, b"<CompleteMultipartUploadResult/>")

    def do_DELETE(self) -> None:
        self.server.objects.pop(self._key, None)
        self._send(204, b"")

    @property
    def _key(self) -> str:
        return unquote(urlsplit(self.path).path).removeprefix("/bucket/")

    @property
    def _query(self) -> dict[str, list[str]]:
        return parse_qs(urlsplit(self.path).query, keep_blank_values=True)

    def _read_content(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        content = _join_chunks(self.rfile)
        return _join_chunks(BytesIO(content)) if self.headers.get("Content-Encoding") == "aws-chunked" else content

    def _answer_object(self, *, with_content: bool) -> None:
        if self._key == "/bucket":
            self._send(200, b"")
            return
        if self._key not in self.server.objects or self._key == self.server.refused:
            self._send(403 if self._key == self.server.refused else 404, b"")
            return
        content = self.server.objects[self._key]
        wanted = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        part = content[int(wanted[1]) : int(wanted[2]) + 1] if wanted else content
        self._send(206 if wanted else 200, part, with_content=with_content)

    def _list(self, prefix: str) -> None:
        keys = sorted(key for key in self.server.objects if key.startswith(prefix))
        is_flat = "delimiter" not in self._query
        inside = [key for key in keys if is_flat or "/" not in key.removeprefix(prefix)]
        deeper = {f"{prefix}{key.removeprefix(prefix).split('/')[0]}/" for key in keys if key not in inside}
        told = "".join(
            f"<Contents><Key>{escape(key)}</Key><LastModified>2026-11-29T00:00:00.000Z</LastModified>"
            f"<Size>{len(self.server.objects[key])}</Size></Contents>"
            for key in inside
        )
        told += "".join(f"<CommonPrefixes><Prefix>{escape(each)}</Prefix></CommonPrefixes>" for each in deeper)
        listed = f"<ListBucketResult><Name>bucket</Name><KeyCount>{len(keys)}</KeyCount>{told}</ListBucketResult>"
        self._send(200, listed.encode())

    def _send(self, status: int, content: bytes, *, with_content: bool = True) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Last-Modified", DATED)
        self.send_header("ETag", '"1"')
        self.end_headers()
        if with_content:
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


def _join_chunks(file: BufferedIOBase) -> bytes:
    content = b""
    while size := int(file.readline(), 16):
        content += file.read(size)
        file.readline()
    while file.readline().strip():  # checksums
        pass
    return content


@pytest.fixture
def storage(monkeypatch: pytest.MonkeyPatch) -> Iterator[Storage]:
    """Run an empty one, to which this process is led."""
    server = Storage({})
    for name, value in server.settings.items():
        monkeypatch.setenv(name, value)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()
