"""A Bayesian factorisation made ready to answer for one user at a time, with intervals and exploration."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np
import numpy.typing as npt

from movierec.ids import find_rows
from movierec.models.base import Rows
from movierec.models.bayes_fold_in import FoldedRow, Raters, fold_in_user_rows
from movierec.models.posterior_predictive import PosteriorPredictive
from movierec.recommender.profiles import Profile
from movierec.recommender.scorer import INTERVAL_COVERAGE, NO_CODES, Codes, Predicted, Scorer, Scores, Shares, Taste

REACH: Final = NormalDist().inv_cdf((1 + INTERVAL_COVERAGE) / 2)  # of an interval, in standard deviations


@dataclass(frozen=True, eq=False)
class BayesTaste(Taste):
    """A user of the fit by their row, or one who was folded in."""

    row: int
    folded: FoldedRow | None = None


class BayesScorer(Scorer[BayesTaste]):
    """A Bayesian factorisation: users of the fit by its posterior, others by fold-in through its stored draws.

    Beside the model it holds the movies' draws in float32, twice the size of the model's: 18 MB at 8,600 movies, 32
    columns and 16 draws.

    Parameters
    ----------
    model : PosteriorPredictive
        Fitted.
    codes : ndarray of int64, shape (new,)
        Of new movies whose rows follow those of the rated ones; ascending, above all others.
    """

    def __init__(self, model: PosteriorPredictive, codes: Codes = NO_CODES) -> None:
        self._model = model
        self.movie_ids, self._user_ids = np.concatenate([model.movies.ids, codes]), model.users.ids
        movies = len(self.movie_ids)
        listed = np.concatenate([model.movies.ids, model.unrated_ids])
        self._order = np.append(np.argsort(listed), len(listed)).astype(np.int32)  # the last one of unknown movies
        self._listed = listed[self._order[:-1]]
        self._draws = model.movie_draws[:, :movies].astype(np.float32)  # (samples, movies, 1 + factors)
        self._factors = model.movie_mean[:movies, 1:]
        lengths = np.linalg.norm(self._factors, axis=1)
        self._lengths = np.where(lengths > 0, lengths, np.float32(1))
        self.predict(None, self.movie_ids[:1])  # compiled now: the first to ask shall not wait for it

    def recall(self, user_id: int) -> BayesTaste | None:
        """Return the user's row; see `Scorer.recall`."""
        row = int(find_rows(self._user_ids, [user_id])[0])
        return BayesTaste(row) if row >= 0 else None

    def score(self, taste: BayesTaste) -> Scores:
        """Return posterior means before they are clipped; see `Scorer.score`."""
        if taste.folded is None:
            scores: Scores = self._model.score_rows(np.array([taste.row], np.int32), len(self.movie_ids))[0]
            return scores
        return self._apply(self._draws, taste.folded.mean.astype(np.float32))

    def explore(self, taste: BayesTaste, rng: np.random.Generator) -> Scores:
        """Score by one stored draw; see `Scorer.explore` and `PosteriorPredictive.at_draw`.

        The vector of a user who was folded in is drawn from their distribution given that draw of the movies.
        """
        draw = int(rng.integers(len(self._draws)))
        if taste.folded is None:
            user = self._model.user_draws[draw, taste.row]
        else:
            root = np.linalg.cholesky(taste.folded.covariance[draw])
            user = taste.folded.mean[draw] + root @ rng.standard_normal(len(root))
        return self._apply(self._draws[draw : draw + 1], user[None].astype(np.float32))

    def predict(self, taste: BayesTaste | None, movie_ids: npt.ArrayLike) -> Predicted:
        """Predict ratings with their intervals; see `Scorer.predict`.

        A user of whom nothing is known is the mean one, and a movie without ratings is as its genres and decade are:
        both have wide intervals. A movie that the fit was not told of is the mean one.
        """
        movie = self._order[find_rows(self._listed, movie_ids)]
        if taste and taste.folded:
            stars, deviation = taste.folded.predict(movie)
        else:
            user: Rows = np.full(len(movie), taste.row if taste else len(self._user_ids), np.int32)
            stars, deviation = self._model.predict_rows(user, movie), self._model.measure_rows(user, movie)
        low, high = stars - REACH * deviation, stars + REACH * deviation
        return Predicted(stars, np.maximum(low, self._model.scale[0]), np.minimum(high, self._model.scale[1]))

    def compare(self, movie_row: int) -> Scores:
        """Return cosines of the factors of the mean; see `Scorer.compare`."""
        products = self._factors @ self._factors[movie_row]
        cosines: Scores = products / (self._lengths * self._lengths[movie_row])
        return cosines

    def explain(self, profile: Profile, taste: BayesTaste, movie_rows: Rows) -> Shares:
        """Part the scores by the fold-in's equations; see `Scorer.explain` and `FoldedRow.explain`."""
        rows, stars = self._known(profile)
        folded = taste.folded or self._fold_in(rows, stars)
        return Shares(self.movie_ids[rows], stars, folded.explain(movie_rows), folded.score(movie_rows))

    def describe_raters(self, tastes: Sequence[BayesTaste]) -> Raters:
        """Return the raters of a movie, of the fit or folded in, in the form that a row is solved by."""
        samples, _, width = self._model.user_draws.shape
        draws, noise = np.empty((samples, len(tastes), width)), np.empty(len(tastes))
        for at, taste in enumerate(tastes):
            folded = taste.folded
            draws[:, at] = folded.mean if folded else self._model.user_draws[:, taste.row]
            noise[at] = folded.noise if folded else self._model.user_noise[taste.row]
        return Raters(draws, noise, np.empty(0, dtype=np.int32))

    def _solve_taste(self, rows: Rows, stars: Scores) -> BayesTaste:
        return BayesTaste(len(self._user_ids), self._fold_in(rows, stars))

    def _fold_in(self, rows: Rows, stars: Scores) -> FoldedRow:
        return fold_in_user_rows(self._model, rows, stars)

    def _apply(self, movies: Scores, users: Scores) -> Scores:
        """Return the mean score over draws of `movies`, shape (draws, movies, width), and of a user, (draws, width)."""
        weights = users.copy()
        weights[:, 0] = 1  # of the movies' biases
        products = (movies @ weights[:, :, None])[:, :, 0]
        scores: Scores = products.mean(axis=0) + np.float32(self._model.mean + users[:, 0].mean())
        return scores
