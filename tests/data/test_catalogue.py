from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from movierec.data.catalogue import list_movies, list_users
from movierec.data.readers import RawRatings, read_ratings
from movierec.errors import MovierecError
from tests.data.own import source
from tests.data.shapes import as_json_lines, as_parquet

FolderOf = Callable[[Mapping[str, bytes]], Path]
Row = tuple[Any, ...]

TEXT_RATINGS = b"user,item,rating\nu2,b,1\nu1,a,2\nu1,d,3\n"
MOVIES: list[dict[str, Any]] = [
    {"item": "c", "title": "C (1999)", "genres": "Drama|War"},
    {"item": "b", "title": "B", "genres": ""},
    {"item": "a", "title": "A (2001)", "genres": "Drama"},
]


def rows_of(movies: pd.DataFrame) -> list[Row]:
    filled = movies.assign(year=movies["year"].astype("object").where(movies["year"].notna(), None))
    return [tuple(row) for row in filled.itertuples(index=False)]


def read(folder: Path, **changes: Any) -> tuple[RawRatings, pd.DataFrame, int]:
    raw = read_ratings(folder, source(**changes))
    return raw, *list_movies(raw, raw.table["movie_id"])


EXPECTED: list[Row] = [
    (3, "C", 1999, ["Drama", "War"], "c"),
    (2, "B", None, [], "b"),
    (1, "A", 2001, ["Drama"], "a"),
    (4, "d", None, [], "d"),
]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("movies.csv", b'item,title,genres\nc,C (1999),"Drama|War"\nb,B,\na,A (2001),Drama\n'),
        ("m.csv", b"genres;name;item\n Drama, War;C (1999);c\n;B;b\n['Drama'];A (2001);a\n"),
        ("m.parquet", as_parquet(MOVIES)),
        ("m.jsonl", as_json_lines([{**row, "genres": [g for g in row["genres"].split("|") if g]} for row in MOVIES])),
    ],
)
def test_movies_of_every_format_get_the_codes_of_their_ids(folder_of: FolderOf, name: str, content: bytes) -> None:
    raw, movies, without_title = read(folder_of({"ratings.tsv": TEXT_RATINGS.replace(b",", b"\t"), name: content}))
    assert rows_of(movies) == EXPECTED
    assert without_title == 1
    assert raw.table["movie_id"].tolist() == [2, 1, 4]


def test_without_a_file_titles_are_the_ids(folder_of: FolderOf) -> None:
    _, movies, without_title = read(folder_of({"ratings.csv": TEXT_RATINGS}))
    assert rows_of(movies) == [(1, "a", None, [], "a"), (2, "b", None, [], "b"), (3, "d", None, [], "d")]
    assert without_title == 3
    _, movies, _ = read(folder_of({"ratings.csv": b"user,item\n1,7\n2,5\n"}))
    assert rows_of(movies) == [(5, "5", None, []), (7, "7", None, [])]


def test_titles_may_stand_beside_the_ratings(folder_of: FolderOf) -> None:
    text = b"user,item,title\nu,x,Heat (1995)\nv,x,Other\nu,y,\n"
    _, movies, without_title = read(folder_of({"ratings.csv": text}))
    assert rows_of(movies) == [(1, "Heat", 1995, [], "x"), (2, "y", None, [], "y")]
    assert without_title == 0


def test_a_file_of_other_movies_is_refused(folder_of: FolderOf) -> None:
    folder = folder_of({"ratings.csv": TEXT_RATINGS, "movies.csv": b"item,title\nx,X\ny,Y\n"})
    expected = r"movies\.csv names none of the rated movies: its ids are such as 'x', those of the ratings such as 'a'"
    with pytest.raises(MovierecError, match=expected):
        read(folder)
    assert read(folder, ratings="ratings.csv", movies=None)[2] == 3


def test_integers_keep_their_ids_and_the_movies_their_order(folder_of: FolderOf) -> None:
    files = {"ratings.csv": b"user,item\n3,9\n3,8\n", "movies.csv": b"item,title\n9,I\n2,B\n"}
    raw, movies, without_title = read(folder_of(files))
    assert rows_of(movies) == [(9, "I", None, []), (2, "B", None, [])]
    assert without_title == 1
    assert list_users(raw, raw.table["user_id"]).to_dict("list") == {"user_id": [3], "source_id": ["3"]}


def test_users_are_those_that_remain(folder_of: FolderOf) -> None:
    raw = read_ratings(folder_of({"ratings.csv": TEXT_RATINGS}))
    users = list_users(raw, [2])
    assert users.to_dict("list") == {"user_id": [2], "source_id": ["u2"]}


def test_an_id_that_is_no_integer_among_integers_is_refused_by_line(folder_of: FolderOf) -> None:
    files = {"ratings.csv": b"user,item\n3,9\n", "movies.csv": b"item,title\n9,I\nx,X\n"}
    with pytest.raises(
        MovierecError, match=r"movies\.csv, line 3: 'x' is no movie id, as ids of the ratings are integers"
    ):
        read(folder_of(files))
