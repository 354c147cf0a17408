"""Blocks of rows that threads work on side by side, the same blocks whatever the number of threads."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from movierec.models.normal_equations import run_blocks, split_rows

MOST_BLOCKS: Final = 32
WORK_OF_A_BLOCK: Final = 25_000  # ratings; less is not worth handing to another thread

Floats = npt.NDArray[np.float32]
Task = Callable[[int, int], Any]
RandomTask = Callable[[int, int, np.random.Generator], Any]


class RowBlocks:
    """Rows of a matrix, divided into blocks with about the same number of ratings.

    Parameters
    ----------
    pool : ThreadPoolExecutor
        Threads to share the work among.
    indptr : ndarray of int, shape (rows + 1,)
        Where each row's ratings start.
    width : int
        What a row costs beside its ratings, in ratings.

    Attributes
    ----------
    rows : int
        How many.
    bounds : list of int
        Rising, from 0 to `rows`.
    """

    def __init__(self, pool: ThreadPoolExecutor, indptr: npt.NDArray[np.integer[Any]], width: int) -> None:
        self.pool, self.rows = pool, len(indptr) - 1
        work = int(indptr[-1]) + width * self.rows
        blocks = min(max(1, work // WORK_OF_A_BLOCK), MOST_BLOCKS)
        self.bounds = sorted(set(split_rows(indptr, width, blocks)))

    def run(self, task: Task) -> list[Any]:
        """Call ``task(first, last)`` for each block; return the results in the blocks' order."""
        return run_blocks(self.pool, task, self.bounds)

    def run_with_noise(self, rng: np.random.Generator, task: RandomTask) -> list[Any]:
        """Call ``task(first, last, rng)`` for each block with a generator of its own, derived from `rng`."""
        generators = dict(zip(self.bounds, rng.spawn(len(self.bounds)), strict=True))
        return self.run(lambda first, last: task(first, last, generators[first]))

    def multiply(self, left: Floats, right: Floats) -> Floats:
        """Return ``left @ right`` in float32, shape (rows, columns of `right`)."""
        product = np.empty((len(left), right.shape[1]), np.float32)
        self.run(lambda first, last: np.matmul(left[first:last], right, out=product[first:last]))
        return product

    def multiply_transposed(self, left: Floats, right: Floats) -> npt.NDArray[np.float64]:
        """Return ``left.T @ right``: products of blocks in float32, added in the blocks' order in float64."""
        parts = self.run(lambda first, last: left[first:last].T @ right[first:last])
        total: npt.NDArray[np.float64] = np.sum(parts, axis=0, dtype=np.float64)
        return total
