"""The models that answer, each made ready for one user at a time: the factor models here, and the choice of scorer."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from movierec.errors import MovierecError
from movierec.ids import find_rows
from movierec.models.als import ALS
from movierec.models.base import Array, Recommender, Rows, gather
from movierec.models.bayes import Bayes
from movierec.models.blend import Blend
from movierec.models.ease import EASE
from movierec.models.svd import SVD
from movierec.recommender.fold_in import FoldedUser, fold_in_als, fold_in_bias, fold_in_svd, gram_of_movies, with_ones
from movierec.recommender.profiles import Profile
from movierec.recommender.scorer import NO_CODES, Codes, Predicted, Scorer, Scores, Shares, Taste
from movierec.recommender.scorer_bayes import BayesScorer
from movierec.recommender.scorer_blend import BlendScorer
from movierec.recommender.scorer_ease import EaseScorer


@dataclass(frozen=True, eq=False)
class FactorTaste(Taste):
    """A bias in stars, float64 factors of shape (factors,), and how they were solved."""

    bias: float
    factors: Array
    folded: FoldedUser | None = None


class FactorScorer(Scorer[FactorTaste]):
    """A model with one vector a user and a movie, the movies' in float32 besides.

    Parameters
    ----------
    model : ALS or SVD
        Fitted, perhaps with rows for new movies behind the others.
    codes : ndarray of int64, shape (new,)
        Of the new movies, ascending, above all others.
    """

    def __init__(self, model: ALS | SVD, codes: Codes = NO_CODES) -> None:
        self.movie_ids = np.concatenate([model.movies.ids, codes])
        self._user_ids = model.users.ids
        self._mean, self._user_bias, self._movie_bias = float(model.mean), model.user_bias, model.movie_bias
        self._user_factors, self._movie_factors = model.user_factors, model.movie_factors
        self._factors = np.ascontiguousarray(model.movie_factors, dtype=np.float32)
        lengths = np.linalg.norm(self._factors, axis=1, keepdims=True)
        self._directions = self._factors / np.where(lengths > 0, lengths, np.float32(1))

    def recall(self, user_id: int) -> FactorTaste | None:
        """Return the vector of the fit; see `Scorer.recall`."""
        row = int(find_rows(self._user_ids, [user_id])[0])
        if row < 0:
            return None
        return FactorTaste(float(self._user_bias[row]), self._user_factors[row].astype(np.float64))

    def compare(self, movie_row: int) -> Scores:
        """Return cosines; see `Scorer.compare`."""
        cosines: Scores = self._directions @ self._directions[movie_row]
        return cosines

    def explain(self, profile: Profile, taste: FactorTaste, movie_rows: Rows) -> Shares:
        """Part the scores by the fold-in's linear system; see `Scorer.explain`."""
        rows, stars = self._known(profile)
        parts = (taste.folded or self._solve(rows, stars)).explain(self._inputs(movie_rows))
        return Shares(self.movie_ids[rows], stars, parts, parts.sum(axis=1) + self._offset(movie_rows))

    @abstractmethod
    def _solve(self, rows: Rows, stars: Scores) -> FoldedUser: ...

    @abstractmethod
    def _inputs(self, rows: Rows) -> Array:
        """Return the movies in the form of a folded user's inputs."""

    @abstractmethod
    def _offset(self, rows: Rows) -> Array:
        """Return what a score has beside its parts."""

    def _bias_and_product(self, taste: FactorTaste | None, movie_ids: npt.ArrayLike) -> tuple[Array, Array]:
        rows = find_rows(self.movie_ids, movie_ids)
        bias = self._mean + gather(self._movie_bias, rows)
        if taste is None:
            return bias, np.zeros(len(rows))
        return bias + taste.bias, np.where(rows >= 0, self._movie_factors[rows] @ taste.factors, 0.0)


class AlsScorer(FactorScorer):
    """An ALS; computes once what all users' equations share.

    Parameters
    ----------
    model : ALS
        Fitted and calibrated.
    codes : ndarray of int64
        See `FactorScorer`.
    """

    def __init__(self, model: ALS, codes: Codes = NO_CODES) -> None:
        super().__init__(model, codes)
        self._model, self._gram = model, gram_of_movies(model)

    def score(self, taste: FactorTaste) -> Scores:
        """Return the uncalibrated scores; see `Scorer.score`."""
        scores: Scores = self._factors @ taste.factors.astype(np.float32)
        return scores

    def predict(self, taste: FactorTaste | None, movie_ids: npt.ArrayLike) -> Predicted:
        """Predict stars by the calibrated score; see `Scorer.predict`."""
        bias, product = self._bias_and_product(taste, movie_ids)
        weight = self._model.calibration
        stars: Array = weight[0] + weight[1] * bias + weight[2] * product
        return Predicted(np.clip(stars, *self._model.scale))

    def _solve(self, rows: Rows, stars: Scores) -> FoldedUser:
        return fold_in_als(self._model, self._gram, rows, stars)

    def _solve_taste(self, rows: Rows, stars: Scores) -> FactorTaste:
        folded = self._solve(rows, stars)
        return FactorTaste(fold_in_bias(self._model, rows, stars), folded.vector, folded)

    def _inputs(self, rows: Rows) -> Array:
        return self._movie_factors[rows].astype(np.float64)

    def _offset(self, rows: Rows) -> Array:
        return np.zeros(len(rows))


class SvdScorer(FactorScorer):
    """An SVD.

    Parameters
    ----------
    model : SVD
        Fitted.
    codes : ndarray of int64
        See `FactorScorer`.
    """

    def __init__(self, model: SVD, codes: Codes = NO_CODES) -> None:
        super().__init__(model, codes)
        self._model, self._bias = model, model.movie_bias.astype(np.float32)

    def score(self, taste: FactorTaste) -> Scores:
        """Return unclipped predictions; see `Scorer.score`."""
        scores: Scores = self._factors @ taste.factors.astype(np.float32)
        scores += self._bias
        scores += np.float32(self._mean + taste.bias)
        return scores

    def predict(self, taste: FactorTaste | None, movie_ids: npt.ArrayLike) -> Predicted:
        """Predict stars; see `Scorer.predict`."""
        bias, product = self._bias_and_product(taste, movie_ids)
        return Predicted(np.clip(bias + product, *self._model.scale))

    def _solve(self, rows: Rows, stars: Scores) -> FoldedUser:
        return fold_in_svd(self._model, rows, stars)

    def _solve_taste(self, rows: Rows, stars: Scores) -> FactorTaste:
        folded = self._solve(rows, stars)
        return FactorTaste(float(folded.vector[0]), folded.vector[1:], folded)

    def _inputs(self, rows: Rows) -> Array:
        return with_ones(self._model.movie_factors[rows])

    def _offset(self, rows: Rows) -> Array:
        return self._mean + self._movie_bias[rows]


def make_scorer(model: Recommender) -> Scorer[Any]:
    """Return the scorer of a fitted model of one of the kinds that are stored.

    Raises
    ------
    MovierecError
        If it is another model: nobody can be folded in.
    """
    if isinstance(model, ALS):
        return AlsScorer(model)
    if isinstance(model, SVD):
        return SvdScorer(model)
    if isinstance(model, Bayes):
        return BayesScorer(model)
    if isinstance(model, EASE):
        return EaseScorer(model)
    if isinstance(model, Blend):
        return BlendScorer(model)
    raise MovierecError(f"the service cannot use a model {model.name!r}: give it one that the pipeline stores")
