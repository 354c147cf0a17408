"""Second opinions on an experiment, and the correction for asking many; the first opinion is Welch's test."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats
from statsmodels.stats.multitest import multipletests

from movierec.abtest.difference import check_outcomes
from movierec.errors import MovierecError


@dataclass(frozen=True)
class RankTest:
    """Mann-Whitney: chance that a treated user's outcome is the higher (ties count half), and p of one half."""

    probability: float
    p_value: float


def rank_test(control: ArrayLike, treatment: ArrayLike) -> RankTest:
    """Compare the arms by ranks, so that no few extreme users decide (Mann-Whitney).

    Parameters
    ----------
    control, treatment : array_like, shape (users,)
        As in `welch_test`; constant arms are allowed.

    Returns
    -------
    RankTest
        Probability 0.5 and p 1 where every outcome is the same.

    Raises
    ------
    MovierecError
        If an arm has fewer than two users or an outcome that is NaN or infinite.
    """
    control, treatment = check_outcomes("control", control), check_outcomes("treatment", treatment)
    test = stats.mannwhitneyu(treatment, control, alternative="two-sided")
    return RankTest(float(test.statistic) / (control.size * treatment.size), float(test.pvalue))


def bootstrap_difference(
    control: ArrayLike,
    treatment: ArrayLike,
    rng: np.random.Generator,
    *,
    confidence: float = 0.95,
    resamples: int = 1000,
) -> tuple[float, float]:
    """Interval of the difference of means by resampling the users of each arm (percentile bootstrap).

    Parameters
    ----------
    control, treatment, confidence
        As in `welch_test`; constant arms are allowed.
    rng : numpy.random.Generator
        Source of the resamples.
    resamples : int
        How many, at least 1.

    Returns
    -------
    low, high : float
        Treatment less control.

    Raises
    ------
    MovierecError
        As in `rank_test`.
    """
    control, treatment = check_outcomes("control", control), check_outcomes("treatment", treatment)

    def difference(first: NDArray[np.float64], second: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
        return np.asarray(second.mean(axis=axis) - first.mean(axis=axis))

    interval = stats.bootstrap(
        (control, treatment),
        difference,
        n_resamples=resamples,
        batch=max(1, 2_000_000 // (control.size + treatment.size)),  # about 16 MB of resamples at a time
        confidence_level=confidence,
        method="percentile",
        rng=rng,
    ).confidence_interval
    return float(interval.low), float(interval.high)


def adjust_p_values(p_values: Mapping[str, float]) -> dict[str, float]:
    """Adjust the p-values of several metrics for having looked at all of them (Holm 1979).

    Parameters
    ----------
    p_values : mapping of str to float
        One for each metric, 0 to 1.

    Returns
    -------
    dict of str to float
        Adjusted, same order; below the significance where the metric's effect is real. Empty if empty.

    Raises
    ------
    MovierecError
        If a p-value is NaN or outside 0 to 1.

    Examples
    --------
    >>> adjust_p_values({"ndcg@10": 0.01, "recall@10": 0.04})
    {'ndcg@10': 0.02, 'recall@10': 0.04}
    """
    for metric, p_value in p_values.items():
        if not 0 <= p_value <= 1:
            raise MovierecError(f"p-value of {metric!r} is {p_value}: it must be between 0 and 1")
    if not p_values:
        return {}
    adjusted = multipletests(list(p_values.values()), method="holm")[1]
    return dict(zip(p_values, map(float, adjusted), strict=True))
