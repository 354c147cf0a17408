"""What the tests of downloads look at, and archives that are to be refused."""

import io
import stat
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

Zipped = Callable[..., bytes]
LayoutFiles = Mapping[str, dict[str, bytes]]
FolderOf = Callable[[Mapping[str, bytes]], Path]


def files_in(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def assert_untouched(raw: Path) -> None:
    """Nothing at the destination, and nothing half-written beside it."""
    assert not raw.exists()
    assert not raw.parent.exists() or list(raw.parent.iterdir()) == []


def bad_archives(zipped: Zipped, genuine: bytes) -> dict[str, tuple[bytes, str]]:
    buffer = io.BytesIO(genuine)
    with zipfile.ZipFile(buffer, "a") as opened:
        link = zipfile.ZipInfo("ml-tiny/link")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        opened.writestr(link, "/etc/passwd")
    return {
        "empty": (b"", "is an empty file"),
        "page": (b"<html>moved</html>", "is no zip archive"),
        "truncated": (genuine[:-40], "truncated or damaged"),
        "leaving": (zipped({"ml-x/ratings.csv": b"", "../movies.csv": b""}), "'../movies.csv' would leave the folder"),
        "link": (buffer.getvalue(), "'ml-tiny/link' is a link or a device"),
        "bomb": (zipped({"ml-x/ratings.csv": bytes(40 * 10**6)}), "unpacks to far more"),
        "stranger": (
            zipped({"x/data.html": b"1"}),
            r"holds no ratings: expected ratings\.csv .*\.dat.* u\.data",
        ),
    }


BAD = ["empty", "page", "truncated", "leaving", "link", "bomb", "stranger"]
