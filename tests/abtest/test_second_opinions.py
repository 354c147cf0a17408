"""Second opinions: hand-computed ranks, bootstrap against theory, Holm by hand."""

import numpy as np
import pytest

from movierec.abtest.difference import welch_test
from movierec.abtest.second_opinions import adjust_p_values, bootstrap_difference, rank_test
from movierec.errors import MovierecError


def test_rank_test_by_hand() -> None:
    # treated above control in 3 of the pairs (2>1, 4>1, 4>3), ties 0, of 4 pairs
    assert rank_test([1, 3], [2, 4]).probability == 0.75
    # exact p of U = 9 of 9: 2 of the 20 ways to choose 3 of 6 ranks are as extreme
    assert rank_test([1, 2, 3], [4, 5, 6]).p_value == pytest.approx(2 / 20)


def test_ties_count_half() -> None:
    # pairs: 1-1 tie, 1<2, 1-1 tie, 1<2: (0.5 + 1 + 0.5 + 1) / 4
    assert rank_test([1, 1], [1, 2]).probability == 0.75


def test_equal_outcomes_show_nothing() -> None:
    found = rank_test([1, 1, 1], [1, 1])
    assert (found.probability, found.p_value) == (0.5, 1.0)


def test_rank_test_is_not_moved_by_one_extreme_user() -> None:
    rng = np.random.default_rng(6)
    control, treatment = rng.normal(size=200), rng.normal(1, size=200)
    spoilt = np.append(control, 1e6)
    assert welch_test(spoilt, treatment).p_value > 0.3
    assert rank_test(spoilt, treatment).p_value < 1e-6


def test_bootstrap_agrees_with_welch_on_many_users() -> None:
    rng = np.random.default_rng(8)
    control, treatment = rng.exponential(1, 3000), rng.exponential(1.1, 2000)
    welch = welch_test(control, treatment)
    low, high = bootstrap_difference(control, treatment, rng, resamples=4000)
    assert (low, high) == pytest.approx((welch.low, welch.high), abs=0.1 * welch.standard_error)


def test_bootstrap_is_seeded() -> None:
    first, second, other = (
        bootstrap_difference([1, 2, 3, 9], [2, 4, 4], np.random.default_rng(seed)) for seed in (0, 0, 1)
    )
    assert first == second != other


def test_bootstrap_of_constant_arms_is_exact() -> None:
    assert bootstrap_difference([1, 1], [3, 3, 3], np.random.default_rng(0)) == (2, 2)


def test_confidence_widens_the_bootstrap() -> None:
    data = np.arange(50.0), np.arange(50.0) ** 1.1
    narrow, wide = (bootstrap_difference(*data, np.random.default_rng(0), confidence=level) for level in (0.5, 0.99))
    assert wide[0] < narrow[0] < narrow[1] < wide[1]


@pytest.mark.parametrize("outcomes", [([1.0], [1.0, 2.0]), ([1.0, np.nan], [1.0, 2.0])])
def test_bad_outcomes_are_refused(outcomes: tuple[list[float], list[float]]) -> None:
    with pytest.raises(MovierecError, match="arm 'control' has"):
        rank_test(*outcomes)
    with pytest.raises(MovierecError, match="arm 'control' has"):
        bootstrap_difference(*outcomes, np.random.default_rng(0))


def test_holm_by_hand() -> None:
    # sorted .01 .02 .03 .04 times 4 3 2 1 = .04 .06 .06 .04; never falling: .04 .06 .06 .06
    found = adjust_p_values({"c": 0.03, "a": 0.01, "d": 0.04, "b": 0.02})
    assert list(found) == ["c", "a", "d", "b"]
    assert found == pytest.approx({"a": 0.04, "b": 0.06, "c": 0.06, "d": 0.06})


def test_holm_of_nothing_is_nothing() -> None:
    assert adjust_p_values({}) == {}


@pytest.mark.parametrize("p_value", [-0.1, 1.1, float("nan")])
def test_holm_refuses_what_is_no_p_value(p_value: float) -> None:
    with pytest.raises(MovierecError, match=f"p-value of 'b' is {p_value}: it must be between 0 and 1"):
        adjust_p_values({"a": 0.1, "b": p_value})
