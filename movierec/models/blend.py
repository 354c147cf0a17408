"""A blend of EASE and the ALS: the mean of their standardised scores; which weight is best is found elsewhere."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from movierec.data.content import Content
from movierec.models.als import ALS
from movierec.models.base import Rows
from movierec.models.calibration import CalibratedRanker
from movierec.models.ease import EASE

Floats = npt.NDArray[np.float32]
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
        self.ease, self.als = ease, als
        self.users, self.movies = ease.users, ease.movies
        self.mean, self.scale = ease.mean, ease.scale
        self.user_bias, self.movie_bias = ease.user_bias, ease.movie_bias
        self.calibration = np.array([0.0, 1.0, 0.0])
        return self

    @property
    def counts(self) -> bool:  # type: ignore[override]  # as its parts
        """Whether its parts were fitted to counts of events."""
        return self.als.counts

    def score_rows(self, user_rows: Rows) -> Floats:
        """Return the blended scores, shape (users, movies)."""
        return self.mix(*self.standardized_rows(user_rows), self.weight)

    def standardized_rows(self, user_rows: Rows) -> tuple[Floats, Floats]:
        """Return the standardised scores of EASE and of the ALS, each of shape (users, movies)."""
        return standardize(self.ease.score_rows(user_rows))[0], standardize(self.als.score_rows(user_rows))[0]

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
