"""Weights of rows and their degrees, against what they were drawn from."""

import numpy as np
import pytest
import scipy.stats

from movierec.models.gibbs.noise import DEGREES, LEAST_WEIGHT, RowNoise, score_degrees


def test_a_weight_is_the_inverse_of_the_scatter() -> None:
    counts = np.array([10_000, 10_000, 10_000])
    noise = RowNoise(counts)
    noise.draw(counts * np.array([1.0, 4.0, 0.25]), np.random.default_rng(0))
    np.testing.assert_allclose(noise.weights, [1, 0.25, 4], rtol=0.1)


def test_weights_have_a_floor() -> None:
    noise = RowNoise(np.array([100]))
    noise.draw(np.array([1e9]), np.random.default_rng(0))
    assert noise.weights.tolist() == [pytest.approx(LEAST_WEIGHT)]


def test_likelihood_of_degrees_is_scipys() -> None:
    weights = np.array([0.5, 1.2, 2.0])
    for degrees, found in zip(DEGREES, score_degrees(weights), strict=True):
        expected = scipy.stats.gamma(degrees / 2, scale=2 / degrees).logpdf(weights).sum()
        assert found == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("degrees", [4, 16, 64])
def test_degrees_are_found_again_from_rated_rows_alone(degrees: int) -> None:
    rng = np.random.default_rng(degrees)
    weights = rng.gamma(degrees / 2, 2 / degrees, 3000)
    counts = np.full(3500, 400)
    counts[3000:] = 0
    squares = np.zeros(3500)
    squares[:3000] = rng.chisquare(400, 3000) / weights
    noise = RowNoise(counts)
    for _ in range(20):
        noise.draw(squares, rng)
    assert abs(DEGREES.index(int(noise.degrees)) - DEGREES.index(degrees)) <= 1
