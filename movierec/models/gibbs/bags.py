"""Leading directions of the bags of what each row rated, whatever the stars."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from movierec.compiled import njit
from movierec.models.gibbs.row_blocks import RowBlocks
from movierec.models.gibbs.side_information import Basis
from movierec.models.gibbs.subspace import Operator, find_directions

POWER_ITERATIONS: Final = 2

Floats = npt.NDArray[np.float32]
Indices = npt.NDArray[np.integer[Any]]


class Bags:
    """What one side's rows rated, as the rows of a matrix whose cells are 1 / sqrt(ratings of the row), or 0.

    Parameters
    ----------
    blocks : RowBlocks
        Of the rows.
    indptr : ndarray of int64, shape (rows + 1,)
        Where each row's ratings start.
    columns : ndarray of int32, shape (ratings,)
        What was rated.
    """

    def __init__(self, blocks: RowBlocks, indptr: Indices, columns: Indices) -> None:
        self.blocks, self.indptr, self.columns = blocks, indptr, columns
        self.scale = scale_bags(np.diff(indptr))

    def add_rows(self, dense: Floats) -> Floats:
        """Add for each row the rows of `dense` that it rated, shape (rows, columns of `dense`)."""
        sums = np.zeros((self.blocks.rows, dense.shape[1]), np.float32)
        self.blocks.run(lambda first, last: _add_rows(first, last, self.indptr, self.columns, dense, sums))
        return sums


def scale_bags(counts: npt.ArrayLike) -> Floats:
    """Return 1 / sqrt(ratings) of each row, shape (rows, 1); 1 where there are none."""
    return np.asarray(1 / np.sqrt(np.maximum(counts, 1)), dtype=np.float32)[:, None]


def decompose_bags(rows: Bags, columns: Bags, directions: int, rng: np.random.Generator) -> Basis:
    """Find the leading directions of what each row rated, around the mean bag.

    Parameters
    ----------
    rows, columns : Bags
        The ratings by row, and the same by column.
    directions : int
        How many; fewer where the centred matrix has a lower rank.
    rng : numpy.random.Generator
        Draws the start of the search.

    Returns
    -------
    Basis
        Of the bags.
    """
    mean = columns.add_rows(rows.scale)[:, 0] / np.float32(rows.blocks.rows)

    def apply(dense: Floats) -> Floats:
        return np.asarray(rows.scale * rows.add_rows(dense) - mean @ dense, dtype=np.float32)

    def apply_transposed(dense: Floats) -> Floats:
        return np.asarray(columns.add_rows(rows.scale * dense) - np.outer(mean, dense.sum(axis=0)), dtype=np.float32)

    centred = Operator(rows.blocks, columns.blocks, apply, apply_transposed)
    found = find_directions(centred, directions, POWER_ITERATIONS, rng)
    return Basis(found.left, found.scale, found.right, mean)


@njit()
def _add_rows(first, last, indptr, columns, dense, sums):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    for row in range(first, last):
        for k in range(indptr[row], indptr[row + 1]):
            column = columns[k]
            for j in range(dense.shape[1]):
                sums[row, j] += dense[column, j]
