"""Blocks cover all rows, whatever the number of threads, and their products are NumPy's."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from movierec.models.gibbs.row_blocks import MOST_BLOCKS, RowBlocks


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


def blocks_of(pool: ThreadPoolExecutor, rows: int, ratings: int) -> RowBlocks:
    return RowBlocks(pool, np.arange(rows + 1) * ratings, 16)


def test_little_work_is_one_block_and_much_work_many(pool: ThreadPoolExecutor) -> None:
    assert blocks_of(pool, 10, 10).bounds == [0, 10]
    many = blocks_of(pool, 1000, 10_000).bounds
    assert (many[0], many[-1], len(many)) == (0, 1000, MOST_BLOCKS + 1)


def test_each_block_has_its_own_noise_and_always_the_same(pool: ThreadPoolExecutor) -> None:
    blocks = blocks_of(pool, 100, 5000)

    def draw(seed: int) -> np.ndarray:
        rng = np.random.default_rng(seed)
        return np.concatenate(blocks.run_with_noise(rng, lambda first, last, own: own.standard_normal(last - first)))

    assert draw(1).shape == (100,)
    assert len(set(draw(1))) == 100
    np.testing.assert_array_equal(draw(1), draw(1))
    assert (draw(1) != draw(2)).all()


def test_products_are_those_of_numpy(pool: ThreadPoolExecutor) -> None:
    blocks, rng = blocks_of(pool, 200, 2000), np.random.default_rng(0)
    assert len(blocks.bounds) > 5
    left, right = rng.normal(size=(200, 7)).astype(np.float32), rng.normal(size=(200, 3)).astype(np.float32)
    np.testing.assert_allclose(blocks.multiply(left, left.T), left @ left.T, atol=1e-5)
    np.testing.assert_allclose(blocks.multiply_transposed(left, right), left.T @ right, atol=1e-4)
