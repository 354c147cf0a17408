"""Scores that are dot products of factors, and the best movies by them without scoring every movie."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from movierec.models.chunks import Chunk
from movierec.models.top_k import TopK, top_k_rows

FIRST: Final = 500  # movies scored to find out how good a movie must be to be listed
_ROUNDING: Final = 1e-5  # of the largest score: what float32 may be wrong by, and more

Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.integer[Any]]


@dataclass(frozen=True, eq=False)
class Products:
    """Scores ``user_factors @ movie_factors.T + movie_values + user_values``, of all users and movies.

    Attributes
    ----------
    user_factors, movie_factors : ndarray of float32, shape (users, factors) and (movies, factors)
        Finite.
    user_values, movie_values : ndarray of float32, shape (users,) and (movies,)
        What goes with a row alone, such as a bias.
    """

    user_factors: Floats
    movie_factors: Floats
    user_values: Floats
    movie_values: Floats

    @cached_property
    def movie_lengths(self) -> npt.NDArray[np.float64]:
        """Lengths of the movies' factors, shape (movies,)."""
        lengths: npt.NDArray[np.float64] = np.linalg.norm(self.movie_factors.astype(np.float64), axis=1)
        return lengths

    def score(self, user_rows: Rows, movie_rows: "Rows | slice" = slice(None)) -> Floats:
        """Return the scores of users for movies, shape (users, movies)."""
        scores: Floats = self.user_factors[user_rows] @ self.movie_factors[movie_rows].T
        scores += self.movie_values[movie_rows]
        scores += self.user_values[user_rows, None]
        return scores

    def order_users(self, user_rows: Rows) -> Rows:
        """Return places of users by length of factors: neighbours need about the same movies scored."""
        return np.argsort(np.square(self.user_factors[user_rows]).sum(axis=1), kind="stable")

    def rank_chunk(self, chunk: Chunk, k: int) -> list[TopK]:
        """Return what `rank` does of a chunk."""
        return list(self.rank(*chunk, k))

    def rank(self, user_rows: Rows, excluded: Sequence["sp.csr_array[Any]"], k: int) -> Iterator[TopK]:
        """Yield what `top_k_rows` does of all scores, for each of several exclusions.

        No score is above its values and the product of the factors' lengths (Cauchy & Schwarz). Movies of which that is
        less than the user's k-th best among the most promising ones cannot be listed, and are not scored.

        Parameters
        ----------
        user_rows : ndarray of int, shape (n,)
            The fewer and the more alike in length of factors, the fewer movies are scored.
        excluded : sequence of csr_array, shape (n, movies)
            Movies not to list; what is stored counts.
        k : int
            Length of the lists.

        Yields
        ------
        TopK
            Rows of movies and their scores.
        """
        length = np.linalg.norm(self.user_factors[user_rows].astype(np.float64), axis=1).max(initial=0)
        bound = length * self.movie_lengths + self.movie_values
        wanted = np.arange(len(bound))
        if len(bound) > FIRST:
            least = self._find_least(user_rows, np.sort(np.argpartition(-bound, FIRST)[:FIRST]), excluded, k)
            slack = _ROUNDING * (np.abs(bound).max() + np.abs(self.user_values[user_rows]).max(initial=0))
            wanted = np.flatnonzero(bound >= least - slack)
        scores = self.score(user_rows, wanted)
        for seen in excluded:
            yield rank_columns(scores, wanted, seen, k)

    def _find_least(self, user_rows: Rows, first: Rows, excluded: Sequence["sp.csr_array[Any]"], k: int) -> float:
        """Return the lowest bound, without the user's value, by which a movie may be in anyone's list."""
        scores = self.score(user_rows, first)
        lowest = [rank_columns(scores, first, seen, k).scores[:, -1] - self.user_values[user_rows] for seen in excluded]
        return float(np.nan_to_num(np.concatenate(lowest), nan=-np.inf).min(initial=np.inf))


def rank_columns(scores: Floats, columns: Rows, excluded: "sp.csr_array[Any]", k: int) -> TopK:
    """Return the best movies of some, shape (n, k).

    Parameters
    ----------
    scores : ndarray of float32, shape (n, columns)
        Of the movies in `columns`.
    columns : ndarray of int, shape (columns,)
        Rows of movies, ascending.
    excluded : csr_array, shape (n, movies)
        Movies not to list; what is stored counts.
    k : int
        Length of the lists.

    Returns
    -------
    TopK
        As from `top_k_rows` of all movies, where those not in `columns` are excluded.
    """
    place = np.full(excluded.shape[1], -1)
    place[columns] = np.arange(len(columns))
    found = place[excluded.indices]
    indptr = np.concatenate([[0], np.cumsum(found >= 0)])[excluded.indptr]
    top = top_k_rows(scores, indptr, found[found >= 0], k)
    rows = np.append(columns, -1)[top.columns].astype(np.int32)  # the last one is where -1 leads
    return TopK(rows, top.scores)
