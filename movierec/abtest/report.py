"""All that was found about an experiment: as metrics, as a table for a figure and as text."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from movierec.abtest.cuped import CupedDifference
from movierec.abtest.design import Design
from movierec.abtest.difference import ArmSummary, MeanDifference, RelativeLift, SampleRatio
from movierec.abtest.formats import count_decimals, format_interval, format_number, format_p
from movierec.abtest.second_opinions import RankTest
from movierec.abtest.secondary import SecondaryMetric, SecondaryMetrics
from movierec.abtest.sequential import AnytimeValid
from movierec.abtest.verdict import Verdict
from movierec.text import align_columns

_METHODS = {
    "welch": "Welch's t",
    "cuped": "CUPED",
    "bootstrap": "bootstrap",
    "anytime_valid": "anytime-valid",
}
_NAMES = {
    **_METHODS,
    "mann_whitney": "Mann-Whitney",
    "relative_lift": "relative lift",
    "detectable_effect": "detectable effect",
    "users_needed_per_arm": "number of users needed",
}


@dataclass(frozen=True)
class Report:
    """All that `compare_arms` found; each part is documented where it is computed.

    What is None was not asked for, or `left_out` says under its name in the metrics why it cannot be computed.
    """

    design: Design
    difference: MeanDifference
    lift: RelativeLift | None
    cuped: CupedDifference | None
    peeking: AnytimeValid | None
    ranks: RankTest | None
    bootstrap: tuple[float, float] | None
    sample_ratio: SampleRatio
    users_needed: int | None
    detectable_effect: float | None
    secondary: SecondaryMetrics
    verdict: Verdict
    left_out: Mapping[str, str]

    def to_metrics(self) -> dict[str, float]:
        """Return the difference of the arms by Welch's test: ``difference``, ``low``, ``high`` and ``p_value``."""
        found = self.difference
        return {"difference": found.estimate, "low": found.low, "high": found.high, "p_value": found.p_value}

    def to_details(self) -> dict[str, Any]:
        """Return nested mappings of numbers and text, fit for JSON; what could not be computed is left out."""
        design, difference, secondary = self.design, self.difference, self.secondary
        plan = {
            "confidence": difference.confidence,
            "power": design.power,
            "minimum_effect": design.minimum_effect,
            "users_needed_per_arm": self.users_needed,
            "detectable_effect": self.detectable_effect,
        }
        metrics: dict[str, Any] = {
            "metric": design.metric,
            "control": design.control,
            "treatment": design.treatment,
            "arms": {"control": _describe_arm(difference.control), "treatment": _describe_arm(difference.treatment)},
            "difference": _describe_difference(difference),
            "sample_ratio": vars(self.sample_ratio),
            "design": _drop_missing(plan),
            "verdict": _drop_missing(vars(self.verdict)),
        }
        if self.peeking:
            metrics["anytime_valid"] = vars(self.peeking)
        if self.ranks:
            metrics["mann_whitney"] = vars(self.ranks)
        if self.bootstrap:
            metrics["bootstrap"] = {"low": self.bootstrap[0], "high": self.bootstrap[1]}
        if self.lift:
            metrics["relative_lift"] = vars(self.lift)
        if self.cuped:
            adjusted = {"theta": self.cuped.theta, "variance_saved": self.cuped.variance_saved}
            metrics["cuped"] = _describe_difference(self.cuped.difference) | adjusted
        if self.left_out:
            metrics["left_out"] = dict(self.left_out)
        if secondary.compared:
            metrics["secondary"] = {name: _describe_secondary(found) for name, found in secondary.compared.items()}
        if secondary.left_out:
            metrics["secondary_left_out"] = dict(secondary.left_out)
        return metrics

    def to_table(self) -> pd.DataFrame:
        """Return the intervals that a figure needs.

        Returns
        -------
        DataFrame
            `quantity` (``"mean"`` of an arm or ``"difference"`` between the arms), `label` (the arm's name, or the
            method: welch, cuped, bootstrap, anytime_valid), `estimate`, `low`, `high` in units of the outcome.
        """
        arms = ((self.design.control, self.difference.control), (self.design.treatment, self.difference.treatment))
        rows = [("mean", name, arm.mean, arm.low, arm.high) for name, arm in arms]
        rows += [("difference", method, estimate, low, high) for method, estimate, low, high, _ in self._methods()]
        return pd.DataFrame(rows, columns=["quantity", "label", "estimate", "low", "high"])

    def summarize(self) -> str:
        """Return tables for a reader: the arms, the difference by each method, other metrics; at last the verdict."""
        design = self.design
        blocks = [
            f"{design.treatment} against {design.control} on {design.metric}",
            align_columns(list(self._tell_arms())),
            align_columns(list(self._tell_methods())),
            "\n".join(self._tell_ranks()),
        ]
        if self.secondary.compared:
            blocks.append(align_columns(list(self._tell_secondary())))
        left_out = {_NAMES[name]: why for name, why in self.left_out.items()} | {**self.secondary.left_out}
        if left_out:
            blocks.append("\n".join(f"{name} is left out: {why}" for name, why in left_out.items()))
        return "\n\n".join([*blocks, self.verdict.text])

    def _methods(self) -> Iterator[tuple[str, float, float, float, float | None]]:
        """Each method's name, estimate, interval and p-value, the verdict's first."""
        found, peeking = self.difference, self.peeking
        yield "welch", found.estimate, found.low, found.high, found.p_value
        if self.cuped:
            adjusted = self.cuped.difference
            yield "cuped", adjusted.estimate, adjusted.low, adjusted.high, adjusted.p_value
        if self.bootstrap:
            yield "bootstrap", found.estimate, *self.bootstrap, None
        if peeking:
            yield "anytime_valid", found.estimate, peeking.low, peeking.high, peeking.p_value

    def _tell_arms(self) -> Iterator[list[str]]:
        found = self.difference
        decimals = count_decimals(found.standard_error)
        yield ["arm", "users", "mean", _name_interval(found)]
        for name, arm in ((self.design.control, found.control), (self.design.treatment, found.treatment)):
            yield [name, f"{arm.n:,}", format_number(arm.mean, decimals), format_interval(arm.low, arm.high, decimals)]

    def _tell_methods(self) -> Iterator[list[str]]:
        decimals = count_decimals(self.difference.standard_error)
        yield ["difference", "estimate", _name_interval(self.difference), "p"]
        for method, estimate, low, high, p_value in self._methods():
            row = [_METHODS[method], format_number(estimate, decimals, "+"), format_interval(low, high, decimals, "+")]
            yield [*row, _shorten_p(p_value)]
        if self.lift:
            lift = [100 * value for value in (self.lift.estimate, self.lift.low, self.lift.high)]
            yield ["relative lift, %", format_number(lift[0], 1, "+"), format_interval(lift[1], lift[2], 1, "+")]

    def _tell_ranks(self) -> Iterator[str]:
        ranks, ratio = self.ranks, self.sample_ratio
        if ranks:
            higher = f"a user of {self.design.treatment} is above one of {self.design.control} with chance"
            yield f"Mann-Whitney: {higher} {ranks.probability:.3f} (ties count half), {format_p(ranks.p_value)}"
        if self.cuped:
            yield f"CUPED: the covariate saves {100 * self.cuped.variance_saved:.1f} % of the variance"
        finding = "a mismatch" if ratio.is_mismatch else "as planned"
        yield f"sample ratio: {finding}, {format_p(ratio.p_value)}"

    def _tell_secondary(self) -> Iterator[list[str]]:
        yield ["other metrics", "estimate", _name_interval(self.difference), "p (Holm)"]
        for name, found in self.secondary.compared.items():
            difference = found.difference
            decimals = count_decimals(difference.standard_error)
            interval = format_interval(difference.low, difference.high, decimals, "+")
            yield [name, format_number(difference.estimate, decimals, "+"), interval, _shorten_p(found.p_adjusted)]


def _name_interval(difference: MeanDifference) -> str:
    return f"{100 * difference.confidence:g} % interval"


def _shorten_p(p_value: float | None) -> str:
    return "" if p_value is None else format_p(p_value).removeprefix("p ").removeprefix("= ")


def _drop_missing(content: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in content.items() if value is not None}


def _describe_arm(arm: ArmSummary) -> dict[str, Any]:
    return {"n": arm.n, "mean": arm.mean, "mean_ci": {"low": arm.low, "high": arm.high}, "std": arm.std}


def _describe_difference(difference: MeanDifference) -> dict[str, float]:
    names = ("estimate", "standard_error", "low", "high", "p_value", "t", "df")
    return {name: getattr(difference, name) for name in names}


def _describe_secondary(metric: SecondaryMetric) -> dict[str, float]:
    names = ("estimate", "low", "high", "p_value")
    return {name: getattr(metric.difference, name) for name in names} | {"p_adjusted": metric.p_adjusted}
