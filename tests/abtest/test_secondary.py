"""Secondary metrics: each by Welch's test, all together by Holm, and none can spoil the rest."""

import numpy as np
import pytest

from movierec.abtest.difference import welch_test
from movierec.abtest.secondary import compare_secondary

RNG = np.random.default_rng(17)
CONTROL = {name: RNG.normal(0, 1, 200) for name in ("small", "none", "large")}
TREATMENT = {name: RNG.normal(shift, 1, 180) for name, shift in (("small", 0.22), ("none", 0.0), ("large", 0.5))}


def test_each_is_welchs_test_and_p_is_adjusted_by_holm() -> None:
    found = compare_secondary(CONTROL, TREATMENT, 0.9).compared
    plain = {name: welch_test(CONTROL[name], TREATMENT[name], 0.9) for name in CONTROL}
    assert {name: metric.difference for name, metric in found.items()} == plain
    # Holm by hand: the smallest p times 3, the next times 2, the last times 1, never falling
    low, middle, high = sorted(difference.p_value for difference in plain.values())
    expected = [3 * low, max(3 * low, 2 * middle), max(3 * low, 2 * middle, high)]
    assert sorted(metric.p_adjusted for metric in found.values()) == pytest.approx(np.minimum(expected, 1))


def test_what_cannot_be_compared_is_left_out_of_the_family_with_its_reason() -> None:
    control = {**CONTROL, "constant": np.ones(5), "lonely": np.ones(1)}
    treatment = {**TREATMENT, "constant": np.ones(9), "lonely": np.arange(3.0)}
    found = compare_secondary(control, treatment)
    assert found.compared == compare_secondary(CONTROL, TREATMENT).compared
    assert list(found.left_out) == ["constant", "lonely"]
    assert found.left_out["constant"].startswith("the outcome does not vary within either arm")
    assert found.left_out["lonely"].startswith("arm 'control' has 1 user(s) with an outcome")


def test_no_secondary_metrics_are_no_finding() -> None:
    found = compare_secondary({}, {})
    assert (found.compared, found.left_out) == ({}, {})
