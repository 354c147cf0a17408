"""What an archive holds arrives, byte for byte, and damage is told in plain words."""

import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from movierec.data.unpack import unpack
from movierec.errors import MovierecError
from tests.data.unpack.archives import GENUINE, Zipped, files_in


@pytest.mark.parametrize("top", ["", "ml-x/", "ml-10M100K/", "a/b c/d/"])
def test_files_arrive_without_their_common_folders(zipped: Zipped, archive: Path, folder: Path, top: str) -> None:
    files = {"u.data": b"1\t2\n", "u.item": b"", "sub/é.txt": b"\x00\xff"}
    noise = {"__MACOSX/ml-x/._u.data": b"x", f"{top}.DS_Store": b"x"}
    archive.write_bytes(zipped({**{top + name: content for name, content in files.items()}, **noise}))
    unpack(archive, folder)
    assert files_in(folder) == files


def test_empty_folders_in_an_archive_do_no_harm(zipped: Zipped, archive: Path, folder: Path) -> None:
    archive.write_bytes(zipped({"ml-x/": b"", "ml-x/ratings.csv": b"1", "other/": b""}))
    unpack(archive, folder)
    assert files_in(folder) == {"ratings.csv": b"1"}


def test_stored_members_are_read(zipped: Zipped, archive: Path, folder: Path) -> None:
    archive.write_bytes(zipped(GENUINE, zipfile.ZIP_STORED))
    unpack(archive, folder)
    assert files_in(folder) == {name.removeprefix("ml-x/"): content for name, content in GENUINE.items()}


def test_real_archive_arrives_byte_for_byte(mirror: Path, folder: Path) -> None:
    unpack(mirror / "ml-100k.zip", folder)
    with zipfile.ZipFile(mirror / "ml-100k.zip") as opened:
        expected = {name.removeprefix("ml-100k/"): opened.read(name) for name in opened.namelist()}
    assert files_in(folder) == expected


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "is an empty file"),
        (b"<html>Not found</html>", "is no zip archive, or truncated or damaged"),
        (b"PK\x03\x04", "is no zip archive, or truncated or damaged"),
        (b"PK\x05\x06" + bytes(18), "holds 0 files"),
    ],
)
def test_what_is_no_zip_is_refused(archive: Path, folder: Path, content: bytes, problem: str) -> None:
    archive.write_bytes(content)
    with pytest.raises(MovierecError, match=rf"my\.zip {problem}"):
        unpack(archive, folder)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_a_truncated_archive_is_refused(zipped: Zipped, archive: Path, folder: Path, share: float) -> None:
    content = zipped(GENUINE)
    archive.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(MovierecError, match="truncated or damaged"):
        unpack(archive, folder)


def test_an_encrypted_archive_is_refused(zipped: Zipped, archive: Path, folder: Path) -> None:
    content = bytearray(zipped({"u.data": b"1\t2"}))
    central = content.index(b"PK\x01\x02")
    content[central + 8] |= 1  # the flag in the central directory ...
    content[6] |= 1  # ... and the one before the data
    archive.write_bytes(content)
    with pytest.raises(MovierecError, match=r"'u\.data' is encrypted"):
        unpack(archive, folder)


@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_a_damaged_archive_is_refused_in_plain_words_or_read_right(
    zipped: Zipped, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    content = bytearray(zipped(GENUINE))
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=3)):
        content[place] = data.draw(st.integers(0, 255))
    base = tmp_path_factory.mktemp("fuzz")
    (base / "folder").mkdir()
    (base / "my.zip").write_bytes(content)
    try:
        unpack(base / "my.zip", base / "folder")
    except MovierecError as error:
        assert "my.zip" in str(error)  # noqa: PT017  # some damage is harmless
    else:
        # A damaged list of contents may hide a member or rename one; no content is ever wrong.
        assert set(files_in(base / "folder").values()) <= set(GENUINE.values())
    assert {path.name for path in base.iterdir()} == {"folder", "my.zip"}
