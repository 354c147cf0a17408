"""The report: its parts are the library's, its metrics fit JSON, its table fits a figure, its text fits a reader."""

import json
from typing import Any

import numpy as np
import pytest

from movierec.abtest.analysis import welch_test
from movierec.abtest.cuped import cuped_test
from movierec.abtest.power import mean_minimum_effect, mean_sample_size
from movierec.abtest.report import Design, Observations, Report, compare_arms
from movierec.abtest.robustness import rank_test
from movierec.abtest.sequential import anytime_valid
from movierec.errors import MovierecError

RNG = np.random.default_rng(13)
COVARIATES = RNG.normal(size=300), RNG.normal(size=320)
CONTROL = 1 + COVARIATES[0] + RNG.normal(size=300)
TREATMENT = 1.5 + COVARIATES[1] + RNG.normal(size=320)


def _report(**changes: Any) -> Report:
    design = Design(**{"metric": "ndcg@10", "minimum_effect": 0.1, "control": "old", "treatment": "new", **changes})
    control, treatment = Observations(CONTROL, COVARIATES[0]), Observations(TREATMENT, COVARIATES[1])
    return compare_arms(control, treatment, design, np.random.default_rng(0))


def test_every_part_is_the_librarys() -> None:
    found = _report(significance=0.1, power=0.9, tuned_for=700)
    welch = welch_test(CONTROL, TREATMENT, 0.9)
    assert found.difference == welch
    assert found.cuped == cuped_test(CONTROL, TREATMENT, *COVARIATES, 0.9)
    assert found.ranks == rank_test(CONTROL, TREATMENT)
    assert found.peeking == anytime_valid(welch.estimate, welch.standard_error, 620, significance=0.1, tuned_for=700)
    needed = mean_sample_size(0.1, welch.pooled_std, significance=0.1, power=0.9)
    assert needed <= found.users_needed < needed + 1
    detectable = mean_minimum_effect(300, welch.pooled_std, significance=0.1, power=0.9)
    assert found.detectable_effect == pytest.approx(detectable)
    assert found.verdict.decision == "ship"


def test_metrics_are_nested_numbers_and_text() -> None:
    metrics = _report().to_metrics()
    assert json.loads(json.dumps(metrics, allow_nan=False)) == metrics
    assert (metrics["control"], metrics["treatment"], metrics["metric"]) == ("old", "new", "ndcg@10")
    assert metrics["arms"]["control"]["n"] == 300
    assert metrics["arms"]["treatment"]["mean"] == pytest.approx(TREATMENT.mean())
    assert metrics["difference"]["low"] < metrics["difference"]["estimate"] < metrics["difference"]["high"]
    assert metrics["cuped"]["variance_saved"] == pytest.approx(0.5, abs=0.1)  # half of the variance is the covariate's
    assert metrics["verdict"]["decision"] == "ship"
    assert "relative_lift" in metrics


def test_what_cannot_be_computed_is_left_out() -> None:
    design = Design("metric", 0.1)
    arms = Observations(np.array([-1.0, 0, 1])), Observations(np.array([1.0, 2, 3]))
    found = compare_arms(*arms, design, np.random.default_rng(0))
    assert not {"cuped", "relative_lift"} & found.to_metrics().keys()
    assert "cuped" not in found.to_table()["label"].tolist()
    assert "%" not in found.summarize().splitlines()[3]


def test_table_holds_the_arms_and_each_methods_interval() -> None:
    report = _report()
    table = report.to_table()
    assert table.columns.tolist() == ["quantity", "label", "estimate", "low", "high"]
    assert table["quantity"].tolist() == ["mean"] * 2 + ["difference"] * 4
    assert table["label"].tolist() == ["old", "new", "welch", "cuped", "bootstrap", "anytime_valid"]
    assert ((table["low"] < table["estimate"]) & (table["estimate"] < table["high"])).all()
    width = (table["high"] - table["low"]).to_numpy()
    assert width[3] < width[2] < width[5]  # CUPED is sharper, the right to peek costs


def test_summary_speaks_of_the_arms_by_name() -> None:
    lines = _report().summarize().splitlines()
    assert lines[0] == "new against old on ndcg@10"
    assert lines[1].split() == ["old", f"{CONTROL.mean():.4f}", "300", "users"]
    assert lines[-1].startswith("Ship new: it beats old by")


def test_weights_decide_the_sample_ratio() -> None:
    assert not _report(weights=(300, 320)).sample_ratio.chi2
    skewed = _report(weights=(1, 3))
    assert skewed.sample_ratio.is_mismatch
    assert skewed.verdict.decision == "no verdict"


def test_for_an_error_lower_is_better() -> None:
    assert _report(lower_is_better=True).verdict.decision == "do not ship"


def test_same_seed_same_report() -> None:
    assert _report() == _report()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"minimum_effect": 0.0}, r"minimum effect is 0\.0: it must be positive"),
        ({"minimum_effect": float("nan")}, "minimum effect is nan"),
        ({"control": "new"}, "both arms are called 'new': name two"),
        ({"significance": 1.5}, "confidence is -0.5"),
        ({"power": 0.01}, r"power is 0\.01: it must be above significance"),
        ({"weights": (1, 0)}, "a positive weight for each"),
    ],
)
def test_a_design_outside_its_ranges_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(MovierecError, match=message):
        _report(**changes)
