"""The commands of `movierec abtest`: assign users to arms, plan an experiment, analyse its outcomes."""

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple

import typer

from movierec.abtest.assignment import Experiment, bucket_of
from movierec.errors import MovierecError
from movierec.seeds import rng
from movierec.text import align_columns

if TYPE_CHECKING:
    from movierec.abtest.rates import Rates

app = typer.Typer(no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
Significance = Annotated[float, typer.Option(help="False positive rate, two-sided.")]
Power = Annotated[float, typer.Option(help="Chance to see the effect if it is there.")]

_FORMULAS: Final = {
    "pooled": "z test, variance pooled under no effect (R's power.prop.test)",
    "unpooled": "z test, baseline's variance under no effect (Evan Miller's calculator)",
    "t_test": "t test (R's power.t.test)",
}
_ADVICE: Final = "Plan by the pooled formula: Welch's test, which `movierec abtest analyze` uses, needs as many users."


class ExperimentSize(NamedTuple):
    """The size of an experiment by one formula, and the difference that it sees."""

    formula: str
    users: int  # of the treatment arm
    effect: float
    ratio: float  # users of the control arm for each of them

    @property
    def control(self) -> int:
        """Users in the control arm, rounded up."""
        return math.ceil(self.ratio * self.users * (1 - 1e-12))


@app.callback()
def _describe() -> None:
    """Run controlled experiments: who sees what, how many users it takes, what came out."""


@app.command("assign")
def assign_users(
    *,
    experiment: Annotated[str, typer.Option(help="Name of the experiment; it salts the assignment.")],
    user: Annotated[list[str], typer.Option(help="Id of a user; may be given several times.")],
    arms: Annotated[str, typer.Option(help="Names of the arms, always in the same order.")] = "control,treatment",
    weights: Annotated[str | None, typer.Option(help="Weights of the arms, such as 90,10. Default: all equal.")] = None,
    coverage: Annotated[float, typer.Option(help="Share of the users in the experiment, 0 to 1.")] = 1.0,
    as_json: AsJson = False,
) -> None:
    """Say which arm of an experiment a user belongs to: always the same one, on every machine."""
    plan = Experiment(experiment, _read_arms(arms, weights), coverage)
    found = [{"user": name, "bucket": bucket_of(experiment, name), "arm": plan.assign(name)} for name in user]
    if as_json:
        _print_json({"experiment": experiment, "shares": plan.shares, "coverage": coverage, "users": found})
        return
    rows = [[str(one["user"]), str(one["bucket"]), str(one["arm"] or "not in the experiment")] for one in found]
    typer.echo(align_columns([["user", "bucket", "arm"], *rows]))


@app.command("power")
def plan_experiment(
    *,
    baseline: Annotated[float | None, typer.Option(help="For a proportion: its value in the control, 0 to 1.")] = None,
    std: Annotated[float | None, typer.Option(help="For a mean: the outcome's standard deviation in an arm.")] = None,
    mde: Annotated[float | None, typer.Option(help="Smallest absolute difference worth seeing.")] = None,
    users: Annotated[
        int | None, typer.Option(help="Users in the treatment arm, to learn what difference they show.")
    ] = None,
    share: Annotated[float, typer.Option(help="Share of the users in the treatment arm, above 0 and below 1.")] = 0.5,
    significance: Significance = 0.05,
    power: Power = 0.8,
    as_json: AsJson = False,
) -> None:
    """Say how many users an experiment needs (give --mde), or what difference it sees (give --users).

    The outcome is a proportion (give --baseline) or a mean (give --std).
    """
    if (mde is None) == (users is None):
        raise MovierecError("give --mde to learn the users, or --users to learn the difference: one of the two")
    if not 0 < share < 1:
        raise MovierecError(f"--share is {share:g}: it must be above 0 and below 1")
    ratio = 1.0 if share == 0.5 else (1 - share) / share
    rates: Rates = {"significance": significance, "power": power}
    if baseline is not None and std is None:
        plans = list(_plan_proportion(baseline, mde, users, ratio, rates))
        outcome = f"a proportion of {baseline:g} in the control"
    elif std is not None and baseline is None:
        plans = [_plan_mean(std, mde, users, ratio, rates)]
        outcome = f"a mean with standard deviation {std:g}"
    else:
        raise MovierecError("give --baseline for a proportion, or --std for a mean: one of the two")
    if as_json:
        question = {"baseline": baseline} if std is None else {"std": std}
        answer = {plan.formula: _describe_plan(plan) for plan in plans}
        uneven = {} if ratio == 1 else {"share": share}
        _print_json({**question, **rates, **uneven, "plans": answer})
        return
    typer.echo(f"{outcome}, significance {significance:g} (two-sided), power {power:g}\n")
    sizes = ["users an arm"] if ratio == 1 else ["control", "treatment"]
    typer.echo(align_columns([["formula", *sizes, "in all", "difference seen"], *map(_write_plan, plans)]))
    if baseline is not None:
        typer.echo(f"\n{_ADVICE}")


@app.command("analyze")
def analyze_outcomes(
    file: Annotated[Path, typer.Argument(help="CSV with one row a user: user_id, arm, metrics, perhaps covariate.")],
    *,
    metric: Annotated[
        list[str] | None, typer.Option(help="Column to analyse; may be given several times, the first one decides.")
    ] = None,
    control: Annotated[str | None, typer.Option(help="Name of the control arm.")] = None,
    treatment: Annotated[str | None, typer.Option(help="Name of the treatment arm.")] = None,
    weights: Annotated[str, typer.Option(help="Planned weights of control and treatment.")] = "50,50",
    mde: Annotated[float | None, typer.Option(help="Smallest improvement worth having, in the metric's units.")] = None,
    lower_is_better: Annotated[bool, typer.Option("--lower-is-better", help="The metric is an error.")] = False,
    significance: Significance = 0.05,
    power: Power = 0.8,
    as_json: AsJson = False,
) -> None:
    """Compare two arms: the difference with its interval, second opinions, and what to do about it.

    Of several metrics the first one decides; the p-values of the others are adjusted by Holm's method. A covariate,
    known of each user before the experiment, sharpens the estimate (CUPED).
    """
    from movierec.abtest.analysis import compare_arms  # noqa: PLC0415  # imports half of SciPy
    from movierec.abtest.design import Design  # noqa: PLC0415
    from movierec.abtest.outcomes import read_outcomes  # noqa: PLC0415  # imports polars

    outcomes = read_outcomes(file, metric or ())
    names = outcomes.choose_arms(control, treatment)
    shares = _read_numbers("--weights", weights, 2)
    design = Design(
        outcomes.metrics[0], mde, significance, power, *names, (shares[0], shares[1]), lower_is_better=lower_is_better
    )
    report = compare_arms(outcomes.observe(names[0]), outcomes.observe(names[1]), design, rng(0, "abtest", "bootstrap"))
    others = outcomes.table.height - report.difference.control.n - report.difference.treatment.n
    if as_json:
        _print_json(report.to_details() | {"users_in_other_arms": others})
        return
    typer.echo(report.summarize())
    if others:
        typer.echo(f"\n{others:,} users of other arms are left out.")


def _plan_proportion(
    baseline: float, effect: float | None, users: int | None, ratio: float, rates: "Rates"
) -> Iterator[ExperimentSize]:
    from movierec.abtest.proportion_power import proportion_minimum_effect, proportion_sample_size  # noqa: PLC0415

    for formula, pooled in (("pooled", True), ("unpooled", False)):
        if users is None:
            needed = proportion_sample_size(baseline, effect or 0.0, pooled=pooled, ratio=ratio, **rates)
            yield ExperimentSize(formula, math.ceil(needed), effect or 0.0, ratio)
        else:
            seen = proportion_minimum_effect(baseline, users, pooled=pooled, ratio=ratio, **rates)
            yield ExperimentSize(formula, users, seen, ratio)


def _plan_mean(std: float, effect: float | None, users: int | None, ratio: float, rates: "Rates") -> ExperimentSize:
    from movierec.abtest.power import mean_minimum_effect, mean_sample_size  # noqa: PLC0415

    if users is None:
        needed = math.ceil(mean_sample_size(effect or 0.0, std, ratio=ratio, **rates))
        return ExperimentSize("t_test", needed, effect or 0.0, ratio)
    return ExperimentSize("t_test", users, mean_minimum_effect(users, std, ratio=ratio, **rates), ratio)


def _describe_plan(plan: ExperimentSize) -> dict[str, float]:
    if plan.ratio == 1:
        return {"users_per_arm": plan.users, "effect": plan.effect}
    return {"control_users": plan.control, "treatment_users": plan.users, "effect": plan.effect}


def _write_plan(plan: ExperimentSize) -> list[str]:
    sizes = [plan.users] if plan.ratio == 1 else [plan.control, plan.users]
    numbers = [f"{size:,}" for size in (*sizes, plan.control + plan.users)]
    return [_FORMULAS[plan.formula], *numbers, f"{plan.effect:.4g}"]


def _read_arms(arms: str, weights: str | None) -> dict[str, float]:
    names = [name.strip() for name in arms.split(",")]
    if "" in names or len(set(names)) < len(names):
        raise MovierecError(f"--arms is {arms!r}: give different names, separated by commas")
    shares = [1.0] * len(names) if weights is None else _read_numbers("--weights", weights, len(names))
    return dict(zip(names, shares, strict=True))


def _read_numbers(option: str, text: str, count: int) -> list[float]:
    try:
        numbers = [float(number) for number in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != count:
        raise MovierecError(f"{option} is {text!r}: give {count} numbers, separated by commas")
    return numbers


def _print_json(content: Mapping[str, Any]) -> None:
    typer.echo(json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False))
