"""The report: its metrics fit JSON, its table fits a figure, its text fits a reader."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from movierec.abtest.analysis import compare_arms
from movierec.abtest.design import Design, Observations
from movierec.abtest.report import Report

RNG = np.random.default_rng(13)
COVARIATES = RNG.normal(size=300), RNG.normal(size=320)
CONTROL = 1 + COVARIATES[0] + RNG.normal(size=300)
TREATMENT = 1.5 + COVARIATES[1] + RNG.normal(size=320)


def _report(**changes: Any) -> Report:
    design = Design(**{"metric": "ndcg@10", "minimum_effect": 0.1, "control": "old", "treatment": "new", **changes})
    control = Observations(CONTROL, COVARIATES[0], {"clicks": CONTROL**2, "same": np.ones(300)})
    treatment = Observations(TREATMENT, COVARIATES[1], {"clicks": TREATMENT**2, "same": np.ones(320)})
    return compare_arms(control, treatment, design, np.random.default_rng(0))


def _bare_report() -> Report:
    """Return a report without all that can be missing."""
    arms = Observations(np.array([-1.0, 0, 1])), Observations(np.array([1.0, 2, 3]))
    return compare_arms(*arms, Design("metric"), np.random.default_rng(0), most_bootstrap_users=1)


def test_metrics_are_nested_numbers_and_text() -> None:
    report = _report()
    metrics = report.to_details()
    assert json.loads(json.dumps(metrics, allow_nan=False)) == metrics
    assert (metrics["control"], metrics["treatment"], metrics["metric"]) == ("old", "new", "ndcg@10")
    assert metrics["arms"]["control"]["n"] == 300
    assert metrics["arms"]["treatment"]["mean"] == pytest.approx(TREATMENT.mean())
    assert metrics["difference"]["low"] < metrics["difference"]["estimate"] < metrics["difference"]["high"]
    assert metrics["cuped"]["variance_saved"] == pytest.approx(0.5, abs=0.1)  # half of the variance is the covariate's
    assert metrics["verdict"]["decision"] == "ship"
    assert metrics["design"]["users_needed_per_arm"] == report.users_needed
    assert "relative_lift" in metrics
    assert "left_out" not in metrics


def test_secondary_metrics_carry_both_p_values() -> None:
    metrics = _report().to_details()
    (clicks,) = metrics["secondary"].values()
    assert clicks["estimate"] == pytest.approx(np.mean(TREATMENT**2) - np.mean(CONTROL**2))
    assert clicks["p_adjusted"] == clicks["p_value"] > 0  # a family of one
    assert list(metrics["secondary_left_out"]) == ["same"]


def test_what_cannot_be_computed_is_left_out() -> None:
    report = _bare_report()
    metrics = report.to_details()
    assert not {"cuped", "relative_lift", "bootstrap", "secondary", "secondary_left_out"} & metrics.keys()
    reasons = {
        "relative_lift": "the control's mean is not clearly above 0",
        "bootstrap": "means of so many users are normally distributed",
    }
    assert metrics["left_out"] == reasons
    assert not {"minimum_effect", "users_needed_per_arm"} & metrics["design"].keys()
    assert report.to_table()["label"].tolist() == ["control", "treatment", "welch", "anytime_valid"]
    text = report.summarize()
    assert not any(word in text for word in ("CUPED", "relative lift, %", "other metrics", "None", "nan"))
    assert f"relative lift is left out: {reasons['relative_lift']}\n" in text
    assert f"bootstrap is left out: {reasons['bootstrap']}\n" in text


def test_a_report_of_the_main_test_alone_is_whole() -> None:
    """Whatever else is missing, each with a reason, all three forms of the report are made."""
    names = ["cuped", "relative_lift", "bootstrap", "mann_whitney", "anytime_valid", "detectable_effect"]
    reasons = dict.fromkeys([*names, "users_needed_per_arm"], "no reason")
    parts = ("cuped", "lift", "bootstrap", "ranks", "peeking", "detectable_effect", "users_needed")
    report = replace(_report(), **dict.fromkeys(parts), left_out=reasons)  # type: ignore[arg-type]
    metrics = report.to_details()
    assert metrics["left_out"] == reasons
    assert not set(reasons) & (metrics.keys() | metrics["design"].keys())
    assert report.to_table()["label"].tolist() == ["old", "new", "welch"]
    assert report.summarize().count("is left out: no reason") == len(reasons)


def test_a_verdict_that_cannot_say_how_long_has_no_number_in_metrics() -> None:
    report = _bare_report()
    waiting = replace(report, verdict=replace(report.verdict, decision="keep running", more_users=None))
    assert waiting.to_details()["verdict"].keys() == {"decision", "text"}


def test_table_holds_the_arms_and_each_methods_interval() -> None:
    report = _report()
    table = report.to_table()
    assert table.columns.tolist() == ["quantity", "label", "estimate", "low", "high"]
    assert table["quantity"].tolist() == ["mean"] * 2 + ["difference"] * 4
    assert table["label"].tolist() == ["old", "new", "welch", "cuped", "bootstrap", "anytime_valid"]
    assert ((table["low"] < table["estimate"]) & (table["estimate"] < table["high"])).all()
    width = (table["high"] - table["low"]).to_numpy()
    assert width[3] < width[2] < width[5]  # CUPED is sharper, the right to peek costs


def test_summary_is_written_for_a_reader() -> None:
    report = _report()
    blocks = report.summarize().split("\n\n")
    assert blocks[0] == "new against old on ndcg@10"
    # the standard error is about 0.11: two decimals
    arms = [line.split() for line in blocks[1].splitlines()]
    assert arms[0] == ["arm", "users", "mean", "95", "%", "interval"]
    assert arms[1][:3] == ["old", "300", f"{CONTROL.mean():.2f}"]
    assert arms[2][:3] == ["new", "320", f"{TREATMENT.mean():.2f}"]
    methods = blocks[2].splitlines()
    assert [line.split("  ")[0] for line in methods] == [
        "difference", "Welch's t", "CUPED", "bootstrap", "anytime-valid", "relative lift, %",
    ]  # fmt: skip
    found = report.difference
    assert methods[1].split("  ")[-1] == "< 0.001"
    assert f"{found.estimate:+.2f}  {found.low:+.2f} to {found.high:+.2f}" in methods[1]
    assert "sample ratio: as planned, p = 0.422" in blocks[3]  # chi2 = 20^2 / 620
    assert blocks[4].splitlines()[0].endswith("p (Holm)")
    assert blocks[5] == "same is left out: the outcome does not vary within either arm: there is nothing to test"
    assert blocks[6].startswith("Ship new: it beats old by")


def test_summary_says_a_mismatch_out_loud() -> None:
    text = _report(weights=(1, 3)).summarize()
    assert "sample ratio: a mismatch, p < 0.001" in text
    assert text.split("\n\n")[-1].startswith("No verdict: ")
