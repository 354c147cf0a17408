from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from movierec.data.layouts import GUESS_ALL, find_source
from movierec.errors import MovierecError
from movierec.settings import SourceParams

FolderOf = Callable[[Mapping[str, bytes]], Path]

RATINGS = b"user,item,rating\n1,2,3\n"
MOVIES = b"item,title\n2,A\n"


def named(**changes: Any) -> SourceParams:
    return GUESS_ALL.model_copy(update=changes)


@pytest.mark.parametrize("name", ["csv", "dat", "tab"])
def test_a_layout_of_movielens_is_told_by_the_files(
    layout_files: Mapping[str, dict[str, bytes]], folder_of: FolderOf, name: str
) -> None:
    source = find_source(folder_of({**layout_files[name], "README": b"", "tags.csv": b""}))
    assert source.layout == name
    assert source.has_times
    assert not source.is_implicit
    assert source.movies is not None
    assert list(source.roles) == ["user", "item", "rating", "timestamp"]


def test_a_folder_without_ratings_is_refused_naming_what_is_expected(folder_of: FolderOf) -> None:
    for files in ({}, {"README.md": b"x"}, {"a.csv": MOVIES, "b.csv": b"x,y\n1,2\n"}):
        expected = (
            r"holds no ratings: expected ratings\.csv and movies\.csv, or .*u\.data and u\.item, or one file \(\.csv"
        )
        with pytest.raises(MovierecError, match=expected):
            find_source(folder_of(files))


def test_a_folder_with_two_layouts_is_refused_under_the_name_given(folder_of: FolderOf) -> None:
    folder = folder_of(dict.fromkeys(["ratings.csv", "movies.csv", "u.data", "u.item"], b""))
    with pytest.raises(MovierecError, match=r"^my\.zip holds more than one MovieLens layout"):
        find_source(folder, label="my.zip")


def test_files_are_told_apart_by_their_columns(folder_of: FolderOf) -> None:
    tags = b"user,item,tag\n1,2,x\n"
    source = find_source(folder_of({"a.csv": MOVIES, "b.csv": RATINGS, "c.csv": tags, "d.csv": b"", "e.csv": b"\xff"}))
    assert source.layout == "own"
    assert source.ratings.path.name == "b.csv"
    assert source.movies is not None
    assert source.movies.path.name == "a.csv"
    assert source.movie_roles == {"item": "item", "title": "title"}


def test_a_name_with_rating_decides_among_equals(folder_of: FolderOf) -> None:
    folder = folder_of({"a.csv": RATINGS, "my_ratings.csv": RATINGS})
    assert find_source(folder).ratings.path.name == "my_ratings.csv"


def test_two_equally_good_files_are_an_error_that_names_both(folder_of: FolderOf) -> None:
    folder = folder_of({"a.csv": RATINGS, "b.csv": RATINGS})
    with pytest.raises(MovierecError, match=r"own: a\.csv and b\.csv could both be the ratings: set source\.ratings"):
        find_source(folder, label="own")
    assert find_source(folder, named(ratings="b.csv")).ratings.path.name == "b.csv"
    folder = folder_of({"ratings.csv": RATINGS, "x.csv": MOVIES, "y.csv": MOVIES})
    with pytest.raises(MovierecError, match=r"x\.csv and y\.csv could both be the movies: set source\.movies"):
        find_source(folder, named(ratings="ratings.csv"))
    chosen = find_source(folder, named(ratings="ratings.csv", movies="y.csv"))
    assert chosen.movies is not None
    assert chosen.movies.path.name == "y.csv"
    assert find_source(folder, named(ratings="ratings.csv", movies=None)).movies is None


def test_a_named_file_that_is_absent_is_refused_naming_the_others(folder_of: FolderOf) -> None:
    with pytest.raises(MovierecError, match=r"source\.ratings is 'b\.csv', but the files of the data set are .*a\.csv"):
        find_source(folder_of({"a.csv": RATINGS}), named(ratings="b.csv"))


def test_titles_beside_the_ratings_are_found(folder_of: FolderOf) -> None:
    source = find_source(folder_of({"a.csv": b"user,item,title\n1,2,A\n"}))
    assert source.roles == {"user": "user", "item": "item", "title": "title"}
    assert source.is_implicit


@pytest.mark.parametrize("name", ["csv", "dat", "tab"])
def test_stars_and_times_of_movielens_may_be_left_out(
    layout_files: Mapping[str, dict[str, bytes]], folder_of: FolderOf, name: str
) -> None:
    folder = folder_of(layout_files[name])
    source = find_source(folder, GUESS_ALL, "implicit")
    assert source.is_implicit
    assert list(source.roles) == ["user", "item", "timestamp"]
    columns = GUESS_ALL.columns.model_copy(update={"timestamp": None, "rating": None})
    source = find_source(folder, named(columns=columns))
    assert source.is_implicit
    assert list(source.roles) == ["user", "item"]


def test_a_damaged_file_that_may_be_the_ratings_is_named(folder_of: FolderOf) -> None:
    for others in ({"m.csv": MOVIES}, {"m.csv": MOVIES, "n.csv": b"x,y\n1,2\n"}):
        with pytest.raises(MovierecError, match=r"r\.csv\.gz is damaged"):
            find_source(folder_of({**others, "r.csv.gz": b"no gzip"}))
