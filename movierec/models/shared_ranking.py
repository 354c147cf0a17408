"""The best movies of each user where all users share one order of the movies, but for what each has seen."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from movierec.compiled import njit
from movierec.models.chunks import Chunk
from movierec.models.top_k import TopK

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class SharedOrder:
    """Scores ``float32(user value + movie value)``, and the best movies by them without computing them all.

    Attributes
    ----------
    user_values, movie_values : ndarray of float64, shape (users,) and (movies,)
        Finite.
    """

    user_values: Array
    movie_values: Array

    @cached_property
    def order(self) -> npt.NDArray[np.intp]:
        """Movies from the highest value down, shape (movies,)."""
        return np.argsort(-self.movie_values, kind="stable")

    def rank_chunk(self, chunk: Chunk, k: int) -> list[TopK]:
        """Return what `top_k_rows` does of all scores of a chunk's users, for each of its exclusions.

        Movies are looked at in order until a user's list is full. Values that differ may round to equal scores; ties
        are ordered by column, as there.

        Examples
        --------
        >>> scores, rated = SharedOrder(np.array([1.0]), np.array([3.0, 5.0, 4.0])), sp.csr_array([[0, 1, 0]])
        >>> scores.rank_chunk(Chunk(np.array([0], dtype=np.int32), [rated]), k=3)[0].columns.tolist()
        [[2, 0, -1]]
        """
        return [self._rank(chunk.users, seen, k) for seen in chunk.seen]

    def _rank(self, users: npt.NDArray[np.int32], seen: "sp.csr_array[Any]", k: int) -> TopK:
        shape = len(users), k
        top = TopK(np.full(shape, -1, dtype=np.int32), np.full(shape, np.nan, dtype=np.float32))
        _fill(self.user_values[users], self.movie_values, self.order, seen.indptr, seen.indices, *top)
        return top


@njit()
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


@njit()
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
