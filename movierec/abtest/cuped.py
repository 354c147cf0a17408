"""CUPED: a sharper difference of means with the help of what was known of each user before the experiment."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from movierec.abtest.difference import MeanDifference, check_outcomes, welch_test
from movierec.errors import MovierecError

LEAST_LEFT: Final = 1e-6  # of the standard error; less is rounding
LEAST_NUMBER: Final = 1e-300  # a covariate that varies by less counts as constant


@dataclass(frozen=True)
class CupedDifference:
    """A difference of means whose outcomes were adjusted by a covariate.

    Parameters
    ----------
    difference : MeanDifference
        Of the adjusted outcomes.
    theta : float
        Slope of the outcome on the covariate; 0 where the covariate is constant.
    variance_saved : float
        Share of the variance of the plain difference that the adjustment removes, near the squared correlation.
    """

    difference: MeanDifference
    theta: float
    variance_saved: float


def cuped_test(
    control: ArrayLike,
    treatment: ArrayLike,
    control_covariate: ArrayLike,
    treatment_covariate: ArrayLike,
    confidence: float = 0.95,
) -> CupedDifference:
    """Compare the means of two arms after subtracting what a pre-experiment covariate predicts.

    Written here because neither scipy nor statsmodels has it. Their analysis of covariance gives the same estimate (the
    tests hold this against it) but supposes that both arms vary alike; Welch's test does not.

    Source: Deng, Xu, Kohavi and Walker, "Improving the sensitivity of online controlled experiments by utilizing
    pre-experiment data" (2013). The slope is estimated within the arms, both together, so that the effect
    does not leak into it; the estimate is then the analysis of covariance's.

    Parameters
    ----------
    control, treatment : array_like, shape (users,)
        Outcomes, as in `welch_test`.
    control_covariate, treatment_covariate : array_like, shape (users,)
        One finite number a user, fixed before the user met an arm: else the estimate is biased.
    confidence : float
        Of the interval.

    Returns
    -------
    CupedDifference
        Its means stay at the level of the outcome.

    Raises
    ------
    MovierecError
        As `welch_test` does for outcomes and covariates, if their lengths differ, or if the covariate explains the
        outcome wholly (all but a millionth of its standard deviation) and leaves nothing to test.

    Examples
    --------
    >>> adjusted = cuped_test([1, 2, 4], [4, 4, 7], [1, 2, 3], [1, 2, 3])
    >>> round(adjusted.difference.estimate, 2), adjusted.theta
    (2.67, 1.5)
    """
    plain = welch_test(control, treatment, confidence)
    outcomes = check_outcomes("control", control), check_outcomes("treatment", treatment)
    known = {"control": control_covariate, "treatment": treatment_covariate}
    covariates = tuple(check_outcomes(arm, values, "covariates") for arm, values in known.items())
    for name, outcome, covariate in zip(known, outcomes, covariates, strict=True):
        if outcome.size != covariate.size:
            raise MovierecError(f"arm {name!r} has {outcome.size} outcomes and {covariate.size} covariates")
    theta = _slope(outcomes, covariates)
    centre = np.concatenate(covariates).mean()
    first, second = (
        outcome - theta * (covariate - centre) for outcome, covariate in zip(outcomes, covariates, strict=True)
    )
    left = math.hypot(*(arm.std(ddof=1) / math.sqrt(arm.size) for arm in (first, second)))
    if left <= max(LEAST_LEFT * plain.standard_error, _rounding(first), _rounding(second)):
        raise MovierecError("the covariate explains the outcome wholly: nothing is left to test")
    difference = welch_test(first, second, confidence)
    return CupedDifference(difference, theta, 1 - (difference.standard_error / plain.standard_error) ** 2)


def _slope(outcomes: tuple[NDArray[np.float64], ...], covariates: tuple[NDArray[np.float64], ...]) -> float:
    outcome = np.concatenate([arm - arm.mean() for arm in outcomes])
    covariate = np.concatenate([arm - arm.mean() for arm in covariates])
    largest = float(np.abs(covariate).max())
    if largest <= max(LEAST_NUMBER, *map(_rounding, covariates)):
        return 0.0
    covariate /= largest  # squares of tiny numbers would be 0
    return float(covariate @ outcome) / float(covariate @ covariate) / largest


def _rounding(values: NDArray[np.float64]) -> float:
    """How far numbers of this size may differ from their mean by rounding alone."""
    return 10 * float(np.finfo(float).eps * np.abs(values).max())
