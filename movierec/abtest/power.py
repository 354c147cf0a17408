"""How many users an experiment on means needs, and what effect it can see; nothing here looks at outcomes.

Means are solved here on scipy's noncentral t, because statsmodels' `TTestIndPower.solve_power` gives NaN for large
effects and a detectable effect that is 0.7 % off for 1e9 users; where it is exact, the tests hold this module against
it.
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats
from scipy.optimize import brentq

from movierec.abtest.rates import MOST_USERS, check_rates, require, require_ratio, require_users

_FARTHEST = 1e8  # scipy's noncentral t is NaN from shifts of 1e9 on; the power is 1 long before


def mean_power(
    users: ArrayLike,
    effect: ArrayLike,
    std: float = 1.0,
    *,
    significance: float = 0.05,
    two_sided: bool = True,
    ratio: float = 1.0,
) -> NDArray[np.float64]:
    """Chance that a t test between two arms sees a true difference of means.

    Parameters
    ----------
    users : array_like
        Users in one arm, at least 2; broadcasts against `effect`.
    effect : array_like
        True difference in units of the outcome; its sign matters only when one-sided.
    std : float
        Standard deviation of the outcome within an arm, positive.
    significance : float
        False positive rate, above 0 and below 1.
    two_sided : bool
        Whether a difference of the wrong sign counts as seen too: the power of both tails.
    ratio : float
        Users in the other arm for each of `users`, positive; the other arm, too, has at least 2.

    Returns
    -------
    ndarray of float64
        0 to 1, from the noncentral t distribution (Cohen 1988, chapter 2).

    Raises
    ------
    MovierecError
        If a number is outside its range.

    Examples
    --------
    >>> round(float(mean_power(20, 1.0)), 4)
    0.869
    >>> round(float(mean_power(20, 0.1, ratio=1.5)), 4)
    0.0633
    """
    check_rates(significance)
    require_ratio(ratio)
    require(0 < std < math.inf, f"standard deviation is {std}: it must be positive and finite")
    users, effect = np.asarray(users, dtype=np.float64), np.asarray(effect, dtype=np.float64)
    require(bool(np.all(np.minimum(users, ratio * users) >= 2)), "an arm needs at least 2 users")
    df = (1 + ratio) * users - 2
    shift = np.clip(effect / std * np.sqrt(users * (ratio / (1 + ratio))), -_FARTHEST, _FARTHEST)
    critical = stats.t.isf(significance / 2 if two_sided else significance, df)
    seen = np.asarray(stats.nct.sf(critical, df, shift), dtype=np.float64)
    return seen + stats.nct.sf(critical, df, -shift) if two_sided else seen


def mean_sample_size(
    effect: float,
    std: float = 1.0,
    *,
    significance: float = 0.05,
    power: float = 0.8,
    two_sided: bool = True,
    ratio: float = 1.0,
) -> float:
    """Users in one arm that a t test needs to see a difference of means.

    Parameters
    ----------
    effect : float
        Smallest difference worth seeing, in units of the outcome; not 0.
    std, significance, two_sided, ratio
        As in `mean_power`.
    power : float
        Wanted chance to see it, above `significance` and below 1.

    Returns
    -------
    float
        At least 2, and enough for 2 in the other arm; round up to get whole users.

    Raises
    ------
    MovierecError
        If a number is outside its range, or the effect so small that more than 1e15 users would be needed.

    Examples
    --------
    >>> round(mean_sample_size(0.5), 2)
    63.77
    """
    check_rates(significance, power)
    require_ratio(ratio)
    require(math.isfinite(effect) and effect != 0, f"effect is {effect}: it must be a number other than 0")

    def excess(users: float) -> float:
        seen = mean_power(users, abs(effect), std, significance=significance, two_sided=two_sided, ratio=ratio)
        return float(seen) - power

    fewest = max(2.0, math.nextafter(2 / ratio, math.inf))
    return find_root(
        excess,
        fewest if ratio < 1 else 2.0,
        MOST_USERS,
        f"an effect of {effect:g} needs more than {MOST_USERS:g} users an arm",
    )


def mean_minimum_effect(
    users: float,
    std: float = 1.0,
    *,
    significance: float = 0.05,
    power: float = 0.8,
    two_sided: bool = True,
    ratio: float = 1.0,
) -> float:
    """Smallest difference of means that a t test sees with the wanted chance (minimum detectable effect).

    Parameters
    ----------
    users : float
        Users in one arm, at least 2 and at most 1e15.
    std, significance, power, two_sided, ratio
        As in `mean_sample_size`.

    Returns
    -------
    float
        Positive, in units of the outcome.

    Raises
    ------
    MovierecError
        If a number is outside its range.
    """
    check_rates(significance, power)
    require_users(users)

    def excess(effect: float) -> float:
        seen = mean_power(users, effect * std, std, significance=significance, two_sided=two_sided, ratio=ratio)
        return float(seen) - power

    return std * find_root(excess, 1e-12, 1e12, f"no effect is large enough for {users:g} users an arm")


def find_root(excess: Callable[[float], float], low: float, limit: float, message: str) -> float:
    """Where the rising `excess` crosses 0 between `low` and `limit`; `low` if it is above 0 there already.

    Raises
    ------
    MovierecError
        `message`, if it crosses beyond `limit`.
    """
    if excess(low) >= 0:
        return low
    high = min(2 * low, limit)  # by doubling, because the noncentral t has no answer far out
    while excess(high) < 0:
        require(high < limit, message)
        high = min(2 * high, limit)
    return float(brentq(excess, low, high, xtol=1e-12, rtol=1e-12))
