"""Registered names: the cache, faults on the way, and two processes at once."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pooch
import pytest

from movierec.data import download as module
from movierec.data.download import FetchReport, fetch_dataset
from movierec.data.registry import DATASETS, Dataset
from movierec.errors import MovierecError
from tests.data.download.folders import LayoutFiles, Zipped, assert_untouched, files_in

if TYPE_CHECKING:
    from tests.data.conftest import Site


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
