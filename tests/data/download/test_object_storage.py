"""Objects and prefixes of S3, from a server on the loopback interface that answers as S3 does."""

import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

import pytest

from movierec.data.download import fetch_dataset, open_dataset
from movierec.errors import MovierecError
from tests.data.download.folders import LayoutFiles, assert_untouched, files_in

DATED = "Sun, 29 Nov 2026 00:00:00 GMT"


class Storage(ThreadingHTTPServer):
    objects: dict[str, bytes]
    refused: str = ""  # a key that nobody may read


class Handler(BaseHTTPRequestHandler):
    server: Storage

    def do_HEAD(self) -> None:
        self._answer_object(with_content=False)

    def do_GET(self) -> None:
        asked = urlsplit(self.path)
        if "list-type=2" in asked.query:
            self._list(parse_qs(asked.query).get("prefix", [""])[0])
        else:
            self._answer_object(with_content=True)

    def _answer_object(self, *, with_content: bool) -> None:
        key = unquote(urlsplit(self.path).path).removeprefix("/bucket/")
        if key not in self.server.objects or key == self.server.refused:
            self._send(403 if key == self.server.refused else 404, b"")
            return
        content = self.server.objects[key]
        wanted = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        part = content[int(wanted[1]) : int(wanted[2]) + 1] if wanted else content
        self._send(206 if wanted else 200, part, with_content=with_content)

    def _list(self, prefix: str) -> None:
        keys = sorted(key for key in self.server.objects if key.startswith(prefix))
        inside = [key for key in keys if "/" not in key.removeprefix(prefix)]
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
        self.end_headers()
        if with_content:
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def storage(monkeypatch: pytest.MonkeyPatch, layout_files: LayoutFiles) -> Iterator[Storage]:
    server = Storage(("127.0.0.1", 0), Handler)
    server.objects = {f"shop/{name}": content for name, content in layout_files["csv"].items()}
    server.objects |= {"shop/older/ratings.csv": b"no", "shopping.csv": b"no"}
    settings = {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("address", ["s3://bucket/shop", "s3a://bucket/shop/"])
@pytest.mark.usefixtures("storage")
def test_a_prefix_is_copied_without_what_lies_deeper(raw: Path, layout_files: LayoutFiles, address: str) -> None:
    report = fetch_dataset(address, raw)
    assert files_in(raw) == layout_files["csv"]
    assert (report.name, report.layout, report.files) == ("shop", "csv", 2)


def test_an_object_is_a_table_or_a_zip(storage: Storage, raw: Path, layout_files: LayoutFiles, genuine: bytes) -> None:
    assert fetch_dataset("s3://bucket/shop/ratings.csv", raw).name == "ratings.csv"
    assert files_in(raw) == {"ratings.csv": layout_files["csv"]["ratings.csv"]}
    storage.objects["tiny.zip"] = genuine
    assert fetch_dataset("s3://bucket/tiny.zip", raw).name == "tiny"
    assert files_in(raw) == layout_files["csv"]
    with open_dataset("s3://bucket/shop/ratings.csv") as (folder, label):
        assert files_in(folder) == {"ratings.csv": layout_files["csv"]["ratings.csv"]}
        assert label == "s3://bucket/shop/ratings.csv"


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("s3://bucket/none", "there is no such object"),
        ("s3://bucket/shop/movies.csv", "ACCESS_DENIED"),
        ("s3://bucket/a b", "Cannot parse URI"),
    ],
)
def test_what_cannot_be_read_is_told_in_one_line(storage: Storage, raw: Path, address: str, problem: str) -> None:
    storage.refused = "shop/movies.csv"
    with pytest.raises(MovierecError, match=rf"^{address}: .*{problem}.*; or download it by hand") as caught:
        fetch_dataset(address, raw)
    assert "\n" not in str(caught.value)
    assert_untouched(raw)
