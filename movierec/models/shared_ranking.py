"""The best movies of each user where all users share one order of the movies, but for what each has seen."""

from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from movierec.models.top_k import TopK

Array = npt.NDArray[np.float64]


def top_k_shared(
    user_value: Array,
    movie_value: Array,
    excluded_indptr: npt.NDArray[np.integer[Any]],
    excluded_indices: npt.NDArray[np.integer[Any]],
    k: int,
) -> TopK:
    """Return what `top_k_rows` does of the scores ``float32(user value + movie value)``, without computing them all.

    Movies are looked at from the highest value down, until a user's list is full. Values that differ may round to
    equal scores; ties are ordered by column, as there.

    Parameters
    ----------
    user_value : ndarray of float64, shape (n,)
        One a row.
    movie_value : ndarray of float64, shape (movies,)
        One a column.
    excluded_indptr, excluded_indices, k
        As `top_k_rows` takes them.

    Returns
    -------
    TopK
        Columns padded with -1 and float32 scores padded with NaN, each of shape (n, k).

    Examples
    --------
    >>> top_k_shared(np.array([1.0]), np.array([3.0, 5.0, 4.0]), np.array([0, 1]), np.array([1]), k=3).columns.tolist()
    [[2, 0, -1]]
    """
    shape = (len(user_value), k)
    top = TopK(np.full(shape, -1, dtype=np.int32), np.full(shape, np.nan, dtype=np.float32))
    order = np.argsort(-movie_value, kind="stable")
    _fill(user_value, movie_value, order, excluded_indptr, excluded_indices, top.columns, top.scores)
    return top


@numba.njit(cache=True, nogil=True)
def _fill(user_value, movie_value, order, indptr, indices, columns, best):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    k = columns.shape[1]
    excluded = np.zeros(len(movie_value), dtype=np.bool_)
    for row in range(len(user_value)):
        own = indices[indptr[row] : indptr[row + 1]]
        for column in own:
            excluded[column] = True
        found = 0
        for column in order:
            score = np.float32(user_value[row] + movie_value[column])
            if found == k and score < best[row, k - 1]:
                break
            if not excluded[column]:
                found = _insert(score, column, columns[row], best[row], found)
        for column in own:
            excluded[column] = False


@numba.njit(cache=True, nogil=True)
def _insert(score, column, columns, best, found):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Put a movie where it belongs if it does; return the length of the list."""
    place = found
    while place > 0 and best[place - 1] == score and columns[place - 1] > column:
        place -= 1
    if place == len(best):
        return found
    for later in range(min(found, len(best) - 1), place, -1):
        best[later], columns[later] = best[later - 1], columns[later - 1]
    best[place], columns[place] = score, column
    return min(found + 1, len(best))
