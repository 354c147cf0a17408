"""Paths of the user's own: zips and folders."""

import errno
import json
import os
import shutil
import stat
from dataclasses import asdict
from pathlib import Path

import pytest

from movierec.data.download import fetch_dataset
from movierec.errors import MovierecError
from tests.data.download.folders import BAD, FolderOf, LayoutFiles, Zipped, assert_untouched, bad_archives, files_in


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
        ("ftp://host/ml-1m.zip", "is no http, https, s3 or s3a address"),
        ("s3:///ml-1m.zip", "is no http, https, s3 or s3a address"),
        ("http://[::1/x.zip", "is no valid address"),
    ],
)
def test_what_names_no_data_is_refused(raw: Path, dataset: str, problem: str) -> None:
    with pytest.raises(MovierecError, match=problem):
        fetch_dataset(dataset, raw)
    assert_untouched(raw)


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
