"""Predictions with their deviation from what a Bayesian factorisation stores; nothing is fitted here."""

import copy
from functools import partial
from statistics import NormalDist
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from movierec.ids import UNKNOWN, IdIndex
from movierec.models.base import Array, Recommender, Rows
from movierec.models.gibbs.day_effects import locate_days, number_days
from movierec.models.pair_scores import map_pairs, measure_draws, score_pairs
from movierec.models.products import Products

Factors = npt.NDArray[np.float32]


class PosteriorPredictive(Recommender):
    """The fitted state of `Bayes`, and all that it answers.

    Attributes
    ----------
    mean : ndarray of float64, shape ()
        Of the training ratings, in stars.
    unrated_ids : ndarray of int32, shape (unrated,)
        Movies that `fit` was told of and that have no ratings.
    user_mean, movie_mean : ndarray of float32, shape (users + 1, 64) and (movies + unrated + 1, 64)
        The posterior mean of all scores as a product: biases in column 0, then factors. The last row of each is for
        whoever is not known at all.
    user_offset : ndarray of float32, shape (users + 1,)
        Of a user's ratings of movies that have none, in stars.
    user_draws, movie_draws : ndarray of float16, shape (samples, rows, 1 + factors)
        Joint draws of the same rows.
    precision : ndarray of float64, shape (samples,)
        Of a rating around its mean, for each draw, in 1 / stars squared.
    user_noise, movie_noise, noise : ndarray of float32, shape (rows,), and float64, shape ()
        Factors of a rating's variance around its mean.
    day_user, day, day_effect, day_spread : ndarray
        Rows of users, their days and the mean effects; the variance of the effect of a day without ratings.

    For `fold_in_user` and `fold_in_movie` there are, for each side and draw, the ``centre``, ``precision`` and
    ``degrees`` of a new row's distribution, and ``projection``, ``mean`` and ``coefficients`` of its bag and count.
    """

    mean: Array
    unrated_ids: Rows
    user_mean: Factors
    movie_mean: Factors
    user_offset: Factors
    user_draws: npt.NDArray[np.float16]
    movie_draws: npt.NDArray[np.float16]
    user_noise: Factors
    movie_noise: Factors
    noise: Array
    precision: Array
    day_user: Rows
    day: Rows
    day_effect: Factors
    day_spread: Array

    def predict(
        self, user_ids: npt.ArrayLike, movie_ids: npt.ArrayLike, timestamps: npt.ArrayLike | None = None
    ) -> Array:
        """Predict ratings in stars, on the training ratings' own scale; see `Recommender.predict`.

        Parameters
        ----------
        user_ids, movie_ids : array_like of int, shape (n,)
            An unknown user counts as the mean user. A movie without ratings is predicted from its genres and decade if
            the fit was told of it, else as the mean movie; if both are unknown, the mean rating.
        timestamps : array_like of int, shape (n,), optional
            When the ratings are given, seconds since 1970 (UTC). Where the user gave training ratings on the same day
            (UTC), their offset on it is added.

        Returns
        -------
        ndarray of float64, shape (n,)
            Stars.
        """
        user, movie = self._user_rows(user_ids), self._movie_rows(movie_ids)
        return self.predict_rows(user, movie, self._effect_rows(user, timestamps))

    def predict_deviation(
        self, user_ids: npt.ArrayLike, movie_ids: npt.ArrayLike, timestamps: npt.ArrayLike | None = None
    ) -> Array:
        """Return the standard deviation of a rating around its prediction, in stars; parameters as in `predict`.

        It holds the scatter of the ratings of this user and of this movie, how little is known of both, and the mood of
        the day.
        """
        user, movie = self._user_rows(user_ids), self._movie_rows(movie_ids)
        return self.measure_rows(user, movie, self._effect_rows(user, timestamps))

    def predict_interval(
        self,
        user_ids: npt.ArrayLike,
        movie_ids: npt.ArrayLike,
        coverage: float = 0.8,
        timestamps: npt.ArrayLike | None = None,
    ) -> tuple[Array, Array]:
        """Return the range that holds so large a share of such ratings.

        Parameters
        ----------
        user_ids, movie_ids, timestamps
            As in `predict`.
        coverage : float
            In (0, 1).

        Returns
        -------
        low, high : ndarray of float64, shape (n,)
            Stars, around the prediction and cut at the ends of the scale.

        Raises
        ------
        ValueError
            If the coverage is out of range.
        """
        deviation = self.predict_deviation(user_ids, movie_ids, timestamps)
        return self.bound_interval(self.predict(user_ids, movie_ids, timestamps), deviation, coverage)

    def bound_interval(self, predicted: Array, deviation: Array, coverage: float) -> tuple[Array, Array]:
        """Return the ends of the intervals around predictions with such deviations; see `predict_interval`."""
        if not 0 < coverage < 1:
            raise ValueError(f"coverage is {coverage}, must be between 0 and 1")
        reach = NormalDist().inv_cdf((1 + coverage) / 2) * deviation
        return np.maximum(predicted - reach, self.scale[0]), np.minimum(predicted + reach, self.scale[1])

    def predict_rows(self, user: Rows, movie: Rows, effect: Rows | None = None) -> Array:
        """Do as `predict` does for rows, of which none may be -1, and rows of the effects of days, -1 for none."""
        score = partial(score_pairs, users=self.user_mean, movies=self.movie_mean)
        predicted = self.mean + map_pairs(score, user, movie)
        predicted += np.where(movie < len(self.movies), 0, self.user_offset[user])
        predicted[self._nothing_known(user, movie)] = self.mean
        if effect is not None:
            predicted += np.where(effect >= 0, np.append(self.day_effect, 0)[effect], 0)
        return np.asarray(np.clip(predicted, *self.scale))

    def measure_rows(self, user: Rows, movie: Rows, effect: Rows | None = None) -> Array:
        """Do as `predict_deviation` does for rows; see `predict_rows`."""
        variance = measure_draws(user, movie, self.user_draws, self.movie_draws)[1]
        variance += self.noise * self.user_noise[user] * self.movie_noise[movie]
        # A day with ratings adds nothing: its effect and the user's bias make up for each other.
        variance += self.day_spread * (True if effect is None else effect == UNKNOWN)
        return np.asarray(np.sqrt(variance), dtype=np.float64)

    def at_draw(self, draw: int) -> Self:
        """Return a model that believes one of the stored draws, from 0 to `samples` - 1, modulo their number.

        Its lists explore: a movie of which little is known is sometimes ranked high (Thompson sampling; Chapelle & Li
        2011, "An empirical evaluation of Thompson sampling").
        """
        model = copy.copy(self)
        chosen = draw % len(self.user_draws)
        model.user_mean = self.user_draws[chosen].astype(np.float32)
        model.movie_mean = self.movie_draws[chosen].astype(np.float32)
        return model

    def shed(self) -> Self:
        """Return a model without what only `fold_in_movie` and ratings with times need: a third of its memory.

        Both still answer, without the bag of raters and without the effects of days.
        """
        model = copy.copy(self)
        for name in [name for name in vars(model) if name.startswith("movie_bags_")]:
            delattr(model, name)
        model.day_user, model.day = np.empty((2, 0), np.int32)
        model.day_effect = np.empty(0, np.float32)
        return model

    def score_rows(self, user_rows: Rows, movies_wanted: int | None = None) -> Factors:
        """Return unclipped predictions, shape (users, movies), computed in float32; by default of the rated movies."""
        return self._as_ranker(movies_wanted).score(user_rows)

    def _as_ranker(self, movies_wanted: int | None = None) -> Products:
        users, movies = self.user_mean, self.movie_mean[: movies_wanted or len(self.movies)]
        values = users[:, 0] + np.float32(self.mean), movies[:, 0]
        return Products(users[:, 1:], movies[:, 1:], *values)

    def _user_rows(self, user_ids: npt.ArrayLike) -> Rows:
        rows = self.users.rows(user_ids)
        return np.where(rows >= 0, rows, len(self.users)).astype(np.int32)

    def _movie_rows(self, movie_ids: npt.ArrayLike) -> Rows:
        rows, unrated = self.movies.rows(movie_ids), IdIndex(self.unrated_ids).rows(movie_ids)
        others = np.where(unrated >= 0, unrated, len(self.unrated_ids)) + len(self.movies)
        return np.where(rows >= 0, rows, others).astype(np.int32)

    def _effect_rows(self, user: Rows, timestamps: npt.ArrayLike | None) -> Rows:
        if timestamps is None:
            return np.full(len(user), UNKNOWN, np.int32)
        return locate_days(self.day_user, self.day, user, number_days(timestamps))

    def _nothing_known(self, user: Rows, movie: Rows) -> npt.NDArray[np.bool_]:
        return np.asarray((user == len(self.users)) & (movie == len(self.movies) + len(self.unrated_ids)))

    def _arrays(self) -> dict[str, npt.NDArray[Any]]:
        names = sorted(name for name, value in vars(self).items() if isinstance(value, np.ndarray))
        return {name: getattr(self, name) for name in names}
