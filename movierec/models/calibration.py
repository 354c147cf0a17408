"""Turning the scores of a ranking model into stars; how a model comes to its scores is not known here."""

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from movierec.columns import MOVIE_ID, RATING, USER_ID
from movierec.models.base import BLOCK_CELLS, Array, Recommender, Rows, gather
from movierec.models.bias import Bias
from movierec.models.indexed import IndexedRatings
from movierec.models.top_k import available_cores

BIAS_ARRAYS: Final = ("mean", "user_bias", "movie_bias", "calibration")


class CalibratedRanker(Recommender):
    """A model that ranks by scores of its own and predicts stars by a bias model and those scores.

    Attributes
    ----------
    mean : ndarray of float64, shape ()
        Mean training rating.
    user_bias, movie_bias : ndarray of float64, shape (users,) and (movies,)
        Of the `Bias` model.
    calibration : ndarray of float64, shape (3,)
        Weights of 1, the bias model's prediction and the score in the predicted rating.
    """

    mean: Array
    user_bias: Array
    movie_bias: Array
    calibration: Array

    def predict_raw(self, user_ids: npt.ArrayLike, movie_ids: npt.ArrayLike) -> Array:
        """Return the uncalibrated score of each pair, shape (n,); 0 for unknown ids."""
        user, movie = self.users.rows(user_ids), self.movies.rows(movie_ids)
        scores = np.zeros(len(user))
        known = np.flatnonzero((user >= 0) & (movie >= 0))
        known = known[np.argsort(user[known], kind="stable")]
        asked, starts = np.unique(user[known], return_index=True)
        block = max(1, BLOCK_CELLS // max(1, len(self.movies)))

        def score(first: int) -> None:
            part = asked[first : first + block]
            pairs = known[starts[first] : starts[first + block] if first + block < len(asked) else None]
            scores[pairs] = self._score_pairs(part, np.searchsorted(part, user[pairs]), movie[pairs])

        with ThreadPoolExecutor(available_cores()) as pool:
            deque(pool.map(score, range(0, len(asked), block)), maxlen=0)
        return scores

    def _score_pairs(self, user_rows: Rows, user: npt.NDArray[np.integer[Any]], movie: Rows) -> npt.NDArray[np.float32]:
        """Return the scores of pairs of a place in `user_rows` and a movie's row."""
        scores: npt.NDArray[np.float32] = self.score_rows(user_rows)[user, movie]
        return scores

    def _fit_bias(self, ratings: pd.DataFrame | IndexedRatings) -> None:
        self.adopt_bias(Bias().fit(ratings))

    def adopt_bias(self, bias: Bias) -> None:
        """Predict by a fitted bias model, until calibrated."""
        self.mean, self.scale = bias.mean, bias.scale
        self.user_bias, self.movie_bias = bias.user_bias, bias.movie_bias
        self.calibration = np.array([0.0, 1.0, 0.0])

    def calibrate(self, ratings: pd.DataFrame) -> Self:
        """Learn how scores translate into stars, by least squares on ratings that the fit did not see.

        Parameters
        ----------
        ratings : DataFrame
            Columns ``user_id``, ``movie_id``, ``rating``; the validation part.

        Returns
        -------
        Self
            Its `predict` now uses the scores.
        """
        inputs = self._calibration_inputs(ratings[USER_ID], ratings[MOVIE_ID])
        self.calibration = np.linalg.lstsq(inputs, ratings[RATING].to_numpy(dtype=np.float64), rcond=None)[0]
        return self

    def predict(self, user_ids: npt.ArrayLike, movie_ids: npt.ArrayLike) -> Array:
        """Predict ratings in stars by the calibrated score; see `Recommender.predict`."""
        return np.clip(self._calibration_inputs(user_ids, movie_ids) @ self.calibration, *self.scale)

    def _calibration_inputs(self, user_ids: npt.ArrayLike, movie_ids: npt.ArrayLike) -> Array:
        user_bias = gather(self.user_bias, self.users.rows(user_ids))
        movie_bias = gather(self.movie_bias, self.movies.rows(movie_ids))
        raw = self.predict_raw(user_ids, movie_ids)
        return np.column_stack([np.ones(len(raw)), self.mean + user_bias + movie_bias, raw])

    def _bias_arrays(self) -> dict[str, npt.NDArray[Any]]:
        return {name: getattr(self, name) for name in BIAS_ARRAYS}
