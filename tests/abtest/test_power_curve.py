"""The table of power: every pair of size and effect, and sizes that show both what is needed and what there is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from movierec.abtest.analysis import compare_arms
from movierec.abtest.design import Design, Observations
from movierec.abtest.power_curve import choose_sizes, power_curve, tabulate_power
from movierec.abtest.report import Report
from movierec.errors import MovierecError


def _report(minimum_effect: float | None) -> Report:
    rng = np.random.default_rng(16)
    arms = Observations(rng.normal(0, 2, 150)), Observations(rng.normal(0, 2, 170))
    return compare_arms(*arms, Design("metric", minimum_effect, significance=0.1, power=0.9), rng)


def test_a_row_for_each_pair() -> None:
    curve = power_curve([10, 20], [0.5, 1.0], std=1.0)
    assert curve.columns.tolist() == ["effect", "users_per_arm", "power"]
    assert curve["effect"].tolist() == [0.5, 0.5, 1.0, 1.0]
    assert curve["users_per_arm"].tolist() == [10, 20, 10, 20]
    assert curve["power"].iloc[3] == pytest.approx(0.8689530, abs=5e-8)


@given(needed=st.integers(1, 10**9), actual=st.integers(2, 10**9))
def test_sizes_hold_both_and_surround_them(needed: int, actual: int) -> None:
    sizes = choose_sizes(needed, actual)
    assert {max(2, needed), actual} <= set(sizes)
    assert sizes == sorted(set(sizes))
    assert sizes[0] >= 2
    assert sizes[-1] >= max(4 * needed, actual)


def test_an_experiments_table_has_the_wanted_power_at_the_needed_size() -> None:
    report = _report(0.3)
    table = tabulate_power(report)
    assert table["effect"].unique() == pytest.approx([0.15, 0.3, 0.6])
    at_needed = table[table["users_per_arm"] == report.users_needed].set_index("effect")["power"]
    # whole users round the power up, by less than one user's worth
    assert 0.9 <= at_needed[0.3] < 0.901
    assert at_needed[0.15] < 0.5
    assert at_needed[0.6] > 0.99
    assert 150 in table["users_per_arm"].tolist()
    assert table["power"].min() < 0.12
    assert table["power"].max() > 0.99


def test_without_a_minimum_effect_there_is_no_table() -> None:
    with pytest.raises(MovierecError, match="no power to tabulate: without a minimum effect"):
        tabulate_power(_report(None))
