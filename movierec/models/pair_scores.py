"""Scores of pairs of rows, for one set of factors or for many draws of them."""

from collections.abc import Callable
from functools import partial
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from movierec.compiled import njit
from movierec.models.top_k import available_cores, run_ranges

MANY: Final = 100_000  # pairs, for which threads pay
Array = npt.NDArray[np.float64]
Rows = npt.NDArray[np.integer[Any]]


def map_pairs(score: Callable[[Rows, Rows], Array], user: Rows, movie: Rows) -> Array:
    """Return ``score(user, movie)``, by threads where pairs are many.

    `score` lets other threads run, and what it says of a pair depends on that pair alone.
    """
    if len(user) < MANY:
        return score(user, movie)
    return np.concatenate(
        run_ranges(lambda first, last: score(user[first:last], movie[first:last]), len(user), available_cores())
    )


@njit()
def score_pairs(user: Rows, movie: Rows, users: npt.NDArray[np.float32], movies: npt.NDArray[np.float32]) -> Array:
    """Score each pair: both biases, and the factors' dot product.

    Parameters
    ----------
    user, movie : ndarray of int, shape (n,)
        Rows; all must exist.
    users, movies : ndarray of float32, shape (rows, width)
        Biases in column 0, then factors.

    Returns
    -------
    ndarray of float64, shape (n,)
        Summed in float64 column by column.
    """
    scores = np.empty(len(user))
    for n in range(len(user)):
        u, i = user[n], movie[n]
        score = np.float64(users[u, 0]) + np.float64(movies[i, 0])
        for column in range(1, users.shape[1]):
            score += np.float64(users[u, column]) * np.float64(movies[i, column])
        scores[n] = score
    return scores


@njit()
def multiply_pairs(user, movie, user_factors, movie_factors):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Return each pair's dot product in float64, 0 where a row is unknown (-1)."""
    scores = np.zeros(len(user))
    for n in range(len(user)):
        if user[n] >= 0 and movie[n] >= 0:
            for f in range(user_factors.shape[1]):
                scores[n] += np.float64(user_factors[user[n], f]) * np.float64(movie_factors[movie[n], f])
    return scores


def measure_draws(
    user: Rows, movie: Rows, user_draws: npt.NDArray[np.float16], movie_draws: npt.NDArray[np.float16]
) -> tuple[Array, Array]:
    """Return mean and variance of each pair's score over draws.

    Parameters
    ----------
    user, movie : ndarray of int, shape (n,)
        Rows; all must exist.
    user_draws, movie_draws : ndarray of float16, shape (draws, rows, width)
        At least two draws.

    Returns
    -------
    mean, variance : ndarray of float64, shape (n,)
        The variance is the unbiased one.
    """
    first = _score(user, movie, user_draws[0], movie_draws[0])  # taken off, so that squares stay small
    total, squares = np.zeros(len(user)), np.zeros(len(user))
    for users, movies in zip(user_draws[1:], movie_draws[1:], strict=True):
        difference = _score(user, movie, users, movies) - first
        total += difference
        squares += difference**2
    draws = len(user_draws)
    return first + total / draws, np.maximum(squares - total**2 / draws, 0) / (draws - 1)


def _score(user: Rows, movie: Rows, users: npt.NDArray[np.float16], movies: npt.NDArray[np.float16]) -> Array:
    """Score pairs in float32, of which only the rows in use are made."""
    (user, wide_users), (movie, wide_movies) = _widen(user, users), _widen(movie, movies)
    return map_pairs(partial(score_pairs, users=wide_users, movies=wide_movies), user, movie)


def _widen(rows: Rows, halves: npt.NDArray[np.float16]) -> tuple[Rows, npt.NDArray[np.float32]]:
    if len(rows) < len(halves):
        return np.arange(len(rows), dtype=rows.dtype), halves[rows].astype(np.float32)
    return rows, halves.astype(np.float32)
