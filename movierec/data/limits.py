"""Which ratings count: the scale, given or found, and the rating that stands for none."""

from dataclasses import dataclass, field
from typing import Literal, Self

import numpy as np
import numpy.typing as npt

from movierec.data.tally import Counts
from movierec.scales import Scale, find_core


@dataclass
class CleanReport:
    """What cleaning did.

    Attributes
    ----------
    rows_in : int
        Rows of the ratings file, broken ones included.
    dropped : dict of str to int
        Rows dropped, by reason.
    scale : Scale
        Of the ratings that remain; of counts their range.
    """

    rows_in: int
    dropped: dict[str, int] = field(default_factory=dict)
    scale: Scale = Scale(0.0, 0.0, 0.0)  # noqa: RUF009  # immutable


@dataclass(frozen=True)
class Limits:
    """Which ratings count.

    Attributes
    ----------
    low, high : float32
        Ends of the scale.
    unrated : float32
        Rating that stands for none; NaN if none does.
    is_implicit : bool
        Whether ratings are counts, of which those of 0 and below are dropped.
    """

    low: np.float32
    high: np.float32
    unrated: np.float32
    is_implicit: bool

    @classmethod
    def settle(
        cls,
        stars: Counts,
        report: CleanReport,
        scale: Scale | Literal["auto"],
        unrated: float | None,
        stray_share: float,
        *,
        is_implicit: bool,
    ) -> Self:
        """Settle the scale, and count in a report what stands for no rating and what lies outside.

        Parameters
        ----------
        stars : Counts
            Every rating that occurs.
        report : CleanReport
            Is given the scale and two counts.
        scale, unrated, stray_share, is_implicit
            As `movierec.data.clean.clean_ratings` takes them; `stray_share` is its `max_bad_fraction`.
        """
        value, count = stars.distinct, stars.numbers
        none = np.float32(np.nan if unrated is None else unrated)
        rated = cls(np.float32(-np.inf), np.float32(np.inf), none, is_implicit).hold(value)
        report.dropped["unrated"] = int(count[~rated].sum())
        value, count = value[rated], count[rated]
        if scale != "auto":
            low, high = scale.low, scale.high
        elif len(value):
            low, high = (value[0], value[-1]) if is_implicit else find_core(value, count, stray_share)
            scale = Scale.detect(value[(value >= low) & (value <= high)])
        else:
            low, high, scale = 0.0, 0.0, report.scale
        report.scale = scale
        limits = cls(np.float32(low), np.float32(high), none, is_implicit)
        report.dropped["outside_scale"] = int(count[~limits.hold(value)].sum())
        return limits

    def hold(self, ratings: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
        """Mark the ratings that are kept, shape (n,)."""
        kept: npt.NDArray[np.bool_] = (ratings >= self.low) & (ratings <= self.high) & (ratings != self.unrated)
        return kept & (ratings > 0) if self.is_implicit else kept
