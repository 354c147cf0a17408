import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from movierec import cli, io, paths
from movierec.data.catalogue import list_users
from movierec.data.clean import clean_ratings
from movierec.data.download import fetch_dataset
from movierec.data.readers import read_movies, read_ratings
from movierec.data.synthetic import PRESETS, write_synthetic
from movierec.service.storage.store import Store, StoredRating

Run = Callable[..., str]


@pytest.fixture(autouse=True)
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    monkeypatch.delenv("MOVIEREC_DATABASE_URL", raising=False)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Type a command of `movierec ratings` that ends with a status, and return what it prints."""

    def type_command(*words: str, status: str = "0") -> str:
        monkeypatch.setattr(sys, "argv", ["movierec", "ratings", *words])
        with pytest.raises(SystemExit, match=f"^{status}"):
            cli.main()
        return capsys.readouterr().out

    return type_command


def clean(folder: Path) -> None:
    options = {"sample_fraction": 1.0, "min_user_ratings": 1, "min_movie_ratings": 1, "max_bad_fraction": 0.0}
    raw = read_ratings(folder)
    tables, _ = clean_ratings(raw, **options, iterate=True, seed=0)  # type: ignore[arg-type]
    ratings = pd.concat(tables, ignore_index=True)
    io.write_parts([ratings], paths.CLEAN_RATINGS)
    io.write_parquet(read_movies(folder), paths.CLEAN_MOVIES)
    io.write_parquet(list_users(raw, ratings["user_id"]), paths.CLEAN_USERS)


def test_the_pipeline_takes_what_was_exported(run: Run, tmp_path: Path) -> None:
    (tmp_path / "first").mkdir()
    write_synthetic(tmp_path / "first", PRESETS["tiny"], 0.8, 1)
    clean(tmp_path / "first")
    before = io.read_parquet(paths.CLEAN_RATINGS), io.read_parquet(paths.CLEAN_MOVIES)
    known, fresh = before[0].iloc[0], StoredRating(999, 1, 5.0, 2_000_000_000)
    corrected = StoredRating(int(known.user_id), int(known.movie_id), 0.5, int(known.timestamp))
    store = Store("sqlite:///.movierec/service.db")
    assert store.add_rating(fresh).new
    assert store.add_rating(corrected).new
    store.close()
    told = run("export")
    assert f"{len(before[0]) + 1:,} ratings, 2 of them the service's, are in .movierec/export" in told
    dataset = told.partition("dataset=")[2].partition("'")[0]
    assert fetch_dataset(dataset, paths.RAW).layout == "csv"
    clean(paths.RAW)
    after = io.read_parquet(paths.CLEAN_RATINGS)
    changed = before[0].copy()
    changed.loc[0, "rating"] = 0.5
    assert after.iloc[:-1].equals(changed)
    assert after.iloc[-1].tolist() == [999, 1, 5.0, 2_000_000_000]
    assert io.read_parquet(paths.CLEAN_MOVIES).astype(str).equals(before[1].astype(str))


def test_the_service_alone_from_another_database(run: Run, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'other.db'}"
    store = Store(url)
    store.add_rating(StoredRating(2, 3, 4.5, 5))
    store.close()
    assert run("export", "out", "--only-new", "--url", url) == "1 ratings of the service are in out/ratings.csv\n"
    assert (tmp_path / "out" / "ratings.csv").read_text() == "userId,movieId,rating,timestamp\n2,3,4.5,5\n"
    assert not (tmp_path / "out" / "movies.csv").exists()


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ((), "data/clean/ratings is missing: run `dvc repro`"),
        (("--url", "nonsense"), "give sqlite:///FILE"),
        (("--only-new", "--url", "sqlite:////dev/null/x.db"), "cannot be used"),
    ],
)
def test_mistakes_end_in_one_line(run: Run, words: tuple[str, ...], problem: str) -> None:
    assert run("export", *words, status=f"error: .*{problem}.*$") == ""
