"""From a table to the sampler's start: order, rows without ratings, side information."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest

from movierec.columns import MOVIE_ID, RATING, TIMESTAMP, USER_ID
from movierec.models.gibbs.setup import prepare_ratings, start_chain

RATINGS = pd.DataFrame(
    {
        USER_ID: np.array([4, 2, 4, 4, 2], dtype=np.int32),
        MOVIE_ID: np.array([30, 10, 10, 20, 30], dtype=np.int32),
        RATING: np.array([5, 3, 4, 1, 2], dtype=np.float32),
        TIMESTAMP: np.array([86_400, 5, 0, 86_500, 6]),
    }
)
MOVIES = pd.DataFrame(
    {
        MOVIE_ID: np.array([10, 20, 30, 99], dtype=np.int32),
        "year": pd.array([1990, 2000, 1991, 2001], dtype="Int16"),
        "genres": [["Drama"], ["War"], [], ["War"]],
    }
)


def test_ratings_are_sorted_by_user_day_and_movie() -> None:
    data = prepare_ratings(RATINGS, MOVIES, by_day=True)
    assert data.users.ids.tolist() == [2, 4]
    assert data.movies.ids.tolist() == [10, 20, 30]
    assert data.unrated.ids.tolist() == [99]
    assert (data.user.tolist(), data.movie.tolist()) == ([0, 0, 1, 1, 1], [0, 2, 0, 1, 2])
    assert data.stars.tolist() == [3, 2, 4, 1, 5]
    assert data.day is not None
    assert data.day.tolist() == [0, 0, 0, 1, 1]


@pytest.mark.parametrize("table", [RATINGS.drop(columns=TIMESTAMP), RATINGS])
def test_days_are_left_out_where_unknown_or_unwanted(table: pd.DataFrame) -> None:
    data = prepare_ratings(table, None, by_day=TIMESTAMP not in table)
    assert data.day is None
    assert data.stars.tolist() == [3, 2, 4, 1, 5]
    assert len(data.unrated) == 0


def test_the_start_has_rows_for_strangers_and_for_listed_movies() -> None:
    data = prepare_ratings(RATINGS, MOVIES, by_day=True)
    with ThreadPoolExecutor(2) as pool:
        chain = start_chain(data, 3, 2, 0, pool)
    assert chain.users.drawn.shape == (2 + 1, 16)
    assert chain.movies.drawn.shape == (3 + 1 + 1, 16)
    assert chain.users.ratings.indptr.tolist() == [0, 2, 5, 5]
    assert chain.movies.ratings.indptr.tolist() == [0, 2, 3, 5, 5, 5]
    np.testing.assert_allclose(chain.users.ratings.targets, [0, -1, 1, -2, 2])
    np.testing.assert_allclose(chain.movies.ratings.targets, [0, 1, -2, -1, 2])
    assert chain.movies.ratings.columns.tolist() == [0, 1, 1, 0, 1]
    assert chain.days is not None
    assert (chain.days.days.indptr.tolist(), chain.days.days.user.tolist()) == ([0, 2, 3, 5], [0, 1, 1])
    content = chain.movies.distribution.maps["content"].basis.scores
    np.testing.assert_allclose(content[3], content[1], atol=1e-6)  # both are war films of the noughties
    np.testing.assert_allclose(content[4], content[:3].mean(axis=0), atol=1e-6)
    assert set(chain.users.distribution.maps) <= {"bags", "counts"}


def test_without_directions_there_are_no_bags() -> None:
    with ThreadPoolExecutor(1) as pool:
        chain = start_chain(prepare_ratings(RATINGS, None, by_day=False), 3, 0, 0, pool)
    assert set(chain.movies.distribution.maps) == {"counts"}
    assert chain.days is None
