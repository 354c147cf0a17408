"""Which rows are dropped, and how they are counted."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from movierec.data import clean
from movierec.data.clean import clean_ratings
from movierec.data.readers import RawRatings
from tests.data.clean.rows import ENOUGH, KEEP_ALL, NOTHING_BROKEN, Row, run, table_of


def test_clean_ratings_stay_as_they_are() -> None:
    ratings, report = run(ENOUGH)
    pd.testing.assert_frame_equal(ratings, table_of(ENOUGH))
    assert report.rows_in == 200
    assert set(report.dropped.values()) == {0}
    assert list(report.dropped) == [
        *NOTHING_BROKEN, "unrated", "outside_scale", "negative_timestamp",
        "duplicate", "not_sampled", "too_few_ratings",
    ]  # fmt: skip


def test_the_input_is_left_alone() -> None:
    rows = [*ENOUGH[::-1], (1, 1, 9, 0), ENOUGH[0]]
    raw = RawRatings([table_of(rows)], dict(NOTHING_BROKEN), None)
    list(clean_ratings(raw, **{**KEEP_ALL, "max_bad_fraction": 0.1, "sample_fraction": 0.9}, seed=0)[0])
    pd.testing.assert_frame_equal(raw.table, table_of(rows))
    assert raw.broken == NOTHING_BROKEN


@given(st.permutations(ENOUGH))
def test_the_order_of_distinct_pairs_does_not_matter(rows: list[Row]) -> None:
    pd.testing.assert_frame_equal(run(rows)[0], run(ENOUGH)[0])


def test_every_drop_is_counted_by_its_reason() -> None:
    rows: list[Row] = [
        *ENOUGH,
        (30, 1, 0, 5), (30, 2, 0.25, 5), (30, 3, 5.5, 5), (30, 4, -1, 5),  # off the scale
        (30, 5, 3, -1),  # before 1970
        (1, 1, 2, 0), (1, 1, 2, 1), (2, 7, 1, 0),  # again
        (40, 1, 3, 5), (40, 2, 3, 5),  # two ratings only
    ]  # fmt: skip
    broken = {"unreadable": 5, "rating_not_finite": 1}
    ratings, report = run(rows, broken=broken, max_bad_fraction=0.2, min_user_ratings=3, min_movie_ratings=2)
    pd.testing.assert_frame_equal(ratings, table_of(ENOUGH))
    assert report.dropped == {
        **broken,
        "unrated": 0,
        "outside_scale": 4,
        "negative_timestamp": 1,
        "duplicate": 3,
        "not_sampled": 0,
        "too_few_ratings": 2,
    }
    assert report.rows_in == len(rows) + 6 == len(ratings) + sum(report.dropped.values())


@pytest.mark.parametrize("stars", [0.5, 5, 1, 0.75, 4.99])
def test_the_scale_includes_its_ends(stars: float) -> None:
    ratings, report = run([*ENOUGH, (99, 1, stars, 0)])
    assert report.dropped["outside_scale"] == 0
    assert ratings["rating"].iloc[-1] == np.float32(stars)


@pytest.mark.parametrize("stars", [0.4999, 5.0001, 0, -3, 10, 1e30])
def test_off_the_scale_is_off(stars: float) -> None:
    ratings, report = run([*ENOUGH, (99, 1, stars, 0)], max_bad_fraction=0.01)
    assert report.dropped["outside_scale"] == 1
    assert 99 not in ratings["user_id"].to_numpy()


pairs = st.tuples(st.integers(1, 5), st.integers(1, 5))
some_rows = st.lists(
    st.builds(lambda pair, stars, time: (*pair, stars / 2, time), pairs, st.integers(-1, 13), st.integers(-2, 3)),
    max_size=40,
)


@given(some_rows)
def test_dropping_agrees_with_a_plain_loop(rows: list[Row]) -> None:
    latest: dict[tuple[int, int], tuple[int, int, float]] = {}
    valid = 0
    for position, (user, movie, stars, time) in enumerate(rows):
        if 0.5 <= stars <= 5 and time >= 0:
            valid += 1
            latest[user, movie] = max(latest.get((user, movie), (0, -1, 0.0)), (time, position, stars))
    expected = [(user, movie, stars, time) for (user, movie), (time, _, stars) in sorted(latest.items())]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clean, "FEWEST_RATINGS", 0)
        ratings, report = run(rows, max_bad_fraction=1.0)
    pd.testing.assert_frame_equal(ratings, table_of(expected))
    assert report.dropped["duplicate"] == valid - len(expected)
    assert report.dropped["outside_scale"] + report.dropped["negative_timestamp"] == len(rows) - valid
