"""The power calculator for arms of unequal size."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.power import TTestIndPower

from movierec.abtest.analysis import compare_arms
from movierec.abtest.design import Design, Observations
from movierec.abtest.power import mean_minimum_effect, mean_power, mean_sample_size
from movierec.abtest.power_curve import tabulate_power
from movierec.abtest.proportion_power import proportion_minimum_effect, proportion_sample_size
from movierec.errors import MovierecError

ratios = st.floats(0.05, 20)


def test_power_of_20_against_30_users() -> None:
    assert float(mean_power(20, 0.1, ratio=1.5)) == pytest.approx(0.0633081832564667, abs=1e-11)
    assert float(mean_power(30, 0.1, ratio=20 / 30)) == pytest.approx(0.0633081832564667, abs=1e-11)


@given(st.floats(10, 100), st.floats(0.05, 0.5), ratios)
def test_power_agrees_with_statsmodels(users: float, effect: float, ratio: float) -> None:
    if users * ratio >= 2:
        expected = TTestIndPower().power(effect, users, 0.05, ratio=ratio)
        assert float(mean_power(users, effect, ratio=ratio)) == pytest.approx(expected, abs=1e-9)


def test_a_sample_size_by_statsmodels() -> None:
    expected = TTestIndPower().solve_power(effect_size=0.5, power=0.8, alpha=0.05, ratio=9)  # 35.0769
    assert mean_sample_size(0.5, ratio=9) == pytest.approx(expected, rel=1e-6)
    assert mean_sample_size(0.5, ratio=1 / 9) == pytest.approx(9 * expected, rel=1e-6)


@given(st.floats(0.05, 2), ratios)
def test_minimum_effect_inverts_sample_size(effect: float, ratio: float) -> None:
    users = mean_sample_size(effect, ratio=ratio)
    if min(users, ratio * users) > 2.001:
        assert mean_minimum_effect(users, ratio=ratio) == pytest.approx(effect, rel=1e-6)


def test_the_smallest_experiment_has_two_users_in_the_smaller_arm() -> None:
    assert mean_sample_size(1e3, ratio=9) == 2
    assert mean_sample_size(1e3, ratio=0.25) == pytest.approx(8)
    with pytest.raises(MovierecError, match="an arm needs at least 2 users"):
        mean_power(7, 1, ratio=0.25)


@pytest.mark.parametrize("ratio", [0, -1, float("inf"), float("nan")])
def test_a_ratio_is_positive(ratio: float) -> None:
    with pytest.raises(MovierecError, match="ratio of the arms is .*: it must be positive and finite"):
        mean_sample_size(0.5, ratio=ratio)


def test_proportions_by_hand() -> None:
    # treatment n, control 9 n; pooled p = (9 * .1 + .12) / 10 = .102; z = 1.959964 and .841621
    # null sqrt((1 + 1/9) * .102 * .898) = .319019; alternative sqrt(.09 / 9 + .1056) = .340000
    # n = ((1.959964 * .319019 + .841621 * .34) / .02)^2 = 2076.70
    assert proportion_sample_size(0.1, 0.02, pooled=True, ratio=9) == pytest.approx(2076.70, abs=0.05)
    users = proportion_sample_size(0.1, 0.02, ratio=9)
    assert proportion_minimum_effect(0.1, users, ratio=9) == pytest.approx(0.02, rel=1e-6)


def test_equal_arms_are_as_they_were() -> None:
    assert mean_sample_size(0.5, ratio=1.0) == mean_sample_size(0.5) == pytest.approx(63.76561, abs=1e-4)
    assert proportion_sample_size(0.2, 0.05) == pytest.approx(1030.22, abs=0.01)


def test_a_running_experiment_is_planned_by_its_weights() -> None:
    rng = np.random.default_rng(0)
    outcomes = rng.normal(0, 1, 1000)
    outcomes[:100] += 0.1 - outcomes[:100].mean() + outcomes[100:].mean()
    control, treatment = Observations(outcomes[100:]), Observations(outcomes[:100])
    design = Design("x", 0.2, weights=(90, 10))
    report = compare_arms(control, treatment, design, rng)
    std = report.difference.pooled_std
    assert design.ratio == 9
    assert report.users_needed is not None
    assert report.users_needed == np.ceil(mean_sample_size(0.2, std, ratio=9))
    assert report.detectable_effect == mean_minimum_effect(100, std, ratio=9)
    assert f"{report.users_needed - 100:,} more users in the smaller arm" in report.verdict.text
    curve = tabulate_power(report).query("effect == 0.2").set_index("users_per_arm")["power"]
    assert curve[report.users_needed] == pytest.approx(0.8, abs=0.01)


def test_simulated_power_is_the_computed_one() -> None:
    rng = np.random.default_rng(1)
    small, large = rng.normal(0.6, 1, (4000, 15)), rng.normal(0, 1, (4000, 60))
    seen = (stats.ttest_ind(small, large, axis=1).pvalue < 0.05).mean()
    assert seen == pytest.approx(float(mean_power(15, 0.6, ratio=4)), abs=0.03)
