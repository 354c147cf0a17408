"""What every model that answers is asked for one user, whatever its kind; the kinds are in `scorers`."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Final, Generic, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from movierec.ids import find_rows
from movierec.models.base import Array, Rows
from movierec.recommender.profiles import Profile

INTERVAL_COVERAGE: Final = 0.8  # share of a model's ratings that lie from `low` to `high`

Scores = npt.NDArray[np.float32]
Codes = npt.NDArray[np.int64]
NO_CODES: Final[Codes] = np.empty(0, dtype=np.int64)
Expectation = tuple[float | None, float | None, float | None]  # stars, low, high


class Taste:
    """A user as one model sees them; only the scorer that it comes from can read it."""


SomeTaste = TypeVar("SomeTaste", bound=Taste)


class Predicted(NamedTuple):
    """Predicted ratings.

    Attributes
    ----------
    stars : ndarray of float64, shape (n,)
        0.5 to 5.
    low, high : ndarray of float64, shape (n,), or None
        Of ratings predicted so, a share of `INTERVAL_COVERAGE` lies between, ends included; cut at the ends of the
        scale. None of a model that states no uncertainty: every one but the Bayesian factorisation.
    """

    stars: Array
    low: Array | None = None
    high: Array | None = None

    def by_movie(self) -> list[Expectation]:
        """Return stars, low and high of each movie as plain numbers."""
        nothing = [None] * len(self.stars)
        low, high = (nothing if end is None else end.tolist() for end in (self.low, self.high))
        return list(zip(self.stars.tolist(), low, high, strict=True))


@dataclass(frozen=True, eq=False)
class Shares:
    """What each of a user's ratings contributes to the scores of some movies.

    Attributes
    ----------
    rated_ids : ndarray of int, shape (ratings,)
        The rated movies that the model knows, ascending.
    stars : ndarray of float32, shape (ratings,)
        Their ratings.
    parts : ndarray of float64, shape (n, ratings)
        Of any sign.
    scores : ndarray of float64, shape (n,)
        Of the folded-in user: the sums of the rows of `parts`, and what a model adds whatever was rated, such as the
        mean and the movie's bias.
    """

    rated_ids: npt.NDArray[np.integer[Any]]
    stars: Scores
    parts: Array
    scores: Array


class Scorer(ABC, Generic[SomeTaste]):
    """A model ready to answer; never changed, so that any number of threads may share it.

    Attributes
    ----------
    movie_ids : ndarray of int, shape (movies,)
        The movies that the model can rank, ascending.
    """

    movie_ids: npt.NDArray[np.integer[Any]]

    @abstractmethod
    def recall(self, user_id: int) -> SomeTaste | None:
        """Return what the fit learned of a user; None if it never saw them."""

    def see(self, profile: Profile) -> SomeTaste | None:
        """Return a user's taste, by the fit where their ratings are those that it saw; None if nothing is known."""
        recalled = None if profile.changed else self.recall(profile.user_id)
        return recalled or self.fold_in(profile)

    def fold_in(self, profile: Profile) -> SomeTaste | None:
        """Solve for a user's taste from all their ratings; None if the model knows none of the movies."""
        rows, stars = self._known(profile)
        return self._solve_taste(rows, stars) if len(rows) else None

    @abstractmethod
    def score(self, taste: SomeTaste) -> Scores:
        """Return the user's score of every movie, shape (movies,), as the model's `score_rows` does."""

    def explore(self, taste: SomeTaste, rng: np.random.Generator) -> Scores:
        """Score by one draw of what the model believes (Thompson sampling): what it knows little of is shown, too.

        Parameters
        ----------
        taste : Taste
            From `recall` or `fold_in`.
        rng : numpy.random.Generator
            Source of the draw.

        Returns
        -------
        ndarray of float32, shape (movies,)
            Those of `score` from a model that states no uncertainty.
        """
        del rng
        return self.score(taste)

    @abstractmethod
    def predict(self, taste: SomeTaste | None, movie_ids: npt.ArrayLike) -> Predicted:
        """Predict ratings as the model's `predict` does; None is a user of whom nothing is known."""

    @abstractmethod
    def compare(self, movie_row: int) -> Scores:
        """Return the cosine of one movie's factors with every movie's, shape (movies,); 0 where one has none."""

    @abstractmethod
    def explain(self, profile: Profile, taste: SomeTaste, movie_rows: Rows) -> Shares:
        """Part the folded-in user's scores of some movies among the user's ratings.

        Parameters
        ----------
        profile : Profile
            The user's ratings; without one that the model knows there are no parts.
        taste : Taste
            From `recall` or `fold_in`.
        movie_rows : ndarray of int, shape (n,)
            Places in `movie_ids`.
        """

    @abstractmethod
    def _solve_taste(self, rows: Rows, stars: Scores) -> SomeTaste: ...

    def _known(self, profile: Profile) -> tuple[Rows, Scores]:
        rows = find_rows(self.movie_ids, profile.movie_ids)
        return rows[rows >= 0], profile.stars[rows >= 0]
