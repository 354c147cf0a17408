"""Coverage, width and errors by stated deviation, by hand and on normal errors."""

from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from movierec.metrics.uncertainty import interval_coverage, interval_width, tabulate_deviations


def test_coverage_counts_both_ends() -> None:
    assert interval_coverage([1, 2, 3, 4], [1, 1, 3.5, 1], [2, 2, 4, 3.9]) == 0.5


def test_width_is_the_mean_length() -> None:
    assert interval_width([1, 2], [1, 5]) == 1.5


@given(coverage=st.floats(0.05, 0.99), seed=st.integers(0, 100))
def test_normal_errors_are_covered_as_stated(coverage: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    deviation = rng.uniform(0.5, 2, 4000)
    actual = 3 + deviation * rng.standard_normal(4000)
    reach = NormalDist().inv_cdf((1 + coverage) / 2) * deviation
    error = np.sqrt(coverage * (1 - coverage) / 4000)
    assert interval_coverage(actual, 3 - reach, 3 + reach) == pytest.approx(coverage, abs=5 * error)


def test_groups_are_of_equal_size_and_the_surest_is_first() -> None:
    # by deviation: errors 1, 2 | 3, 0 | 4; sizes differ by one at most
    table = tabulate_deviations([3, 3, 3, 3, 3], [6, 4, 7, 5, 3], [0.3, 0.1, 0.5, 0.2, 0.4], groups=3)
    assert table.count.tolist() == [2, 2, 1]
    np.testing.assert_allclose(table.observed, [np.sqrt(5 / 2), np.sqrt(9 / 2), 4.0])
    np.testing.assert_allclose(table.stated, [np.sqrt(0.05 / 2), np.sqrt(0.25 / 2), 0.5])


def test_equal_deviations_keep_their_order() -> None:
    assert tabulate_deviations([0, 0], [1, 2], [1, 1], groups=2).observed.tolist() == [1.0, 2.0]


def test_an_honest_model_is_found_honest() -> None:
    rng = np.random.default_rng(1)
    deviation = rng.uniform(0.5, 2, 50_000)
    table = tabulate_deviations(np.zeros(50_000), deviation * rng.standard_normal(50_000), deviation)
    np.testing.assert_allclose(table.observed, table.stated, rtol=0.05)


def test_nonsense_is_refused() -> None:
    with pytest.raises(ValueError, match=r"shapes are \[\(1,\), \(2,\), \(1,\)\]: all must be \(n,\)"):
        interval_coverage([1], [1, 2], [1])
    with pytest.raises(ValueError, match="no ratings to judge"):
        interval_width([], [])
    with pytest.raises(ValueError, match="values must be finite"):
        interval_coverage([np.nan], [1], [2])
    with pytest.raises(ValueError, match="an interval ends before it begins"):
        interval_coverage([1], [2], [1])
    with pytest.raises(ValueError, match="an interval ends before it begins"):
        interval_width([2], [1])
    with pytest.raises(ValueError, match="deviations must not be negative"):
        tabulate_deviations([1], [1], [-1])
    with pytest.raises(ValueError, match="cannot divide 1 ratings into 2 groups"):
        tabulate_deviations([1], [1], [1], groups=2)
