"""The bias baseline: global mean plus a shrunken offset for each user and each movie."""

import math
from collections.abc import Callable
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
import polars as pl

from movierec.compiled import njit
from movierec.models.base import Array, Recommender, Rows, find_range, gather
from movierec.models.indexed import IndexedRatings
from movierec.models.shared_ranking import SharedOrder

Counts = npt.NDArray[np.integer[Any]]
SumResiduals = Callable[[Array], Array]


class Bias(Recommender):
    """Predict ``mean + user bias + movie bias``, fitted by alternating ridge regressions.

    Koren (2010), "Factor in the neighbors", section 2.1; the order and the penalties are those of
    scikit-surprise's ``BaselineOnly``, whose results it equals.

    Parameters
    ----------
    sweeps : int
        Alternations, at least 1.
    movie_penalty, user_penalty : float
        Added to the number of ratings; at least 0.

    Attributes
    ----------
    mean : ndarray of float64, shape ()
        Mean training rating in stars.
    user_bias, movie_bias : ndarray of float64, shape (users,) and (movies,)
        Offsets in stars.
    """

    name: ClassVar[str] = "bias"
    mean: Array
    user_bias: Array
    movie_bias: Array

    def __init__(self, sweeps: int = 10, movie_penalty: float = 10.0, user_penalty: float = 15.0) -> None:
        self.sweeps = sweeps
        self.movie_penalty = movie_penalty
        self.user_penalty = user_penalty

    def fit(self, ratings: pd.DataFrame | IndexedRatings) -> Self:
        """Learn the biases; see `Recommender.fit`."""
        data = IndexedRatings.of(ratings)
        self.users, self.movies = data.users, data.movies
        user, movie, stars = data.pairs
        self.mean, self.scale = np.asarray(average_stars(*count_stars(stars))), find_range(stars)
        centred = stars - self.mean
        return self.alternate(
            np.bincount(user),
            np.bincount(movie),
            lambda movie_bias: sum_residuals(user, movie, centred, movie_bias, len(self.users)),
            lambda user_bias: sum_residuals(movie, user, centred, user_bias, len(self.movies)),
        )

    def alternate(
        self, user_counts: Counts, movie_counts: Counts, sum_users: SumResiduals, sum_movies: SumResiduals
    ) -> Self:
        """Learn the biases from ratings wherever they lie.

        Parameters
        ----------
        user_counts, movie_counts : ndarray of int, shape (users,) and (movies,)
            How many ratings each has.
        sum_users, sum_movies : callable
            What `sum_residuals` returns of each side, given the other side's biases.
        """
        self.user_bias = np.zeros(len(user_counts))
        for _ in range(self.sweeps):
            self.movie_bias = sum_movies(self.user_bias) / (movie_counts + self.movie_penalty)
            self.user_bias = sum_users(self.movie_bias) / (user_counts + self.user_penalty)
        return self

    def predict(self, user_ids: npt.ArrayLike, movie_ids: npt.ArrayLike) -> Array:
        """Predict ratings in stars; an unknown user or movie has bias 0. See `Recommender.predict`."""
        user_bias = gather(self.user_bias, self.users.rows(user_ids))
        movie_bias = gather(self.movie_bias, self.movies.rows(movie_ids))
        return np.clip(self.mean + user_bias + movie_bias, *self.scale)

    def score_rows(self, user_rows: Rows) -> npt.NDArray[np.float32]:
        """Return unclipped predictions, shape (users, movies)."""
        scores = self.mean + self.user_bias[user_rows, None] + self.movie_bias[None, :]
        return scores.astype(np.float32)

    def _as_ranker(self) -> SharedOrder:
        return SharedOrder(self.mean + self.user_bias, self.movie_bias)

    def _arrays(self) -> dict[str, npt.NDArray[Any]]:
        return {"mean": self.mean, "user_bias": self.user_bias, "movie_bias": self.movie_bias}

    def _settings(self) -> dict[str, Any]:
        return {"sweeps": self.sweeps, "movie_penalty": self.movie_penalty, "user_penalty": self.user_penalty}


@njit()
def sum_residuals(row, other, centred, other_bias, rows):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Sum each row's ratings less the other side's bias, one after another."""
    sums = np.zeros(rows)
    for n in range(len(row)):
        sums[row[n]] += centred[n] - other_bias[other[n]]
    return sums


def count_stars(stars: npt.NDArray[np.floating[Any]]) -> tuple[npt.NDArray[np.floating[Any]], Counts]:
    """Return the distinct ratings in ascending order and how often each occurs."""
    found = pl.Series(stars).value_counts(name="count").sort("")
    return found[""].to_numpy(), found["count"].to_numpy()


def average_stars(stars: npt.NDArray[np.floating[Any]], counts: Counts) -> float:
    """Return the mean rating, from a sum that is rounded once: whoever counts, in whatever parts, finds the same bits.

    Examples
    --------
    >>> average_stars(np.array([0.5, 4.0]), np.array([1, 3]))
    3.125
    """
    return math.fsum(stars.astype(np.float64) * counts) / int(counts.sum())
