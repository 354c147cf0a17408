"""Data that are not cleaned."""

from typing import Any

import pytest

from movierec.data.clean import FEWEST_RATINGS
from movierec.errors import MovierecError
from tests.data.clean.rows import ENOUGH, Row, run


def test_too_many_bad_rows_are_refused() -> None:
    rows: list[Row] = [*ENOUGH, (30, 1, 9, 5), (30, 2, 3, -5)]
    broken = {"unreadable": 2, "rating_not_finite": 1}
    expected = (
        r"^5 of 205 rows of the ratings file are bad \(unreadable 2, rating_not_finite 1, outside_scale 1, "
        r"negative_timestamp 1; the first unreadable one is line 17\), more than clean.max_bad_fraction 0.02 allows: "
        r"mend the file or raise the limit$"
    )
    with pytest.raises(MovierecError, match=expected):
        run(rows, broken=broken, first_broken_line=17, max_bad_fraction=0.02)


def test_off_scale_rows_alone_have_no_line() -> None:
    with pytest.raises(
        MovierecError, match=r"1 of 201 rows of the ratings file are bad \(outside_scale 1\), more than"
    ):
        run([*ENOUGH, (30, 1, 9, 5)])


def test_as_many_bad_rows_as_allowed_are_dropped() -> None:
    # 2 of 202 bad rows: a share of 0.0099
    assert len(run([*ENOUGH, (30, 1, 9, 5), (30, 2, 9, 5)], max_bad_fraction=2 / 202)[0]) == 200
    with pytest.raises(MovierecError, match="2 of 202 rows"):
        run([*ENOUGH, (30, 1, 9, 5), (30, 2, 9, 5)], max_bad_fraction=1.9 / 202)


def test_duplicates_are_not_bad() -> None:
    assert len(run([*ENOUGH, *ENOUGH], max_bad_fraction=0)[0]) == 200


@pytest.mark.parametrize(
    ("rows", "changes", "left"),
    [
        ([], {}, "0 of 0"),
        (ENOUGH[: FEWEST_RATINGS - 1], {}, "99 of 99"),
        (ENOUGH, {"sample_fraction": 0.4}, "80 of 200"),
        (ENOUGH, {"sample_fraction": 1e-9}, "0 of 200"),
        (ENOUGH, {"min_user_ratings": 11}, "0 of 200"),
        (ENOUGH, {"min_movie_ratings": 10**12}, "0 of 200"),
    ],
)
def test_too_few_ratings_are_refused(rows: list[Row], changes: dict[str, Any], left: str) -> None:
    expected = (
        rf"^only {left} ratings are left after cleaning \(at least 100 are needed\): lower clean.min_user_ratings"
    )
    with pytest.raises(MovierecError, match=expected):
        run(rows, **changes)


def test_just_enough_ratings_are_enough() -> None:
    assert len(run(ENOUGH[:FEWEST_RATINGS])[0]) == FEWEST_RATINGS
