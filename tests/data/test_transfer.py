import io
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from movierec.data import transfer
from movierec.data.transfer import download_file, split_address
from movierec.errors import MovierecError, UnreachableError
from tests.waiting import PATIENCE_S

if TYPE_CHECKING:
    from tests.data.conftest import Site

CONTENT = bytes(range(256)) * 4096  # 1 MiB


@pytest.fixture(autouse=True)
def _no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer, "RETRY_WAITS_S", (0, 0))
    monkeypatch.setattr(transfer, "READ_TIMEOUT_S", PATIENCE_S)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "new" / "file.zip"


def assert_nothing_left(target: Path) -> None:
    assert not target.parent.exists() or list(target.parent.iterdir()) == []


def test_a_file_arrives_whole(site: "Site", target: Path) -> None:
    site.pages["/file.zip"] = CONTENT
    download_file(f"{site.address}/file.zip", target)
    assert target.read_bytes() == CONTENT
    assert [path.name for path in target.parent.iterdir()] == ["file.zip"]


def test_an_empty_file_arrives(site: "Site", target: Path) -> None:
    site.pages["/file.zip"] = b""
    download_file(f"{site.address}/file.zip", target)
    assert target.read_bytes() == b""


def test_progress_is_shown_on_a_terminal(site: "Site", target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    site.pages["/file.zip"] = CONTENT
    download_file(f"{site.address}/file.zip", target)
    assert "file.zip: 100%" in terminal.getvalue()
    assert "1.05M/1.05M" in terminal.getvalue()


@pytest.mark.parametrize("faults", [["503"], ["cut"], ["stall"], ["cut", "503"]])
def test_a_passing_fault_is_survived(
    site: "Site", target: Path, faults: list[str], hasten: Callable[..., None]
) -> None:
    site.pages["/file.zip"] = CONTENT
    if "stall" in faults:
        hasten(attempts=1)
    site.faults += faults
    download_file(f"{site.address}/file.zip", target)
    assert target.read_bytes() == CONTENT
    assert len(site.requests) == len(faults) + 1


@pytest.mark.parametrize(
    ("fault", "problem"),
    [
        ("503", "the server answers 503 Service Unavailable"),
        ("cut", r"127\.0\.0\.1: the connection broke off"),
        ("stall", r"127\.0\.0\.1: no connection, or no answer within 0\.2 s"),
    ],
)
def test_a_lasting_fault_leaves_nothing_behind(
    site: "Site", target: Path, fault: str, problem: str, hasten: Callable[..., None]
) -> None:
    site.pages["/file.zip"] = CONTENT
    if fault == "stall":
        hasten(attempts=3)
    site.faults += [fault] * 3
    with pytest.raises(UnreachableError, match=problem):
        download_file(f"{site.address}/file.zip", target)
    assert len(site.requests) == 3
    assert_nothing_left(target)


def test_a_missing_file_is_not_asked_for_again(site: "Site", target: Path) -> None:
    with pytest.raises(UnreachableError, match=rf"^{site.address}/file.zip: the server answers 404 Not Found$"):
        download_file(f"{site.address}/file.zip", target)
    assert len(site.requests) == 1
    assert_nothing_left(target)


def test_a_failure_keeps_the_file_that_was_there(site: "Site", target: Path) -> None:
    target.parent.mkdir()
    target.write_bytes(b"old")
    with pytest.raises(UnreachableError, match="404"):
        download_file(f"{site.address}/file.zip", target)
    assert target.read_bytes() == b"old"


def test_a_refused_connection_is_told_by_the_host(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with socket.socket() as bound:  # bound but not listening: every connection is refused
        bound.bind(("127.0.0.1", 0))
        with pytest.raises(UnreachableError, match=r"^127\.0\.0\.1: no connection, or no answer"):
            download_file(f"http://127.0.0.1:{bound.getsockname()[1]}/file.zip", target)
    assert_nothing_left(target)


def test_an_unverifiable_certificate_is_told_and_not_accepted(tls_site: "Site", target: Path) -> None:
    tls_site.pages["/file.zip"] = CONTENT
    problem = r"^127\.0\.0\.1: its TLS certificate cannot be verified \(self[- ]signed certificate\)$"
    with pytest.raises(UnreachableError, match=problem):
        download_file(f"{tls_site.address}/file.zip", target)
    assert tls_site.requests == []
    assert_nothing_left(target)


def test_a_server_that_speaks_no_tls_is_told(site: "Site", target: Path) -> None:
    with pytest.raises(UnreachableError, match=r"certificate cannot be verified \(the TLS handshake failed\)"):
        download_file(site.address.replace("http", "https") + "/file.zip", target)


@pytest.mark.parametrize(
    "address", ["ftp://example.org/x.zip", "file:///etc/passwd", "http://", "http:///x", "x.zip", ""]
)
def test_only_http_addresses_are_taken(address: str, target: Path) -> None:
    with pytest.raises(MovierecError, match="is no http or https address"):
        download_file(address, target)


def test_a_malformed_address_is_refused() -> None:
    with pytest.raises(MovierecError, match=r"http://\[::1/x is no valid address"):
        split_address("http://[::1/x")


@pytest.mark.parametrize("address", ["http://a..b/x.zip", "http://.example.org/x.zip", "http://127.0.0.1:99999/x.zip"])
def test_an_impossible_host_is_one_plain_error(address: str, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(MovierecError, match=r"a\.\.b|example\.org|127\.0\.0\.1"):
        download_file(address, target)
    assert_nothing_left(target)
