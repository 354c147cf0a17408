"""Every statistic of a two-arm comparison in one object, as metrics, as a table for a figure and as text."""

import math
from dataclasses import dataclass
from typing import Any, TypedDict, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from movierec.abtest.analysis import (
    Arm,
    MeanDifference,
    RelativeLift,
    SampleRatio,
    relative_lift,
    sample_ratio_check,
    welch_test,
)
from movierec.abtest.cuped import CupedDifference, cuped_test
from movierec.abtest.power import mean_minimum_effect, mean_sample_size
from movierec.abtest.robustness import RankTest, bootstrap_difference, rank_test
from movierec.abtest.sequential import AnytimeValid, anytime_valid
from movierec.abtest.verdict import Verdict, decide, format_p
from movierec.errors import MovierecError

_Value = TypeVar("_Value")


class _Rates(TypedDict):
    significance: float
    power: float


@dataclass(frozen=True)
class Design:
    """What is fixed before any outcome is seen.

    Parameters
    ----------
    metric : str
        Name of the outcome.
    minimum_effect : float
        Smallest improvement worth having, positive, in units of the outcome.
    significance, power : float
        False positive rate, and chance to see `minimum_effect` if it is there.
    control, treatment : str
        Names of the arms.
    weights : tuple of two float
        Planned shares of control and treatment, of any sum.
    lower_is_better : bool
        Whether the outcome is an error.
    tuned_for : float
        Users, both arms together, at which the anytime-valid interval is to be narrowest.

    Raises
    ------
    MovierecError
        If `minimum_effect` is not positive or the arms share a name.
    """

    metric: str
    minimum_effect: float
    significance: float = 0.05
    power: float = 0.8
    control: str = "control"
    treatment: str = "treatment"
    weights: tuple[float, float] = (0.5, 0.5)
    lower_is_better: bool = False
    tuned_for: float = 5000

    def __post_init__(self) -> None:
        """Refuse a design that no data could answer."""
        if not self.minimum_effect > 0:
            raise MovierecError(f"minimum effect is {self.minimum_effect}: it must be positive")
        if self.control == self.treatment:
            raise MovierecError(f"both arms are called {self.control!r}: name two")

    def by_arm(self, values: tuple[_Value, _Value]) -> dict[str, _Value]:
        """Name the values of control and treatment."""
        return {self.control: values[0], self.treatment: values[1]}


@dataclass(frozen=True)
class Observations:
    """One arm's data: an outcome a user and, for CUPED, a covariate known before; both of shape (users,)."""

    outcomes: NDArray[np.float64]
    covariate: NDArray[np.float64] | None = None


@dataclass(frozen=True)
class Report:
    """All that `compare_arms` found; each part is documented where it is computed."""

    design: Design
    difference: MeanDifference
    lift: RelativeLift | None
    cuped: CupedDifference | None
    peeking: AnytimeValid
    ranks: RankTest
    bootstrap: tuple[float, float]
    sample_ratio: SampleRatio
    users_needed: int
    detectable_effect: float
    verdict: Verdict

    def to_metrics(self) -> dict[str, Any]:
        """Return nested mappings of numbers and text, fit for JSON; what could not be computed is left out."""
        design, difference = self.design, self.difference
        metrics: dict[str, Any] = {
            "metric": design.metric,
            "control": design.control,
            "treatment": design.treatment,
            "arms": {"control": _describe_arm(difference.control), "treatment": _describe_arm(difference.treatment)},
            "difference": _describe_difference(difference),
            "anytime_valid": vars(self.peeking),
            "bootstrap": {"low": self.bootstrap[0], "high": self.bootstrap[1]},
            "mann_whitney": vars(self.ranks),
            "sample_ratio": vars(self.sample_ratio),
            "design": {
                "confidence": difference.confidence,
                "power": design.power,
                "minimum_effect": design.minimum_effect,
                "users_needed_per_arm": self.users_needed,
                "detectable_effect": self.detectable_effect,
            },
            "verdict": vars(self.verdict),
        }
        if self.lift:
            metrics["relative_lift"] = vars(self.lift)
        if self.cuped:
            adjusted = {"theta": self.cuped.theta, "variance_saved": self.cuped.variance_saved}
            metrics["cuped"] = _describe_difference(self.cuped.difference) | adjusted
        return metrics

    def to_table(self) -> pd.DataFrame:
        """Return the intervals that a figure needs.

        Returns
        -------
        DataFrame
            `quantity` (``"mean"`` of an arm or ``"difference"`` between the arms), `label` (the arm's name, or the
            method: welch, cuped, bootstrap, anytime_valid), `estimate`, `low`, `high` in units of the outcome.
        """
        design, difference = self.design, self.difference
        control, treatment = difference.control, difference.treatment
        rows = [
            ("mean", design.control, control.mean, control.low, control.high),
            ("mean", design.treatment, treatment.mean, treatment.low, treatment.high),
            ("difference", "welch", difference.estimate, difference.low, difference.high),
            ("difference", "bootstrap", difference.estimate, *self.bootstrap),
            ("difference", "anytime_valid", difference.estimate, self.peeking.low, self.peeking.high),
        ]
        if self.cuped:
            adjusted = self.cuped.difference
            rows.insert(3, ("difference", "cuped", adjusted.estimate, adjusted.low, adjusted.high))
        return pd.DataFrame(rows, columns=["quantity", "label", "estimate", "low", "high"])

    def summarize(self) -> str:
        """Return a few lines for a reader: the arms, the difference, the verdict."""
        design, difference = self.design, self.difference
        width = max(len(design.control), len(design.treatment))
        arms = ((design.control, difference.control), (design.treatment, difference.treatment))
        lines = [f"{design.treatment} against {design.control} on {design.metric}"]
        lines += [f"  {name:{width}}  {arm.mean:.4f}  {arm.n:,} users" for name, arm in arms]
        shift = f"{difference.estimate:+.4f} ({difference.low:+.4f} to {difference.high:+.4f})"
        lift = f", {self.lift.estimate:+.1%} ({self.lift.low:+.1%} to {self.lift.high:+.1%})" if self.lift else ""
        return "\n".join([*lines, f"  difference {shift}{lift}, {format_p(difference.p_value)}", self.verdict.text])


def compare_arms(
    control: Observations, treatment: Observations, design: Design, rng: np.random.Generator, resamples: int = 1000
) -> Report:
    """Analyse an experiment of two arms.

    Parameters
    ----------
    control, treatment : Observations
        At least two users each. CUPED runs when both have a covariate.
    design : Design
        Fixed beforehand.
    rng : numpy.random.Generator
        For the bootstrap.
    resamples : int
        Of the bootstrap.

    Returns
    -------
    Report
        The verdict follows Welch's interval: the data are looked at once.

    Raises
    ------
    MovierecError
        If an arm has fewer than two users, an outcome or covariate that is NaN or infinite, or nothing varies within
        either arm; or a number of the design is outside its range.
    """
    outcomes, sizes = (control.outcomes, treatment.outcomes), (len(control.outcomes), len(treatment.outcomes))
    confidence = 1 - design.significance
    difference = welch_test(*outcomes, confidence)
    sample_ratio = sample_ratio_check(design.by_arm(sizes), design.by_arm(design.weights))
    rates = _Rates(significance=design.significance, power=design.power)
    users_needed = math.ceil(mean_sample_size(design.minimum_effect, difference.pooled_std, **rates))
    return Report(
        design=design,
        difference=difference,
        lift=relative_lift(difference),
        cuped=_adjust(control, treatment, confidence),
        peeking=anytime_valid(
            difference.estimate,
            difference.standard_error,
            sum(sizes),
            significance=design.significance,
            tuned_for=design.tuned_for,
        ),
        ranks=rank_test(*outcomes),
        bootstrap=bootstrap_difference(*outcomes, rng, confidence=confidence, resamples=resamples),
        sample_ratio=sample_ratio,
        users_needed=users_needed,
        detectable_effect=mean_minimum_effect(min(sizes), difference.pooled_std, **rates),
        verdict=decide(
            difference,
            sample_ratio,
            minimum_effect=design.minimum_effect,
            users_needed=users_needed,
            lower_is_better=design.lower_is_better,
            names=(design.control, design.treatment),
        ),
    )


def _adjust(control: Observations, treatment: Observations, confidence: float) -> CupedDifference | None:
    if control.covariate is None or treatment.covariate is None:
        return None
    return cuped_test(control.outcomes, treatment.outcomes, control.covariate, treatment.covariate, confidence)


def _describe_arm(arm: Arm) -> dict[str, Any]:
    return {"n": arm.n, "mean": arm.mean, "mean_ci": {"low": arm.low, "high": arm.high}, "std": arm.std}


def _describe_difference(difference: MeanDifference) -> dict[str, float]:
    names = ("estimate", "standard_error", "low", "high", "p_value", "t", "df")
    return {name: getattr(difference, name) for name in names}
