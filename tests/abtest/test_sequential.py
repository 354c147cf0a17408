"""The anytime-valid interval: a golden vector, its promise under daily peeking, its algebra."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from movierec.abtest.sequential import anytime_valid
from movierec.errors import MovierecError


def test_matches_growthbook() -> None:
    found = anytime_valid(0.50336, 0.33341, 3000 + 3461, tuned_for=1000)
    assert (found.low, found.high) == pytest.approx((-0.55844, 1.56516), abs=1e-5)  # inputs are given to 5 digits


def test_one_step_by_hand() -> None:
    # significance e^-2, users = tuned_for: rho^2 n = 4 + log 5, so n rho^2 + 1 = 5 + log 5;
    # half-width^2 = SE^2 (5 + log 5) / (4 + log 5) (log(5 + log 5) + 4)
    information = 5 + math.log(5)
    half_width = 0.5 * math.sqrt(information / (information - 1) * (math.log(information) + 4))
    found = anytime_valid(1.0, 0.5, 700, significance=math.exp(-2), tuned_for=700)
    assert (found.low, found.high) == pytest.approx((1 - half_width, 1 + half_width))


def test_peeking_daily_for_30_days_without_an_effect() -> None:
    rng = np.random.default_rng(7)
    runs, days, users_a_day = 4000, 30, 50
    outcomes = rng.normal(size=(2, runs, days, users_a_day))
    users = users_a_day * np.arange(1, days + 1)
    sums, squares = (np.cumsum((outcomes**power).sum(axis=3), axis=2) for power in (1, 2))
    means = sums / users
    variances = (squares - users * means**2) / (users - 1)  # (arms, runs, days)
    estimates, errors = means[1] - means[0], np.sqrt(variances.sum(axis=0) / users)

    z = stats.norm.ppf(0.975)
    fixed = np.mean((np.abs(estimates) > z * errors).any(axis=1))
    half_widths = [anytime_valid(0, 1, int(2 * n), tuned_for=1500).high for n in users]  # in standard errors
    anytime = np.mean((np.abs(estimates) > np.array(half_widths) * errors).any(axis=1))

    assert fixed == pytest.approx(0.29, abs=4 * np.sqrt(0.29 * 0.71 / runs))
    assert 0 < anytime < 0.05


@given(
    estimate=st.floats(-10, 10),
    error=st.floats(0.01, 10),
    users=st.integers(1, 10**9),
    significance=st.floats(0.001, 0.5),
    tuned_for=st.floats(1, 1e9),
)
def test_p_value_and_interval_agree(
    estimate: float, error: float, users: int, significance: float, tuned_for: float
) -> None:
    found = anytime_valid(estimate, error, users, significance=significance, tuned_for=tuned_for)
    assert 0 <= found.p_value <= 1
    distance = min(abs(found.low), abs(found.high))
    if distance > 1e-9:  # away from the boundary, where rounding decides
        assert (found.p_value < significance) == (found.low > 0 or found.high < 0)


@given(users=st.integers(2, 10**8), tuned_for=st.floats(1, 1e8))
def test_is_wider_than_the_interval_of_a_single_look(users: int, tuned_for: float) -> None:
    assert anytime_valid(0, 1, users, tuned_for=tuned_for).high > stats.norm.ppf(0.975)


def test_is_narrowest_for_its_standard_error_near_the_tuned_size() -> None:
    sizes = np.unique(np.geomspace(10, 1e6, 400).astype(int))
    widths = [anytime_valid(0, 1, int(size), tuned_for=2000).high for size in sizes]
    assert sizes[np.argmin(widths)] == pytest.approx(2000, rel=0.1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"standard_error": 0.0}, r"standard error is 0\.0: it must be positive"),
        ({"standard_error": float("nan")}, "standard error is nan"),
        ({"standard_error": float("inf")}, "standard error is inf"),
        ({"users": 0}, "0 users: there must be at least 1"),
        ({"significance": 0.0}, r"significance is 0\.0"),
        ({"significance": 1.0}, r"significance is 1\.0"),
        ({"tuned_for": 0.0}, r"tuned for 0\.0 users"),
        ({"tuned_for": float("nan")}, "tuned for nan users"),
    ],
)
def test_numbers_outside_their_range_are_refused(arguments: dict[str, float], message: str) -> None:
    with pytest.raises(MovierecError, match=message):
        anytime_valid(**{"estimate": 0.0, "standard_error": 1.0, "users": 10, **arguments})  # type: ignore[arg-type]
