"""Ratings on any scale, events without ratings, times in any form: each is read as what it is."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from movierec.data.describe import describe_reading
from movierec.data.layouts import GUESS_ALL
from movierec.data.readers import read_ratings
from movierec.errors import MovierecError
from movierec.scales import Scale
from tests.data.own import clean, expected, own_rows, source
from tests.data.shapes import (
    FIRST_TIME,
    as_json_lines,
    as_parquet,
    as_text,
    make_rows,
    renamed,
    with_ratings,
    without,
)

FolderOf = Callable[[Mapping[str, bytes]], Path]


# --- scales ---


@pytest.mark.parametrize(
    ("values", "scale", "liked_from"),
    [
        ([0.5, 5, 3.0, 2.5], Scale(0.5, 5, 0.5), 4.0),
        ([1, 2, 3, 4, 5], Scale(1, 5, 1), 4.0),
        (list(range(1, 11)), Scale(1, 10, 1), 8.0),
        (list(range(101)), Scale(0, 100, 1), 75.0),
        ([0, 1, 2, 3, 4, 5], Scale(0, 5, 1), 4.0),
        ([0, 1], Scale(0, 1, 1), 1.0),
        ([0.0, 0.25, 0.75, 1.0], Scale(0, 1, 0.25), 0.75),
        ([-1, 1], Scale(-1, 1, 2), 1.0),
        ([-9.99, 0.37, 8.88, 9.13], Scale(-9.99, 9.13, 0), 4.35),
        ([7], Scale(7, 7, 0), 7.0),
    ],
)
def test_the_scale_is_told_by_the_ratings(
    folder_of: FolderOf, values: list[float], scale: Scale, liked_from: float
) -> None:
    rows = with_ratings(make_rows(), values)
    ratings, report = clean(read_ratings(folder_of({"own.csv": as_text(rows)})))
    assert len(ratings) == len(rows)
    assert report.scale == pytest.approx(scale)
    assert report.scale.liked_from == pytest.approx(liked_from)


def test_a_declared_scale_drops_what_lies_outside(folder_of: FolderOf) -> None:
    raw = read_ratings(folder_of({"own.csv": as_text(make_rows())}))
    ratings, report = clean(raw, rating_scale=Scale(2, 20, 0.5), max_bad_fraction=0.2)
    assert report.scale == (2, 20, 0.5)
    assert report.dropped["outside_scale"] == 300 - len(ratings) == 30
    with pytest.raises(MovierecError, match=r"30 of 300 rows of the ratings file are bad \(outside_scale 30\)"):
        clean(raw, rating_scale=Scale(2, 20, 0.5))


def test_strays_are_not_taken_for_the_scale(folder_of: FolderOf) -> None:
    rows = [*make_rows() * 10, {**make_rows()[0], "rating": 99}]
    ratings, report = clean(read_ratings(folder_of({"own.csv": as_text(rows)})))
    assert (report.scale, report.dropped["outside_scale"]) == ((1, 10, 1), 1)
    assert ratings["rating"].max() == 10


@pytest.mark.parametrize("unrated", [0, -1])
def test_ratings_that_stand_for_none_are_dropped_and_counted(folder_of: FolderOf, unrated: float) -> None:
    rows = with_ratings(make_rows(), [unrated, 1, 2, 3, 4, 5])
    ratings, report = clean(read_ratings(folder_of({"own.csv": as_text(rows)})), unrated=float(unrated))
    assert report.dropped["unrated"] == 50 == 300 - len(ratings)
    assert report.scale == (1, 5, 1)


# --- no ratings ---


def test_likes_alone_are_feedback_without_ratings(folder_of: FolderOf) -> None:
    raw = read_ratings(folder_of({"likes.parquet": as_parquet(without(make_rows("texts"), "rating", "timestamp"))}))
    ratings, report = clean(raw)
    assert raw.is_implicit
    assert len(ratings) == 300
    assert set(ratings["rating"]) == {1.0}
    assert report.scale == (1, 1, 0)
    assert describe_reading(raw, report.scale) == (
        "read user_id as the user, item_id as the item; no timestamps; no ratings: each row is one event"
    )


def test_repeated_events_are_counted(folder_of: FolderOf) -> None:
    rows = without(make_rows(), "rating")
    ratings, report = clean(read_ratings(folder_of({"own.csv": as_text([*rows, *rows[:100], *rows[:10]])})))
    assert len(ratings) == 300
    assert ratings["rating"].value_counts().to_dict() == {1.0: 200, 2.0: 90, 3.0: 10}
    assert (report.scale, report.dropped["duplicate"]) == ((1, 3, 1), 110)


def test_counts_are_feedback_without_ratings(folder_of: FolderOf) -> None:
    rows = renamed(with_ratings(make_rows(), [1, 250, 7, 0, -2]), rating="plays")
    raw = read_ratings(folder_of({"own.csv": as_text(rows)}))
    ratings, report = clean(raw)
    assert raw.is_implicit
    assert set(ratings["rating"]) == {1.0, 7.0, 250.0}
    assert report.dropped["unrated"] == 120
    assert "plays as the count" in describe_reading(raw, report.scale)
    assert describe_reading(raw, report.scale).endswith("no ratings: counts from 1 to 250")


@pytest.mark.parametrize(
    ("columns", "feedback", "is_implicit", "values"),
    [
        ({}, "implicit", True, {1.0}),
        ({"rating": None}, "auto", True, {1.0}),
        ({"rating": "rating"}, "implicit", True, {2.0, 3.0}),
        ({"rating": "rating"}, "auto", False, {2.0, 3.0}),
    ],
)
def test_feedback_may_be_declared(
    folder_of: FolderOf,
    columns: dict[str, Any],
    feedback: str,
    is_implicit: bool,  # noqa: FBT001
    values: set[float],
) -> None:
    folder = folder_of({"own.csv": as_text(with_ratings(make_rows(), [2, 3]))})
    raw = read_ratings(folder, source(**columns), feedback)
    assert raw.is_implicit == is_implicit
    assert set(clean(raw)[0]["rating"]) == values


def test_ratings_asked_for_must_be_there(folder_of: FolderOf) -> None:
    with pytest.raises(MovierecError, match="no column is called like the rating"):
        read_ratings(folder_of({"own.csv": as_text(without(make_rows(), "rating"))}), GUESS_ALL, "explicit")


# --- times ---


@pytest.mark.parametrize(
    ("form", "time_of"),
    [
        ("seconds", lambda t: t),
        ("seconds", lambda t: t + 0.25),
        ("milliseconds", lambda t: t * 1000 + 250),
        ("microseconds", lambda t: t * 10**6 + 250_000),
        ("nanoseconds", lambda t: t * 10**9 + 250_000),
        ("ISO 8601", lambda t: f"{np.datetime64(t, 's')}Z"),
        ("ISO 8601", lambda t: str(np.datetime64(t, "s"))),
        ("ISO 8601", lambda t: str(np.datetime64(t, "s")).replace("T", " ") + ".125"),
        ("ISO 8601", lambda t: f"{np.datetime64(t + 7200, 's')}+02:00"),
    ],
)
@pytest.mark.parametrize("name", ["own.csv", "own.jsonl", "own.parquet"])
def test_times_are_told_by_form_and_size(
    folder_of: FolderOf, name: str, form: str, time_of: Callable[[int], object]
) -> None:
    rows = [{**row, "timestamp": time_of(row["timestamp"])} for row in make_rows()]
    write = {"own.csv": as_text, "own.jsonl": as_json_lines, "own.parquet": as_parquet}[name]
    raw = read_ratings(folder_of({name: write(rows)}))
    assert raw.time_form == form
    assert own_rows(raw, clean(raw)[0]) == expected(make_rows())


def test_dates_alone_are_midnight(folder_of: FolderOf) -> None:
    rows = [{**row, "timestamp": "2020-09-13"} for row in make_rows()]
    assert set(read_ratings(folder_of({"own.csv": as_text(rows)})).table["timestamp"]) == {FIRST_TIME // 86400 * 86400}


def test_native_times_of_parquet(folder_of: FolderOf) -> None:
    folder = folder_of({})
    frame = pl.DataFrame(make_rows()).with_columns(pl.from_epoch("timestamp").dt.cast_time_unit("ms"))
    frame.write_parquet(folder / "own.parquet")
    raw = read_ratings(folder)
    assert raw.time_form == "dates and times"
    assert own_rows(raw, clean(raw)[0]) == expected(make_rows())


def test_unreadable_times_are_counted_by_line(folder_of: FolderOf) -> None:
    rows = [{**row, "timestamp": "13/09/2020"} for row in make_rows()]
    raw = read_ratings(folder_of({"own.csv": as_text(rows)}))
    assert (raw.broken["unreadable"], raw.first_broken_line) == (300, 2)


def test_without_times_there_is_no_column(folder_of: FolderOf) -> None:
    raw = read_ratings(folder_of({"own.csv": as_text(make_rows())}), source(timestamp=None))
    assert list(clean(raw)[0].columns) == ["user_id", "movie_id", "rating"]
    assert raw.time_form is None


# --- duplicates ---


@pytest.mark.parametrize(
    ("kind", "rating"), [("auto", 4.0), ("last", 4.0), ("first", 2.0), ("mean", 3.0), ("sum", 9.0)]
)
@pytest.mark.parametrize("has_times", [True, False])
def test_duplicates_are_merged_as_asked(folder_of: FolderOf, kind: str, rating: float, has_times: bool) -> None:  # noqa: FBT001
    same = {"user_id": 1, "item_id": 101}
    again = [{**same, "rating": r, "timestamp": t} for r, t in ((2, 1), (3, 2), (4, 3))]
    rows = [*without(make_rows()[5:]), *again]
    if not has_times:
        rows = without(rows, "timestamp")
    else:
        rows[-3:] = rows[:-4:-1]
    ratings, report = clean(read_ratings(folder_of({"own.csv": as_text(rows)})), duplicates=kind)
    assert ratings.iloc[0][["user_id", "movie_id", "rating"]].tolist() == [1, 101, rating]
    assert report.dropped["duplicate"] == 2
    if has_times:
        assert ratings["timestamp"].iloc[0] == (1 if kind == "first" else 3)


# --- small and odd ---


def test_one_user_is_enough(folder_of: FolderOf) -> None:
    rows = [{"user": "me", "item": f"i{n}", "rating": n % 5} for n in range(100)]
    ratings, _ = clean(read_ratings(folder_of({"own.csv": as_text(rows)})))
    assert set(ratings["user_id"]) == {1}


def test_too_few_ratings_are_refused_in_one_line(folder_of: FolderOf) -> None:
    rows = [{"user": "me", "item": f"i{n}", "rating": 3} for n in range(5)]
    with pytest.raises(MovierecError, match="only 5 of 5 ratings are left after cleaning"):
        clean(read_ratings(folder_of({"own.csv": as_text(rows)})))


def test_users_with_one_rating_are_kept(folder_of: FolderOf) -> None:
    rows = [{"user": f"u{n}", "item": n % 5, "rating": n % 3} for n in range(150)]
    ratings, _ = clean(read_ratings(folder_of({"own.csv": as_text(rows)})))
    assert (len(ratings), ratings["user_id"].nunique(), ratings["movie_id"].nunique()) == (150, 150, 5)
