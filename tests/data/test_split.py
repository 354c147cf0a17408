from functools import partial
from typing import get_args

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from movierec.data.split import PARTS, Method, describe_split, split_ratings
from movierec.errors import MovierecError

METHODS = get_args(Method)


def ratings_of(triples: list[tuple[int, int, int]]) -> pd.DataFrame:
    """Make a table of (user, movie, timestamp), sorted as the contract says."""
    users, movies, times = zip(*sorted(triples), strict=True)
    return pd.DataFrame(
        {
            "user_id": np.array(users, dtype=np.int32),
            "movie_id": np.array(movies, dtype=np.int32),
            "rating": np.tile(np.array([0.5, 3, 5], dtype=np.float32), len(users))[: len(users)],
            "timestamp": np.array(times, dtype=np.int64),
        },
    )


def split(
    ratings: pd.DataFrame, method: Method, validation: float, test: float, seed: int = 1
) -> dict[str, pd.DataFrame]:
    return split_ratings(ratings, method, validation, test, seed)


@st.composite
def tables(draw: st.DrawFn) -> pd.DataFrame:
    pairs = draw(st.sets(st.tuples(st.integers(1, 6), st.integers(1, 30)), min_size=12, max_size=90))
    times = draw(st.lists(st.integers(0, 40), min_size=len(pairs), max_size=len(pairs)))
    return ratings_of([(*pair, time) for pair, time in zip(pairs, times, strict=True)])


shares = st.sampled_from([(0.1, 0.2), (0.25, 0.25), (1 / 3, 1 / 3), (0.15, 0.1), (0.4, 0.5)])


@given(tables(), shares, st.sampled_from(METHODS))
def test_every_rating_is_in_exactly_one_part(ratings: pd.DataFrame, sizes: tuple[float, float], method: Method) -> None:
    try:
        parts = split(ratings, method, *sizes)
    except MovierecError:
        assume(False)
    assert tuple(parts) == PARTS
    together = pd.concat(parts.values()).sort_values(["user_id", "movie_id"], ignore_index=True)
    pd.testing.assert_frame_equal(together, ratings)
    for table in parts.values():
        assert table.equals(table.sort_values(["user_id", "movie_id"], ignore_index=True))


@given(tables(), shares, st.sampled_from(["random", "temporal"]))
def test_shares_are_kept_within_one_rating(ratings: pd.DataFrame, sizes: tuple[float, float], method: Method) -> None:
    parts = split(ratings, method, *sizes)
    assert abs(len(parts["validation"]) - sizes[0] * len(ratings)) <= 1 + 1e-9
    assert abs(len(parts["test"]) - sizes[1] * len(ratings)) <= 1 + 1e-9


@given(tables(), shares)
def test_shares_are_kept_within_each_user(ratings: pd.DataFrame, sizes: tuple[float, float]) -> None:
    try:
        parts = split(ratings, "per_user_temporal", *sizes)
    except MovierecError:
        assume(False)
    for user, count in ratings["user_id"].value_counts().items():
        for name, share in zip(PARTS[1:], sizes, strict=True):
            assert abs((parts[name]["user_id"] == user).sum() - share * count) <= 1 + 1e-9


@given(tables(), shares)
def test_temporal_never_trains_on_the_future(ratings: pd.DataFrame, sizes: tuple[float, float]) -> None:
    parts = split(ratings, "temporal", *sizes)
    times = [parts[name]["timestamp"] for name in PARTS]
    assert times[0].max() <= times[1].min()
    assert times[1].max() <= times[2].min()


@given(tables(), shares)
def test_temporal_never_trains_on_a_users_future(ratings: pd.DataFrame, sizes: tuple[float, float]) -> None:
    try:
        parts = split(ratings, "per_user_temporal", *sizes)
    except MovierecError:
        assume(False)
    for _, one in pd.concat(parts, names=["part"]).reset_index("part").groupby("user_id"):
        times = [one.loc[one["part"] == name, "timestamp"] for name in PARTS]
        for earlier, later in ((0, 1), (1, 2), (0, 2)):
            assert times[earlier].empty or times[later].empty or times[earlier].max() <= times[later].min()


def test_temporal_by_hand() -> None:
    # ten ratings in the order of their times: 7 to train, 1 to validation, 2 to test
    times = [50, 10, 90, 30, 70, 100, 20, 80, 40, 60]
    parts = split(ratings_of([(1, movie, time) for movie, time in enumerate(times)]), "temporal", 0.1, 0.2)
    assert sorted(parts["train"]["timestamp"]) == [10, 20, 30, 40, 50, 60, 70]
    assert parts["validation"]["timestamp"].tolist() == [80]
    assert parts["test"]["timestamp"].tolist() == [90, 100]
    assert parts["test"]["movie_id"].tolist() == [2, 5]


def test_equal_times_are_ordered_by_user_and_movie() -> None:
    triples = [(user, movie, 7) for user in (1, 2) for movie in (10, 20, 30, 40, 50)]
    parts = split(ratings_of(triples), "temporal", 0.2, 0.3)
    pairs = {name: [*zip(table["user_id"], table["movie_id"], strict=True)] for name, table in parts.items()}
    assert pairs["train"] == [(1, 10), (1, 20), (1, 30), (1, 40), (1, 50)]
    assert pairs["validation"] == [(2, 10), (2, 20)]
    assert pairs["test"] == [(2, 30), (2, 40), (2, 50)]


@pytest.mark.parametrize("method", ["temporal", "per_user_temporal"])
def test_a_tie_never_depends_on_the_sorting(method: Method) -> None:
    # half the ratings at one time and half at another: an unstable sort shuffles so many
    ratings = ratings_of([(user, movie, movie % 2) for user in (1, 2) for movie in range(1, 1001)])
    parts = split(ratings, method, 0.1, 0.2)
    wanted = ["timestamp", "user_id", "movie_id"] if method == "temporal" else ["user_id", "timestamp", "movie_id"]
    for _, one in ratings.groupby("user_id") if method == "per_user_temporal" else [(0, ratings)]:
        ordered = one.sort_values(wanted, ignore_index=True)
        test = parts["test"].merge(one)
        last = ordered.iloc[-len(ordered) // 5 :].sort_values(["user_id", "movie_id"], ignore_index=True)
        pd.testing.assert_frame_equal(test, last)


def test_per_user_temporal_by_hand() -> None:
    # user 1 (times 1..5) and user 2 (times 105..101, so movies in reverse): 3 to train, 1 to validation, 1 to test
    triples = [(1, movie, movie) for movie in range(1, 6)] + [(2, movie, 106 - movie) for movie in range(1, 6)]
    parts = split(ratings_of(triples), "per_user_temporal", 0.2, 0.2)
    pairs = {name: [*zip(table["user_id"], table["movie_id"], strict=True)] for name, table in parts.items()}
    assert pairs["train"] == [(1, 1), (1, 2), (1, 3), (2, 3), (2, 4), (2, 5)]
    assert pairs["validation"] == [(1, 4), (2, 2)]
    assert pairs["test"] == [(1, 5), (2, 1)]


def test_a_user_with_one_rating_is_trained_on() -> None:
    triples = [(1, 1, 5)] + [(2, movie, movie) for movie in range(1, 11)]
    parts = split(ratings_of(triples), "per_user_temporal", 0.1, 0.2)
    assert 1 in parts["train"]["user_id"].to_numpy()


def test_the_seed_decides_the_random_split_alone() -> None:
    ratings = ratings_of([(user, movie, 97 * movie % 31) for user in range(1, 11) for movie in range(1, 21)])
    for method in METHODS:
        first, again, other = (split(ratings, method, 0.1, 0.2, seed) for seed in (1, 1, 2))
        assert all(first[name].equals(again[name]) for name in PARTS)
        by_chance = method in {"random", "cold_movies"}
        assert all(first[name].equals(other[name]) for name in PARTS) != by_chance


@given(tables(), shares)
def test_cold_movies_are_in_one_part_alone(ratings: pd.DataFrame, sizes: tuple[float, float]) -> None:
    try:
        parts = split(ratings, "cold_movies", *sizes)
    except MovierecError:
        assume(False)
    movies = [set(table["movie_id"]) for table in parts.values()]
    total = len(set.union(*movies))
    assert sum(map(len, movies)) == total
    for held_out, share in zip(movies[1:], sizes, strict=True):
        assert abs(len(held_out) - share * total) <= 1 + 1e-9


def test_random_split_is_fair() -> None:
    ratings = ratings_of([(user, movie, 0) for user in range(1, 101) for movie in range(1, 101)])
    test = split(ratings, "random", 0.1, 0.2)["test"]
    # a user's ratings in test: mean 20, variance 100 * 0.2 * 0.8 = 16; 100 users, so five of them are 20 from the mean
    counts = test["user_id"].value_counts()
    assert len(counts) == 100
    assert counts.between(1, 40).all()
    assert counts.var() == pytest.approx(16, rel=0.6)


@pytest.mark.parametrize(
    ("method", "n", "validation", "test", "empty"),
    [
        ("random", 3, 0.01, 0.4, "validation"),
        ("random", 3, 0.1, 0.01, "validation"),
        ("temporal", 2, 0.5, 0.1, "test"),
        ("temporal", 1, 0.6, 0.3, "train"),
        ("per_user_temporal", 2, 0.3, 0.2, "test"),
        ("cold_movies", 3, 0.1, 0.01, "validation"),
    ],
)
def test_refuses_an_empty_part(method: Method, n: int, validation: float, test: float, empty: str) -> None:
    ratings = ratings_of([(1, movie, movie) for movie in range(1, n + 1)])
    with pytest.raises(MovierecError, match=f"split.method {method} leaves no ratings for {empty} out of {n}: change"):
        split(ratings, method, validation, test)


def test_users_with_few_ratings_may_leave_no_test() -> None:
    # of two ratings each, at 1/4 and 3/4, none reaches the last fifth
    ratings = ratings_of([(user, movie, movie) for user in range(1, 50) for movie in (1, 2)])
    with pytest.raises(MovierecError, match="per_user_temporal leaves no ratings for test out of 98"):
        split(ratings, "per_user_temporal", 0.1, 0.2)


def test_counts_by_hand() -> None:
    parts = {
        "train": ratings_of([(1, 10, 0), (1, 20, 0), (2, 10, 0)]),
        "validation": ratings_of([(1, 30, 0), (2, 20, 0)]),
        "test": ratings_of([(1, 40, 0), (3, 10, 0), (3, 40, 0), (4, 50, 0), (2, 20, 0)]),
    }
    assert describe_split({name: partial(list, [table]) for name, table in parts.items()}) == {
        "train": {"ratings": 3, "users": 2, "movies": 2},
        "validation": {
            "ratings": 2,
            "users": 2,
            "movies": 2,
            "users_not_in_train": 0,
            "movies_not_in_train": 1,  # 30
            "ratings_not_in_train": 1,
        },
        "test": {
            "ratings": 5,
            "users": 4,
            "movies": 4,
            "users_not_in_train": 2,  # 3 and 4
            "movies_not_in_train": 2,  # 40 and 50
            "ratings_not_in_train": 4,  # all but (2, 20)
        },
    }
