"""Groups keep every order that matters."""

import itertools
from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import given
from hypothesis import strategies as st

from movierec.models.sgd.schedule import GROUP, Block, interleave

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
