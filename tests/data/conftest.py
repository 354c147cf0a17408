"""Made-up data sets in each MovieLens layout, zips of them, and a web site on the loopback interface."""

import io
import ssl
import subprocess
import threading
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest

from movierec.data import transfer
from tests.waiting import PATIENCE_S

Files = dict[str, bytes]

RATINGS = ((1, 10, "4.0", 964982703), (1, 20, "3.5", 964982704), (2, 10, "0.5", 1537799250), (7, 30, "5", 789652009))
MOVIES = ((10, "Misérables, Les (1995)", "Drama|War"), (20, 'The "Heat" (1986)', "Action"), (30, "Babylon 5", ""))


def _csv_files() -> Files:
    ratings = "".join(f"{u},{m},{r},{t}\n" for u, m, r, t in RATINGS)
    movies = "".join('{},"{}",{}\n'.format(m, t.replace('"', '""'), g or "(no genres listed)") for m, t, g in MOVIES)
    return {
        "ratings.csv": f"userId,movieId,rating,timestamp\n{ratings}".encode(),
        "movies.csv": f"movieId,title,genres\n{movies}".encode(),
    }


def _dat_files() -> Files:
    ratings = "".join(f"{u}::{m}::{r}::{t}\n" for u, m, r, t in RATINGS)
    movies = "".join(f"{m}::{t}::{g}\n" for m, t, g in MOVIES)
    return {"ratings.dat": ratings.encode(), "movies.dat": movies.encode("latin-1")}


def _tab_files() -> Files:
    ratings = "".join(f"{u}\t{m}\t{r}\t{t}\n" for u, m, r, t in RATINGS)
    genres = ("unknown", "Action", "Drama", "War")
    flags = {m: "|".join(str(int(name in (g or "unknown").split("|"))) for name in genres) for m, _, g in MOVIES}
    items = "".join(f"{m}|{t}|01-Jan-1995||http://example.org|{flags[m]}\n" for m, t, _ in MOVIES)
    names = "".join(f"{name}|{i}\n" for i, name in enumerate(genres)) + "\n"
    return {"u.data": ratings.encode(), "u.item": items.encode("latin-1"), "u.genre": names.encode()}


@pytest.fixture(scope="session")
def layout_files() -> Mapping[str, Files]:
    """Four ratings and three movies, as the files of each layout."""
    return {"csv": _csv_files(), "dat": _dat_files(), "tab": _tab_files()}


@pytest.fixture(scope="session")
def zipped() -> Callable[..., bytes]:
    """Make a zip's bytes of contents by member path."""

    def make(files: Mapping[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", compression) as archive:
            for name, content in files.items():
                archive.writestr(zipfile.ZipInfo(name), content, compression)
        return buffer.getvalue()

    return make


@pytest.fixture
def folder_of(tmp_path: Path) -> Callable[[Mapping[str, bytes]], Path]:
    """Write contents by file name into a new folder whose name would be a pattern to a shell."""

    def make(files: Mapping[str, bytes]) -> Path:
        folder = tmp_path / "own [data] *"
        folder.mkdir(exist_ok=True)
        for name, content in files.items():
            (folder / name).write_bytes(content)
        return folder

    return make


@dataclass
class Site:
    """What a loopback web server holds, what it was asked for, and how its next answers go wrong."""

    address: str
    pages: dict[str, bytes] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)  # "503", "cut" or "stall", one for each of the next requests
    requests: list[str] = field(default_factory=list)
    may_answer: threading.Event = field(default_factory=threading.Event)
    is_closing: threading.Event = field(default_factory=threading.Event)


class _Server(ThreadingHTTPServer):
    site: Site

    def handle_error(self, *_: object) -> None:
        """Say nothing when a client gives up, as it is meant to."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        site = self.server.site
        site.requests.append(self.path)
        fault = site.faults.pop(0) if site.faults else ""
        site.may_answer.wait()
        if fault == "503" or self.path not in site.pages:
            self.send_error(503 if fault else 404)
            return
        content = site.pages[self.path]
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if fault else content)
        self.wfile.flush()
        if fault == "stall":
            site.is_closing.wait()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def _serve(tls: ssl.SSLContext | None = None) -> Iterator[Site]:
    server = _Server(("127.0.0.1", 0), _Handler)
    server.site = Site(f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}")
    server.site.may_answer.set()
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.site
    finally:
        server.site.is_closing.set()
        server.site.may_answer.set()
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1,localhost")


@pytest.fixture
def hasten(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Give a function that lets the first attempts to download end soon; the next one is waited for."""

    def hasten(attempts: int) -> None:
        waits: list[float] = []

        def wait(seconds: float) -> None:
            waits.append(seconds)
            if len(waits) == attempts:
                monkeypatch.setattr(transfer, "READ_TIMEOUT_S", PATIENCE_S)

        monkeypatch.setattr(transfer, "READ_TIMEOUT_S", 0.2)
        monkeypatch.setattr(transfer, "time", SimpleNamespace(sleep=wait))

    return hasten


@pytest.fixture
def site(_no_proxy: None) -> Iterator[Site]:
    """Run a web server on the loopback interface."""
    with _serve() as site:
        yield site


@pytest.fixture
def tls_site(_no_proxy: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Run an https server on the loopback interface whose certificate nobody signed."""
    folder = tmp_path_factory.mktemp("tls")
    key, certificate = str(folder / "key.pem"), str(folder / "certificate.pem")
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate]
    subprocess.run([*command, *names], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with _serve(context) as site:
        yield site
