"""The sampler's loops against the same formulas in NumPy."""

import numpy as np
import pytest

from movierec.models.gibbs.kernels import (
    DayDraws,
    Days,
    Other,
    Prior,
    RatingsBySide,
    compile_draw_rows,
    compute_residuals,
    draw_day_effects,
    sum_squares,
)

WIDTH = 16
RNG = np.random.default_rng(0)
RATINGS = RatingsBySide(
    np.array([0, 3, 3, 8]), RNG.integers(6, size=8).astype(np.int32), RNG.normal(size=8).astype(np.float32)
)  # three users, the second without ratings
WEIGHTS = RNG.uniform(0.5, 2, 6).astype(np.float32)
MOVIES = RNG.normal(size=(6, WIDTH)).astype(np.float32)


def hold(rows: np.ndarray, weights: np.ndarray) -> Other:
    design = rows.copy()
    design[:, 0] = 1
    return Other(design, rows[:, 0].copy(), weights)


def make_prior() -> tuple[np.ndarray, np.ndarray, Prior]:
    root = RNG.normal(size=(WIDTH, WIDTH))
    precision, centre = root @ root.T / WIDTH + np.eye(WIDTH), RNG.normal(size=(3, WIDTH))
    return precision, centre, Prior(precision.astype(np.float32), (centre @ precision).astype(np.float32))


def solve(row: int, precision: np.ndarray, centre: np.ndarray, of_row: float) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and covariance of a row's conditional distribution."""
    other, part = hold(MOVIES, WEIGHTS), slice(RATINGS.indptr[row], RATINGS.indptr[row + 1])
    design = other.design[RATINGS.columns[part]].astype(np.float64)
    weight = of_row * WEIGHTS[RATINGS.columns[part]]
    target = RATINGS.targets[part] - other.bias[RATINGS.columns[part]]
    covariance = np.linalg.inv(precision + (design.T * weight) @ design)
    return covariance @ (precision @ centre[row] + design.T @ (weight * target)), covariance


def draw(noise: np.ndarray, prior: Prior, precisions: list[float]) -> tuple[np.ndarray, np.ndarray]:
    drawn, mean = np.zeros((2, 3, WIDTH), np.float32)
    arguments = (RATINGS, hold(MOVIES, WEIGHTS), prior, np.array(precisions, np.float32), noise, drawn, mean)
    assert compile_draw_rows(WIDTH)(0, 3, *arguments)
    return drawn, mean


def test_conditional_means_are_numpys() -> None:
    precision, centre, prior = make_prior()
    drawn, mean = draw(np.zeros((3, WIDTH), np.float32), prior, [1.0, 2.0, 3.0])
    np.testing.assert_array_equal(drawn, mean)
    for row in range(3):
        np.testing.assert_allclose(mean[row], solve(row, precision, centre, row + 1.0)[0], atol=1e-5)
    np.testing.assert_allclose(mean[1], centre[1], atol=1e-5)


def test_draws_have_the_conditional_covariance() -> None:
    precision, centre, prior = make_prior()
    unit = np.eye(WIDTH, dtype=np.float32)
    columns = []
    for n in range(WIDTH):
        drawn, mean = draw(np.tile(unit[n], (3, 1)), prior, [1.0, 1.0, 1.0])
        columns.append(drawn - mean)
    for row in range(3):
        spread = np.array([column[row] for column in columns])
        np.testing.assert_allclose(spread.T @ spread, solve(row, precision, centre, 1.0)[1], atol=1e-5)


def test_a_prior_that_is_no_precision_is_told() -> None:
    prior = Prior(-np.eye(WIDTH, dtype=np.float32), np.zeros((3, WIDTH), np.float32))
    drawn, mean, noise = np.zeros((3, 3, WIDTH), np.float32)
    arguments = (RATINGS, hold(MOVIES, WEIGHTS), prior, np.ones(3, np.float32), noise, drawn, mean)
    assert not compile_draw_rows(WIDTH)(0, 3, *arguments)


def test_residuals_and_their_squares() -> None:
    users = RNG.normal(size=(3, WIDTH)).astype(np.float32)
    residuals, sums = np.empty(8, np.float32), np.empty(3)
    compute_residuals(0, 3, RATINGS, RATINGS.targets, hold(users, WEIGHTS[:3]), MOVIES, residuals)
    row = np.repeat([0, 1, 2], np.diff(RATINGS.indptr))
    scores = users[row, 0] + MOVIES[RATINGS.columns, 0]
    scores += (users[row, 1:] * MOVIES[RATINGS.columns, 1:]).sum(axis=1)
    np.testing.assert_allclose(residuals, RATINGS.targets - scores, atol=1e-5)
    sum_squares(0, 3, RATINGS, residuals, WEIGHTS, sums)
    expected = np.bincount(row, WEIGHTS[RATINGS.columns] * residuals.astype(np.float64) ** 2, 3)
    np.testing.assert_allclose(sums, expected, rtol=1e-6)


def test_a_day_is_drawn_around_its_shrunken_weighted_mean() -> None:
    days = Days(np.array([0, 2, 3]), np.array([0, 1], dtype=np.int32))
    columns, weights = np.array([0, 1, 0], dtype=np.int32), np.array([1.0, 3.0], dtype=np.float32)
    residuals, precisions = np.array([1.0, 2.0, -1.0], dtype=np.float32), np.array([1.0, 2.0])
    draws = DayDraws(np.zeros(2), np.zeros(2), np.zeros(2))
    noise = np.array([0.0, 1.0], dtype=np.float32)
    draw_day_effects(0, 2, days, columns, residuals, precisions, weights, 4.0, noise, draws)
    assert draws.precision.tolist() == [1 + 3, 2]
    assert draws.mean.tolist() == pytest.approx([(1 * 1 + 3 * 2) / (4 + 4), 2 * -1 / (2 + 4)])
    assert draws.effect.tolist() == pytest.approx([7 / 8, -1 / 3 + 1 / np.sqrt(6)])
