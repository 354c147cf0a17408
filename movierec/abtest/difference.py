"""The difference between the means of two arms: Welch's test, relative lift, and the sample-ratio check."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

from movierec.errors import MovierecError

MISMATCH_SIGNIFICANCE: Final = 0.001
LARGEST: Final = 1e100  # squares of larger numbers overflow


@dataclass(frozen=True)
class ArmSummary:
    """The outcomes of one arm in five numbers.

    Parameters
    ----------
    n : int
        Users, at least 2.
    mean, std : float
        Of the outcome; the standard deviation with n - 1.
    low, high : float
        Student's t interval of the mean.
    """

    n: int
    mean: float
    std: float
    low: float
    high: float

    @property
    def standard_error(self) -> float:
        """Standard error of the mean."""
        return self.std / math.sqrt(self.n)


@dataclass(frozen=True)
class MeanDifference:
    """Treatment's mean less control's, with Welch's test of whether it is 0.

    Parameters
    ----------
    estimate, standard_error : float
        The difference, in units of the outcome.
    low, high : float
        Its interval at `confidence`.
    p_value, t, df : float
        Two-sided p, Welch's t and his degrees of freedom.
    confidence : float
        Such as 0.95.
    control, treatment : ArmSummary
        What is compared.
    """

    estimate: float
    standard_error: float
    low: float
    high: float
    p_value: float
    t: float
    df: float
    confidence: float
    control: ArmSummary
    treatment: ArmSummary

    @property
    def pooled_std(self) -> float:
        """Standard deviation within an arm, both arms' together."""
        control, treatment = self.control, self.treatment
        squares = (control.n - 1) * control.std**2 + (treatment.n - 1) * treatment.std**2
        return math.sqrt(squares / (control.n + treatment.n - 2))


@dataclass(frozen=True)
class RelativeLift:
    """Treatment's mean over control's, less 1, with its interval; 0.05 is five percent more."""

    estimate: float
    low: float
    high: float


@dataclass(frozen=True)
class SampleRatio:
    """Whether the arms' sizes fit their weights: Pearson's chi-square and its p-value."""

    chi2: float
    p_value: float

    @property
    def is_mismatch(self) -> bool:
        """Whether the sizes are so unlikely (p < 0.001) that no result of the experiment may be trusted."""
        return self.p_value < MISMATCH_SIGNIFICANCE


def welch_test(control: ArrayLike, treatment: ArrayLike, confidence: float = 0.95) -> MeanDifference:
    """Compare the means of two arms without assuming equal variances (Welch 1947).

    Parameters
    ----------
    control, treatment : array_like, shape (users,)
        One finite outcome a user, at least two users in each arm.
    confidence : float
        Of every interval, above 0 and below 1.

    Returns
    -------
    MeanDifference
        Treatment less control.

    Raises
    ------
    MovierecError
        If an arm has fewer than two users or an outcome that is NaN or infinite, if no outcome varies within either
        arm (one constant arm is fine), or if `confidence` is outside its range.

    Examples
    --------
    >>> difference = welch_test([1, 2, 3, 4], [3, 4, 5, 6])
    >>> difference.estimate, round(difference.low, 2), round(difference.high, 2)
    (2.0, -0.23, 4.23)
    """
    control, treatment = check_outcomes("control", control), check_outcomes("treatment", treatment)
    if not 0 < confidence < 1:
        raise MovierecError(f"confidence is {confidence}: it must be above 0 and below 1")
    arms = _summarize(control, confidence), _summarize(treatment, confidence)
    standard_error = math.hypot(arms[0].standard_error, arms[1].standard_error)
    if standard_error <= 10 * np.finfo(float).eps * max(abs(arms[0].mean), abs(arms[1].mean)):
        raise MovierecError("the outcome does not vary within either arm: there is nothing to test")
    test = CompareMeans(DescrStatsW(treatment), DescrStatsW(control))  # scipy's would warn of one constant arm
    t, p_value, df = test.ttest_ind(usevar="unequal")
    low, high = test.tconfint_diff(1 - confidence, usevar="unequal")
    return MeanDifference(
        estimate=arms[1].mean - arms[0].mean,
        standard_error=standard_error,
        low=float(low),
        high=float(high),
        p_value=float(p_value),
        t=float(t),
        df=float(df),
        confidence=confidence,
        control=arms[0],
        treatment=arms[1],
    )


def relative_lift(difference: MeanDifference) -> RelativeLift | None:
    """Express a difference relative to the control's mean, with an interval by the delta method.

    Written here because neither scipy nor statsmodels has a ratio of two independent means.

    Parameters
    ----------
    difference : MeanDifference
        From `welch_test`.

    Returns
    -------
    RelativeLift or None
        None unless the interval of the control's mean lies above 0: near 0 the method fails, below it a lift has no
        meaning. None, too, where the lift is more than a float holds. Source: Deng, Knoblich and Lu, "Applying the
        delta method in metric analytics" (2018).
    """
    control, treatment = difference.control, difference.treatment
    if control.low <= 0:
        return None
    ratio = treatment.mean / control.mean
    standard_error = math.hypot(treatment.standard_error, ratio * control.standard_error) / control.mean
    half_width = standard_error * float(stats.t.isf((1 - difference.confidence) / 2, difference.df))
    lift = RelativeLift(ratio - 1, ratio - 1 - half_width, ratio - 1 + half_width)
    return lift if all(map(math.isfinite, vars(lift).values())) else None


def sample_ratio_check(counts: Mapping[str, int], weights: Mapping[str, float]) -> SampleRatio:
    """Test whether users were split between the arms as planned (sample-ratio mismatch).

    Parameters
    ----------
    counts : mapping of str to int
        Users found in each arm.
    weights : mapping of str to float
        Planned positive weight of the same arms, of any sum.

    Returns
    -------
    SampleRatio
        Of Pearson's chi-square test.

    Raises
    ------
    MovierecError
        If the arms differ, are fewer than two, hold no users at all, or a weight is not positive.

    Examples
    --------
    >>> sample_ratio_check({"control": 821_588, "treatment": 815_482}, {"control": 1, "treatment": 1}).is_mismatch
    True
    """
    if counts.keys() != weights.keys() or len(counts) < 2:
        raise MovierecError(f"arms counted ({', '.join(counts)}) and planned ({', '.join(weights)}) must be the same")
    observed = np.array([counts[arm] for arm in weights], dtype=np.float64)
    planned = np.array(list(weights.values()), dtype=np.float64)
    if not (np.all(planned > 0) and np.all(observed >= 0) and observed.sum() > 0):
        raise MovierecError("the sample-ratio check needs users in some arm and a positive weight for each")
    test = stats.chisquare(observed, observed.sum() * planned / planned.sum())
    return SampleRatio(float(test.statistic), float(test.pvalue))


def check_outcomes(arm: str, outcomes: ArrayLike, what: str = "outcomes") -> NDArray[np.float64]:
    """Check an arm's outcomes and return them as float64.

    Parameters
    ----------
    arm : str
        Named in the message.
    outcomes : array_like, shape (users,)
        One number a user.
    what : str
        What the message calls them.

    Raises
    ------
    MovierecError
        If there are fewer than two users or an outcome is NaN, infinite or beyond `LARGEST`.
    """
    values = np.asarray(outcomes, dtype=np.float64).ravel()
    if values.size < 2:
        raise MovierecError(f"arm {arm!r} has {values.size} user(s) with an outcome: at least 2 are needed")
    if not np.isfinite(values).all():
        raise MovierecError(f"arm {arm!r} has {what} that are NaN or infinite: drop those users first")
    if np.abs(values).max() > LARGEST:
        raise MovierecError(f"arm {arm!r} has {what} beyond {LARGEST:g}: measure them in a larger unit")
    return values


def _summarize(outcomes: NDArray[np.float64], confidence: float) -> ArmSummary:
    low, high = DescrStatsW(outcomes).tconfint_mean(1 - confidence)
    return ArmSummary(outcomes.size, float(outcomes.mean()), float(outcomes.std(ddof=1)), float(low), float(high))
