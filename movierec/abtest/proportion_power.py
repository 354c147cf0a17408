"""How many users an experiment on proportions needs, and what rise it can see; the formulas are statsmodels'."""

import math

from statsmodels.stats.power import normal_sample_size_one_tail

from movierec.abtest.power import find_root
from movierec.abtest.rates import Rates, check_rates, require, require_ratio, require_users


def proportion_sample_size(
    baseline: float,
    effect: float,
    *,
    significance: float = 0.05,
    power: float = 0.8,
    pooled: bool = False,
    ratio: float = 1.0,
) -> float:
    """Users in the treatment arm that a two-sided z test needs to see a difference of proportions.

    The formula is statsmodels' `normal_sample_size_one_tail`; what is chosen here is the variance under no effect.

    Parameters
    ----------
    baseline : float
        Proportion in the control arm, above 0 and below 1.
    effect : float
        Absolute difference from it, of either sign, not 0; ``baseline + effect`` lies above 0 and below 1.
    significance, power : float
        As in `mean_sample_size`.
    pooled : bool
        Whether the variance under no effect is that of all users' mean proportion (Fleiss 1981, without continuity
        correction; R's ``power.prop.test``) instead of the baseline's (Evan Miller's calculator). Welch's test needs
        as many users as the pooled formula says.
    ratio : float
        Users in the control arm for each in the treatment arm, positive.

    Returns
    -------
    float
        Round up to get whole users.

    Raises
    ------
    MovierecError
        If a number is outside its range.

    Examples
    --------
    >>> round(proportion_sample_size(0.10, 0.02), 2)
    3622.62
    """
    check_rates(significance, power)
    require_ratio(ratio)
    treated = baseline + effect
    require(0 < baseline < 1, f"baseline is {baseline:g}: it must be above 0 and below 1")
    require(0 < treated < 1, f"baseline + effect is {treated:g}: it must be above 0 and below 1")
    require(effect != 0, "effect is 0: no number of users shows that")
    under_null = (ratio * baseline + treated) / (1 + ratio) if pooled else baseline
    null = math.sqrt((1 + 1 / ratio) * under_null * (1 - under_null))
    alternative = math.sqrt(baseline * (1 - baseline) / ratio + treated * (1 - treated))
    return float(normal_sample_size_one_tail(effect, power, significance / 2, null, alternative))


def proportion_minimum_effect(
    baseline: float,
    users: float,
    *,
    significance: float = 0.05,
    power: float = 0.8,
    pooled: bool = False,
    ratio: float = 1.0,
) -> float:
    """Smallest rise of a proportion that a two-sided z test sees with the wanted chance.

    Parameters
    ----------
    baseline, users, significance, power, pooled, ratio
        As in `proportion_sample_size`, whose inverse this is; `users` in the treatment arm, at most 1e15.

    Returns
    -------
    float
        Positive absolute difference.

    Raises
    ------
    MovierecError
        If a number is outside its range, or not even a rise to 1 would be seen.
    """
    require(0 < baseline < 1, f"baseline is {baseline:g}: it must be above 0 and below 1")
    require_users(users)

    def excess(effect: float) -> float:
        rates = Rates(significance=significance, power=power)
        return users - proportion_sample_size(baseline, effect, pooled=pooled, ratio=ratio, **rates)

    message = f"{users:g} users an arm are too few to see any rise from {baseline:g}"
    return find_root(excess, 1e-12 * baseline, (1 - baseline) * (1 - 1e-9), message)
