"""The solver of alternating least squares against NumPy in double precision."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest

from movierec.models.als_sides import LocalSide
from movierec.models.als_solver import AlternatingSolver
from movierec.models.indexed import IndexedRatings
from tests.models.conftest import make_ratings

FACTORS, PENALTY = 6, 0.7


def make_solver(ratings: pd.DataFrame, factors: int = FACTORS) -> AlternatingSolver:
    """Take stars for confidences."""
    data = IndexedRatings(ratings)
    by_user, by_movie = LocalSide(data.by_user, factors), LocalSide(data.by_movie, factors)
    return AlternatingSolver(by_user, by_movie, factors, PENALTY, seed=1)


def confidences(ratings: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return confidence and preference of every pair."""
    user, movie, stars = IndexedRatings(ratings).pairs
    confidence = np.ones((user.max() + 1, movie.max() + 1))
    confidence[user, movie] = stars
    preference = np.zeros_like(confidence)
    preference[user, movie] = 1
    return confidence, preference


def solve(other: np.ndarray, confidence: np.ndarray, preference: np.ndarray) -> np.ndarray:
    """Solve each row's equation with every pair written out."""
    systems = [(other.T * row) @ other + PENALTY * np.eye(other.shape[1]) for row in confidence]
    rights = [other.T @ (row * wanted) for row, wanted in zip(confidence, preference, strict=True)]
    return np.array([np.linalg.solve(system, right) for system, right in zip(systems, rights, strict=True)])


def test_a_sweep_solves_every_row(ratings: pd.DataFrame) -> None:
    confidence, preference = confidences(ratings)
    solver = make_solver(ratings)
    user, movie = np.empty(0), solver.movie_factors.astype(np.float64)
    with ThreadPoolExecutor(2) as pool:
        for _ in range(3):
            loss = solver.sweep(pool)
            user = solve(movie, confidence, preference)
            movie = solve(user, confidence.T, preference.T)
            np.testing.assert_allclose(solver.user_factors, user, rtol=1e-3, atol=1e-5)
            np.testing.assert_allclose(solver.movie_factors, movie, rtol=1e-3, atol=1e-5)
            squares = (confidence * (preference - user @ movie.T) ** 2).sum()
            penalty = PENALTY * ((user**2).sum() + (movie**2).sum())
            assert loss == pytest.approx((squares + penalty) / confidence.sum(), rel=1e-5)


def test_the_start_is_implicits(ratings: pd.DataFrame) -> None:
    solver, rng = make_solver(ratings), np.random.default_rng(1)
    for factors in (solver.user_factors, solver.movie_factors):
        np.testing.assert_array_equal(factors, rng.random(factors.shape, dtype=np.float32) * np.float32(0.01))


@pytest.mark.parametrize("threads", [2, 200])
def test_threads_change_no_bit(threads: int) -> None:
    ratings, results = make_ratings(4, 150, 90, 4000), []
    for count in (1, threads):
        solver = make_solver(ratings, 20)
        with ThreadPoolExecutor(count) as pool:
            losses = [solver.sweep(pool) for _ in range(3)]
        results.append((losses, solver.user_factors.tobytes(), solver.movie_factors.tobytes()))
    assert results[0] == results[1]


def test_a_row_without_ratings_of_weight_is_solved_too() -> None:
    ratings = make_ratings(0).assign(rating=np.float32(1))
    solver = make_solver(ratings)
    with ThreadPoolExecutor(1) as pool:
        assert 0 < solver.sweep(pool) < 1
    assert np.isfinite(solver.user_factors).all()
