"""Users choose what is popular and to their taste among what is out, by races and by rejection."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from movierec.data import movie_choice, movie_draws
from movierec.data.movie_choice import STRENGTH, Choice, _find_lowest, choose_movies
from movierec.data.movie_draws import draw_movies, group_movies
from movierec.seeds import rng

USERS, MOVIES = 300, 120


def make_choice() -> Choice:
    """Let half of the users like the first half of the movies, and movies be the less popular the later they are."""
    liked = np.where(np.arange(USERS) % 2, 1.0, -1.0)[:, None]
    half = np.where(np.arange(MOVIES) < MOVIES // 2, 1.0, -1.0)[:, None]
    popularity = -0.02 * np.arange(MOVIES)
    year = 1990 + np.arange(MOVIES) % 10
    return Choice(liked.astype(np.float32), half.astype(np.float32), popularity.astype(np.float32), year)


def choose(by: Callable[..., np.ndarray] = choose_movies, **until: int) -> np.ndarray:
    years = np.full(USERS, until.get("year", 2000))
    return by(make_choice(), np.full(USERS, 20), years, seed=5).reshape(USERS, 20)


@pytest.fixture(params=["races", "rejection", "rejection without patience"])
def by(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Callable[..., np.ndarray]:
    if request.param == "rejection without patience":
        monkeypatch.setattr(movie_draws, "PATIENCE", 0.05)  # after 6 proposals, a race
    return choose_movies if request.param == "races" else draw_movies


def test_each_user_takes_distinct_movies_that_are_out(by: Callable[..., np.ndarray]) -> None:
    chosen = choose(by, year=1994)
    assert chosen.dtype == np.int32
    assert all(len(set(row)) == 20 for row in chosen.tolist())
    assert (chosen % 10).max() == 4


def test_taste_and_popularity_count(by: Callable[..., np.ndarray]) -> None:
    chosen = choose(by)
    first_half = (chosen < MOVIES // 2).mean(axis=1)
    assert first_half[1::2].mean() > 0.95
    assert first_half[::2].mean() < 0.2
    own = chosen[1::2][chosen[1::2] < MOVIES // 2]
    assert (own < MOVIES // 4).mean() > 0.55


def make_world(users: int, movies: int) -> Choice:
    """Draw tastes in three dimensions, popularities and years."""
    draw = rng(1, "tests", "world").normal
    user_taste, movie_taste = (draw(0, 0.5, (rows, 3)).astype(np.float32) for rows in (users, movies))
    return Choice(user_taste, movie_taste, draw(size=movies).astype(np.float32), np.full(movies, 1990))


def test_no_movie_is_more_to_a_user_than_its_group_allows() -> None:
    choice = make_world(50, 400)
    groups = group_movies(choice)
    assert sorted(groups.movie.tolist()) == list(range(400))
    bound = np.hstack([choice.user_taste, np.abs(choice.user_taste)]) @ groups.box
    wanted = STRENGTH * choice.user_taste @ choice.movie_taste[groups.movie].T
    assert (wanted <= np.repeat(bound, np.diff(groups.start), axis=1) + 1e-5).all()


def test_movies_alike_make_one_group() -> None:
    alike = Choice(
        np.ones((5, 2), np.float32), np.ones((40, 2), np.float32), np.zeros(40, np.float32), np.full(40, 1990)
    )
    assert group_movies(alike).start.tolist() == [0, 40]
    assert sorted(draw_movies(alike, np.array([40, 3, 1, 1, 1]), np.full(5, 1990), seed=1)[:40]) == list(range(40))


@pytest.mark.parametrize("patience", [0, 0.5, 100])  # a race alone, or after three proposals, or none
def test_rejection_draws_in_proportion_without_replacement(patience: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(movie_draws, "PATIENCE", patience)
    monkeypatch.setattr(movie_draws, "MOST_GROUPS", 3)  # wide ones, so that much is rejected
    one, users = make_world(1, 300), 40_000
    few = Choice(np.repeat(one.user_taste, users, axis=0), one.movie_taste[:6], one.log_popularity[:6], one.year[:6])
    monkeypatch.setattr(movie_draws, "group_movies", lambda choice: group_movies(make_spread(choice)))
    chosen = draw_movies(few, np.full(users, 2), np.full(users, 1990), seed=3).reshape(users, 2)
    weight = np.exp(few.log_popularity + STRENGTH * one.user_taste[0] @ few.movie_taste.T)
    share = weight / weight.sum()
    taken = share + np.array([sum(share[j] * share[i] / (1 - share[j]) for j in range(6) if j != i) for i in range(6)])
    np.testing.assert_allclose(np.bincount(chosen.ravel()) / users, taken, atol=5 * 0.5 / np.sqrt(users))
    assert (chosen[:, 0] < chosen[:, 1]).mean() == pytest.approx(0.5, abs=5 * 0.5 / np.sqrt(users))  # in any order


def make_spread(choice: Choice) -> Choice:
    """Give users who are all alike the tastes of many, by which movies are parted."""
    return choice._replace(user_taste=make_world(50, 6).user_taste)


@pytest.mark.parametrize(("name", "value"), [("BLOCK_CELLS", 1), ("BLOCK_CELLS", 10**6), ("THREADS", 1)])
def test_blocks_and_threads_change_nothing(name: str, value: int, monkeypatch: pytest.MonkeyPatch) -> None:
    before = choose()
    monkeypatch.setattr(movie_choice, name, value)
    np.testing.assert_array_equal(choose(), before)


def test_threads_do_not_change_what_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(movie_draws, "BLOCK_USERS", 7)
    before = choose(draw_movies)
    monkeypatch.setattr(movie_draws, "THREADS", 1)
    np.testing.assert_array_equal(choose(draw_movies), before)


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
