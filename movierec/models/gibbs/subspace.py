"""Leading singular directions of a matrix that is known only by its products with others."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from movierec.models.gibbs.row_blocks import RowBlocks

OVERSAMPLING: Final = 16
_LEAST_SHARE: Final = 1e-3  # of the largest singular value: below it a direction is rounding error

Floats = npt.NDArray[np.float32]
Product = Callable[[Floats], Floats]


@dataclass(frozen=True)
class Operator:
    """A matrix as its products.

    Attributes
    ----------
    rows, columns : RowBlocks
        Of its rows and of its columns, for threads.
    apply, apply_transposed : callable
        Return ``matrix @ dense`` and ``matrix.T @ dense``.
    """

    rows: RowBlocks
    columns: RowBlocks
    apply: Product
    apply_transposed: Product


@dataclass(frozen=True)
class Directions:
    """``left * scale @ right.T`` approximates the matrix.

    Attributes
    ----------
    left : ndarray of float32, shape (rows, directions)
        Orthonormal columns.
    scale : ndarray of float64, shape (directions,)
        Singular values, falling, none of them negligible.
    right : ndarray of float32, shape (columns, directions)
        Nearly orthonormal columns; ``matrix @ right`` is ``left * scale``.
    """

    left: Floats
    scale: npt.NDArray[np.float64]
    right: Floats


def find_directions(matrix: Operator, directions: int, iterations: int, rng: np.random.Generator) -> Directions:
    """Find leading singular directions by randomised subspace iteration.

    Halko, Martinsson & Tropp (2011), "Finding structure with randomness", algorithm 4.4.

    Parameters
    ----------
    matrix : Operator
        Of any rank; all zeros gives no directions.
    directions : int
        How many at most.
    iterations : int
        Rounds of multiplying by the matrix and its transpose; more are more exact.
    rng : numpy.random.Generator
        Draws the start.

    Returns
    -------
    Directions
        Fewer where the matrix has a lower rank.
    """
    sketch = min(directions + OVERSAMPLING, matrix.rows.rows, matrix.columns.rows)
    test = rng.standard_normal((matrix.columns.rows, sketch), dtype=np.float32)
    for _ in range(iterations):
        spread = _orthonormalize(matrix.rows, matrix.apply(test))
        test = _orthonormalize(matrix.columns, matrix.apply_transposed(spread))
    spread = matrix.apply(test)
    squares, rotation = np.linalg.eigh(matrix.rows.multiply_transposed(spread, spread))
    order = np.argsort(squares)[::-1][:directions]
    scale = np.sqrt(np.maximum(squares[order], 0))
    kept = scale > max(_LEAST_SHARE * float(scale[0]), 1e-12)
    scale, rotation = scale[kept], rotation[:, order[kept]]
    left = matrix.rows.multiply(spread, (rotation / scale).astype(np.float32))
    return Directions(left, scale, matrix.columns.multiply(test, rotation.astype(np.float32)))


def _orthonormalize(blocks: RowBlocks, matrix: Floats) -> Floats:
    """Return columns of the same span, nearly orthonormal: principal axes, each scaled."""
    squares, rotation = np.linalg.eigh(blocks.multiply_transposed(matrix, matrix))
    scale = 1 / np.sqrt(np.maximum(squares, max(1e-7 * float(squares[-1]), 1e-30)))
    return blocks.multiply(matrix, (rotation * scale).astype(np.float32))
