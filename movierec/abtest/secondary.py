"""Metrics beside the one that decides: Welch's test of each, their p-values adjusted for being several."""

from collections.abc import Mapping
from dataclasses import dataclass

from numpy.typing import ArrayLike

from movierec.abtest.difference import MeanDifference, welch_test
from movierec.abtest.second_opinions import adjust_p_values
from movierec.errors import MovierecError


@dataclass(frozen=True)
class SecondaryMetric:
    """A difference of means, its p-value adjusted by Holm's method over all secondary metrics.

    The interval in `difference` is of this metric alone: it is not widened for the others.
    """

    difference: MeanDifference
    p_adjusted: float


@dataclass(frozen=True)
class SecondaryMetrics:
    """What the secondary metrics say, and why some say nothing; both by name, in the order asked for."""

    compared: Mapping[str, SecondaryMetric]
    left_out: Mapping[str, str]


def compare_secondary(
    control: Mapping[str, ArrayLike], treatment: Mapping[str, ArrayLike], confidence: float = 0.95
) -> SecondaryMetrics:
    """Compare the arms on each secondary metric.

    Parameters
    ----------
    control, treatment : mapping of str to array_like
        The same metrics, one finite number a user.
    confidence : float
        Of each interval.

    Returns
    -------
    SecondaryMetrics
        A metric that cannot be compared (fewer than two users in an arm, or nothing varies) is left out of the
        family, and the reason kept: it must not spoil the verdict, which rests on another metric.
    """
    found: dict[str, MeanDifference] = {}
    left_out: dict[str, str] = {}
    for metric, outcomes in control.items():
        try:
            found[metric] = welch_test(outcomes, treatment[metric], confidence)
        except MovierecError as error:
            left_out[metric] = str(error)
    adjusted = adjust_p_values({metric: difference.p_value for metric, difference in found.items()})
    compared = {metric: SecondaryMetric(difference, adjusted[metric]) for metric, difference in found.items()}
    return SecondaryMetrics(compared, left_out)
