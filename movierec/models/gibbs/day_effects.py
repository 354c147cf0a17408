"""Moods: an offset of all ratings that a user gave on one day."""

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from movierec.ids import UNKNOWN
from movierec.models.gibbs.kernels import DayDraws, Days, draw_day_effects
from movierec.models.gibbs.row_blocks import RowBlocks

SECONDS_A_DAY: Final = 86_400
_START_PRECISION: Final = 20.0
_RATE: Final = 0.05

Floats = npt.NDArray[np.float32]


class DayEffects:
    """Normal effects around 0 of each user's days, with a common precision.

    Koren (2010), "Collaborative filtering with temporal dynamics", section 3.2: a user's bias on a single day, here
    drawn from a distribution instead of learned by SGD.

    Parameters
    ----------
    blocks : RowBlocks
        Of the days.
    days : Days
        The ratings of each, in the users' order.
    day : ndarray of int32, shape (days,)
        Which day it was.

    Attributes
    ----------
    precision : float
        Of the effects, in 1 / stars squared.
    draws : DayDraws
        Of the last sweep.
    """

    def __init__(self, blocks: RowBlocks, days: Days, day: npt.NDArray[np.int32]) -> None:
        self.blocks, self.days, self.day = blocks, days, day
        self.precision = _START_PRECISION
        self.draws = DayDraws(*(np.zeros(len(day)) for _ in DayDraws._fields))
        self._sizes = np.diff(days.indptr)

    def draw(
        self,
        residuals: Floats,
        columns: npt.NDArray[np.integer],
        precisions: npt.NDArray[np.float64],
        weights: Floats,
        rng: np.random.Generator,
    ) -> None:
        """Draw the effects given what the factors leave of the ratings, then their precision.

        Parameters
        ----------
        residuals : ndarray of float32, shape (ratings,)
            In the users' order, effects included.
        columns : ndarray of int32, shape (ratings,)
            Movie of each.
        precisions, weights : ndarray, shape (users,) and (movies,)
            Whose product is a rating's precision.
        rng : numpy.random.Generator
            Source of the draws.
        """

        def draw(first: int, last: int, rng: np.random.Generator) -> None:
            noise = rng.standard_normal(last - first, dtype=np.float32)
            shared = (columns, residuals, precisions, weights, self.precision, noise, self.draws)
            draw_day_effects(first, last, self.days, *shared)

        self.blocks.run_with_noise(rng, draw)
        scale = self._draw_scale(rng)
        squares = float(np.square(self.draws.effect).sum())
        self.precision = float(rng.gamma(1 + len(self.day) / 2, 1 / (_RATE + squares / 2))) / scale**2
        np.multiply(self.draws.effect, scale, out=self.draws.effect)

    def _draw_scale(self, rng: np.random.Generator) -> float:
        """Draw a common factor of all effects by regression of the ratings on them.

        Without it a small variance takes hundreds of sweeps to find: Liu & Wu (1999), "Parameter expansion for data
        augmentation".
        """
        precision, mean, effect = self.draws
        agreement = float((mean * (precision + self.precision) * effect).sum())
        size = float((precision * effect**2).sum())
        return agreement / size + float(rng.standard_normal()) / math.sqrt(size)

    def by_rating(self) -> Floats:
        """Return the effect of each rating's day in stars, shape (ratings,)."""
        return np.repeat(self.draws.effect.astype(np.float32), self._sizes)


def number_days(timestamps: npt.ArrayLike) -> npt.NDArray[np.int32]:
    """Return the day of each moment, counted from 1970-01-01 (UTC).

    Examples
    --------
    >>> number_days([0, 86_399, 86_400]).tolist()
    [0, 0, 1]
    """
    return (np.asarray(timestamps, dtype=np.int64) // SECONDS_A_DAY).astype(np.int32)


def locate_days(
    day_user: npt.NDArray[np.integer], day: npt.NDArray[np.integer], user: npt.ArrayLike, wanted: npt.ArrayLike
) -> npt.NDArray[np.int32]:
    """Find the rows of users' days.

    Parameters
    ----------
    day_user, day : ndarray of int32, shape (days,)
        Sorted by both, distinct.
    user, wanted : array_like of int32, shape (n,)
        Rows of users, and days.

    Returns
    -------
    ndarray of int32, shape (n,)
        Rows of `day`, -1 where the user has no such day.
    """
    keys, sought = _join(day_user, day), _join(np.asarray(user), np.asarray(wanted))
    rows = np.searchsorted(keys, sought)
    found = np.append(keys, -1)[rows] == sought
    return np.where(found, rows, UNKNOWN).astype(np.int32)


def _join(user: npt.NDArray[np.integer], day: npt.NDArray[np.integer]) -> npt.NDArray[np.int64]:
    """Return numbers that are ordered by user, then day; a day before 1970 is no exception."""
    return (user.astype(np.int64) << 32) + day.astype(np.int64)
