"""The mean of products as one product."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from movierec.models.gibbs.posterior_mean import PosteriorMean
from movierec.models.gibbs.row_blocks import RowBlocks


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


def test_one_product_scores_as_the_mean_of_all(pool: ThreadPoolExecutor) -> None:
    rng, mean = np.random.default_rng(0), PosteriorMean()
    expected = np.zeros((30, 20))
    for _ in range(3):
        users, movies = (rng.normal(size=(rows, 3)).astype(np.float16).astype(np.float32) for rows in (30, 20))
        mean.add(users, movies)
        expected += (users[:, :1] + movies[:, 0] + users[:, 1:] @ movies[:, 1:].T) / 3
    blocks = [RowBlocks(pool, np.arange(rows + 1) * 2000, 16) for rows in (30, 20)]
    users, movies = mean.factorize(blocks[0], blocks[1], 10, np.random.default_rng(1))
    assert (users.shape, movies.shape) == ((30, 11), (20, 11))
    np.testing.assert_allclose(users[:, :1] + movies[:, 0] + users[:, 1:] @ movies[:, 1:].T, expected, atol=1e-3)
    assert (users[:, 7:] == 0).all()  # three draws of two factors have rank six


def test_the_leading_directions_are_kept(pool: ThreadPoolExecutor) -> None:
    mean = PosteriorMean()
    mean.add(np.array([[0, 3, 0], [0, 0, 1]], np.float32), np.array([[0, 2, 0], [0, 0, 1]], np.float32))
    blocks = RowBlocks(pool, np.arange(3), 16)
    users, movies = mean.factorize(blocks, blocks, 1, np.random.default_rng(0))
    np.testing.assert_allclose(users[:, 1:] @ movies[:, 1:].T, [[6, 0], [0, 0]], atol=1e-5)
