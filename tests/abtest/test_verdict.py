"""The verdict: every decision, at its border, in words that name the arms."""

import pytest

from movierec.abtest.difference import ArmSummary, MeanDifference, SampleRatio
from movierec.abtest.verdict import Verdict, decide

FAIR = SampleRatio(chi2=0.0, p_value=1.0)


def _decide(
    low: float,
    high: float,
    *,
    n: int = 100,
    ratio: SampleRatio = FAIR,
    lower_is_better: bool = False,
    minimum_effect: float | None = 0.1,
) -> Verdict:
    arm = ArmSummary(n=n, mean=0.5, std=0.1, low=0.4, high=0.6)
    difference = MeanDifference(
        estimate=(low + high) / 2,
        standard_error=0.01,
        low=low,
        high=high,
        p_value=0.02,
        t=1.0,
        df=200.0,
        confidence=0.95,
        control=arm,
        treatment=ArmSummary(n=n + 7, mean=0.5, std=0.1, low=0.4, high=0.6),
    )
    return decide(
        difference,
        ratio,
        minimum_effect=minimum_effect,
        users_needed=1500 if minimum_effect else None,
        lower_is_better=lower_is_better,
        names=("popularity", "als"),
    )


def test_ships_an_improvement() -> None:
    assert _decide(0.01, 0.05, minimum_effect=0.02) == Verdict(
        "ship", "Ship als: it beats popularity by 0.030 (95 % interval +0.010 to +0.050, p = 0.020)."
    )


def test_does_not_ship_a_loss() -> None:
    assert _decide(-0.05, -0.01) == Verdict(
        "do not ship",
        "Do not ship als: it is 0.030 worse than popularity (95 % interval -0.050 to -0.010, p = 0.020).",
    )


def test_less_of_an_error_is_an_improvement() -> None:
    assert _decide(-0.05, -0.01, lower_is_better=True, minimum_effect=0.02) == Verdict(
        "ship", "Ship als: it beats popularity by 0.030 (95 % interval +0.010 to +0.050, p = 0.020)."
    )
    assert _decide(0.01, 0.05, lower_is_better=True).decision == "do not ship"


def test_does_not_ship_what_is_too_small_to_matter() -> None:
    found = _decide(-0.2, 0.099)
    assert found.decision == "do not ship"
    assert found.text.startswith("Do not ship als: it improves on popularity by less than the 0.1 worth having")


def test_does_not_ship_an_improvement_that_is_real_but_too_small_to_matter() -> None:
    found = _decide(0.01, 0.05)
    assert found == Verdict(
        "do not ship",
        "Do not ship als: it improves on popularity by less than the 0.1 worth having"
        " (95 % interval +0.010 to +0.050, p = 0.020).",
    )
    assert _decide(-0.05, -0.01, lower_is_better=True).decision == "do not ship"
    assert _decide(0.01, 0.1).decision == "ship"  # the interval still holds what is worth having


def test_without_a_minimum_effect_only_the_sign_counts_and_nobody_can_say_how_long() -> None:
    assert _decide(0.001, 0.05, minimum_effect=None).decision == "ship"
    assert _decide(-0.05, -0.01, minimum_effect=None).decision == "do not ship"
    assert _decide(-0.05, 0.01, minimum_effect=None, n=10**9) == Verdict(
        "keep running",
        "Keep running: neither a loss nor an improvement is ruled out (95 % interval -0.050 to +0.010, p = 0.020 so"
        " far). Name the smallest effect worth having to learn for how long.",
        None,
    )


def test_keeps_running_while_both_are_possible_and_counts_the_smaller_arm() -> None:
    found = _decide(-0.2, 0.1)
    assert (found.decision, found.more_users) == ("keep running", 1400)
    assert found.text == (
        "Keep running: it takes 1,400 more users in each arm to see an improvement of 0.1, if there is one"
        " (95 % interval -0.200 to +0.100, p = 0.020 so far)."
        " Whoever looks again before that must go by the anytime-valid interval."
    )


@pytest.mark.parametrize(("n", "decision"), [(1499, "keep running"), (1500, "do not ship"), (9999, "do not ship")])
def test_ends_at_the_planned_size(n: int, decision: str) -> None:
    found = _decide(-0.2, 0.3, n=n)
    assert found.decision == decision
    assert found.more_users == max(0, 1500 - n)


def test_an_interval_that_touches_zero_proves_nothing() -> None:
    assert _decide(0.0, 0.3).decision == "keep running"
    assert _decide(-0.3, 0.0, lower_is_better=True).decision == "keep running"


@pytest.mark.parametrize(("low", "high"), [(0.1, 0.2), (-0.2, -0.1), (-0.2, 0.2)])
def test_a_mismatch_refuses_any_verdict(low: float, high: float) -> None:
    found = _decide(low, high, ratio=SampleRatio(chi2=20.0, p_value=0.00099))
    assert found.decision == "no verdict"
    assert found.text.startswith("No verdict: chance hardly ever splits users into arms of 100 and 107 users")
    assert "(p = 9.9e-04)" in found.text


def test_a_ratio_at_the_border_is_trusted() -> None:
    assert _decide(0.1, 0.2, ratio=SampleRatio(chi2=10.8, p_value=0.001)).decision == "ship"
