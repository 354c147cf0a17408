"""One fitted model made ready to answer for one user at a time."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from movierec.errors import MovierecError
from movierec.ids import find_rows
from movierec.models.als import ALS
from movierec.models.base import Array, Recommender, Rows, gather
from movierec.models.svd import SVD
from movierec.recommender.fold_in import FoldedUser, fold_in_als, fold_in_bias, fold_in_svd, gram_of_movies, with_ones
from movierec.recommender.profiles import Profile

Scores = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Taste:
    """A user as one model sees them: bias in stars, float64 factors of shape (factors,), and how they were solved."""

    bias: float
    factors: Array
    folded: FoldedUser | None = None


@dataclass(frozen=True, eq=False)
class Shares:
    """What each of a user's ratings contributes to the scores of some movies.

    Attributes
    ----------
    rated_ids : ndarray of int32, shape (ratings,)
        The rated movies that the model knows, ascending.
    stars : ndarray of float32, shape (ratings,)
        Their ratings.
    parts : ndarray of float64, shape (n, ratings)
        Of any sign.
    scores : ndarray of float64, shape (n,)
        Of the folded-in user: the sums of the rows of `parts`; of the SVD mean and movie bias besides.
    """

    rated_ids: npt.NDArray[np.int32]
    stars: Scores
    parts: Array
    scores: Array


class Scorer(ABC):
    """A model, and its factors in float32; never changed, so that any number of threads may share it.

    Attributes
    ----------
    movie_ids : ndarray of int32, shape (movies,)
        The movies that the model can score, ascending.
    """

    def __init__(self, model: ALS | SVD) -> None:
        self.movie_ids = model.movies.ids
        self._user_ids = model.users.ids
        self._mean, self._user_bias, self._movie_bias = float(model.mean), model.user_bias, model.movie_bias
        self._user_factors, self._movie_factors = model.user_factors, model.movie_factors
        self._factors = np.ascontiguousarray(model.movie_factors, dtype=np.float32)
        lengths = np.linalg.norm(self._factors, axis=1, keepdims=True)
        self._directions = self._factors / np.where(lengths > 0, lengths, np.float32(1))

    def recall(self, user_id: int) -> Taste | None:
        """Return what the fit learned of a user; None if it never saw them."""
        row = int(find_rows(self._user_ids, [user_id])[0])
        if row < 0:
            return None
        return Taste(float(self._user_bias[row]), self._user_factors[row].astype(np.float64))

    def fold_in(self, profile: Profile) -> Taste | None:
        """Solve for a user's taste from all their ratings; None if the model knows none of the movies."""
        rows, stars = self._known(profile)
        return self._solve_taste(rows, stars) if len(rows) else None

    def compare(self, movie_row: int) -> Scores:
        """Return the cosine of one movie's factors with every movie's, shape (movies,); 0 where one has none."""
        cosines: Scores = self._directions @ self._directions[movie_row]
        return cosines

    def explain(self, profile: Profile, taste: Taste, movie_rows: Rows) -> Shares:
        """Part the folded-in user's scores of some movies among the user's ratings.

        Parameters
        ----------
        profile : Profile
            With at least one movie that the model knows.
        taste : Taste
            From `recall` or `fold_in`.
        movie_rows : ndarray of int, shape (n,)
            Places in `movie_ids`.
        """
        rows, stars = self._known(profile)
        parts = (taste.folded or self._solve(rows, stars)).explain(self._inputs(movie_rows))
        return Shares(self.movie_ids[rows], stars, parts, parts.sum(axis=1) + self._offset(movie_rows))

    @abstractmethod
    def score(self, taste: Taste) -> Scores:
        """Return the user's score of every movie, shape (movies,), as the model's `score_rows` does."""

    @abstractmethod
    def predict(self, taste: Taste | None, movie_ids: npt.ArrayLike) -> Array:
        """Predict ratings, shape (n,), as the model's `predict` does: what is unknown counts 0."""

    @abstractmethod
    def _solve(self, rows: Rows, stars: Scores) -> FoldedUser: ...

    @abstractmethod
    def _solve_taste(self, rows: Rows, stars: Scores) -> Taste: ...

    @abstractmethod
    def _inputs(self, rows: Rows) -> Array:
        """Return the movies in the form of a folded user's inputs."""

    @abstractmethod
    def _offset(self, rows: Rows) -> Array:
        """Return what a score has beside its parts."""

    def _known(self, profile: Profile) -> tuple[Rows, Scores]:
        rows = find_rows(self.movie_ids, profile.movie_ids)
        return rows[rows >= 0], profile.stars[rows >= 0]

    def _bias_and_product(self, taste: Taste | None, movie_ids: npt.ArrayLike) -> tuple[Array, Array]:
        rows = find_rows(self.movie_ids, movie_ids)
        bias = self._mean + gather(self._movie_bias, rows)
        if taste is None:
            return bias, np.zeros(len(rows))
        return bias + taste.bias, np.where(rows >= 0, self._movie_factors[rows] @ taste.factors, 0.0)


class AlsScorer(Scorer):
    """An ALS; computes once what all users' equations share.

    Parameters
    ----------
    model : ALS
        Fitted and calibrated.
    """

    def __init__(self, model: ALS) -> None:
        super().__init__(model)
        self._model, self._gram = model, gram_of_movies(model)

    def score(self, taste: Taste) -> Scores:
        """Return the uncalibrated scores; see `Scorer.score`."""
        scores: Scores = self._factors @ taste.factors.astype(np.float32)
        return scores

    def predict(self, taste: Taste | None, movie_ids: npt.ArrayLike) -> Array:
        """Predict stars by the calibrated score; see `Scorer.predict`."""
        bias, product = self._bias_and_product(taste, movie_ids)
        weight = self._model.calibration
        stars: Array = weight[0] + weight[1] * bias + weight[2] * product
        return np.clip(stars, *self._model.scale)

    def _solve(self, rows: Rows, stars: Scores) -> FoldedUser:
        return fold_in_als(self._model, self._gram, rows, stars)

    def _solve_taste(self, rows: Rows, stars: Scores) -> Taste:
        folded = self._solve(rows, stars)
        return Taste(fold_in_bias(self._model, rows, stars), folded.vector, folded)

    def _inputs(self, rows: Rows) -> Array:
        return self._movie_factors[rows].astype(np.float64)

    def _offset(self, rows: Rows) -> Array:
        return np.zeros(len(rows))


class SvdScorer(Scorer):
    """An SVD.

    Parameters
    ----------
    model : SVD
        Fitted.
    """

    def __init__(self, model: SVD) -> None:
        super().__init__(model)
        self._model, self._bias = model, model.movie_bias.astype(np.float32)

    def score(self, taste: Taste) -> Scores:
        """Return unclipped predictions; see `Scorer.score`."""
        scores: Scores = self._factors @ taste.factors.astype(np.float32)
        scores += self._bias
        scores += np.float32(self._mean + taste.bias)
        return scores

    def predict(self, taste: Taste | None, movie_ids: npt.ArrayLike) -> Array:
        """Predict stars; see `Scorer.predict`."""
        bias, product = self._bias_and_product(taste, movie_ids)
        return np.clip(bias + product, *self._model.scale)

    def _solve(self, rows: Rows, stars: Scores) -> FoldedUser:
        return fold_in_svd(self._model, rows, stars)

    def _solve_taste(self, rows: Rows, stars: Scores) -> Taste:
        folded = self._solve(rows, stars)
        return Taste(float(folded.vector[0]), folded.vector[1:], folded)

    def _inputs(self, rows: Rows) -> Array:
        return with_ones(self._model.movie_factors[rows])

    def _offset(self, rows: Rows) -> Array:
        return self._mean + self._movie_bias[rows]


def make_scorer(model: Recommender) -> Scorer:
    """Return the scorer of a fitted ALS or SVD.

    Raises
    ------
    MovierecError
        If it is another model: without factors nobody can be folded in.
    """
    if isinstance(model, ALS):
        return AlsScorer(model)
    if isinstance(model, SVD):
        return SvdScorer(model)
    raise MovierecError(f"the service cannot use a model {model.name!r}: give it an ALS or an SVD")
