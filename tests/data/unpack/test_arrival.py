import hashlib
import io
import stat
import struct
import tracemalloc
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from movierec.data import unpack as module
from movierec.data.registry import DATASETS, Dataset
from movierec.data.unpack import check_genuine, unpack
from movierec.errors import MovierecError

Zipped = Callable[..., bytes]
GENUINE = {"ml-x/ratings.csv": b"userId,movieId,rating,timestamp\n" * 50, "ml-x/movies.csv": b"movieId,title,genres\n"}


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return tmp_path / "my.zip"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "folder").mkdir()
    return tmp_path / "folder"


def files_in(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def with_entry(name: str, *, mode: int = 0, content: bytes = b"x") -> bytes:
    """Make a zip of one file as usual and one with this name and Unix mode."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as opened:
        opened.writestr("ml-x/ratings.csv", b"1")
        info = zipfile.ZipInfo(name)
        info.external_attr = mode << 16
        opened.writestr(info, content)
    return buffer.getvalue()


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


def test_real_archive_arrives_byte_for_byte(mirror: Path, folder: Path) -> None:
    unpack(mirror / "ml-100k.zip", folder)
    with zipfile.ZipFile(mirror / "ml-100k.zip") as opened:
        expected = {name.removeprefix("ml-100k/"): opened.read(name) for name in opened.namelist()}
    assert files_in(folder) == expected


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


def dataset_of(content: bytes | None, members: Mapping[str, bytes]) -> Dataset:
    md5 = None if content is None else hashlib.md5(content, usedforsecurity=False).hexdigest()
    hashes = {name: hashlib.sha256(inner).hexdigest() for name, inner in members.items()}
    return Dataset("ml-x", "https://example.org/ml-x.zip", md5, hashes)


def test_the_published_archive_is_genuine_by_its_md5_alone(zipped: Zipped, archive: Path) -> None:
    archive.write_bytes(zipped(GENUINE))
    check_genuine(archive, dataset_of(archive.read_bytes(), {"absent": b""}))


def test_a_copy_zipped_again_is_genuine_by_its_members(zipped: Zipped, archive: Path) -> None:
    archive.write_bytes(zipped({**GENUINE, "ml-x/extra": b"x"}))
    check_genuine(archive, dataset_of(b"another", {"ratings.csv": GENUINE["ml-x/ratings.csv"]}))


@pytest.mark.parametrize("name", ["ml-100k", "ml-latest-small"])
def test_the_mirror_holds_genuine_archives(mirror: Path, name: str) -> None:
    check_genuine(mirror / f"{name}.zip", DATASETS[name])


def test_one_archive_is_not_taken_for_another(mirror: Path) -> None:
    with pytest.raises(
        MovierecError, match=r"is not the ml-100k .* expected a file u.data with sha256 06416e.*, got none"
    ):
        check_genuine(mirror / "ml-latest-small.zip", DATASETS["ml-100k"])


def test_a_wrong_md5_tells_both_and_what_to_do(zipped: Zipped, archive: Path) -> None:
    archive.write_bytes(zipped(GENUINE))
    got = hashlib.md5(archive.read_bytes(), usedforsecurity=False).hexdigest()
    expected = rf"my\.zip is not the ml-1m .* expected md5 c4d9eecfca2ab87c1945afe126590906, got {got}; get https"
    with pytest.raises(MovierecError, match=expected):
        check_genuine(archive, DATASETS["ml-1m"])


def test_a_changed_member_tells_both_hashes_and_the_label(zipped: Zipped, archive: Path) -> None:
    archive.write_bytes(zipped({**GENUINE, "ml-x/ratings.csv": b"forged"}))
    wanted, got = (hashlib.sha256(inner).hexdigest() for inner in (GENUINE["ml-x/ratings.csv"], b"forged"))
    with pytest.raises(MovierecError, match=rf"^the label is not .* sha256 of ratings.csv {wanted}, got {got}; get"):
        check_genuine(archive, dataset_of(None, {"ratings.csv": GENUINE["ml-x/ratings.csv"]}), label="the label")


@pytest.mark.parametrize("name", ["ml-25m", "ml-latest-small"])
def test_damage_is_told_before_a_hash(zipped: Zipped, archive: Path, name: str) -> None:
    archive.write_bytes(zipped(GENUINE)[:-30])
    with pytest.raises(MovierecError, match="truncated or damaged"):
        check_genuine(archive, DATASETS[name])
