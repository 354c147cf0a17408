"""`movierec abtest power`, typed: what it prints, its JSON, and one line for every mistake."""

import pytest

from movierec.abtest.power import mean_minimum_effect
from movierec.abtest.proportion_power import proportion_minimum_effect
from tests.commands.abtest.typed import Run, parse, refuse


def test_power_for_a_proportion_shows_both_formulas_by_name(run: Run) -> None:
    lines = run("power", "--baseline", "0.10", "--mde", "0.02").splitlines()
    assert lines[0] == "a proportion of 0.1 in the control, significance 0.05 (two-sided), power 0.8"
    pooled, unpooled = lines[3:5]
    assert "R's power.prop.test" in pooled
    assert pooled.split()[-3:] == ["3,841", "7,682", "0.02"]  # 3840.85 an arm
    assert "Evan Miller" in unpooled
    assert unpooled.split()[-3:] == ["3,623", "7,246", "0.02"]  # 3622.62 an arm
    assert lines[-1].startswith("Plan by the pooled formula")


def test_power_as_json(run: Run) -> None:
    found = parse(run("power", "--baseline", "0.5", "--mde", "0.25", "--power", "0.9", "--json"))
    assert found["plans"]["pooled"] == {"users_per_arm": 77, "effect": 0.25}  # 76.7069
    found = parse(run("power", "--std", "2", "--mde", "1", "--json"))  # half a standard deviation: 63.76561
    assert found == {
        "std": 2.0, "significance": 0.05, "power": 0.8, "plans": {"t_test": {"users_per_arm": 64, "effect": 1.0}},
    }  # fmt: skip


def test_power_of_arms_of_unequal_size(run: Run) -> None:
    found = parse(run("power", "--std", "2", "--mde", "1", "--share", "0.1", "--json"))
    # statsmodels' TTestIndPower with ratio 9: 35.0769 in the smaller arm
    assert found["plans"]["t_test"] == {"control_users": 324, "treatment_users": 36, "effect": 1.0}
    assert found["share"] == 0.1
    told = run("power", "--baseline", "0.1", "--mde", "0.02", "--share", "0.1")
    assert told.splitlines()[2].split() == ["formula", "control", "treatment", "in", "all", "difference", "seen"]


@pytest.mark.parametrize("share", ["0", "1", "-0.5"])
def test_a_share_must_leave_both_arms_users(monkeypatch: pytest.MonkeyPatch, share: str) -> None:
    said = refuse(monkeypatch, "power", "--std", "2", "--mde", "1", "--share", share)
    assert said == f"error: --share is {share}: it must be above 0 and below 1"


def test_power_tells_the_difference_that_so_many_users_see(run: Run) -> None:
    found = parse(run("power", "--std", "2", "--users", "100", "--json"))["plans"]["t_test"]
    assert found == {"users_per_arm": 100, "effect": mean_minimum_effect(100, 2.0)}
    plans = parse(run("power", "--baseline", "0.1", "--users", "4000", "--json"))["plans"]
    assert plans["pooled"]["effect"] == proportion_minimum_effect(0.1, 4000, pooled=True)
    assert plans["unpooled"]["effect"] == proportion_minimum_effect(0.1, 4000)
    assert run("power", "--std", "2", "--users", "100").splitlines()[-1].split()[-1] == "0.7963"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "give --mde to learn the users, or --users to learn the difference: one of the two"),
        (("--mde", "1", "--users", "9", "--std", "1"), "give --mde to learn the users, or --users"),
        (("--mde", "1"), "give --baseline for a proportion, or --std for a mean: one of the two"),
        (("--mde", "1", "--std", "1", "--baseline", "0.1"), "give --baseline for a proportion, or --std"),
        (("--mde", "0.95", "--baseline", "0.1"), "baseline + effect is 1.05: it must be above 0 and below 1"),
        (("--mde", "0", "--baseline", "0.1"), "effect is 0: no number of users shows that"),
        (("--mde", "0.1", "--baseline", "1"), "baseline is 1: it must be above 0 and below 1"),
        (("--mde", "nan", "--std", "1"), "effect is nan: it must be a number other than 0"),
        (("--mde", "1", "--std", "0"), "standard deviation is 0.0: it must be positive and finite"),
        (("--users", "1", "--std", "1"), "an arm needs at least 2 users"),
        (("--users", "0", "--baseline", "0.1"), "0 users an arm are too few to see any rise from 0.1"),
        (("--mde", "1", "--std", "1", "--power", "1"), "power is 1.0: it must be above significance and below 1"),
        (("--mde", "1", "--std", "1", "--significance", "0"), "significance is 0.0: it must be above 0 and below 1"),
    ],
)
def test_power_refuses_in_one_line(monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], message: str) -> None:
    assert message in refuse(monkeypatch, "power", *words)
