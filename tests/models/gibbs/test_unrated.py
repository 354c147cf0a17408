"""Rows without ratings: regressed on content, drawn like rated ones, lifted by what a user usually chooses."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest

from movierec.columns import MOVIE_ID, RATING, USER_ID
from movierec.models.gibbs.chain import Chain
from movierec.models.gibbs.setup import prepare_ratings, start_chain
from movierec.models.gibbs.unrated import PENALTY, SHARE, STRENGTH, draw_unrated, offset_users, regress_rows

WAR, DRAMA, STRANGER = 4, 5, 6  # rows: four rated movies, then a war film and a drama that nobody rated
MOVIES = pd.DataFrame({MOVIE_ID: np.arange(1, 7, dtype=np.int32), "genres": [["War"], ["Drama"]] * 3})
RATINGS = pd.DataFrame(
    {
        USER_ID: np.array([1, 1, 1, 2, 2], dtype=np.int32),
        MOVIE_ID: np.array([1, 2, 3, 3, 4], dtype=np.int32),
        RATING: np.array([5, 4, 5, 2, 1], dtype=np.float32),
    }
)


@pytest.fixture(scope="module")
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as threads:
        yield threads


@pytest.fixture(scope="module")
def chain(pool: ThreadPoolExecutor) -> Chain:
    return start_chain(prepare_ratings(RATINGS, MOVIES, by_day=False), 7, 0, 0, pool)


def make_rows(*biases: float) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    rows = np.zeros((len(biases), 8), np.float32)
    rows[:, 0] = biases
    return rows


def test_content_answers_for_rows_without_ratings(chain: Chain) -> None:
    rows = make_rows(1.0, 0.0, 0.8, -0.2, 99, 99, 99)
    expected = regress_rows(chain.movies, rows)[:, 0]
    # Mean 0.4; genres are one direction of singular value root 2 (flags 0.5 and -0.5, twice): 0.5 each way, shrunken.
    lift = 0.5 * 2 / (2 + PENALTY)
    np.testing.assert_allclose(expected[[0, 1, WAR, DRAMA, STRANGER]], 0.4 + lift * np.array([1, -1, 1, -1, 0]), 1e-5)


def test_without_content_all_are_the_mean(chain: Chain) -> None:
    np.testing.assert_allclose(regress_rows(chain.users, make_rows(1, 2, 99))[:, 0], [1.5] * 3)


def test_unrated_rows_differ_as_a_rated_one_does(chain: Chain) -> None:
    rows = make_rows(1.0, 0.0, 0.8, -0.2, 99, 99, 99)
    expected = regress_rows(chain.movies, rows)[:, 0]
    rng = np.random.default_rng(0)
    drawn = np.array([draw_unrated(chain.movies, rows, rng)[:, 0] for _ in range(40)])
    assert (drawn[:, :4] == rows[:4, 0]).all()
    differences = np.unique((drawn[:, WAR:] - expected[WAR:]).round(5))
    np.testing.assert_allclose(differences, np.sort(rows[:4, 0] - expected[:4]), atol=2e-5)


def test_strangers_have_some_users_side_information(chain: Chain) -> None:
    rows = make_rows(1, 2, 99)
    chain.users.distribution.explained[:, 0] = [0.25, -0.5, 0.125]
    drawn = {float(draw_unrated(chain.users, rows, np.random.default_rng(seed))[2, 0]) for seed in range(20)}
    assert drawn == {99.125, 98.375}


def test_a_users_offset_is_the_shrunken_mean_of_what_content_leaves(chain: Chain) -> None:
    users, expected = make_rows(0.5, -0.5, 0), make_rows(0.1, 0.2, 0.1, 0.2, 0.1, 0.2, 0.15)
    users[0, 1], expected[0, 1] = 2.0, 0.25  # with the factors, half a star more for movie 1
    residuals = [1.6 - 0.6 - 0.5, 0.6 - 0.7, 1.6 - 0.6], [-1.4 + 0.4, -2.4 + 0.3]  # stars less their mean of 3.4
    mean = (sum(residuals[0]) + sum(residuals[1])) / 5
    shrunken = [(sum(each) + STRENGTH * mean) / (len(each) + STRENGTH) for each in (*residuals, [])]
    np.testing.assert_allclose(offset_users(chain, users, expected), SHARE * np.array(shrunken), rtol=1e-5)
