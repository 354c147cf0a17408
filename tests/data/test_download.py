import errno
import hashlib
import io
import json
import os
import shutil
import stat
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import pooch
import pytest

from movierec.data import download as module
from movierec.data import transfer
from movierec.data.download import FetchReport, fetch_dataset
from movierec.data.readers import read_ratings
from movierec.data.registry import DATASETS, Dataset
from movierec.errors import MovierecError
from tests.waiting import PATIENCE_S

if TYPE_CHECKING:
    from tests.data.conftest import Site

Zipped = Callable[..., bytes]
LayoutFiles = Mapping[str, dict[str, bytes]]
FolderOf = Callable[[Mapping[str, bytes]], Path]


@pytest.fixture(autouse=True)
def _isolated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No mirror, a cache of its own, an empty project, and no waiting."""
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    monkeypatch.setenv("DVC_ROOT", str(tmp_path / "project"))
    monkeypatch.setenv("MOVIEREC_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("MOVIELENS_MIRROR", "")
    monkeypatch.setattr(transfer, "RETRY_WAITS_S", (0,))
    monkeypatch.setattr(transfer, "READ_TIMEOUT_S", PATIENCE_S)


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    return tmp_path / "project" / "data" / "raw"


@pytest.fixture
def genuine(zipped: Zipped, layout_files: LayoutFiles) -> bytes:
    return zipped({f"ml-tiny/{name}": content for name, content in layout_files["csv"].items()})


@pytest.fixture
def tiny(site: "Site", genuine: bytes, monkeypatch: pytest.MonkeyPatch) -> str:
    """Register a data set whose published archive the loopback site holds."""
    md5 = hashlib.md5(genuine, usedforsecurity=False).hexdigest()
    monkeypatch.setitem(DATASETS, "ml-tiny", Dataset("ml-tiny", f"{site.address}/ml-tiny.zip", md5))
    site.pages["/ml-tiny.zip"] = genuine
    return "ml-tiny"


def files_in(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def assert_untouched(raw: Path) -> None:
    """Nothing at the destination, and nothing half-written beside it."""
    assert not raw.exists()
    assert not raw.parent.exists() or list(raw.parent.iterdir()) == []


# Paths of the user's own


@pytest.mark.parametrize("layout", ["csv", "dat", "tab"])
@pytest.mark.parametrize("top", ["", "ml-x/"])
def test_a_zip_of_any_layout_is_unpacked(
    zipped: Zipped, layout_files: LayoutFiles, raw: Path, tmp_path: Path, layout: str, top: str
) -> None:
    files = {**layout_files[layout], "README": b"by hand"}
    (tmp_path / "own.zip").write_bytes(zipped({top + name: content for name, content in files.items()}))
    report = fetch_dataset(str(tmp_path / "own.zip"), raw)
    assert files_in(raw) == files
    assert (report.name, report.layout, report.files, report.bytes) == (
        "own", layout, len(files), sum(map(len, files.values())),
    )  # fmt: skip


@pytest.mark.parametrize("layout", ["csv", "dat", "tab"])
def test_a_folder_of_any_layout_is_copied(
    layout_files: LayoutFiles, folder_of: FolderOf, raw: Path, layout: str
) -> None:
    source = folder_of(layout_files[layout])
    (source / "inner").mkdir()
    (source / "inner" / "other.txt").write_text("not directly in it")
    os.mkfifo(source / "pipe")
    report = fetch_dataset(str(source), raw)
    assert files_in(raw) == layout_files[layout]
    assert (report.name, report.layout) == (source.name, layout)
    assert not any(path.samefile(source / path.name) for path in raw.iterdir())


def test_the_folder_itself_may_be_the_destination(layout_files: LayoutFiles, folder_of: FolderOf) -> None:
    source = folder_of(layout_files["dat"])
    fetch_dataset(str(source), source)
    assert files_in(source) == layout_files["dat"]


def test_a_relative_path_starts_at_the_project_even_in_a_temporary_checkout(
    genuine: bytes, raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "beside.zip").write_bytes(genuine)
    (tmp_path / "checkout").mkdir()
    monkeypatch.chdir(tmp_path / "checkout")
    assert fetch_dataset("../beside.zip", raw).name == "beside"


def test_a_tilde_is_the_home_folder(genuine: bytes, raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "own.zip").write_bytes(genuine)
    assert fetch_dataset("~/own.zip", raw).layout == "csv"


def test_what_was_there_is_replaced_as_a_whole(genuine: bytes, layout_files: LayoutFiles, raw: Path) -> None:
    raw.mkdir(parents=True)
    (raw / "old.csv").write_text("old")
    Path("own.zip").write_bytes(genuine)
    fetch_dataset("own.zip", raw)
    assert files_in(raw) == layout_files["csv"]
    assert [path.name for path in raw.parent.iterdir()] == ["raw"]


def test_the_folder_has_usual_permissions(genuine: bytes, raw: Path) -> None:
    Path("own.zip").write_bytes(genuine)
    fetch_dataset("own.zip", raw)
    assert stat.S_IMODE(raw.stat().st_mode) == stat.S_IMODE(raw.parent.stat().st_mode)


def test_the_report_is_the_same_wherever_the_data_lies(genuine: bytes, raw: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    for path in (tmp_path / "own.zip", tmp_path / "elsewhere" / "own.zip"):
        path.write_bytes(genuine)
    reports = {json.dumps(asdict(fetch_dataset(str(tmp_path / way), raw))) for way in ("own.zip", "elsewhere/own.zip")}
    assert len(reports) == 1
    assert str(tmp_path) not in reports.pop()


@pytest.mark.parametrize(
    ("dataset", "problem"),
    [
        ("ml-25", "unknown data set 'ml-25': did you mean 'ml-25m'"),
        ("MovieLens", "unknown data set 'MovieLens': did you mean"),
        ("no/such/folder", "there is no file or folder .*no/such/folder: correct `dataset`"),
        ("absent.zip", r"there is no file or folder .*absent\.zip"),
        ("/dev/null", "there is no file or folder /dev/null"),
        ("s3://bucket/ml-1m.zip", "is no http or https address"),
        ("http://[::1/x.zip", "is no valid address"),
    ],
)
def test_what_names_no_data_is_refused(raw: Path, dataset: str, problem: str) -> None:
    with pytest.raises(MovierecError, match=problem):
        fetch_dataset(dataset, raw)
    assert_untouched(raw)


def bad_archives(zipped: Zipped, genuine: bytes) -> dict[str, tuple[bytes, str]]:
    buffer = io.BytesIO(genuine)
    with zipfile.ZipFile(buffer, "a") as opened:
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


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_archive_is_refused_by_its_path_and_leaves_nothing(
    zipped: Zipped, genuine: bytes, raw: Path, kind: str
) -> None:
    content, problem = bad_archives(zipped, genuine)[kind]
    Path("own.zip").write_bytes(content)
    with pytest.raises(MovierecError, match=rf"^{Path.cwd()}/own\.zip .*{problem}"):
        fetch_dataset("own.zip", raw)
    assert_untouched(raw)


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_archive_keeps_what_was_there(zipped: Zipped, genuine: bytes, raw: Path, kind: str) -> None:
    raw.mkdir(parents=True)
    (raw / "old.csv").write_text("old")
    Path("own.zip").write_bytes(bad_archives(zipped, genuine)[kind][0])
    with pytest.raises(MovierecError, match=r"own\.zip"):
        fetch_dataset("own.zip", raw)
    assert files_in(raw) == {"old.csv": b"old"}
    assert [path.name for path in raw.parent.iterdir()] == ["raw"]


def test_a_folder_without_a_layout_is_refused(folder_of: FolderOf, raw: Path) -> None:
    source = folder_of({"notes.md": b"1"})
    with pytest.raises(MovierecError, match=r"own \[data\] \* holds no ratings: expected ratings\.csv and movies\.csv"):
        fetch_dataset(str(source), raw)
    assert_untouched(raw)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EACCES])
def test_a_disk_that_refuses_leaves_nothing(
    layout_files: LayoutFiles, folder_of: FolderOf, raw: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def copy_one(source: Path, target: Path) -> None:
        target.write_bytes(source.read_bytes()[:1])
        raise OSError(code, os.strerror(code), str(target))

    monkeypatch.setattr(shutil, "copyfile", copy_one)
    expected = (OSError, "No space left") if code == errno.ENOSPC else (MovierecError, "no permission to use")
    with pytest.raises(expected[0], match=expected[1]):
        fetch_dataset(str(folder_of(layout_files["csv"])), raw)
    assert_untouched(raw)


# Addresses


def test_an_archive_at_an_address_is_fetched_anew_each_time(
    site: "Site", genuine: bytes, layout_files: LayoutFiles, raw: Path, tmp_path: Path
) -> None:
    site.pages["/own%20data.zip?v=2"] = genuine
    for _ in range(2):
        report = fetch_dataset(f"{site.address}/own%20data.zip?v=2", raw)
    assert report.name == "own data"
    assert files_in(raw) == layout_files["csv"]
    assert len(site.requests) == 2
    assert list((tmp_path / "cache").iterdir()) == []


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_archive_at_an_address_is_refused_by_the_address(
    site: "Site", zipped: Zipped, genuine: bytes, raw: Path, kind: str
) -> None:
    site.pages["/own.zip"], problem = bad_archives(zipped, genuine)[kind]
    with pytest.raises(MovierecError, match=rf"^{site.address}/own\.zip .*{problem}"):
        fetch_dataset(f"{site.address}/own.zip", raw)
    assert_untouched(raw)


def test_an_absent_archive_at_an_address_is_one_line_that_says_what_to_do(site: "Site", raw: Path) -> None:
    with pytest.raises(
        MovierecError, match=r"own\.zip: the server answers 404 Not Found; .*set `dataset` to its path$"
    ):
        fetch_dataset(f"{site.address}/own.zip", raw)
    assert_untouched(raw)


# Registered names


def test_a_name_is_downloaded_once_and_then_taken_from_the_cache(
    site: "Site", tiny: str, layout_files: LayoutFiles, raw: Path
) -> None:
    reports = [fetch_dataset(tiny, raw) for _ in range(2)]
    size = sum(map(len, layout_files["csv"].values()))
    assert reports == [FetchReport("ml-tiny", "csv", 2, size, reports[0].sha256, has_times=True)] * 2
    assert files_in(raw) == layout_files["csv"]
    assert site.requests == ["/ml-tiny.zip"]


@pytest.mark.parametrize("poison", [b"", b"poison", None])
def test_a_poisoned_cache_is_filled_again(
    site: "Site", tiny: str, genuine: bytes, raw: Path, tmp_path: Path, poison: bytes | None
) -> None:
    cached = tmp_path / "cache" / "ml-tiny.zip"
    cached.parent.mkdir()
    cached.write_bytes(genuine[:-7] if poison is None else poison)
    fetch_dataset(tiny, raw)
    assert cached.read_bytes() == genuine
    assert site.requests == ["/ml-tiny.zip"]


@pytest.mark.parametrize("fault", ["cut", "stall", "503"])
def test_a_download_that_fails_once_succeeds(
    site: "Site", tiny: str, layout_files: LayoutFiles, raw: Path, fault: str, hasten: Callable[..., None]
) -> None:
    site.faults.append(fault)
    if fault == "stall":
        hasten(attempts=1)
    fetch_dataset(tiny, raw)
    assert files_in(raw) == layout_files["csv"]
    assert len(site.requests) == 2


@pytest.mark.parametrize("fault", ["cut", "stall", "503", "404"])
def test_a_download_that_keeps_failing_is_one_line_that_names_the_mirror(
    site: "Site", tiny: str, raw: Path, tmp_path: Path, fault: str, hasten: Callable[..., None]
) -> None:
    site.faults += [fault] * 2
    if fault == "stall":
        hasten(attempts=2)
    site.pages = {} if fault == "404" else site.pages
    with pytest.raises(
        MovierecError, match=r"get ml-tiny\.zip by hand and set MOVIELENS_MIRROR to the folder.*synthetic"
    ):
        fetch_dataset(tiny, raw)
    assert_untouched(raw)
    assert [path.suffix for path in (tmp_path / "cache").iterdir()] in ([".lock"], [])


def test_a_refused_certificate_names_the_mirror(tls_site: "Site", raw: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(DATASETS, "ml-tls", Dataset("ml-tls", f"{tls_site.address}/ml-tls.zip", "0" * 32))
    problem = r"127\.0\.0\.1: its TLS certificate cannot be verified \(self[- ]signed certificate\).* MOVIELENS_MIRROR"
    with pytest.raises(MovierecError, match=problem):
        fetch_dataset("ml-tls", raw)
    assert_untouched(raw)


def test_a_wrong_hash_is_told_once_and_not_kept(
    site: "Site", tiny: str, zipped: Zipped, raw: Path, tmp_path: Path
) -> None:
    site.pages["/ml-tiny.zip"] = forged = zipped({"ml-tiny/ratings.csv": b"forged", "ml-tiny/movies.csv": b""})
    got = hashlib.md5(forged, usedforsecurity=False).hexdigest()
    expected = rf"^{site.address}/ml-tiny\.zip is not the ml-tiny .*expected md5 {DATASETS[tiny].md5}, got {got}; get"
    with pytest.raises(MovierecError, match=expected):
        fetch_dataset(tiny, raw)
    assert_untouched(raw)
    assert not (tmp_path / "cache" / "ml-tiny.zip").exists()
    assert len(site.requests) == 1


def test_the_cache_is_outside_the_project_by_default(
    site: "Site", tiny: str, raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MOVIEREC_CACHE")
    monkeypatch.setattr(pooch, "os_cache", lambda name: tmp_path / "system" / name)
    fetch_dataset(tiny, raw)
    assert (tmp_path / "system" / "movierec" / "ml-tiny.zip").is_file()
    assert site.requests == ["/ml-tiny.zip"]


# Mirrors


@pytest.mark.parametrize(
    ("name", "layout", "count"), [("ml-latest-small", "csv", 100_836), ("ml-100k", "tab", 100_000)]
)
def test_real_archives_come_from_the_mirror_without_the_network(
    mirror: Path, raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, layout: str, count: int
) -> None:
    monkeypatch.setenv("MOVIELENS_MIRROR", str(mirror))
    report = fetch_dataset(name, raw)
    with zipfile.ZipFile(mirror / f"{name}.zip") as archive:
        assert files_in(raw) == {member.removeprefix(f"{name}/"): archive.read(member) for member in archive.namelist()}
    assert (report.name, report.layout, report.files) == (name, layout, len(files_in(raw)))
    assert len(read_ratings(raw).table) == count
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_mirror_at_an_address_comes_before_grouplens(
    site: "Site", tiny: str, genuine: bytes, raw: Path, monkeypatch: pytest.MonkeyPatch, slash: str
) -> None:
    site.pages["/mirror/ml-tiny.zip"] = genuine
    monkeypatch.setenv("MOVIELENS_MIRROR", f"{site.address}/mirror{slash}")
    fetch_dataset(tiny, raw)
    assert site.requests == ["/mirror/ml-tiny.zip"]


def test_what_the_mirror_at_an_address_lacks_comes_from_grouplens(
    site: "Site", tiny: str, raw: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOVIELENS_MIRROR", f"{site.address}/mirror")
    fetch_dataset(tiny, raw)
    assert site.requests == ["/mirror/ml-tiny.zip", "/ml-tiny.zip"]


def test_when_both_fail_both_are_told(site: "Site", tiny: str, raw: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site.pages.clear()
    monkeypatch.setenv("MOVIELENS_MIRROR", f"{site.address}/mirror")
    with pytest.raises(
        MovierecError, match=r"/mirror/ml-tiny\.zip: the server answers 404.*; .*/ml-tiny\.zip: the server"
    ):
        fetch_dataset(tiny, raw)


def test_what_the_mirror_folder_lacks_comes_from_grouplens(
    site: "Site", tiny: str, raw: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOVIELENS_MIRROR", "..")
    fetch_dataset(tiny, raw)
    assert site.requests == ["/ml-tiny.zip"]


def test_a_forged_archive_in_the_mirror_is_refused_not_passed_over(
    site: "Site", tiny: str, zipped: Zipped, raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ml-tiny.zip").write_bytes(zipped({"ratings.csv": b"forged", "movies.csv": b""}))
    monkeypatch.setenv("MOVIELENS_MIRROR", "..")
    with pytest.raises(MovierecError, match=r"ml-tiny\.zip is not the ml-tiny that GroupLens published: expected md5"):
        fetch_dataset(tiny, raw)
    assert site.requests == []
    assert_untouched(raw)


@pytest.mark.parametrize(
    ("mirror_variable", "problem"),
    [("no/such", "MOVIELENS_MIRROR is no/such, which is no folder"), ("ftp://x.org", "is no http or https address")],
)
def test_a_mistyped_mirror_is_told(
    tiny: str, raw: Path, monkeypatch: pytest.MonkeyPatch, mirror_variable: str, problem: str
) -> None:
    monkeypatch.setenv("MOVIELENS_MIRROR", mirror_variable)
    with pytest.raises(MovierecError, match=problem):
        fetch_dataset(tiny, raw)
    assert_untouched(raw)


# Two processes at once

FETCH_IN_PROCESS = """
import sys
from pathlib import Path
from movierec.data.download import fetch_dataset
from movierec.data.registry import DATASETS, Dataset
name, url, md5, destination = sys.argv[1:]
DATASETS[name] = Dataset(name, url, md5)
print("ready", flush=True)
fetch_dataset(name, Path(destination))
"""


@pytest.mark.parametrize("second", ["raw", "other"])
def test_two_processes_at_once_download_once_and_both_succeed(
    site: "Site", tiny: str, layout_files: LayoutFiles, raw: Path, second: str
) -> None:
    site.may_answer.clear()  # until both are under way
    destinations = [raw, raw.with_name(second)]
    command = [sys.executable, "-c", FETCH_IN_PROCESS, tiny, DATASETS[tiny].url, str(DATASETS[tiny].md5)]
    environment = {**os.environ, "PYTHONPATH": str(Path(module.__file__).parents[2])}
    processes = [
        subprocess.Popen([*command, str(folder)], env=environment, stdout=subprocess.PIPE) for folder in destinations
    ]
    for process in processes:
        assert process.stdout
        assert process.stdout.readline() == b"ready\n"
    site.may_answer.set()
    for process in processes:
        process.communicate()
        assert process.returncode == 0
    assert site.requests == ["/ml-tiny.zip"]
    assert all(files_in(folder) == layout_files["csv"] for folder in destinations)
    assert {path.name for path in raw.parent.iterdir()} == {folder.name for folder in destinations}
