"""Exact selection of the k best-scored movies in each row of a score matrix."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from movierec.compiled import njit

_CHUNK = 64  # columns ruled out by one vectorised comparison
_MIN_SCORES_PER_THREAD = 1 << 18  # below it, starting a thread costs more than it saves


class TopK(NamedTuple):
    """The best columns of each row, best first.

    Attributes
    ----------
    columns : ndarray of int32, shape (n, k)
        Columns of the score matrix, padded with -1 where a row has fewer than k candidates.
    scores : ndarray, shape (n, k)
        Their scores, in the score matrix's dtype, padded with NaN.
    """

    columns: npt.NDArray[np.int32]
    scores: npt.NDArray[np.floating[Any]]


def top_k_rows(
    scores: npt.NDArray[np.floating[Any]],
    excluded_indptr: npt.NDArray[np.integer[Any]],
    excluded_indices: npt.NDArray[np.integer[Any]],
    k: int,
) -> TopK:
    """Select the k highest scores of each row, without the excluded columns.

    The result is exact and the same for any number of threads. Equal scores are ordered by column, the
    lower first: with columns in ascending order of movie id, ties are broken by movie id.

    Parameters
    ----------
    scores : ndarray of float32 or float64, shape (n, movies)
        Higher is better. Not modified. NaN and -inf mark movies that are never to be recommended.
    excluded_indptr : ndarray of int, shape (n + 1,)
        Row ``i`` excludes ``excluded_indices[excluded_indptr[i]:excluded_indptr[i + 1]]``, as in a CSR
        matrix. A slice of a larger matrix's ``indptr`` serves with that matrix's whole ``indices``.
    excluded_indices : ndarray of int
        Columns in [0, movies), in any order; repeats are harmless.
    k : int
        Length of the lists, at least 1; the time grows with k, so up to some hundreds. May exceed the
        number of movies.

    Returns
    -------
    TopK
        Columns padded with -1 and scores padded with NaN, each of shape (n, k).

    Raises
    ------
    ValueError
        If k is below 1, `scores` is not a float32 or float64 matrix, `excluded_indptr` does not fit its
        rows, or an excluded column does not exist.

    Examples
    --------
    >>> scores = np.array([[0.5, 0.9, 0.9, 0.1]], dtype=np.float32)
    >>> top_k_rows(scores, np.array([0, 1]), np.array([0]), k=4).columns.tolist()
    [[1, 2, 3, -1]]
    """
    if k < 1:
        raise ValueError(f"k is {k}, must be at least 1")
    _check(scores, excluded_indptr, excluded_indices)
    rows = scores.shape[0]
    top = TopK(np.full((rows, k), -1, dtype=np.int32), np.full((rows, k), np.nan, dtype=scores.dtype))
    threads = max(1, min(available_cores(), rows, scores.size // _MIN_SCORES_PER_THREAD))
    run_ranges(
        lambda first, last: _fill_rows(scores, excluded_indptr, excluded_indices, first, last, *top), rows, threads
    )
    return top


def run_ranges(task: Callable[[int, int], Any], rows: int, threads: int) -> list[Any]:
    """Call ``task(first, last)`` for a range of the rows in each of some threads; return what they return, in order.

    Plain threads around kernels that release the GIL: numba's own thread pool ends the process when two request threads
    enter it at once (workqueue) or when it is used after a fork (OpenMP).
    """
    if threads == 1:
        return [task(0, rows)]
    bounds = np.linspace(0, rows, threads + 1).astype(int).tolist()
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(task, bounds[:-1], bounds[1:]))


def available_cores() -> int:
    """Return how many cores this process may use, at least 1."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _check(
    scores: npt.NDArray[np.floating[Any]],
    indptr: npt.NDArray[np.integer[Any]],
    indices: npt.NDArray[np.integer[Any]],
) -> None:
    if scores.ndim != 2 or scores.dtype not in (np.float32, np.float64):
        raise ValueError(f"scores must be a float32 or float64 matrix, not {scores.dtype} with {scores.ndim} axes")
    if indptr.shape != (scores.shape[0] + 1,):
        raise ValueError(f"excluded_indptr has shape {indptr.shape}, must be ({scores.shape[0] + 1},)")
    if indptr[0] < 0 or indptr[-1] > len(indices) or np.any(np.diff(indptr) < 0):
        raise ValueError("excluded_indptr must not fall and must stay within excluded_indices")
    used = indices[indptr[0] : indptr[-1]]
    if used.size and not 0 <= used.min() <= used.max() < scores.shape[1]:
        raise ValueError(f"excluded columns must be in [0, {scores.shape[1]})")


@njit()
def _fill_rows(scores, indptr, indices, first, last, columns, best):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    excluded = np.zeros(scores.shape[1], dtype=np.bool_)
    for row in range(first, last):
        for position in range(indptr[row], indptr[row + 1]):
            excluded[indices[position]] = True
        _fill_row(scores[row], excluded, columns[row], best[row])
        for position in range(indptr[row], indptr[row + 1]):
            excluded[indices[position]] = False


@njit()
def _fill_row(scores, excluded, columns, best):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    k = len(best)
    found = 0
    threshold = best.dtype.type(-np.inf)
    for start in range(0, len(scores), _CHUNK):
        stop = min(start + _CHUNK, len(scores))
        promising = False
        for column in range(start, stop):
            promising |= scores[column] > threshold
        if not promising:
            continue
        for column in range(start, stop):
            # Columns rise, so a strict comparison leaves a tie to the lower column.
            if scores[column] > threshold and not excluded[column]:
                found = min(found + 1, k)
                _insert(scores[column], column, columns, best, found - 1)
                if found == k:
                    threshold = best[k - 1]


@njit()
def _insert(score, column, columns, best, place):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    while place > 0 and best[place - 1] < score:
        best[place] = best[place - 1]
        columns[place] = columns[place - 1]
        place -= 1
    best[place] = score
    columns[place] = column
