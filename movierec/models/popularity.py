"""The popularity baseline: everyone is recommended the movies that most people rated."""

from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from movierec.columns import RATING
from movierec.models.base import Array, Recommender, Rows, find_range, gather, index_ids
from movierec.models.shared_ranking import SharedOrder


class Popularity(Recommender):
    """Rank by number of training ratings; predict the movie's mean, shrunken towards the global mean.

    Parameters
    ----------
    prior_ratings : float
        How many ratings at the global mean every movie is given (a Bayesian average); at least 0.

    Attributes
    ----------
    mean : ndarray of float64, shape ()
        Mean training rating in stars.
    movie_count, movie_offset : ndarray of float64, shape (movies,)
        Number of ratings; shrunken mean less the global mean, in stars.
    """

    name: ClassVar[str] = "popularity"
    mean: Array
    movie_count: Array
    movie_offset: Array

    def __init__(self, prior_ratings: float = 10.0) -> None:
        self.prior_ratings = prior_ratings

    def fit(self, ratings: pd.DataFrame) -> Self:
        """Count the ratings; see `Recommender.fit`."""
        self.users, self.movies, _, movie = index_ids(ratings)
        stars = ratings[RATING].to_numpy(dtype=np.float64)
        self.mean, self.scale = np.asarray(stars.mean()), find_range(stars)
        self.movie_count = np.bincount(movie).astype(np.float64)
        self.movie_offset = np.bincount(movie, weights=stars - self.mean) / (self.movie_count + self.prior_ratings)
        return self

    def predict(self, user_ids: npt.ArrayLike, movie_ids: npt.ArrayLike) -> Array:
        """Predict the movie's shrunken mean in stars, whoever the user; see `Recommender.predict`."""
        del user_ids
        offset = gather(self.movie_offset, self.movies.rows(movie_ids))
        return np.clip(self.mean + offset, *self.scale)

    def score_rows(self, user_rows: Rows) -> npt.NDArray[np.float32]:
        """Return the counts for every user, shape (users, movies)."""
        return np.tile(self.movie_count.astype(np.float32), (len(user_rows), 1))

    def _as_ranker(self) -> SharedOrder:
        return SharedOrder(np.zeros(len(self.users)), self.movie_count)

    def _arrays(self) -> dict[str, npt.NDArray[Any]]:
        return {"mean": self.mean, "movie_count": self.movie_count, "movie_offset": self.movie_offset}

    def _settings(self) -> dict[str, Any]:
        return {"prior_ratings": self.prior_ratings}
