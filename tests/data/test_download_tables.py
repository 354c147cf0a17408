"""A user's own table comes from anywhere: a file, a folder, a zip, an address."""

import gzip
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from movierec.data import transfer
from movierec.data.download import fetch_dataset
from movierec.data.layouts import GUESS_ALL
from movierec.data.readers import read_ratings
from movierec.errors import MovierecError
from tests.data.shapes import as_text, files_of_every_format, make_rows, without

if TYPE_CHECKING:
    from tests.data.conftest import Site

FolderOf = Callable[[Mapping[str, bytes]], Path]
FILES = files_of_every_format(make_rows("texts"))


@pytest.fixture(autouse=True)
def _isolated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    monkeypatch.setenv("MOVIEREC_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(transfer, "RETRY_WAITS_S", (0,))


def users_in(raw: Path) -> list[str]:
    own = read_ratings(raw).own_users
    assert own is not None
    return own.to_list()


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("way", ["file", "folder", "zip", "address", "address of a zip"])
def test_a_table_of_any_format_comes_from_anywhere(
    site: "Site", zipped: Callable[..., bytes], folder_of: FolderOf, tmp_path: Path, name: str, way: str
) -> None:
    folder, raw = folder_of({name: FILES[name]}), tmp_path / "raw"
    archive = zipped({f"top/{name}": FILES[name]})
    (tmp_path / "own.zip").write_bytes(archive)
    site.pages = {f"/{name}": FILES[name], "/own.zip": archive}
    dataset = {
        "file": str(folder / name),
        "folder": str(folder),
        "zip": "own.zip",
        "address": f"{site.address}/{name}?download=1",
        "address of a zip": f"{site.address}/own.zip",
    }[way]
    site.pages[f"/{name}?download=1"] = FILES[name]
    report = fetch_dataset(dataset, raw)
    assert (report.layout, report.files, report.bytes, report.has_times) == ("own", 1, len(FILES[name]), True)
    assert (raw / name).read_bytes() == FILES[name]
    assert users_in(raw)[:2] == ["U0001", "U0002"]


def test_the_hash_is_of_names_and_contents(folder_of: FolderOf, tmp_path: Path) -> None:
    text = as_text(make_rows())
    folder = folder_of({"own.csv": text})
    first = fetch_dataset(str(folder), tmp_path / "raw").sha256
    assert fetch_dataset(str(folder / "own.csv"), tmp_path / "raw").sha256 == first
    (folder / "own.csv").write_bytes(text + b"1,101,5,1600000000\n")
    assert fetch_dataset(str(folder), tmp_path / "raw").sha256 != first
    (folder / "own.csv").rename(folder / "other.csv")
    (folder / "other.csv").write_bytes(text)
    assert fetch_dataset(str(folder), tmp_path / "raw").sha256 != first


@pytest.mark.parametrize("method", ["temporal", "per_user_temporal"])
def test_a_split_by_times_that_are_not_there_is_refused_by_name(
    folder_of: FolderOf, tmp_path: Path, method: str
) -> None:
    folder = folder_of({"own.csv": as_text(without(make_rows(), "timestamp"))})
    expected = rf"^split\.method {method} needs times, but .*own\.csv has none: choose random, or set source\.columns"
    with pytest.raises(MovierecError, match=expected):
        fetch_dataset(str(folder / "own.csv"), tmp_path / "raw", GUESS_ALL, "auto", method)
    assert not (tmp_path / "raw").exists()
    assert not fetch_dataset(str(folder / "own.csv"), tmp_path / "raw").has_times


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("own.csv", b"who,what\n1,2\n", r"own\.csv: no column is called like the user \(there are who, what\)"),
        ("own.csv", b"", r"own\.csv is empty"),
        ("own.csv.gz", gzip.compress(b"user,item\n1,2\n", mtime=0)[:-9], r"own\.csv\.gz is damaged"),
        ("own.json", b"[1]", r"own\.json holds no JSON lines"),
    ],
)
def test_an_unusable_table_is_refused_by_the_users_own_path(
    folder_of: FolderOf, tmp_path: Path, name: str, content: bytes, problem: str
) -> None:
    folder = folder_of({name: content})
    with pytest.raises(MovierecError, match=problem) as caught:
        fetch_dataset(str(folder / name), tmp_path / "raw")
    assert str(caught.value).startswith(str(folder / name))
    assert not (tmp_path / "raw").exists()
