"""Addresses, and mirrors at addresses and in folders."""

import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from movierec.data.download import fetch_dataset
from movierec.data.readers import read_ratings
from movierec.errors import MovierecError
from tests.data.download.folders import BAD, LayoutFiles, Zipped, assert_untouched, bad_archives, files_in

if TYPE_CHECKING:
    from tests.data.conftest import Site


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
