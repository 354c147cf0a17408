"""Sample sizes: golden vectors from R and Evan Miller, statsmodels as oracle, simulation, round trips."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.power import TTestIndPower

from movierec.abtest.power import mean_minimum_effect, mean_power, mean_sample_size
from movierec.abtest.proportion_power import proportion_minimum_effect, proportion_sample_size
from movierec.errors import MovierecError


def test_power_counts_both_tails() -> None:
    assert float(mean_power(20, 1.0)) == pytest.approx(0.8689530, abs=5e-8)


@pytest.mark.parametrize(("effect", "users"), [(0.2, 393.4057), (0.5, 63.76561), (0.8, 25.52457)])
def test_sample_size_for_means_matches_r(effect: float, users: float) -> None:
    assert mean_sample_size(effect) == pytest.approx(users, rel=1e-6)


@pytest.mark.parametrize(("two_sided", "users"), [(True, 22.02110), (False, 17.84713)])
def test_sample_size_at_other_power_and_sides_matches_r(two_sided: bool, users: float) -> None:  # noqa: FBT001
    assert mean_sample_size(1.0, power=0.9, two_sided=two_sided) == pytest.approx(users, rel=1e-6)


@pytest.mark.parametrize(("baseline", "treated", "users"), [(0.20, 0.25, 1030.22), (0.10, 0.12, 3622.62)])
def test_unpooled_sample_size_matches_evan_miller(baseline: float, treated: float, users: float) -> None:
    assert proportion_sample_size(baseline, treated - baseline) == pytest.approx(users, abs=0.005)


@pytest.mark.parametrize(
    ("baseline", "treated", "power", "users"), [(0.50, 0.75, 0.9, 76.7069), (0.10, 0.12, 0.8, 3840.85)]
)
def test_pooled_sample_size_matches_r(baseline: float, treated: float, power: float, users: float) -> None:
    found = proportion_sample_size(baseline, treated - baseline, power=power, pooled=True)
    assert found == pytest.approx(users, rel=1e-6)


@pytest.mark.parametrize("significance", [0.001, 0.05, 0.2])
@pytest.mark.parametrize("users", [2, 5, 50, 5000])
@pytest.mark.parametrize(("two_sided", "alternative"), [(True, "two-sided"), (False, "larger")])
def test_power_agrees_with_statsmodels(
    significance: float,
    users: int,
    two_sided: bool,  # noqa: FBT001
    alternative: str,
) -> None:
    effects = np.array([0.1, 1, 3, 4]) / np.sqrt(users)
    oracle = TTestIndPower().power(effects, users, significance, alternative=alternative)
    ours = mean_power(users, effects, significance=significance, two_sided=two_sided)
    assert ours == pytest.approx(oracle, abs=1e-9)


def test_power_of_a_huge_effect_is_one_and_never_nan() -> None:
    assert mean_power([2, 10, 1e4, 1e6], [100, 10, 1, 1]) == pytest.approx(1)


def test_power_without_effect_is_the_false_positive_rate() -> None:
    assert float(mean_power(30, 0.0, significance=0.1)) == pytest.approx(0.1, abs=1e-12)


def test_standard_deviation_only_sets_the_unit() -> None:
    assert mean_sample_size(0.01, 0.25) == pytest.approx(mean_sample_size(0.04))
    assert mean_minimum_effect(100, 0.25) == pytest.approx(0.25 * mean_minimum_effect(100))


def test_large_samples_follow_the_normal_approximation() -> None:
    # n = 2 ((z.95 + z.8) / d)^2 + z.95^2 / 4: the last term is the t test's price for an estimated variance.
    critical, spare = stats.norm.ppf(0.95), stats.norm.ppf(0.8)
    normal = 2 * ((critical + spare) / 1e-3) ** 2 + critical**2 / 4
    assert mean_sample_size(1e-3, two_sided=False) == pytest.approx(normal, abs=0.05)


@pytest.mark.parametrize("effect", [100.0, 1e12, 1e300])
def test_the_least_sample_is_two_users(effect: float) -> None:
    assert mean_sample_size(effect) == 2


def test_welchs_test_needs_as_many_users_as_the_pooled_formula_says() -> None:
    # with both variances estimated: n = (z.975 + z.8)^2 (.1 .9 + .12 .88) / .02^2; the baseline alone asks for fewer
    welch = (stats.norm.ppf(0.975) + stats.norm.ppf(0.8)) ** 2 * (0.1 * 0.9 + 0.12 * 0.88) / 0.02**2
    assert proportion_sample_size(0.10, 0.02, pooled=True) == pytest.approx(welch, rel=1e-3)
    assert proportion_sample_size(0.10, 0.02) < 0.95 * welch


@pytest.mark.parametrize("users", [2, 10**6, 10**15])
def test_a_minimum_effect_shrinks_with_the_root_of_the_users_however_many(users: int) -> None:
    # n = 2 (z.975 + z.8)^2 / d^2 for many users, which is a little optimistic for few
    expected = (stats.norm.ppf(0.975) + stats.norm.ppf(0.8)) * np.sqrt(2 / users)
    assert mean_minimum_effect(users) == pytest.approx(expected, rel=1e-5 if users > 2 else 1.1)


@pytest.mark.parametrize("solve", [mean_minimum_effect, lambda users: proportion_minimum_effect(0.1, users)])
def test_more_users_than_can_be_reckoned_with_are_refused(solve: Callable[[float], float]) -> None:
    with pytest.raises(MovierecError, match=r"1e\+18 users an arm: there must be at most 1e\+15"):
        solve(1e18)


@given(users=st.floats(2, 1e7), power=st.floats(0.3, 0.99))
def test_minimum_effect_inverts_sample_size(users: float, power: float) -> None:
    effect = mean_minimum_effect(users, power=power)
    assert mean_sample_size(effect, power=power) == pytest.approx(users, rel=1e-5)


@given(baseline=st.floats(0.01, 0.9), share=st.floats(0.01, 0.95), pooled=st.booleans())
def test_minimum_rise_of_a_proportion_inverts_sample_size(baseline: float, share: float, pooled: bool) -> None:  # noqa: FBT001
    effect = share * (1 - baseline)
    users = proportion_sample_size(baseline, effect, pooled=pooled)
    assert proportion_minimum_effect(baseline, users, pooled=pooled) == pytest.approx(effect, rel=1e-6)


def test_simulated_power_is_the_computed_one() -> None:
    rng = np.random.default_rng(1)
    treated, control = rng.normal(0.5, size=(20_000, 64)), rng.normal(size=(20_000, 64))
    found = np.mean(stats.ttest_ind(treated, control, axis=1).pvalue < 0.05)
    assert found == pytest.approx(float(mean_power(64, 0.5)), abs=4 * np.sqrt(0.8 * 0.2 / 20_000))


def test_simulated_power_for_proportions_is_the_wanted_one() -> None:
    rng = np.random.default_rng(2)
    users = int(np.ceil(proportion_sample_size(0.10, 0.02, pooled=True)))
    first, second = rng.binomial(users, 0.10, 20_000) / users, rng.binomial(users, 0.12, 20_000) / users
    middle = (first + second) / 2
    z = (second - first) / np.sqrt(2 * middle * (1 - middle) / users)
    assert np.mean(np.abs(z) > stats.norm.ppf(0.975)) == pytest.approx(0.8, abs=0.015)


@pytest.mark.parametrize("effect", [0.0, float("nan"), float("inf")])
def test_an_effect_of_nothing_is_refused(effect: float) -> None:
    with pytest.raises(MovierecError, match=f"effect is {effect}: it must be a number other than 0"):
        mean_sample_size(effect)


def test_an_effect_too_small_for_any_experiment_is_refused() -> None:
    with pytest.raises(MovierecError, match=r"an effect of 1e-12 needs more than 1e\+15 users an arm"):
        mean_sample_size(1e-12)


@pytest.mark.parametrize("std", [0.0, -1.0, float("nan"), float("inf")])
def test_standard_deviation_must_be_positive(std: float) -> None:
    for solve in (mean_sample_size, mean_minimum_effect):
        with pytest.raises(MovierecError, match=f"standard deviation is {std}: it must be positive and finite"):
            solve(2, std)


@pytest.mark.parametrize("power", [0.04, 0.05, 1.0, float("nan")])
def test_power_must_exceed_the_significance(power: float) -> None:
    with pytest.raises(MovierecError, match=f"power is {power}: it must be above significance and below 1"):
        mean_sample_size(0.5, power=power)


@pytest.mark.parametrize("significance", [0.0, 1.0, -0.05])
def test_significance_must_be_a_rate(significance: float) -> None:
    with pytest.raises(MovierecError, match=f"significance is {significance}: it must be above 0 and below 1"):
        proportion_sample_size(0.1, 0.02, significance=significance)


def test_an_arm_of_one_user_is_refused() -> None:
    with pytest.raises(MovierecError, match="an arm needs at least 2 users"):
        mean_minimum_effect(1)


@pytest.mark.parametrize(
    ("baseline", "effect", "message"),
    [
        (0.0, 0.1, "baseline is 0: it must be above 0"),
        (1.0, -0.1, "baseline is 1: it must be above 0 and below 1"),
        (0.9, 0.1, r"baseline \+ effect is 1: it must be above 0 and below 1"),
        (0.1, -0.2, r"baseline \+ effect is -0.1: it must be above 0"),
        (0.1, 0.0, "effect is 0: no number of users shows that"),
    ],
)
def test_proportions_must_lie_between_0_and_1(baseline: float, effect: float, message: str) -> None:
    with pytest.raises(MovierecError, match=message):
        proportion_sample_size(baseline, effect)


def test_too_few_users_for_any_rise_are_refused() -> None:
    with pytest.raises(MovierecError, match=r"3 users an arm are too few to see any rise from 0\.5"):
        proportion_minimum_effect(0.5, 3)
