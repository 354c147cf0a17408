"""Half a sweep of alternating least squares: the equations of one side, block by block, wherever its ratings lie."""

from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from itertools import pairwise
from typing import Final, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from movierec.compiled import njit
from movierec.models.indexed import Grouped
from movierec.models.normal_equations import (
    BATCH,
    Kernel,
    add_ratings,
    factorize_system,
    pad_width,
    run_blocks,
    solve_factor,
    solve_transposed,
    split_rows,
)

BLOCKS: Final = 64  # of rows: as many threads or tasks at most; sums over them are taken in their order

Floats = npt.NDArray[np.float32]


class Equations(NamedTuple):
    """What the equations of all rows of one side have in common.

    Attributes
    ----------
    other : ndarray of float32, shape (n, width)
        The other side's padded factors.
    gram : ndarray of float32, shape (width, width)
        Their ``Y.T Y`` with the penalty, and 1 on the diagonal of the padding.
    pull : ndarray of float32, shape (rows, width) or (0, width)
        Added to the right sides; see `compile_half_sweep`.
    """

    other: Floats
    gram: Floats
    pull: Floats


class Side(Protocol):
    """The ratings of one side by row, with float32 confidences above 0, wherever they lie."""

    indptr: npt.NDArray[np.int64]

    @property
    def total(self) -> float:
        """The sum of all confidences: of each block's, then of the blocks'."""

    def solve(self, equations: Equations, out: Floats, pool: ThreadPoolExecutor) -> float:
        """Overwrite `out`; return the sum of ``x . b`` over its rows: in each block, then over the blocks."""


class LocalSide:
    """A side in this process's memory.

    Parameters
    ----------
    ratings : Grouped
        With float32 confidences above 0 in place of stars.
    factors : int
        Latent dimension, by which rows are divided into blocks.
    """

    def __init__(self, ratings: Grouped, factors: int) -> None:
        self.ratings, self.indptr = ratings, ratings.indptr
        self._bounds = split_side(ratings.indptr, factors)

    @property
    def total(self) -> float:
        """The sum of all confidences: of each block's, then of the blocks'."""
        return sum(sum_confidences(self.ratings, *rows) for rows in pairwise(self._bounds))

    def solve(self, equations: Equations, out: Floats, pool: ThreadPoolExecutor) -> float:
        """Overwrite `out`; return the sum of ``x . b`` over its rows: in each block, then over the blocks."""
        return float(sum(run_blocks(pool, partial(solve_block, self.ratings, equations, out), self._bounds)))


def split_side(indptr: npt.NDArray[np.int64], factors: int) -> list[int]:
    """Divide a side's rows into `BLOCKS` blocks of about equal work, by which every sum over rows is taken.

    Parameters
    ----------
    indptr : ndarray of int, shape (rows + 1,)
        Where each row's ratings start.
    factors : int
        Latent dimension.

    Returns
    -------
    list of int
        As from `split_rows`.
    """
    return split_rows(indptr, pad_width(factors), BLOCKS)


def sum_confidences(ratings: Grouped, first: int, last: int) -> float:
    """Return the sum of the confidences of rows `first` to `last`."""
    return float(ratings.stars[ratings.indptr[first] : ratings.indptr[last]].sum(dtype=np.float64))


def solve_block(ratings: Grouped, equations: Equations, out: Floats, first: int, last: int) -> float:
    """Solve rows `first` to `last` of a side into `out`; return the sum of ``x . b``, NaN without a unique solution."""
    explained: float = compile_half_sweep(out.shape[1])(first, last, *ratings, *equations, out)
    return explained


@cache
def compile_half_sweep(width: int) -> Kernel:
    """Return the kernel for factors padded to this width, compiled when it is first called and kept on disk.

    It is called as ``(first, last, indptr, indices, confidences, other, gram, pull, out)``, solves rows `first` to
    `last` into `out`, and returns the sum of ``x . b`` over them, or NaN at an equation without a unique solution.
    `pull` has one row for each of `out`, added to ``b``, or none.
    """

    @njit()
    def solve_rows(first, last, indptr, indices, confidences, other, gram, pull, out):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
        system, scratch = np.empty((width, width), np.float32), np.zeros((2, BATCH, width), np.float32)
        right, explained = np.empty(width, np.float32), 0.0
        for row in range(first, last):
            start, end = indptr[row], indptr[row + 1]
            system[:] = gram
            if len(pull):
                right[:] = pull[row]
            else:
                right[:] = 0
            confidence = confidences[start:end]
            add_ratings(
                system, right, scratch, other, indices[start:end], confidence - np.float32(1), confidence, width
            )
            if not factorize_system(system, width):
                return np.nan
            solve_transposed(system, right, width)
            for j in range(width):
                explained += np.float64(right[j]) ** 2
            solve_factor(system, right, width)
            out[row] = right
        return explained

    return solve_rows
