"""Compiled pieces of row-by-row least squares: normal equations of a row's ratings, Cholesky factors, solves.

Nothing here is reassociated and every fused multiply-add is written as one, so that results have the same bits whatever
the number of threads and, with the compiler's target pinned in `movierec`, on every processor with AVX2 and FMA.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from movierec.compiled import njit
from movierec.models import tiles
from movierec.models.tiles import LANES, TILE_ROWS, add_tile, fma, stage_row

NARROW, WIDE = 16, 24  # columns of a tile; a row's last tile is wide where narrow ones would leave eight columns
BATCH: Final = 32  # ratings gathered at a time, so that they stay in the fastest cache

Kernel = Any  # a compiled function: numba has no types
Rows = npt.NDArray[np.integer[Any]]


class NormalEquations(NamedTuple):
    """The kernels for one width, to be called from compiled code; all arrays are float32.

    A symmetric matrix is held by its upper block triangle: the squares of `NARROW` on the diagonal, the last one of
    `WIDE` where the width is no multiple of `NARROW`, and all to the right of them.

    Attributes
    ----------
    accumulate : kernel
        ``accumulate(system, right, scratch, factors, columns, weights, targets)`` adds the sum over ``k`` of
        ``weights[k] * outer(v, v)`` to `system`, shape (width, width), and of ``targets[k] * v`` to `right`, shape
        (width,), where ``v = factors[columns[k]]``. `scratch` has shape (2, `BATCH`, width).
    factorize : kernel
        ``factorize(system)`` overwrites `system` with its Cholesky factor: upper triangular ``R`` on and above the
        diagonal, its transpose below, such that ``system = R.T @ R``. Returns whether it is positive definite.
    solve_lower : kernel
        ``solve_lower(factor, right)`` overwrites `right` with the solution ``y`` of ``R.T @ y = right``.
    solve_upper : kernel
        ``solve_upper(factor, right)`` overwrites `right` with the solution ``x`` of ``R @ x = right``.
    """

    accumulate: Kernel
    factorize: Kernel
    solve_lower: Kernel
    solve_upper: Kernel


def pad_width(columns: int) -> int:
    """Return the least width of a padded row that holds so many columns.

    Examples
    --------
    >>> [pad_width(columns) for columns in (1, 16, 17, 50)]
    [16, 16, 24, 56]
    """
    return max(NARROW, tiles.pad_width(columns))


@cache
def compile_normal_equations(width: int) -> NormalEquations:
    """Return the kernels for rows of `width` columns, which the compiler knows and unrolls for.

    Parameters
    ----------
    width : int
        A multiple of `LANES`, at least `NARROW`.

    Returns
    -------
    NormalEquations
        Compiled at their first use.

    Raises
    ------
    ValueError
        If the width is no such multiple.
    """
    if width < NARROW or width % LANES:
        raise ValueError(f"width is {width}, must be a multiple of {LANES} from {NARROW}")
    return NormalEquations(_make_accumulate(width), _make_factorize(width), *_make_solvers(width))


def _make_accumulate(width: int) -> Kernel:
    @njit()
    def accumulate(system, right, scratch, factors, columns, weights, targets):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
        add_ratings(system, right, scratch, factors, columns, weights, targets, width)

    return accumulate


@njit(inline="always")
def add_ratings(system, right, scratch, factors, columns, weights, targets, width):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Add a row's ratings to its equations: `NormalEquations.accumulate`, inlined where the width is a constant.

    A rating of weight 0 costs its part of `right` alone.
    """
    plain, weighted = scratch[0], scratch[1]
    count = 0
    for k in range(len(columns) + 1):
        if count == BATCH or k == len(columns):
            for row in range(0, width, TILE_ROWS):
                _add_tiles(system, weighted, plain, count, row, width)
            count = 0
        if k < len(columns):
            stage_row(plain, weighted, count, right, factors, columns[k], weights[k], targets[k], width)
            count += weights[k] != np.float32(0)


@njit(inline="always")
def _add_tiles(system, left, right, count, row, width):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Add ``left[:count].T @ right[:count]`` to `TILE_ROWS` rows, from the square on the diagonal to the right."""
    last = width - WIDE if width % NARROW else width
    for column in range(min(row // NARROW * NARROW, last), last, NARROW):
        add_tile(system, left, right, count, row, column, NARROW)
    if last < width:
        add_tile(system, left, right, count, row, last, WIDE)


def _make_factorize(width: int) -> Kernel:
    @njit()
    def factorize(system):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
        return factorize_system(system, width)

    return factorize


@njit(inline="always")
def factorize_system(system, width):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Replace a system by its Cholesky factor: `NormalEquations.factorize`, inlined where the width is a constant."""
    negative = np.empty((width, width), np.float32)  # finished rows with the opposite sign
    for start in range(0, width, TILE_ROWS):
        _add_tiles(system, negative, system, start, start, width)
        if not _finish_rows(system, negative, start, width):
            return False
    for i in range(width):
        for q in range(i):
            system[i, q] = system[q, i]
    return True


@njit(inline="always")
def _finish_rows(system, negative, start, width):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Finish `TILE_ROWS` rows, from which the products of those above are subtracted already."""
    first = start // LANES * LANES  # what is computed left of the diagonal is never read
    for j in range(start, start + TILE_ROWS):
        if not system[j, j] > np.float32(0):
            return False
        scale = np.float32(1) / np.sqrt(system[j, j])
        for q in range(first, width):
            system[j, q] *= scale
            negative[j, q] = -system[j, q]
        for i in range(j + 1, start + TILE_ROWS):
            multiple = negative[j, i]
            for q in range(first, width):
                system[i, q] = fma(multiple, system[j, q], system[i, q])
    return True


def _make_solvers(width: int) -> tuple[Kernel, Kernel]:
    @njit()
    def solve_lower(factor, right):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
        solve_transposed(factor, right, width)

    @njit()
    def solve_upper(factor, right):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
        solve_factor(factor, right, width)

    return solve_lower, solve_upper


@njit(inline="always")
def solve_transposed(factor, right, width):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Solve by the factor's transpose: `NormalEquations.solve_lower`, inlined where the width is a constant."""
    for i in range(width):
        right[i] /= factor[i, i]
        s = -right[i]
        for q in range(i + 1, width):
            right[q] = fma(s, factor[i, q], right[q])


@njit(inline="always")
def solve_factor(factor, right, width):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Solve by the factor: `NormalEquations.solve_upper`, inlined where the width is a constant."""
    for i in range(width - 1, -1, -1):
        right[i] /= factor[i, i]
        s = -right[i]
        for q in range(i):
            right[q] = fma(s, factor[i, q], right[q])


def split_rows(indptr: Rows, width: int, blocks: int) -> list[int]:
    """Divide rows into blocks of about equal work: a row costs its ratings and, for its solve, `width` more.

    Parameters
    ----------
    indptr : ndarray of int, shape (rows + 1,)
        Where each row's ratings start, as in a CSR matrix.
    width : int
        Columns of the padded factors.
    blocks : int
        How many, at least 1; some come out empty where single rows are large.

    Returns
    -------
    list of int
        Rising bounds, ``blocks + 1`` of them, from 0 to the number of rows.
    """
    work = indptr + np.arange(len(indptr), dtype=np.int64) * width
    wanted = np.linspace(0, work[-1], blocks + 1)[1:-1]
    return [0, *np.searchsorted(work, wanted).tolist(), len(indptr) - 1]


def run_blocks(pool: ThreadPoolExecutor, task: Callable[[int, int], Any], bounds: Iterable[int]) -> list[Any]:
    """Call ``task(first, last)`` for each block of rows that is not empty, several at a time; return what they return.

    Plain threads around kernels that release the GIL: numba's own pool ends the process when two threads enter it.
    """
    return list(pool.map(lambda block: task(*block), [block for block in pairwise(bounds) if block[0] < block[1]]))
