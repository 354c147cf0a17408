"""Sweeps: what they leave consistent, that they find what made the ratings, and that they depend on nothing else."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest

from movierec.columns import MOVIE_ID, RATING, USER_ID
from movierec.errors import MovierecError
from movierec.models.gibbs.chain import Chain
from movierec.models.gibbs.setup import prepare_ratings, start_chain


def run(ratings: pd.DataFrame, pool: ThreadPoolExecutor, sweeps: int, seed: int = 0) -> Chain:
    chain = start_chain(prepare_ratings(ratings, None, by_day=True), 3, 4, seed, pool)
    for _ in range(sweeps):
        chain.draw_users()
        chain.draw_movies()
    return chain


def test_residuals_are_what_factors_and_days_leave(ratings: pd.DataFrame) -> None:
    with ThreadPoolExecutor(2) as pool:
        chain = run(ratings, pool, 6)
    users, movies = chain.users, chain.movies
    user, movie = np.repeat(np.arange(len(users.drawn)), np.diff(users.ratings.indptr)), users.ratings.columns
    scores = users.drawn[user, 0] + movies.drawn[movie, 0]
    scores += (users.drawn[user, 1:] * movies.drawn[movie, 1:]).sum(axis=1)
    assert chain.days is not None
    np.testing.assert_allclose(chain.residuals, chain.centred - scores - chain.days.by_rating(), atol=1e-4)
    np.testing.assert_array_equal(movies.ratings.targets, users.ratings.targets[chain.movie_order])
    assert np.abs(users.drawn[:, 4:]).max() == 0  # the padding


def test_threads_and_runs_change_no_bit_but_the_seed_does(ratings: pd.DataFrame) -> None:
    chains = []
    for threads, seed in ((1, 0), (3, 0), (1, 1)):
        with ThreadPoolExecutor(threads) as pool:
            chains.append(run(ratings, pool, 5, seed))
    np.testing.assert_array_equal(chains[0].users.drawn, chains[1].users.drawn)
    assert chains[0].precision == chains[1].precision != chains[2].precision


def make_ratings(deviation: float) -> pd.DataFrame:
    """Draw ratings from the model itself, with three factors."""
    rng = np.random.default_rng(0)
    pair = np.sort(rng.choice(150 * 80, 5000, replace=False))
    user, movie = pair // 80, pair % 80
    users, movies = rng.normal(0, 0.8, (150, 3)), rng.normal(0, 0.8, (80, 3))
    stars = 3 + rng.normal(0, 0.5, 150)[user] + (users[user] * movies[movie]).sum(axis=1)
    noise = deviation * rng.standard_normal(5000)
    return pd.DataFrame({USER_ID: user, MOVIE_ID: movie, RATING: stars + noise})


@pytest.mark.parametrize("deviation", [0.3, 1.0])
def test_the_noise_that_made_the_ratings_is_found(deviation: float) -> None:
    precisions = []
    with ThreadPoolExecutor(2) as pool:
        chain = run(make_ratings(deviation), pool, 30)
        for _ in range(20):
            chain.draw_users()
            chain.draw_movies()
            precisions.append(
                chain.precision * np.mean(chain.users.noise.weights) * np.mean(chain.movies.noise.weights)
            )
    assert 1 / np.sqrt(np.mean(precisions)) == pytest.approx(deviation, rel=0.1)


def test_equations_without_a_solution_are_told(ratings: pd.DataFrame) -> None:
    with ThreadPoolExecutor(1) as pool:
        chain = run(ratings, pool, 1)
        chain.users.distribution.precision *= -1e9
        with pytest.raises(MovierecError, match="^the Bayesian factorisation diverges: lower its factors$"):
            chain.draw_users()
