"""The comparison: every part of the report is the library's, the same for the same seed."""

from typing import Any

import numpy as np
import pytest

from movierec.abtest.analysis import compare_arms
from movierec.abtest.cuped import cuped_test
from movierec.abtest.design import Design, Observations
from movierec.abtest.difference import relative_lift, sample_ratio_check, welch_test
from movierec.abtest.power import mean_minimum_effect, mean_sample_size
from movierec.abtest.report import Report
from movierec.abtest.second_opinions import bootstrap_difference, rank_test
from movierec.abtest.secondary import compare_secondary
from movierec.abtest.sequential import anytime_valid
from movierec.errors import MovierecError

RNG = np.random.default_rng(13)
COVARIATES = RNG.normal(size=300), RNG.normal(size=320)
CONTROL = 1 + COVARIATES[0] + RNG.normal(size=300)
TREATMENT = 1.5 + COVARIATES[1] + RNG.normal(size=320)


def _compare(most_bootstrap_users: int = 620, **changes: Any) -> Report:
    design = Design(**{"metric": "ndcg@10", "minimum_effect": 0.1, "control": "old", "treatment": "new", **changes})
    arms = zip((CONTROL, TREATMENT), COVARIATES, strict=True)
    control, treatment = (Observations(outcomes, known, {"covariate": known}) for outcomes, known in arms)
    rng = np.random.default_rng(0)
    return compare_arms(control, treatment, design, rng, most_bootstrap_users=most_bootstrap_users)


def test_every_part_is_the_librarys() -> None:
    found = _compare(significance=0.1, power=0.9, tuned_for=700)
    welch = welch_test(CONTROL, TREATMENT, 0.9)
    assert found.difference == welch
    assert found.lift == relative_lift(welch)
    assert found.cuped == cuped_test(CONTROL, TREATMENT, *COVARIATES, 0.9)
    assert found.ranks == rank_test(CONTROL, TREATMENT)
    assert found.peeking == anytime_valid(welch.estimate, welch.standard_error, 620, significance=0.1, tuned_for=700)
    assert found.bootstrap == bootstrap_difference(CONTROL, TREATMENT, np.random.default_rng(0), confidence=0.9)
    assert found.sample_ratio == sample_ratio_check({"a": 300, "b": 320}, {"a": 1, "b": 1})
    assert found.secondary == compare_secondary({"covariate": COVARIATES[0]}, {"covariate": COVARIATES[1]}, 0.9)
    needed = mean_sample_size(0.1, welch.pooled_std, significance=0.1, power=0.9)
    assert found.users_needed is not None
    assert needed <= found.users_needed < needed + 1
    detectable = mean_minimum_effect(300, welch.pooled_std, significance=0.1, power=0.9)
    assert found.detectable_effect == pytest.approx(detectable)
    assert found.verdict.decision == "ship"


def test_without_a_minimum_effect_no_users_are_planned() -> None:
    found = _compare(minimum_effect=None)
    assert found.users_needed is None
    assert found.difference == _compare().difference


def test_the_bootstrap_is_left_out_where_it_would_repeat_welch_slowly() -> None:
    report = _compare(most_bootstrap_users=619)
    assert report.bootstrap is None
    assert report.left_out == {"bootstrap": "means of so many users are normally distributed"}


def test_cuped_needs_a_covariate_in_both_arms() -> None:
    arms = Observations(CONTROL, COVARIATES[0]), Observations(TREATMENT)
    report = compare_arms(*arms, Design("metric"), np.random.default_rng(0))
    assert report.cuped is None
    assert report.left_out == {"cuped": "one arm has no covariate"}
    bare = compare_arms(Observations(CONTROL), Observations(TREATMENT), Design("metric"), np.random.default_rng(0))
    assert bare.left_out == {}  # nobody asked


def test_weights_decide_the_sample_ratio() -> None:
    assert not _compare(weights=(300, 320)).sample_ratio.chi2
    skewed = _compare(weights=(1, 3))
    assert skewed.sample_ratio.is_mismatch
    assert skewed.verdict.decision == "no verdict"


def test_for_an_error_lower_is_better() -> None:
    assert _compare(lower_is_better=True).verdict.decision == "do not ship"


def test_same_seed_same_report() -> None:
    assert _compare() == _compare()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"significance": 1.5}, "confidence is -0.5"),
        ({"power": 0.01}, r"power is 0\.01: it must be above significance"),
        ({"weights": (1, 0)}, "a positive weight for each"),
    ],
)
def test_a_design_outside_its_ranges_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(MovierecError, match=message):
        _compare(**changes)
