from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from movierec import paths
from movierec.data.described_movie import DescribedMovie
from movierec.data.readers import read_movies, read_ratings
from movierec.errors import MovierecError
from movierec.io import read_parquet, write_json, write_parquet, write_parts
from movierec.service.storage.export import export_all, export_new
from movierec.service.storage.records import LATEST
from movierec.service.storage.store import ConflictError, Store, StoredRating

TRAINED = [(1, 10, 4.0, 100), (1, 11, 3.5, 100), (3, 10, 0.5, 200)]
MOVIES = [
    (10, "Heat", 1995, ["Action", "Crime"]),
    (11, 'A "quoted", Title', None, []),
    (12, "Les Misérables (1995)", 2012, ["Drama"]),
    (13, "電影|x", 2001, ["Film-Noir"]),
]


@pytest.fixture(autouse=True)
def _clean_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    ratings = pd.DataFrame(TRAINED, columns=["user_id", "movie_id", "rating", "timestamp"])
    types = {"user_id": "int32", "movie_id": "int32", "rating": "float32", "timestamp": "int64"}
    write_parts([ratings.astype(types)], paths.CLEAN_RATINGS)
    users = np.unique(ratings["user_id"]).astype("int32")
    write_parquet(pd.DataFrame({"user_id": users, "source_id": users.astype(str)}), paths.CLEAN_USERS)
    movies = pd.DataFrame(MOVIES, columns=["movie_id", "title", "year", "genres"])
    write_parquet(movies.astype({"movie_id": "int32", "year": "Int16"}), paths.CLEAN_MOVIES)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(f"sqlite:///{tmp_path / 'store.db'}")
    yield opened
    opened.close()


def add(store: Store, *rows: tuple[int, int, float, int]) -> None:
    for row in rows:
        store.add_rating(StoredRating(*row))


def rows_of(folder: Path) -> list[tuple[int, int, float, int]]:
    raw = read_ratings(folder)
    assert not any(raw.broken.values())
    return list(raw.table.itertuples(index=False, name=None))


def test_the_newest_rating_of_either_source_is_kept(store: Store, tmp_path: Path) -> None:
    add(store, (1, 10, 2.0, 101), (1, 11, 1.0, 99), (3, 10, 5.0, 200), (2, 13, 4.7, 5), (2, 13, 3.0, 4))
    assert export_all(store, tmp_path / "out") == (4, 3)
    expected = [(1, 10, 2.0, 101), (1, 11, 3.5, 100), (2, 13, np.float32(4.7), 5), (3, 10, 5.0, 200)]
    assert rows_of(tmp_path / "out") == expected


def test_an_empty_store_gives_the_training_data_back(store: Store, tmp_path: Path) -> None:
    assert export_all(store, tmp_path / "out") == (3, 0)
    assert rows_of(tmp_path / "out") == TRAINED


def test_every_movie_is_read_back_as_it_was(store: Store, tmp_path: Path) -> None:
    export_all(store, tmp_path / "out")
    found, expected = read_movies(tmp_path / "out"), read_parquet(paths.CLEAN_MOVIES)
    expected["genres"] = expected["genres"].map(list)
    pd.testing.assert_frame_equal(found, expected, check_dtype=False)


def test_the_service_alone(store: Store, tmp_path: Path) -> None:
    assert export_new(store, tmp_path) == 0
    assert (tmp_path / "ratings.csv").read_text() == "userId,movieId,rating,timestamp\n"
    add(store, (9, 10, 4.5, 8), (2, 13, 3.0, 7), (2, 13, 5.0, 6), (2, 11, 0.5, 0))
    assert export_new(store, tmp_path) == 3
    lines = (tmp_path / "ratings.csv").read_text().splitlines()
    assert lines == ["userId,movieId,rating,timestamp", "2,11,0.5,0", "2,13,3.0,7", "9,10,4.5,8"]


def test_the_export_keeps_what_the_service_answers_by(store: Store, tmp_path: Path) -> None:
    add(store, (1, 10, 2.0, LATEST - 1))
    for stars in (3.0, 5.0):
        with suppress(ConflictError):
            store.add_rating(StoredRating(1, 10, stars, 101), newest=True)
    export_new(store, tmp_path / "out")
    assert (tmp_path / "out/ratings.csv").read_text().splitlines()[1:] == [f"1,10,3.0,{LATEST}"]
    assert store.ratings_of(1) == {10: 3.0}


def test_without_clean_data_the_pipeline_is_asked_for(store: Store, tmp_path: Path) -> None:
    paths.CLEAN_MOVIES.unlink()
    with pytest.raises(MovierecError, match="run `dvc repro`"):
        export_all(store, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_folder_that_is_a_file_is_told(store: Store, tmp_path: Path) -> None:
    (tmp_path / "out").touch()
    with pytest.raises(MovierecError, match="cannot be written"):
        export_all(store, tmp_path / "out")


def test_own_ids_are_written_without_times_where_there_are_none(store: Store, tmp_path: Path) -> None:
    ratings = pd.DataFrame([(1, 2, 7.0), (2, 1, 9.0)], columns=["user_id", "movie_id", "rating"])
    types = {"user_id": "int32", "movie_id": "int32", "rating": "float32"}
    write_parts([ratings.astype(types)], paths.CLEAN_RATINGS)
    write_parquet(pd.DataFrame({"user_id": [1, 2], "source_id": ["007", "U12"]}), paths.CLEAN_USERS)
    movies = pd.DataFrame([(1, "A", None, [], "B1"), (2, "B", 1999, ["Drama"], "42")])
    movies.columns = pd.Index(["movie_id", "title", "year", "genres", "source_id"])
    write_parquet(movies.astype({"movie_id": "int32", "year": "Int16"}), paths.CLEAN_MOVIES)
    store.add_rating(StoredRating("U12", "B1", 3.0, 5))
    store.add_rating(StoredRating("new one", 42, 10.0, 5))
    assert export_all(store, tmp_path / "out") == (3, 2)
    lines = (tmp_path / "out/ratings.csv").read_text().splitlines()
    assert sorted(lines) == ["007,42,7.0", "U12,B1,3.0", "new one,42,10.0", "userId,movieId,rating"]
    assert (tmp_path / "out/movies.csv").read_text().splitlines()[1:] == [
        "B1,A,(no genres listed)",
        "42,B (1999),Drama",
    ]


def test_events_are_added_to_the_counts_of_the_data_once(store: Store, tmp_path: Path) -> None:
    write_json({"implicit": 1}, paths.DETAILS / "clean.json")
    add(store, (1, 10, 1.0, 101), (1, 10, 1.0, 102), (1, 10, 1.0, 99), (2, 13, 1.0, 5))
    assert export_all(store, tmp_path / "out") == (4, 2)
    lines = (tmp_path / "out" / "ratings.csv").read_text().splitlines()
    expected = ["1,10,6.0,102", "1,11,3.5,100", "2,13,1.0,5", "3,10,0.5,200"]
    assert lines == ["userId,movieId,count,timestamp", *expected]
    assert export_new(store, tmp_path / "new") == 2
    lines = (tmp_path / "new" / "ratings.csv").read_text().splitlines()
    assert lines == ["userId,movieId,count,timestamp", "1,10,3.0,102", "2,13,1.0,5"]


def test_movies_are_as_people_described_them_last(store: Store, tmp_path: Path) -> None:
    new = DescribedMovie(1_000_000_000, "Zebra, The", 2019, ("Drama", "War"))
    store.add_movie(new, lambda _: new, author=None, timestamp=5)
    store.change_movie(10, DescribedMovie(10, "Heat", 1995), {"title": "Heat 2"}, author=None, timestamp=5)
    store.delete_movie(11, DescribedMovie(11, "Any", None), author=None, timestamp=5)
    add(store, (2, 1_000_000_000, 4.5, 300), (2, 11, 4.0, 300))
    assert export_all(store, tmp_path / "out") == (3, 1)
    movies = read_movies(tmp_path / "out").set_index("movie_id")
    assert sorted(movies.index) == [10, 12, 13, 1_000_000_000]
    assert list(movies.loc[1_000_000_000]) == ["Zebra, The", 2019, ["Drama", "War"]]
    assert list(movies.loc[10]) == ["Heat 2", 1995, []]
    assert rows_of(tmp_path / "out") == [(1, 10, 4.0, 100), (2, 1_000_000_000, 4.5, 300), (3, 10, 0.5, 200)]
