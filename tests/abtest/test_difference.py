"""Welch, relative lift and sample ratio: golden vectors, simulation of coverage and false positives, bad input."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from movierec.abtest.assignment import Experiment
from movierec.abtest.difference import ArmSummary, MeanDifference, relative_lift, sample_ratio_check, welch_test
from movierec.errors import MovierecError

# R's `sleep`: extra hours of sleep under two drugs (Student 1908).
FIRST_DRUG = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
SECOND_DRUG = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]


def test_welch_matches_r_on_sleep() -> None:
    found = welch_test(control=SECOND_DRUG, treatment=FIRST_DRUG)
    assert found.t == pytest.approx(-1.860813, abs=5e-7)
    assert found.df == pytest.approx(17.77647, abs=5e-6)
    assert found.p_value == pytest.approx(0.0793941, abs=5e-8)
    assert (found.low, found.high) == pytest.approx((-3.365483, 0.205483), abs=5e-7)


def test_welch_by_hand() -> None:
    # control 1 2 3: mean 2, variance 1; treatment 2 4 6 8: mean 5, variance 20/3.
    # SE^2 = 1/3 + 20/12 = 2, t = 3 / sqrt 2, df = 2^2 / ((1/3)^2 / 2 + (5/3)^2 / 3) = 4 / (53/54) = 216/53
    found = welch_test([1, 2, 3], [2, 4, 6, 8])
    assert (found.estimate, found.standard_error) == pytest.approx((3, np.sqrt(2)))
    assert (found.t, found.df) == pytest.approx((3 / np.sqrt(2), 216 / 53))
    assert found.high - found.estimate == pytest.approx(np.sqrt(2) * stats.t.isf(0.025, 216 / 53))
    assert (found.control.n, found.control.mean, found.control.std) == (3, 2, 1)
    # pooled variance (2 * 1 + 3 * 20/3) / 5 = 22/5
    assert found.pooled_std == pytest.approx(np.sqrt(22 / 5))


def test_welch_agrees_with_scipy_on_unequal_arms() -> None:
    rng = np.random.default_rng(12)
    control, treatment = rng.gamma(0.5, size=40), rng.normal(1, 3, size=700)
    found = welch_test(control, treatment, 0.9)
    oracle = stats.ttest_ind(treatment, control, equal_var=False)
    interval = oracle.confidence_interval(0.9)
    assert (found.t, found.p_value, found.df) == pytest.approx((oracle.statistic, oracle.pvalue, oracle.df))
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))


def test_interval_of_an_arm_is_students() -> None:
    arm = welch_test(FIRST_DRUG, SECOND_DRUG, 0.9).control
    oracle = stats.ttest_1samp(FIRST_DRUG, 0).confidence_interval(0.9)
    assert (arm.low, arm.high) == pytest.approx((oracle.low, oracle.high))


def test_arms_swapped_turn_every_sign() -> None:
    there, back = welch_test(FIRST_DRUG, SECOND_DRUG), welch_test(SECOND_DRUG, FIRST_DRUG)
    assert (there.estimate, there.low, there.high, there.t) == (-back.estimate, -back.high, -back.low, -back.t)
    assert there.p_value == back.p_value


@given(shift=st.floats(-100, 100), scale=st.floats(0.1, 100))
def test_units_do_not_change_the_p_value(shift: float, scale: float) -> None:
    first, second = (np.array(drug) * scale + shift for drug in (FIRST_DRUG, SECOND_DRUG))
    moved = welch_test(first, second)
    assert moved.p_value == pytest.approx(0.0793941, abs=1e-6)


def test_interval_covers_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(3)
    runs, truth = 2000, 0.5
    found = [welch_test(rng.normal(0, 3, 12), rng.normal(truth, 1, 30)) for _ in range(runs)]
    coverage = np.mean([difference.low <= truth <= difference.high for difference in found])
    assert coverage == pytest.approx(0.95, abs=4 * np.sqrt(0.95 * 0.05 / runs))


def test_false_positives_of_hashed_experiments_without_effect() -> None:
    runs, users = 2000, np.arange(600)
    outcomes = np.random.default_rng(4).exponential(size=users.size)  # skewed, and the same in every experiment
    p_values = []
    for run in range(runs):
        arms = Experiment(f"a/a {run}", {"a": 1, "b": 1}).assign_many(users)
        p_values.append(welch_test(outcomes[arms == 0], outcomes[arms == 1]).p_value)
    assert np.mean(np.array(p_values) < 0.05) == pytest.approx(0.05, abs=4 * np.sqrt(0.05 * 0.95 / runs))


def test_one_constant_arm_is_analysed() -> None:
    # treatment has no variance: the test is the one-sample test of control against 3, t = (3 - 2) / sqrt(1/3), df 2
    found = welch_test([1, 2, 3], [3, 3, 3])
    assert (found.t, found.df) == pytest.approx((np.sqrt(3), 2))


@pytest.mark.parametrize("outcomes", [([0, 0], [1, 1]), ([5.0] * 9, [5.0] * 9), ([0.1] * 3, [0.1 + 1e-17] * 3)])
def test_two_constant_arms_are_refused(outcomes: tuple[list[float], list[float]]) -> None:
    with pytest.raises(MovierecError, match="does not vary within either arm: there is nothing to test"):
        welch_test(*outcomes)


@pytest.mark.parametrize("short", [[], [1.0]])
def test_fewer_than_two_users_are_refused(short: list[float]) -> None:
    with pytest.raises(MovierecError, match=rf"arm 'control' has {len(short)} user\(s\) .* at least 2 are needed"):
        welch_test(short, FIRST_DRUG)
    with pytest.raises(MovierecError, match="arm 'treatment' has"):
        welch_test(FIRST_DRUG, short)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_outcomes_that_are_no_numbers_are_refused(bad: float) -> None:
    with pytest.raises(MovierecError, match="arm 'treatment' has outcomes that are NaN or infinite: drop those users"):
        welch_test(FIRST_DRUG, [*SECOND_DRUG, bad])


@pytest.mark.parametrize("confidence", [0.0, 1.0, 95.0, float("nan")])
def test_confidence_must_be_a_rate(confidence: float) -> None:
    with pytest.raises(MovierecError, match=f"confidence is {confidence}: it must be above 0 and below 1"):
        welch_test(FIRST_DRUG, SECOND_DRUG, confidence)


def _difference(control: ArmSummary, treatment: ArmSummary) -> MeanDifference:
    return MeanDifference(
        estimate=treatment.mean - control.mean,
        standard_error=1,
        low=0,
        high=0,
        p_value=1,
        t=0,
        df=1e9,
        confidence=0.95,
        control=control,
        treatment=treatment,
    )


def test_relative_lift_by_hand() -> None:
    # means 2 and 3, standard errors 0.1 and 0.2: lift 3/2 - 1 = 0.5,
    # variance 0.2^2 / 2^2 + 3^2 0.1^2 / 2^4 = 0.01 + 0.005625 = 0.125^2; 1.959964 * 0.125 = 0.2449955
    found = relative_lift(_difference(ArmSummary(100, 2, 1, 1.8, 2.2), ArmSummary(100, 3, 2, 2.6, 3.4)))
    assert found is not None
    assert (found.estimate, found.low, found.high) == pytest.approx((0.5, 0.2550045, 0.7449955), abs=1e-6)


def test_relative_lift_covers_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(5)
    runs, covered = 2000, 0
    for _ in range(runs):
        lift = relative_lift(welch_test(rng.exponential(1.0, 400), rng.exponential(1.2, 400)))
        assert lift is not None
        covered += lift.low <= 0.2 <= lift.high
    assert covered / runs == pytest.approx(0.95, abs=4 * np.sqrt(0.95 * 0.05 / runs))


@pytest.mark.parametrize("control", [[-1.0, 0.0, 1.0], [-3.0, -2.0, -1.0], [0.0, 0.0, 0.1]])
def test_no_relative_lift_over_a_control_that_is_not_clear_of_zero(control: list[float]) -> None:
    assert relative_lift(welch_test(control, [1, 2, 3])) is None


def test_sample_ratio_matches_the_published_mismatch() -> None:
    found = sample_ratio_check({"a": 821_588, "b": 815_482}, {"a": 1, "b": 1})
    assert found.chi2 == pytest.approx(22.77437, abs=5e-6)
    assert found.p_value == pytest.approx(1.8218e-6, rel=5e-5)
    assert found.is_mismatch


def test_sample_ratio_by_hand_with_weights() -> None:
    # 60 users by 1:2 should be 20 and 40; chi2 = 4^2 / 20 + 4^2 / 40 = 1.2
    found = sample_ratio_check({"b": 36, "a": 24}, {"a": 1, "b": 2})
    assert found.chi2 == pytest.approx(1.2)
    assert not found.is_mismatch


def test_mismatch_starts_below_one_in_a_thousand() -> None:
    # chi2(1) = 10.828 at p = 0.001; arms of 5,000 +- d have chi2 = 2 d^2 / 5000, so d = 164.5
    fair = {"a": 1.0, "b": 1.0}
    assert not sample_ratio_check({"a": 5164, "b": 4836}, fair).is_mismatch
    assert sample_ratio_check({"a": 5165, "b": 4835}, fair).is_mismatch


@pytest.mark.parametrize(
    ("counts", "weights"), [({"a": 1}, {"a": 1.0}), ({"a": 1, "b": 2}, {"a": 1.0, "c": 1.0}), ({}, {})]
)
def test_sample_ratio_needs_the_same_arms(counts: dict[str, int], weights: dict[str, float]) -> None:
    with pytest.raises(MovierecError, match=r"arms counted .* and planned .* must be the same"):
        sample_ratio_check(counts, weights)


@pytest.mark.parametrize(
    ("counts", "weights"), [((0, 0), (1, 1)), ((3, 4), (1, 0)), ((3, 4), (1, -1)), ((3, -4), (1, 1))]
)
def test_sample_ratio_needs_users_and_weights(counts: tuple[int, int], weights: tuple[float, float]) -> None:
    with pytest.raises(MovierecError, match="needs users in some arm and a positive weight for each"):
        sample_ratio_check(dict(zip("ab", counts, strict=True)), dict(zip("ab", weights, strict=True)))
