"""Users choose what is popular and to their taste among what is out; whatever the threads and blocks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from movierec.data import movie_choice
from movierec.data.movie_choice import Choice, _find_lowest, choose_movies

USERS, MOVIES = 300, 120


def make_choice() -> Choice:
    """Let half of the users like the first half of the movies, and movies be the less popular the later they are."""
    liked = np.where(np.arange(USERS) % 2, 1.0, -1.0)[:, None]
    half = np.where(np.arange(MOVIES) < MOVIES // 2, 1.0, -1.0)[:, None]
    popularity = -0.02 * np.arange(MOVIES)
    year = 1990 + np.arange(MOVIES) % 10
    return Choice(liked.astype(np.float32), half.astype(np.float32), popularity.astype(np.float32), year)


def choose(**until: int) -> np.ndarray:
    years = np.full(USERS, until.get("year", 2000))
    return choose_movies(make_choice(), np.full(USERS, 20), years, seed=5).reshape(USERS, 20)


def test_each_user_takes_distinct_movies_that_are_out() -> None:
    chosen = choose(year=1994)
    assert chosen.dtype == np.int32
    assert all(len(set(row)) == 20 for row in chosen.tolist())
    assert (chosen % 10).max() == 4


def test_taste_and_popularity_count() -> None:
    chosen = choose()
    first_half = (chosen < MOVIES // 2).mean(axis=1)
    assert first_half[1::2].mean() > 0.95
    assert first_half[::2].mean() < 0.2
    own = chosen[1::2][chosen[1::2] < MOVIES // 2]
    assert (own < MOVIES // 4).mean() > 0.55


@pytest.mark.parametrize(("name", "value"), [("BLOCK_CELLS", 1), ("BLOCK_CELLS", 10**6), ("THREADS", 1)])
def test_blocks_and_threads_change_nothing(name: str, value: int, monkeypatch: pytest.MonkeyPatch) -> None:
    before = choose()
    monkeypatch.setattr(movie_choice, name, value)
    np.testing.assert_array_equal(choose(), before)


@given(st.lists(st.floats(0, 10), min_size=1, max_size=2000), st.data())
def test_the_lowest_are_found(values: list[float], data: st.DataObject) -> None:
    count = data.draw(st.integers(1, len(values)))
    found = _find_lowest(np.array(values), count)
    assert len(set(found.tolist())) == count
    assert sorted(np.array(values)[found]) == sorted(values)[:count]


def test_the_lowest_are_found_where_the_sample_misleads() -> None:
    values = np.ones(1600)
    values[::16] = 0.0
    assert sorted(_find_lowest(values, 50) % 16) == [0] * 50
    values = np.arange(1600.0)
    values[::16] = -1
    assert len(set(_find_lowest(values, 400).tolist())) == 400
