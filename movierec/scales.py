"""The scale that ratings are given on: lowest, highest, step, and the rating from which a movie counts as liked."""

from typing import Final, NamedTuple, Self

import numpy as np
import numpy.typing as npt

LIKED_SHARE = 0.75  # of the range: the 4 of MovieLens's 0.5 to 5, and of 1 to 5
MOST_STEPS = 1000  # a scale of more is told as continuous
_GRAIN = 1e-4  # finer differences between ratings are rounding


class Scale(NamedTuple):
    """The values that a rating may have.

    Attributes
    ----------
    low, high : float
        Lowest and highest; equal where all ratings are.
    step : float
        Between neighbouring values; 0 where any value between the ends may occur.
    """

    low: float
    high: float
    step: float

    @classmethod
    def detect(cls, values: npt.ArrayLike) -> Self:
        """Tell the scale by the ratings that occur.

        Parameters
        ----------
        values : array_like of float
            Ratings, finite; at least one.

        Returns
        -------
        Scale
            From the least to the greatest value; the step is the greatest common divisor of their distances.

        Raises
        ------
        ValueError
            If there is no value.

        Examples
        --------
        >>> Scale.detect([4, 0.5, 3.5, 5])
        Scale(low=0.5, high=5.0, step=0.5)
        """
        distinct = np.unique(np.asarray(values, dtype=np.float64))
        if not len(distinct):
            raise ValueError("no rating, no scale")
        grains = np.round((distinct - distinct[0]) / _GRAIN)
        step = float(np.gcd.reduce(grains.astype(np.int64))) if grains[-1] < 2**62 else 0.0
        step = step if step and grains[-1] / step <= MOST_STEPS else 0.0
        # by division: 5000 * 1e-4 is no 0.5
        return cls(_tidy(distinct[0]), _tidy(distinct[-1]), _tidy(step / round(1 / _GRAIN)))

    @property
    def liked_from(self) -> float:
        """The rating from which a movie counts as liked: three quarters up the range, on the next step."""
        target = self.low + LIKED_SHARE * (self.high - self.low)
        if self.step:
            target = self.low + np.ceil((target - self.low) / self.step - 1e-6) * self.step
        return _tidy(min(target, self.high))

    @property
    def unit(self) -> str:
        """What differences between ratings are counted in."""
        return "stars" if self.has_stars else "rating units"

    @property
    def has_stars(self) -> bool:
        """Whether ratings are stars: on a scale of 0.5 or 1 to 5."""
        return self.low in {0.5, 1.0} and self.high == HALF_STARS.high

    def format(self, rating: float) -> str:
        """Write a rating, such as ``4.5 stars`` or ``7 of 10``."""
        return f"{rating:g} stars" if self.has_stars else f"{rating:g} of {self.high:g}"

    def holds(self, rating: float) -> bool:
        """Tell whether a rating is one of the scale."""
        steps = (rating - self.low) / self.step if self.step else 0.0
        return self.low <= rating <= self.high and abs(steps - round(steps)) < _GRAIN

    def describe(self) -> str:
        """Say it in words, such as ``from 1 to 10 in steps of 1``."""
        if self.low == self.high:
            return f"all {self.low:g}"
        return f"from {self.low:g} to {self.high:g}" + (f" in steps of {self.step:g}" if self.step else "")


HALF_STARS: Final = Scale(0.5, 5.0, 0.5)  # MovieLens's since 2003


def find_core(values: npt.ArrayLike, counts: npt.ArrayLike, stray_share: float) -> tuple[float, float]:
    """Give the range of ratings that are no strays, such as a 99 for 'no answer' on a scale of 1 to 5.

    Parameters
    ----------
    values : array_like of float, shape (n,)
        Distinct ratings in ascending order, at least one.
    counts : array_like of int, shape (n,)
        How often each occurs.
    stray_share : float
        Strays are at most this share of all ratings, in [0, 1).

    Returns
    -------
    low, high : float
        A value is a stray if it lies outside the range of all but `stray_share` of the ratings (half of them at
        either end), by more than half of that range.
    """
    value, count = np.asarray(values, dtype=np.float64), np.asarray(counts, dtype=np.int64)
    allowed = stray_share / 2 * count.sum()
    low = value[np.searchsorted(np.cumsum(count), allowed, side="right")]
    high = value[::-1][np.searchsorted(np.cumsum(count[::-1]), allowed, side="right")]
    margin = (high - low) / 2
    if margin > 0:
        value = value[(value >= low - margin) & (value <= high + margin)]
    return float(value[0]), float(value[-1])


def _tidy(value: float) -> float:
    return float(np.round(value, 6)) + 0.0
