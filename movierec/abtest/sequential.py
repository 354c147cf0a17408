"""Intervals and p-values that stay valid however often an experiment is looked at.

Written here because neither scipy nor statsmodels has them, and GrowthBook's own library, whose published interval the
tests hold this against, wants its whole data model for three lines of arithmetic. Source: Waudby-Smith, Arbour, Sinha,
Kennedy and Ramdas, "Time-uniform central limit theory and asymptotic confidence sequences" (2021; arXiv 2103.06476),
as GrowthBook applies it to two arms. The guarantee is asymptotic, as variances are estimated: start to look after some
dozens of users.
"""

import math
from dataclasses import dataclass

from movierec.errors import MovierecError


@dataclass(frozen=True)
class AnytimeValid:
    """What may be said of a difference at any moment of an experiment.

    Parameters
    ----------
    estimate : float
        The observed difference.
    low, high : float
        Confidence sequence: it holds the true difference at all moments together with the wanted confidence.
    p_value : float
        Above 0, at most 1: falls below the significance exactly when the interval leaves 0 out.
    """

    estimate: float
    low: float
    high: float
    p_value: float


def anytime_valid(
    estimate: float, standard_error: float, users: int, *, significance: float = 0.05, tuned_for: float = 5000
) -> AnytimeValid:
    """Give the anytime-valid interval and p-value of a difference between two arms.

    Parameters
    ----------
    estimate : float
        The observed difference.
    standard_error : float
        Its standard error now, positive.
    users : int
        Users in both arms together now, at least 1.
    significance : float
        Chance that the interval ever leaves the true difference out, above 0 and below 1.
    tuned_for : float
        Number of users, both arms together, at which the interval is to be narrowest for its kind. Positive, and
        fixed before any outcome is seen. The default is GrowthBook's.

    Returns
    -------
    AnytimeValid
        Wider than the interval for a single look, whatever `users` is.

    Raises
    ------
    MovierecError
        If a number is outside its range.

    Examples
    --------
    >>> looked_at = anytime_valid(0.50336, 0.33341, 3000 + 3461, tuned_for=1000)
    >>> round(looked_at.low, 3), round(looked_at.high, 3)
    (-0.558, 1.565)
    """
    _check(standard_error, users, significance, tuned_for)
    information = users * _tuning(significance, tuned_for) + 1  # n rho**2 + 1
    scale = standard_error**2 * information / (information - 1)
    half_width = math.sqrt(scale * (math.log(information) - 2 * math.log(significance)))
    # The same equation solved for the significance at which the interval would end at 0.
    p_value = math.exp(min(0.0, 0.5 * math.log(information) - estimate**2 / (2 * scale)))
    return AnytimeValid(estimate, estimate - half_width, estimate + half_width, p_value)


def _tuning(significance: float, tuned_for: float) -> float:
    """Mixture variance rho**2 that makes the boundary tightest at `tuned_for` (the paper's approximation)."""
    spread = -2 * math.log(significance)
    return (spread + math.log(spread + 1)) / tuned_for


def _check(standard_error: float, users: int, significance: float, tuned_for: float) -> None:
    if not (math.isfinite(standard_error) and standard_error > 0):
        raise MovierecError(f"standard error is {standard_error}: it must be positive")
    if users < 1:
        raise MovierecError(f"{users} users: there must be at least 1")
    if not 0 < significance < 1:
        raise MovierecError(f"significance is {significance}: it must be above 0 and below 1")
    if not tuned_for > 0:
        raise MovierecError(f"the interval is tuned for {tuned_for} users: the number must be positive")
