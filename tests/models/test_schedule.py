"""Schedules keep every order that matters, and blocks never share a parameter."""

import itertools
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from movierec.models.schedule import GROUP, Block, Strata, interleave, stratify
from tests.models.conftest import make_ratings

Rows = npt.NDArray[np.int32]
SIZES = st.fixed_dictionaries(
    {
        "seed": st.integers(0, 999),
        "users": st.integers(1, 150),
        "movies": st.integers(1, 60),
        "n": st.integers(0, 600),
        "ascending": st.booleans(),
    }
)
TILE = st.tuples(st.integers(1, 70), st.integers(1, 70))


def draw(
    seed: int, users: int, movies: int, n: int, *, ascending: bool = False
) -> tuple[Rows, Rows, npt.NDArray[np.float64]]:
    """Draw ratings sorted by user, with repeated pairs; each rating's value is its number."""
    rng = np.random.default_rng(seed)
    user = np.sort(rng.integers(users, size=n)).astype(np.int32)
    movie = rng.integers(movies, size=n).astype(np.int32)
    if ascending:
        movie = movie[np.lexsort((movie, user))]
    return user, movie, np.arange(n, dtype=np.float64)


def numbers_by(rows: Rows, block: Block) -> dict[int, list[int]]:
    return {row: block.rating[rows == row].astype(int).tolist() for row in set(rows.tolist())}


@given(SIZES, TILE)
def test_interleaving_keeps_the_order_of_each_user_and_movie(sizes: dict[str, Any], tile: tuple[int, int]) -> None:
    user, movie, number = draw(**sizes)
    block = interleave(user, movie, number, tile)
    taken = block.rating.astype(int)
    assert sorted(taken) == list(range(len(user)))
    np.testing.assert_array_equal(block.user, user[taken])
    np.testing.assert_array_equal(block.movie, movie[taken])
    for rows in (block.user, block.movie):
        assert all(numbers == sorted(numbers) for numbers in numbers_by(rows, block).values())


@given(SIZES, TILE)
def test_groups_share_no_user_and_no_movie(sizes: dict[str, Any], tile: tuple[int, int]) -> None:
    block = interleave(*draw(**sizes), tile)
    groups = block.group_sizes.astype(int)
    assert groups.sum() == sizes["n"]
    assert sizes["n"] == 0 or (groups.min() >= 1 and groups.max() <= GROUP)
    for first, last in itertools.pairwise([0, *np.cumsum(groups)]):
        for rows in (block.user, block.movie):
            assert len(set(rows[first:last])) == last - first


def test_groups_by_hand() -> None:
    user = np.array([0, 0, 1, 1, 2], dtype=np.int32)
    movie = np.array([5, 6, 5, 7, 7], dtype=np.int32)
    # First user 0 on 5: user 1 must wait for it, and user 2 for user 1's turn on 7.
    # Then user 0 on 6 beside user 1 on 5; then user 1 on 7; then user 2 on 7.
    block = interleave(user, movie, np.arange(5.0))
    assert block.group_sizes.tolist() == [1, 2, 1, 1]
    assert block.rating.tolist() == [0, 1, 2, 3, 4]


def test_tiles_by_hand() -> None:
    user = np.array([0, 0, 1, 1, 2, 2], dtype=np.int32)
    movie = np.array([0, 3, 1, 2, 0, 2], dtype=np.int32)
    # Users 0 and 1 on movies 0 and 1, then on 2 and 3; then user 2 alone.
    block = interleave(user, movie, np.arange(6.0), tile=(2, 2))
    assert block.group_sizes.tolist() == [2, 2, 1, 1]
    assert block.rating.tolist() == [0, 2, 1, 3, 4, 5]


def test_most_groups_are_full_on_data_with_a_long_tail() -> None:
    rng = np.random.default_rng(0)
    user = np.repeat(np.arange(400, dtype=np.int32), 50)
    weight = 1 / (20.0 + rng.permutation(3000))
    movie = np.sort(rng.choice(3000, (400, 50), p=weight / weight.sum()), axis=1).ravel().astype(np.int32)
    sizes = interleave(user, movie, np.zeros(len(user))).group_sizes
    assert (sizes == GROUP).mean() > 0.8


def blocks_of(strata: Strata) -> list[list[slice]]:
    """Return the ratings of each stratum's blocks."""
    parts = len(strata.starts)
    return [[slice(*strata.starts[part, stratum : stratum + 2]) for part in range(parts)] for stratum in range(parts)]


@pytest.mark.parametrize("parts", [1, 2, 3, 8])
@pytest.mark.parametrize("n", [1, 9, 2000])
def test_strata_hold_each_rating_once_in_blocks_that_share_nothing(parts: int, n: int) -> None:
    user, movie, number = draw(3, 90, 70, n)
    strata = stratify(user, movie, number, parts, np.random.default_rng(0))
    taken = strata.rating.astype(int)
    assert Counter(taken) == Counter(range(n))
    np.testing.assert_array_equal(strata.user, user[taken])
    np.testing.assert_array_equal(strata.movie, movie[taken])
    assert strata.starts[0, 0] == 0
    np.testing.assert_array_equal(strata.starts[1:, 0], strata.starts[:-1, -1])
    assert strata.starts[-1, -1] == n
    for stratum in blocks_of(strata):
        for one, other in itertools.combinations(stratum, 2):
            assert not set(strata.user[one]) & set(strata.user[other])
            assert not set(strata.movie[one]) & set(strata.movie[other])


@pytest.mark.parametrize("n", [3, 4, 7, 11])
def test_a_block_is_taken_from_four_places_in_turn(n: int) -> None:
    user = np.arange(n, dtype=np.int32)
    strata = stratify(user, user * 0, np.arange(float(n)), 1, np.random.default_rng(0))
    in_turn = {3: [], 4: [0, 1, 2, 3], 7: [0, 1, 2, 3], 11: [0, 2, 4, 6, 1, 3, 5, 7]}[n]
    assert strata.rating.tolist() == [*in_turn, *range(len(in_turn), n)]


def test_strata_do_not_depend_on_threads() -> None:
    ratings = draw(5, 90, 70, 2000)
    alone = stratify(*ratings, 8, np.random.default_rng(1))
    with ThreadPoolExecutor(5) as pool:
        together = stratify(*ratings, 8, np.random.default_rng(1), pool.map)
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one, other)


def test_parts_hold_about_equally_many_ratings() -> None:
    ratings = make_ratings(0, 200, 100, 8000)
    user, movie = ((ratings[name] // by).to_numpy(np.int32) for name, by in (("user_id", 3), ("movie_id", 5)))
    strata = stratify(user, movie, np.zeros(8000), 4, np.random.default_rng(0))
    assert np.diff(strata.starts).max() < 1.3 * 8000 / 16
