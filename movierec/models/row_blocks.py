"""Blocks of rows that threads work on side by side, the same blocks whatever the number of threads."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from movierec.models.normal_equations import split_rows

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
    bounds : list of (int, int)
        First row of each block and the row after its last; none is empty.
    """

    def __init__(self, pool: ThreadPoolExecutor, indptr: npt.NDArray[np.integer[Any]], width: int) -> None:
        self.pool, self.rows = pool, len(indptr) - 1
        work = int(indptr[-1]) + width * self.rows
        blocks = min(max(1, work // WORK_OF_A_BLOCK), MOST_BLOCKS)
        self.bounds = [block for block in pairwise(split_rows(indptr, width, blocks)) if block[0] < block[1]]

    def run(self, task: Task) -> list[Any]:
        """Call ``task(first, last)`` for each block; return the results in the blocks' order."""
        return list(self.pool.map(lambda block: task(*block), self.bounds))

    def run_with_noise(self, rng: np.random.Generator, task: RandomTask) -> list[Any]:
        """Call ``task(first, last, rng)`` for each block with a generator of its own, derived from `rng`."""
        jobs = zip(self.bounds, rng.spawn(len(self.bounds)), strict=True)
        return list(self.pool.map(lambda job: task(*job[0], job[1]), jobs))

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
