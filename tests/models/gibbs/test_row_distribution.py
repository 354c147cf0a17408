"""The rows' common distribution is found again from rows that were drawn from it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from movierec.models.gibbs.row_blocks import RowBlocks
from movierec.models.gibbs.row_distribution import RowDistribution, draw_wishart_root
from movierec.models.gibbs.side_information import Basis, decompose_features

ROWS = 4000
COVARIANCE = np.array([[0.5, 0.2, 0.0], [0.2, 0.3, 0.1], [0.0, 0.1, 0.4]])
EFFECTS = np.array([[1.0, 0.0, -1.0], [0.0, 0.5, 0.5]])


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


def average(distribution: RowDistribution, rows: np.ndarray) -> dict[str, np.ndarray]:
    """Return the means of 40 draws given the rows."""
    rng, draws = np.random.default_rng(1), []
    for sweep in range(50):
        distribution.draw(rows, rng)
        if sweep >= 10:
            maps = [linear.contribution for linear in distribution.maps.values()]
            covariance = distribution.inverse_root.T @ distribution.inverse_root
            draws.append((distribution.mean, covariance, distribution.precision, sum(maps, np.zeros_like(rows))))
    names = ("mean", "covariance", "precision", "explained")
    return {name: np.mean(values, axis=0) for name, values in zip(names, zip(*draws, strict=True), strict=True)}


def test_mean_and_covariance_are_found(pool: ThreadPoolExecutor) -> None:
    rows = np.random.default_rng(0).multivariate_normal([1.0, -2.0, 0.0], COVARIANCE, ROWS).astype(np.float32)
    blocks = RowBlocks(pool, np.arange(ROWS + 1) * 50, 16)
    found = average(RowDistribution(blocks, ROWS, 3, {}), rows)
    np.testing.assert_allclose(found["mean"], [1, -2, 0], atol=0.05)
    np.testing.assert_allclose(found["covariance"], COVARIANCE, atol=0.03)
    np.testing.assert_allclose(found["precision"], np.linalg.inv(COVARIANCE), rtol=0.1, atol=0.3)


def make_rows_with_features() -> tuple[np.ndarray, np.ndarray, Basis]:
    rng = np.random.default_rng(2)
    features = rng.normal(size=(ROWS, 2))
    noise = rng.multivariate_normal(np.zeros(3), COVARIANCE, ROWS)
    return (features @ EFFECTS + noise).astype(np.float32), features, decompose_features(features)


def test_effects_of_features_are_found(pool: ThreadPoolExecutor) -> None:
    rows, features, basis = make_rows_with_features()
    blocks = RowBlocks(pool, np.arange(ROWS + 1) * 50, 16)
    found = average(RowDistribution(blocks, ROWS, 3, {"features": basis}), rows)
    np.testing.assert_allclose(found["covariance"], COVARIANCE, atol=0.03)
    np.testing.assert_allclose(found["explained"], (features - features.mean(axis=0)) @ EFFECTS, atol=0.15)


def test_rows_without_ratings_get_a_mean_and_teach_nothing(pool: ThreadPoolExecutor) -> None:
    rows, _, basis = make_rows_with_features()
    more = basis.extend(np.array([[1.0, 0.0]])).extend_by_mean(1, np.ones(ROWS, dtype=int))
    longer = np.vstack([rows, np.full((2, 3), 1e3)]).astype(np.float32)
    blocks = RowBlocks(pool, np.arange(ROWS + 3), 16)
    distribution = RowDistribution(blocks, ROWS, 3, {"features": more})
    found = average(distribution, longer)
    np.testing.assert_allclose(found["covariance"], COVARIANCE, atol=0.03)
    np.testing.assert_allclose(found["explained"][-2:], [EFFECTS[0], [0, 0, 0]], atol=0.1)


def test_a_basis_without_directions_is_left_out(pool: ThreadPoolExecutor) -> None:
    blocks = RowBlocks(pool, np.arange(5), 16)
    assert RowDistribution(blocks, 4, 3, {"same": decompose_features(np.ones((4, 2)))}).maps == {}


def test_wishart_draws_have_its_mean() -> None:
    rng = np.random.default_rng(3)
    draws = [root @ root.T for root in (draw_wishart_root(COVARIANCE * 20, 20, rng) for _ in range(4000))]
    np.testing.assert_allclose(np.mean(draws, axis=0), np.linalg.inv(COVARIANCE), rtol=0.06, atol=0.06)
