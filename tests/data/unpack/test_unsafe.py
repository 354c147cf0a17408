"""Archives that would write elsewhere, or more than there is room for, are refused."""

import io
import stat
import struct
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from movierec.data import unpack as module
from movierec.data.unpack import unpack
from movierec.errors import MovierecError
from tests.data.unpack.archives import Zipped, files_in


def with_entry(name: str, *, mode: int = 0, content: bytes = b"x") -> bytes:
    """Make a zip of one file as usual and one with this name and Unix mode."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as opened:
        opened.writestr("ml-x/ratings.csv", b"1")
        info = zipfile.ZipInfo(name)
        info.external_attr = mode << 16
        opened.writestr(info, content)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("../evil.txt", "would leave the folder"),
        ("ml-x/../../evil.txt", "would leave the folder"),
        ("..", "would leave the folder"),
        ("/etc/evil", "would leave the folder"),
        ("..\\evil.txt", "would leave the folder"),
        ("C:/evil.txt", "would leave the folder"),
        (".", "would leave the folder"),
        ("ml-x/" + "a" * 200, "has no usable name"),
        ("ml-x/a\nb", "has no usable name"),
        ("ml-x//ratings.csv", "is there twice"),
    ],
)
def test_unsafe_paths_are_refused(tmp_path: Path, archive: Path, folder: Path, name: str, problem: str) -> None:
    archive.write_bytes(with_entry(name))
    before = files_in(tmp_path)
    with pytest.raises(MovierecError, match=rf"my\.zip is unsafe: its member .* {problem}"):
        unpack(archive, folder)
    assert files_in(tmp_path) == before


@pytest.mark.parametrize("mode", [stat.S_IFLNK | 0o777, stat.S_IFIFO | 0o644, stat.S_IFCHR | 0o644])
def test_links_and_devices_are_refused(archive: Path, folder: Path, mode: int) -> None:
    archive.write_bytes(with_entry("ml-x/u.data", mode=mode, content=b"/etc/passwd"))
    with pytest.raises(MovierecError, match=r"its member 'ml-x/u.data' is a link or a device"):
        unpack(archive, folder)
    assert files_in(folder) == {}


def test_a_file_that_is_also_a_folder_is_refused(archive: Path, folder: Path) -> None:
    archive.write_bytes(with_entry("ml-x/ratings.csv/inner"))
    with pytest.raises(MovierecError, match="a member is both a file and a folder"):
        unpack(archive, folder)


def test_a_label_names_the_archive_in_errors(archive: Path, folder: Path) -> None:
    archive.write_bytes(with_entry("../evil.txt"))
    with pytest.raises(MovierecError, match=r"^http://example\.org/x\.zip is unsafe"):
        unpack(archive, folder, "http://example.org/x.zip")


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_compressions_are_refused_unread(zipped: Zipped, archive: Path, folder: Path, method: int) -> None:
    """A few bytes of bzip2 are unpacked to gigabytes before anyone can count them, whatever size a header claims."""
    content = zipped({"ml-x/ratings.csv": bytes(50_000_000)}, method)
    archive.write_bytes(content.replace(struct.pack("<I", 50_000_000), struct.pack("<I", 1000)))
    tracemalloc.start()
    try:
        with pytest.raises(MovierecError, match=r"ml-x/ratings\.csv' is neither stored nor deflated; get it elsewhere"):
            unpack(archive, folder)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()
    assert files_in(folder) == {}


def test_too_many_files_are_refused(zipped: Zipped, archive: Path, folder: Path) -> None:
    archive.write_bytes(zipped({f"ml-x/{i}": b"" for i in range(1001)}))
    with pytest.raises(MovierecError, match="holds 1001 files, but 1 to 1000 are allowed"):
        unpack(archive, folder)


def test_a_bomb_is_refused_by_its_header(zipped: Zipped, archive: Path, folder: Path) -> None:
    archive.write_bytes(zipped({"ml-x/ratings.csv": bytes(40 * 10**6)}))  # 40 MB in 40 kB
    with pytest.raises(MovierecError, match=r"my\.zip unpacks to far more than any MovieLens release"):
        unpack(archive, folder)
    assert files_in(folder) == {}


def test_the_limits_fit_every_release() -> None:
    # ml-32m: 239 MB that unpack to about 1 GB; ml-25m: 262 MB to 1.2 GB
    assert min(module.MAX_BYTES, module.MAX_RATIO * 238_950_008) > 5 * 10**9


def test_bytes_are_counted_whatever_the_header_says(
    zipped: Zipped, archive: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = bytearray(zipped({"a": bytes(3000), "b": bytes(3000)}))
    monkeypatch.setattr(module, "RATIO_FREE_BYTES", 5000)
    monkeypatch.setattr(module, "MAX_RATIO", 1)
    for place in (i for i in range(len(content)) if content[i : i + 4] == b"PK\x01\x02"):
        content[place + 24 : place + 28] = struct.pack("<I", 10)  # the central directory says 10 bytes
    archive.write_bytes(content)
    with pytest.raises(MovierecError, match=r"truncated or damaged|unpacks to far more"):
        unpack(archive, folder)
    assert sum(map(len, files_in(folder).values())) <= 5000


def test_the_limit_holds_for_all_files_together(
    zipped: Zipped, archive: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive.write_bytes(zipped({"a": bytes(3000), "b": bytes(3000)}))
    monkeypatch.setattr(module, "MAX_BYTES", 6000)
    unpack(archive, folder)
    monkeypatch.setattr(module, "MAX_BYTES", 5999)
    with pytest.raises(MovierecError, match="unpacks to far more"):
        unpack(archive, folder)
