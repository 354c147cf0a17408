"""Schedules keep every order that matters, and blocks never share a parameter."""

import itertools
from collections import Counter

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from movierec.models.schedule import GROUP, Block, interleave, stratify
from tests.models.conftest import make_ratings

Rows = npt.NDArray[np.int32]


def draw(seed: int, users: int, movies: int, n: int) -> tuple[Rows, Rows, npt.NDArray[np.float64]]:
    """Draw ratings sorted by user, with repeated pairs; each rating's value is its number."""
    rng = np.random.default_rng(seed)
    user = np.sort(rng.integers(users, size=n)).astype(np.int32)
    return user, rng.integers(movies, size=n).astype(np.int32), np.arange(n, dtype=np.float64)


def numbers_by(rows: Rows, block: Block) -> dict[int, list[int]]:
    return {row: block.rating[rows == row].astype(int).tolist() for row in set(rows.tolist())}


@given(seed=st.integers(0, 999), users=st.integers(1, 150), movies=st.integers(1, 60), n=st.integers(0, 600))
def test_interleaving_keeps_the_order_of_each_user_and_movie(seed: int, users: int, movies: int, n: int) -> None:
    user, movie, number = draw(seed, users, movies, n)
    block = interleave(user, movie, number)
    taken = block.rating.astype(int)
    assert sorted(taken) == list(range(n))
    np.testing.assert_array_equal(block.user, user[taken])
    np.testing.assert_array_equal(block.movie, movie[taken])
    for rows in (block.user, block.movie):
        assert all(numbers == sorted(numbers) for numbers in numbers_by(rows, block).values())


@given(seed=st.integers(0, 999), users=st.integers(1, 150), movies=st.integers(1, 60), n=st.integers(0, 600))
def test_groups_share_no_user_and_no_movie(seed: int, users: int, movies: int, n: int) -> None:
    block = interleave(*draw(seed, users, movies, n))
    sizes = block.group_sizes.astype(int)
    assert sizes.sum() == n
    assert n == 0 or (sizes.min() >= 1 and sizes.max() <= GROUP)
    for first, last in itertools.pairwise([0, *np.cumsum(sizes)]):
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


def test_most_groups_are_full_on_data_with_a_long_tail() -> None:
    rng = np.random.default_rng(0)
    user = np.repeat(np.arange(400, dtype=np.int32), 50)
    weight = 1 / (20.0 + rng.permutation(3000))
    movie = np.sort(rng.choice(3000, (400, 50), p=weight / weight.sum()), axis=1).ravel().astype(np.int32)
    sizes = interleave(user, movie, np.zeros(len(user))).group_sizes
    assert (sizes == GROUP).mean() > 0.8


@pytest.mark.parametrize("blocks", [1, 2, 3, 8])
def test_strata_hold_each_rating_once_in_blocks_that_share_nothing(blocks: int) -> None:
    user, movie, number = draw(3, 90, 70, 2000)
    strata = stratify(user, movie, number, blocks, np.random.default_rng(0))
    assert [len(stratum) for stratum in strata] == [blocks] * blocks
    held = np.concatenate([block.rating for stratum in strata for block in stratum])
    assert Counter(held) == Counter(number)
    for stratum in strata:
        for one, other in itertools.combinations(stratum, 2):
            assert not set(one.user) & set(other.user)
            assert not set(one.movie) & set(other.movie)


def test_parts_hold_about_equally_many_ratings() -> None:
    ratings = make_ratings(0, 200, 100, 8000)
    user = (ratings["user_id"] // 3).to_numpy(dtype=np.int32)
    strata = stratify(
        user, (ratings["movie_id"] // 5).to_numpy(dtype=np.int32), np.zeros(8000), 4, np.random.default_rng(0)
    )
    assert max(len(block.user) for stratum in strata for block in stratum) < 1.3 * 8000 / 16
