"""A blend of EASE and the ALS: the mean of their standardised scores; which weight is best is found elsewhere."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar, Final, NamedTuple, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse as sp

from movierec.data.content import Content
from movierec.models.als import ALS
from movierec.models.base import Array, Rows
from movierec.models.calibration import CalibratedRanker
from movierec.models.ease import EASE
from movierec.models.products import rank_columns
from movierec.models.top_k import TopK

Floats = npt.NDArray[np.float32]
Places = npt.NDArray[np.integer[Any]]
PARTS: Final = ("ease", "als")


class Blend(CalibratedRanker):
    """Rank by ``weight * EASE + (1 - weight) * ALS``, each with mean 0 and deviation 1 over a user's catalogue.

    The two err in different ways, one linear in what was rated and one through a few factors, so their mean errs less.

    Parameters
    ----------
    ease, als : mapping
        The arguments of `EASE` and `ALS`.
    weight : float
        Of EASE, in [0, 1].

    Attributes
    ----------
    ease : EASE
        One part.
    als : ALS
        The other.
    """

    name: ClassVar[str] = "blend"

    def __init__(
        self, ease: Mapping[str, Any] | None = None, als: Mapping[str, Any] | None = None, weight: float = 0.5
    ) -> None:
        self.ease = EASE(**(ease or {}))
        self.als = ALS(**(als or {}))
        self.weight = weight

    def fit(
        self,
        ratings: pd.DataFrame,
        content: Content | None = None,
        on_sweep: Callable[[float], object] = lambda _: None,
        *,
        threads: int = 0,
    ) -> Self:
        """Fit both parts; see `EASE.fit` and `ALS.fit` for what is given and raised."""
        self.ease.fit(ratings, content)
        self.als.fit(ratings, on_sweep, threads=threads, content=content)
        return self.adopt(self.ease, self.als)

    def adopt(self, ease: EASE, als: ALS) -> Self:
        """Take parts that are fitted on the same ratings already.

        Raises
        ------
        ValueError
            If they know different users or movies.
        """
        for one, other in ((ease.users, als.users), (ease.movies, als.movies)):
            if not np.array_equal(one.ids, other.ids):
                raise ValueError("the parts of a blend must be fitted on the same ratings")
        self._take_parts(ease, als)
        self.users, self.movies = ease.users, ease.movies
        self.mean, self.scale = ease.mean, ease.scale
        self.user_bias, self.movie_bias = ease.user_bias, ease.movie_bias
        self.calibration = np.array([0.0, 1.0, 0.0])
        return self

    def _take_parts(self, ease: EASE, als: ALS) -> None:
        self.ease, self.als = ease, als
        vars(self).pop("_spread", None)  # of the parts before

    @cached_property
    def _spread(self) -> "_Spread":
        return _Spread.of(self.als.movie_factors)

    @property
    def counts(self) -> bool:  # type: ignore[override]  # as its parts
        """Whether its parts were fitted to counts of events."""
        return self.als.counts

    def score_rows(self, user_rows: Rows) -> Floats:
        """Return the blended scores, shape (users, movies)."""
        return _UsersScores(self, user_rows).mix(np.arange(len(self.movies)))

    def _score_pairs(self, user_rows: Rows, user: Places, movie: Rows) -> Floats:
        return _UsersScores(self, user_rows).mix_pairs(user, movie)

    def _rank(self, user_rows: Rows, excluded: Sequence["sp.csr_array[Any]"], k: int) -> Iterator[TopK]:
        """Score what EASE models, and of the rest what the ALS alone may lift into a list."""
        users = _UsersScores(self, user_rows)
        first = users.mix(self.ease.modelled)
        lists = [rank_columns(first, self.ease.modelled, seen, k) for seen in excluded]
        is_wanted = users.may_exceed(np.min([top.scores[:, -1] for top in lists], axis=0))
        is_wanted[self.ease.modelled] = False
        if not is_wanted.any():
            yield from lists
            return
        is_wanted[self.ease.modelled] = True
        wanted = np.flatnonzero(is_wanted)
        scores = users.mix(wanted)
        for seen in excluded:
            yield rank_columns(scores, wanted, seen, k)

    @staticmethod
    def mix(ease: Floats, als: Floats, weight: float) -> Floats:
        """Blend standardised scores with the weight of EASE given."""
        return np.float32(weight) * ease + np.float32(1 - weight) * als

    def _arrays(self) -> dict[str, npt.NDArray[Any]]:
        parts = {"ease": self.ease, "als": self.als}
        of_parts = {f"{name}.{key}": array for name, part in parts.items() for key, array in part._arrays().items()}  # noqa: SLF001  # its parts
        return self._bias_arrays() | of_parts

    def _settings(self) -> dict[str, Any]:
        return {"ease": self.ease._settings(), "als": self.als._settings(), "weight": self.weight}  # noqa: SLF001

    def _restore(self, arrays: dict[str, npt.NDArray[Any]]) -> None:
        for name in PARTS:
            part = getattr(self, name)
            part.users, part.movies, part.scale = self.users, self.movies, arrays.get("scale", part.scale)
            own = {key: array for key, array in arrays.items() if key.startswith(f"{name}.")}
            part._restore({key.partition(".")[2]: array for key, array in own.items()})  # noqa: SLF001
        super()._restore({key: array for key, array in arrays.items() if "." not in key})


class _Spread(NamedTuple):
    """The movies' factors of the ALS, seen from any user: their mean, Gram matrix and lengths, in float64."""

    mean: Array
    gram: Array
    lengths: Array

    @classmethod
    def of(cls, movie_factors: Floats) -> Self:
        factors = movie_factors.astype(np.float64)
        return cls(factors.mean(axis=0), factors.T @ factors, np.linalg.norm(factors, axis=1))


class _UsersScores:
    """Standardised scores of some users for any movies, whose mean and deviation over all are known without them.

    The ALS's mean is the product with the movies' mean factors, its mean square that with their Gram matrix; EASE's
    scores are 0 but for the movies that it models.
    """

    def __init__(self, blend: Blend, user_rows: Rows) -> None:
        self.blend, self.movies, spread = blend, len(blend.movies), blend._spread  # noqa: SLF001
        self.factors = blend.als.user_factors[user_rows]
        self.modelled = blend.ease.score_modelled(user_rows)
        wide, own = self.modelled.astype(np.float64), self.factors.astype(np.float64)
        self.of_ease = _find_scale(wide.sum(axis=1) / self.movies, np.square(wide).sum(axis=1) / self.movies)
        self.of_als = _find_scale(own @ spread.mean, ((own @ spread.gram) * own).sum(axis=1) / self.movies)

    def mix(self, movie_rows: Places) -> Floats:
        """Return the blended scores of movies, shape (users, movies)."""
        column = self.blend.ease.find_columns(movie_rows)
        ease = np.zeros((len(self.modelled), len(movie_rows)), dtype=np.float32)
        ease[:, column >= 0] = self.modelled[:, column[column >= 0]]
        als = self.factors @ self.blend.als.movie_factors[movie_rows].T
        return self._mix(ease, als, np.arange(len(ease))[:, np.newaxis])

    def mix_pairs(self, user: Places, movie: Places) -> Floats:
        """Return the blended scores of pairs of a user's place and a movie's row, shape (pairs,)."""
        column = self.blend.ease.find_columns(movie)
        ease = np.where(column >= 0, self.modelled[user, column], np.float32(0))
        als = np.einsum("pf,pf->p", self.factors[user], self.blend.als.movie_factors[movie])
        return self._mix(ease, als, user)

    def may_exceed(self, scores: Floats) -> npt.NDArray[np.bool_]:
        """Return which movies, were EASE's score 0, may score more for any user than given, shape (movies,)."""
        nothing, weight = np.zeros(len(scores), dtype=np.float32), 1 - self.blend.weight
        mean, deviation = (each.astype(np.float64) for each in self.of_als)
        without_als = self._mix(nothing, self.of_als.mean, np.arange(len(scores)))
        with np.errstate(divide="ignore", invalid="ignore"):
            needed = mean + deviation * (scores - without_als) / weight
            length = needed / np.linalg.norm(self.factors.astype(np.float64), axis=1)
        least = np.nan_to_num(length, nan=-np.inf, posinf=np.inf).min(initial=np.inf)
        return np.asarray(self.blend._spread.lengths >= least * (1 - 1e-4))  # noqa: SLF001

    def _mix(self, ease: Floats, als: Floats, user: Places) -> Floats:
        ease = (ease - self.of_ease.mean[user]) / self.of_ease.deviation[user]
        als = (als - self.of_als.mean[user]) / self.of_als.deviation[user]
        return self.blend.mix(ease, als, self.blend.weight)


class _Scale(NamedTuple):
    """By which scores are standardised, float32 of shape (users,)."""

    mean: Floats
    deviation: Floats


def _find_scale(mean: Array, mean_square: Array) -> _Scale:
    """Return mean and deviation; 1 for a row of equal scores, up to rounding."""
    variance = mean_square - mean**2
    deviation = np.sqrt(np.where(variance > 1e-12 * mean_square, variance, 1))
    return _Scale(mean.astype(np.float32), deviation.astype(np.float32))


def standardize(scores: Floats) -> tuple[Floats, Floats]:
    """Shift and scale each row to mean 0 and standard deviation 1; a row of equal scores becomes zeros.

    Parameters
    ----------
    scores : ndarray of float32, shape (users, movies)
        Finite.

    Returns
    -------
    standardized : ndarray of float32, shape (users, movies)
    deviations : ndarray of float32, shape (users, 1)
        What was divided by; 1 for a row of equal scores.

    Examples
    --------
    >>> standardize(np.array([[1, 3], [2, 2]], dtype=np.float32))[0].tolist()
    [[-1.0, 1.0], [0.0, 0.0]]
    """
    gaps = scores - scores.mean(axis=1, keepdims=True)
    deviations = np.sqrt(np.square(gaps).mean(axis=1, keepdims=True))
    deviations[deviations == 0] = 1
    return gaps / deviations, deviations
