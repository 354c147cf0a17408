"""Hard outcomes: whatever the main test takes, a report is made; opinions that cannot be given say why."""

import json
import re
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from movierec.abtest.analysis import compare_arms
from movierec.abtest.design import Design, Observations
from movierec.abtest.difference import welch_test
from movierec.abtest.power_curve import tabulate_power
from movierec.abtest.report import Report
from movierec.errors import MovierecError

RNG = np.random.default_rng(21)
X, Y = RNG.normal(5, 1, 400), RNG.normal(5, 1, 500)
ZERO = "the control's mean is not clearly above 0"
WHOLLY = "the covariate explains the outcome wholly: nothing is left to test"


def _compare(control: Any, treatment: Any, covariates: Any = (None, None), **design: Any) -> Report:
    arms = [np.asarray(arm, dtype=np.float64) for arm in (control, treatment)]
    first, second = (Observations(arm, known, {"same": arm}) for arm, known in zip(arms, covariates, strict=True))
    report = compare_arms(first, second, Design("clicks", **design), np.random.default_rng(0))
    json.dumps(report.to_details(), allow_nan=False)
    assert np.isfinite(report.to_table()[["estimate", "low", "high"]].to_numpy()).all()
    assert not re.search(r"\bnan\b|\binf\b|None", report.summarize())
    return report


@pytest.mark.parametrize(
    ("control", "treatment", "reasons"),
    [
        pytest.param([1, 1, 1], [1, 2, 3], {}, id="one arm does not vary"),
        pytest.param([0, 0], [0, 1], {"relative_lift": ZERO}, id="a control of zeros"),
        pytest.param([1, 2], [3, 4], {"relative_lift": ZERO}, id="arms of two"),
        pytest.param([2, 2], [2, 3], {}, id="equal values but one"),
        pytest.param([5e-324] * 5, [1, 2, 3], {"relative_lift": ZERO}, id="lift beyond a float"),
        pytest.param([1.0] * 999 + [1e100], [1.0] * 1000, {"relative_lift": ZERO}, id="one huge user"),
        pytest.param(RNG.pareto(0.3, 3000), RNG.pareto(0.3, 3000), {"relative_lift": ZERO}, id="no finite mean"),
        pytest.param(1e6 * RNG.standard_cauchy(3000), RNG.standard_cauchy(999), {"relative_lift": ZERO}, id="Cauchy"),
        pytest.param(np.array([1, 2, 3]) * 1e-150, np.array([1, 3, 4]) * 1e-150, {"relative_lift": ZERO}, id="tiny"),
    ],
)
def test_hard_outcomes_get_a_report(control: Any, treatment: Any, reasons: dict[str, str]) -> None:
    assert _compare(control, treatment).left_out == reasons


@pytest.mark.parametrize(
    ("covariates", "reason"),
    [
        pytest.param((X, Y), WHOLLY, id="the metric itself"),
        pytest.param((7 - 3 * X, 7 - 3 * Y), WHOLLY, id="a line"),
        pytest.param((np.append(X[1:], np.nan), Y), "arm 'control' has covariates that are NaN or infinite", id="NaN"),
        pytest.param((X, Y * np.inf), "arm 'treatment' has covariates that are NaN or infinite", id="infinite"),
        pytest.param((X[1:], Y), "arm 'control' has 400 outcomes and 399 covariates", id="lengths"),
        pytest.param((X * 1e101, Y), r"arm 'control' has covariates beyond 1e+100", id="huge"),
        pytest.param((X, None), "one arm has no covariate", id="one arm's"),
    ],
)
def test_a_covariate_of_no_use_spoils_cuped_alone(covariates: Any, reason: str) -> None:
    report, plain = _compare(X, Y, covariates), _compare(X, Y)
    assert list(report.left_out) == ["cuped"]
    assert report.left_out["cuped"].startswith(reason)
    assert f"CUPED is left out: {reason}" in report.summarize()
    assert (report.difference, report.verdict, report.bootstrap) == (plain.difference, plain.verdict, plain.bootstrap)


def test_an_effect_that_no_users_show_spoils_the_plan_alone() -> None:
    report = _compare(X, X[::-1] + 0.001, minimum_effect=1e-20)
    assert report.left_out == {"users_needed_per_arm": "an effect of 1e-20 needs more than 1e+15 users an arm"}
    assert report.verdict.text.endswith("No number of users shows an effect of 1e-20: name a larger one.")
    with pytest.raises(MovierecError, match="no power to tabulate: an effect of 1e-20 needs"):
        tabulate_power(report)


def test_millions_of_users_are_compared() -> None:
    shares = (RNG.random(1_500_000) < 0.01, RNG.random(1_500_000) < 0.02)  # ties cubed exceed 64 bits
    report = _compare(*shares)
    assert list(report.left_out) == ["bootstrap"]
    assert report.ranks is not None
    assert report.ranks.probability == pytest.approx(0.505, abs=0.0005)
    assert report.verdict.decision == "ship"


def test_only_the_main_test_refuses() -> None:
    for arms, problem in (
        (([1, 1], [2, 2]), "does not vary within either arm"),
        (([1], [2, 3]), "1 user"),
        (([1, np.nan], [2, 3]), "arm 'control' has outcomes that are NaN"),
        (([1, 2], [2, 1e101]), r"arm 'treatment' has outcomes beyond 1e\+100"),
    ):
        with pytest.raises(MovierecError, match=problem):
            _compare(*arms)


_VALUES = st.one_of(st.sampled_from([0.0, 1.0]), st.floats(-1e100, 1e100))


@given(
    control=st.lists(_VALUES, min_size=2, max_size=6),
    treatment=st.lists(_VALUES, min_size=2, max_size=6),
    knowledge=st.lists(st.floats(allow_nan=True), min_size=12, max_size=12),
)
def test_whatever_can_be_tested_gets_a_report(
    control: list[float], treatment: list[float], knowledge: list[float]
) -> None:
    known = np.array(knowledge)
    with suppress(MovierecError):
        welch_test(control, treatment)
        _compare(control, treatment, (known[: len(control)], known[-len(treatment) :]))
        return
    with pytest.raises(MovierecError, match="does not vary within either arm"):
        welch_test(control, treatment)
