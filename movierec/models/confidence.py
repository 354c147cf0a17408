"""Half a sweep of implicit-feedback ALS with a prior for each row, and its loss; what the prior is, models decide."""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numba
import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from movierec.errors import MovierecError
from movierec.models.top_k import available_cores

Floats = npt.NDArray[np.float32]
_PARTS_PER_THREAD = 4  # rows differ in length; the first thread to be free takes the next part


def solve_side(
    confidence: sp.csr_array, fixed: Floats, prior: Floats, regularization: float, threads: int = 0
) -> Floats:
    """Solve for one side's factors given the other side's.

    For each row, with ``c`` its confidences and ``Y`` the fixed factors, the minimum of eq. 3 of Hu, Koren & Volinsky
    (2008) with ``regularization * |x - prior|^2`` as penalty:
    ``(Y'Y + sum (c - 1) y y' + regularization I) x = sum c y + regularization prior``.

    Parameters
    ----------
    confidence : sparse CSR of float32, shape (rows, columns)
        Above 0 where something was rated.
    fixed : ndarray of float32, shape (columns, factors)
        The other side.
    prior : ndarray of float32, shape (rows, factors)
        What a row is drawn to; a row without ratings is not there yet, for its zeros count, too.
    regularization : float
        Above 0.
    threads : int
        0 means all cores. No bit depends on it: each row is solved alone.

    Returns
    -------
    ndarray of float32, shape (rows, factors)

    Raises
    ------
    MovierecError
        If an equation has no unique solution in float32.
    """
    rows = confidence.shape[0]
    gram = fixed.T @ fixed + np.float32(regularization) * np.eye(fixed.shape[1], dtype=np.float32)
    solved = np.float32(regularization) * prior
    threads = threads or available_cores()
    bounds = np.linspace(0, rows, (threads * _PARTS_PER_THREAD if threads > 1 else 1) + 1).astype(int).tolist()
    with ThreadPoolExecutor(threads) as pool:
        parts = [
            pool.submit(
                _solve_rows, confidence.indptr, confidence.indices, confidence.data, fixed, gram, solved, first, last
            )
            for first, last in pairwise(bounds)
        ]
    if not all(part.result() for part in parts):
        raise MovierecError("the ALS diverges: raise its regularization")
    return solved


def measure_loss(confidence: sp.csr_array, row_factors: Floats, column_factors: Floats) -> float:
    """Return ``sum c (p - x'y)^2`` over all pairs, p being 1 where there is a confidence, else 0 with c = 1."""
    grams = [side.T.astype(np.float64) @ side for side in (row_factors, column_factors)]
    everywhere = float((grams[0] * grams[1]).sum())
    rated = _correct_loss(confidence.indptr, confidence.indices, confidence.data, row_factors, column_factors)
    return everywhere + float(rated)


@numba.njit(cache=True, nogil=True)
def _solve_rows(indptr, indices, confidence, fixed, gram, solved, first, last):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Overwrite each row of `solved`, at first its share of the right side from the prior, with the solution."""
    factors = fixed.shape[1]
    matrix = np.empty_like(gram)
    for row in range(first, last):
        n = indptr[row + 1] - indptr[row]
        rated = np.empty((n, factors), dtype=np.float32)
        scaled = np.empty((n, factors), dtype=np.float32)
        right = solved[row]
        for place in range(n):
            entry = indptr[row] + place
            weight = confidence[entry]
            for factor in range(factors):
                value = fixed[indices[entry], factor]
                rated[place, factor] = value
                scaled[place, factor] = (weight - np.float32(1)) * value
                right[factor] += weight * value
        matrix[:] = gram
        if n > 0:
            matrix += scaled.T @ rated
        if not _solve_positive(matrix, right):
            return False
    return True


@numba.njit(cache=True, nogil=True)
def _solve_positive(matrix, right):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Overwrite `right` with the solution by Cholesky's factors, `matrix` with the lower one; say if there is one."""
    n = len(right)
    for i in range(n):
        for j in range(i + 1):
            total = matrix[i, j]
            for k in range(j):
                total -= matrix[i, k] * matrix[j, k]
            if i != j:
                matrix[i, j] = total / matrix[j, j]
            elif total > 0:
                matrix[i, i] = np.sqrt(total)
            else:
                return False
    for i in range(n):
        for k in range(i):
            right[i] -= matrix[i, k] * right[k]
        right[i] /= matrix[i, i]
    for i in range(n - 1, -1, -1):
        for k in range(i + 1, n):
            right[i] -= matrix[k, i] * right[k]
        right[i] /= matrix[i, i]
    return True


@numba.njit(cache=True, nogil=True)
def _correct_loss(indptr, indices, confidence, row_factors, column_factors):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Sum ``c (1 - s)^2 - s^2`` over the rated pairs: what taking them for unrated ones missed."""
    total = 0.0
    for row in range(len(indptr) - 1):
        for entry in range(indptr[row], indptr[row + 1]):
            score = 0.0
            for factor in range(row_factors.shape[1]):
                score += np.float64(row_factors[row, factor]) * column_factors[indices[entry], factor]
            total += confidence[entry] * (1.0 - score) ** 2 - score**2
    return total
