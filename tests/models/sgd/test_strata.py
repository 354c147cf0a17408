"""Strata hold every rating, and their blocks never share a parameter."""

import itertools
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from movierec.models.sgd.strata import Strata, stratify
from tests.models.conftest import make_ratings
from tests.models.sgd.test_schedule import draw


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
    np.testing.assert_array_equal(np.argsort(strata.movie_place)[strata.movie], movie[taken])
    assert strata.starts[0, 0] == 0
    np.testing.assert_array_equal(strata.starts[1:, 0], strata.starts[:-1, -1])
    assert strata.starts[-1, -1] == n
    for stratum in blocks_of(strata):
        for one, other in itertools.combinations(stratum, 2):
            assert not set(strata.user[one]) & set(strata.user[other])
            assert not set(strata.movie[one]) & set(strata.movie[other])
            low, high = sorted([strata.movie[one], strata.movie[other]], key=lambda places: places.max(initial=-1))
            assert low.max(initial=-1) < high.min(initial=len(strata.movie_place))


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
