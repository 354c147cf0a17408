from collections import Counter
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandera.errors import SchemaError, SchemaErrors

from movierec.data import clean
from movierec.data.clean import FEWEST_RATINGS, RATINGS_SCHEMA, clean_ratings
from movierec.data.duplicates import pair_keys
from movierec.data.limits import CleanReport
from movierec.data.readers import RawRatings
from movierec.errors import MovierecError
from movierec.scales import Scale

Row = tuple[int, int, float, int]
KEEP_ALL: dict[str, Any] = {
    "rating_scale": Scale(0.5, 5, 0.5),
    "sample_fraction": 1.0,
    "min_user_ratings": 1,
    "min_movie_ratings": 1,
    "iterate": True,
    "max_bad_fraction": 0.0,
}
NOTHING_BROKEN = {"unreadable": 0, "rating_not_finite": 0}
ENOUGH: list[Row] = [(user, movie, 3.5, 1000 + movie) for user in range(1, 21) for movie in range(1, 11)]


def table_of(rows: list[Row]) -> pd.DataFrame:
    users, movies, stars, times = np.array(rows, dtype=np.float64).reshape(-1, 4).T
    return pd.DataFrame(
        {
            "user_id": users.astype(np.int32),
            "movie_id": movies.astype(np.int32),
            "rating": stars.astype(np.float32),
            "timestamp": times.astype(np.int64),
        },
    )


def run(rows: list[Row], seed: int = 0, **changes: Any) -> tuple[pd.DataFrame, CleanReport]:
    broken = {**NOTHING_BROKEN, **changes.pop("broken", {})}
    first_broken_line = changes.pop("first_broken_line", None)
    pieces = [table_of(part) for part in (rows[:7], rows[7:])]
    tables, report = clean_ratings(RawRatings(pieces, broken, first_broken_line), **{**KEEP_ALL, **changes}, seed=seed)
    return pd.concat(tables, ignore_index=True), report


def pairs_of(ratings: pd.DataFrame) -> set[tuple[int, int]]:
    return {*zip(ratings["user_id"].tolist(), ratings["movie_id"].tolist(), strict=True)}


@pytest.fixture
def few_suffice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let examples be small."""
    monkeypatch.setattr(clean, "FEWEST_RATINGS", 0)


# --- nothing to do ---


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


# --- what is dropped ---


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


@pytest.mark.usefixtures("few_suffice")
def test_the_latest_rating_of_a_pair_stays() -> None:
    rows: list[Row] = [(2, 5, 1, 30), (1, 5, 2, 10), (2, 5, 3, 20), (2, 5, 4, 10), (1, 5, 4.5, 11)]
    ratings, report = run(rows)
    pd.testing.assert_frame_equal(ratings, table_of([(1, 5, 4.5, 11), (2, 5, 1, 30)]))
    assert report.dropped["duplicate"] == 3


@pytest.mark.usefixtures("few_suffice")
def test_the_last_in_the_file_stays_among_equals() -> None:
    rows: list[Row] = [(1, 5, 1, 10), (1, 5, 5, 10), (1, 4, 3, 9), (1, 5, 2, 10), (1, 5, 4, 9)]
    ratings, _ = run(rows)
    pd.testing.assert_frame_equal(ratings, table_of([(1, 4, 3, 9), (1, 5, 2, 10)]))


@pytest.mark.usefixtures("few_suffice")
def test_sorted_input_with_equal_pairs_is_no_shortcut() -> None:
    rows: list[Row] = [(1, 5, 1, 30), (1, 5, 2, 20), (1, 6, 3, 0)]
    assert run(rows)[0]["rating"].tolist() == [1, 3]


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


# --- samples ---


@pytest.mark.parametrize("fraction", [0.5, 0.75, 0.501, 0.9999])
def test_a_sample_has_the_size_asked_for(fraction: float) -> None:
    ratings, report = run(ENOUGH, sample_fraction=fraction)
    assert len(ratings) == round(200 * fraction)
    assert report.dropped["not_sampled"] == 200 - len(ratings)
    assert pairs_of(ratings) <= pairs_of(table_of(ENOUGH))


def test_the_seed_decides_the_sample() -> None:
    first, again, other = (run(ENOUGH, seed, sample_fraction=0.6)[0] for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(first, again)
    assert pairs_of(first) != pairs_of(other)


def test_the_order_of_the_file_does_not_change_the_sample() -> None:
    forth, back = (run(rows, sample_fraction=0.6)[0] for rows in (ENOUGH, ENOUGH[::-1]))
    pd.testing.assert_frame_equal(forth, back)


def test_samples_are_fair() -> None:
    taken = Counter[tuple[int, int]]()
    for seed in range(200):
        taken.update(pairs_of(run(ENOUGH, seed, sample_fraction=0.5)[0]))
    # each rating is in half of 200 samples: mean 100, standard deviation 7.07; 200 ratings, so five of them
    assert all(abs(taken[pair] - 100) < 36 for pair in pairs_of(table_of(ENOUGH)))


def test_sampling_comes_after_the_duplicates_and_before_the_counts() -> None:
    rows = [(user, movie, 3.0, 0) for user in range(1, 31) for movie in range(1, 11)]
    ratings, report = run([*rows, *rows], sample_fraction=0.5, min_user_ratings=5, min_movie_ratings=1)
    assert report.dropped["duplicate"] == 300
    assert report.dropped["not_sampled"] == 150
    assert report.dropped["too_few_ratings"] == 150 - len(ratings) > 0
    assert ratings["user_id"].value_counts().min() >= 5


# --- minimum counts ---

# User 1 rated movies 1 2 3, user 2 movies 1 2 4, user 3 movies 1 2, user 4 movie 1. At least two each, one pass:
# user 4 goes, then movies 3 and 4 (once each). Three a user: users 3 and 4 go, then movies 3 and 4, and now users 1
# and 2 have two ratings only; repeated, all goes.
CHAIN: list[Row] = [
    (user, movie, 3, 0) for user, movies in enumerate(("123", "124", "12", "1"), 1) for movie in map(int, movies)
]


@pytest.mark.usefixtures("few_suffice")
@pytest.mark.parametrize(
    ("min_user", "iterate", "left"),
    [
        (2, False, {(1, 1), (1, 2), (2, 1), (2, 2), (3, 1), (3, 2)}),
        (2, True, {(1, 1), (1, 2), (2, 1), (2, 2), (3, 1), (3, 2)}),
        (3, False, {(1, 1), (1, 2), (2, 1), (2, 2)}),
        (3, True, set()),
    ],
)
def test_minimum_counts_by_hand(min_user: int, iterate: bool, left: set[tuple[int, int]]) -> None:  # noqa: FBT001
    ratings, report = run(CHAIN, min_user_ratings=min_user, min_movie_ratings=2, iterate=iterate)
    assert pairs_of(ratings) == left
    assert report.dropped["too_few_ratings"] == len(CHAIN) - len(left)


def drop_once(pairs: set[tuple[int, int]], min_user: int, min_movie: int) -> set[tuple[int, int]]:
    users = Counter(user for user, _ in pairs)
    pairs = {pair for pair in pairs if users[pair[0]] >= min_user}
    movies = Counter(movie for _, movie in pairs)
    return {pair for pair in pairs if movies[pair[1]] >= min_movie}


@given(st.sets(st.tuples(st.integers(1, 9), st.integers(1, 9)), max_size=60), st.integers(1, 6), st.integers(1, 6))
def test_minimum_counts_agree_with_sets(pairs: set[tuple[int, int]], min_user: int, min_movie: int) -> None:
    rows: list[Row] = [(*pair, 3.0, 0) for pair in pairs]
    once = stable = drop_once(pairs, min_user, min_movie)
    while (fewer := drop_once(stable, min_user, min_movie)) != stable:
        stable = fewer
    limits = {"min_user_ratings": min_user, "min_movie_ratings": min_movie}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clean, "FEWEST_RATINGS", 0)
        assert pairs_of(run(rows, iterate=False, **limits)[0]) == once
        assert pairs_of(run(rows, iterate=True, **limits)[0]) == stable


# --- what is refused ---


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


# --- the contract of what remains ---

GOOD = table_of(ENOUGH[:3])


def test_schema_accepts_what_it_promises() -> None:
    pd.testing.assert_frame_equal(RATINGS_SCHEMA.validate(GOOD), GOOD)
    RATINGS_SCHEMA.validate(GOOD.drop(columns="timestamp"))


@pytest.mark.parametrize(
    ("table", "match"),
    [
        (GOOD.iloc[::-1], "pairs sorted and unique"),
        (pd.concat([GOOD, GOOD.iloc[2:]]), "pairs sorted and unique"),
        (GOOD.assign(user_id=np.array([2, 1, 1], dtype=np.int32)), "pairs sorted and unique"),
        (GOOD.assign(user_id=np.array([-1, 1, 1], dtype=np.int32)), r"greater_than_or_equal_to\(0\)"),
        (GOOD.assign(movie_id=np.array([-1, 2, 3], dtype=np.int32)), r"greater_than_or_equal_to\(0\)"),
        (GOOD.assign(rating=np.float32(np.inf)), "finite"),
        (GOOD.assign(rating=np.float32(np.nan)), "non-nullable"),
        (GOOD.assign(timestamp=np.int64(-1)), r"greater_than_or_equal_to\(0\)"),
        (GOOD.assign(user_id=GOOD["user_id"].astype(np.int64)), "type int32"),
        (GOOD.assign(rating=GOOD["rating"].astype(np.float64)), "type float32"),
        (GOOD.assign(timestamp=GOOD["timestamp"].astype(np.int32)), "type int64"),
        (GOOD.assign(tag="x"), "COLUMN_NOT_IN_SCHEMA"),
        (GOOD[["movie_id", "user_id", "rating", "timestamp"]], "out-of-order"),
        (GOOD.drop(columns="rating"), "not in dataframe"),
    ],
)
def test_schema_refuses_what_breaks_the_promise(table: pd.DataFrame, match: str) -> None:
    with pytest.raises((SchemaError, SchemaErrors), match=match):
        RATINGS_SCHEMA.validate(table)


def test_a_reader_that_breaks_its_promise_is_caught() -> None:
    rows = table_of([(-1, 1, 3, 0), *ENOUGH])
    with pytest.raises(SchemaError, match=r"greater_than_or_equal_to\(0\)"):
        list(clean_ratings(RawRatings([rows], dict(NOTHING_BROKEN), None), **KEEP_ALL, seed=0)[0])


ids = st.integers(1, 2**31 - 1)


@given(st.lists(st.tuples(ids, ids), min_size=2))
def test_pair_keys_order_as_pairs_do(pairs: list[tuple[int, int]]) -> None:
    keys = pair_keys(table_of([(*pair, 3.0, 0) for pair in pairs])).tolist()
    assert all(key > 0 for key in keys)
    for (one, one_key), (other, other_key) in zip(
        zip(pairs, keys, strict=True), zip(pairs[1:], keys[1:], strict=True), strict=False
    ):
        assert (one < other, one == other) == (one_key < other_key, one_key == other_key)
