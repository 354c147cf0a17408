"""The commands of `movierec abtest`, typed: what they print, their JSON, and one line for every mistake."""

import json
import math
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from movierec import cli
from movierec.abtest.assignment import Experiment
from movierec.abtest.difference import welch_test
from movierec.abtest.power import mean_minimum_effect
from movierec.abtest.proportion_power import proportion_minimum_effect
from movierec.abtest.second_opinions import adjust_p_values

Run = Callable[..., str]
ROOT = Path(__file__).parents[2]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Type a command of `movierec abtest` and return what it prints."""

    def type_command(*words: str) -> str:
        monkeypatch.setattr(sys, "argv", ["movierec", "abtest", *words])
        with pytest.raises(SystemExit, match="^0$"):
            cli.main()
        return capsys.readouterr().out

    return type_command


def refuse(monkeypatch: pytest.MonkeyPatch, *words: str) -> str:
    """Type a command that ends with a message of one line and, as that is no number, status 1; return the line."""
    monkeypatch.setattr(sys, "argv", ["movierec", "abtest", *words])
    with pytest.raises(SystemExit, match="^error: ") as ended:
        cli.main()
    message = str(ended.value.code)
    assert "\n" not in message
    return message


def parse(output: str) -> dict[str, Any]:
    """Parse JSON as strict as the standard: no NaN, no infinity."""

    def forbid(constant: str) -> None:
        raise ValueError(constant)

    content: dict[str, Any] = json.loads(output, parse_constant=forbid)
    return content


@pytest.fixture
def outcomes(tmp_path: Path) -> Path:
    """Write 900 users in three arms, a covariate, and three metrics."""
    rng = np.random.default_rng(19)
    arm = rng.choice(["control", "treatment", "other"], 900, p=[0.45, 0.45, 0.1])
    known = rng.normal(size=900)
    table = {"user_id": np.arange(900), "arm": arm, "covariate": known}
    table["outcome"] = 3 + known + rng.normal(size=900) + 0.5 * (arm == "treatment")
    table["clicks"] = rng.poisson(3 + 0.6 * (arm == "treatment"))
    table["same"] = np.ones(900)
    pl.DataFrame(table).write_csv(tmp_path / "outcomes.csv")
    return tmp_path / "outcomes.csv"


def test_assign_says_what_the_library_says(run: Run) -> None:
    words = ("assign", "--experiment", "als-against-popularity", "--user", "42", "--user", "Zoë")
    lines = [line.split() for line in run(*words).splitlines()]
    plan = Experiment("als-against-popularity", {"control": 1, "treatment": 1})
    assert lines[0] == ["user", "bucket", "arm"]
    assert [(line[0], line[2]) for line in lines[1:]] == [("42", plan.assign(42)), ("Zoë", plan.assign("Zoë"))]


def test_assign_with_growthbooks_vectors_as_json(run: Run) -> None:
    found = parse(run("assign", "--experiment", "seed", "--user", "a", "--user", "b", "--json"))
    assert found["shares"] == {"control": 0.5, "treatment": 0.5}
    assert [(user["user"], user["bucket"]) for user in found["users"]] == [("a", 505), ("b", 2696)]


def test_assign_takes_arms_weights_and_coverage(run: Run) -> None:
    words = ("assign", "--experiment", "seed", "--arms", "x, y,z", "--weights", "4,5,91", "--user", "a", "--user", "b")
    found = parse(run(*words, "--json"))
    assert found["shares"] == pytest.approx({"x": 0.04, "y": 0.05, "z": 0.91})
    assert [user["arm"] for user in found["users"]] == ["y", "z"]  # buckets 505 and 2696
    # at coverage 0.1 y owns buckets 400 to 449, z 900 to 1809: neither 505 nor 2696
    assert [user["arm"] for user in parse(run(*words, "--coverage", "0.1", "--json"))["users"]] == [None, None]
    assert run(*words, "--coverage", "0.1").count("not in the experiment") == 2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--arms", "a"), "experiment 'e' has 1 arm(s): name at least two"),
        (("--arms", "a,a"), "--arms is 'a,a': give different names, separated by commas"),
        (("--weights", "1"), "--weights is '1': give 2 numbers, separated by commas"),
        (("--weights", "1,x"), "--weights is '1,x': give 2 numbers"),
        (("--weights", "1,-1"), "arm 'treatment' has weight -1.0: weights must be positive"),
        (("--weights", "1,nan"), "arm 'treatment' has weight nan"),
        (("--coverage", "2"), "coverage is 2.0: it must be between 0 and 1"),
    ],
)
def test_assign_refuses_in_one_line(monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], message: str) -> None:
    assert message in refuse(monkeypatch, "assign", "--experiment", "e", "--user", "1", *words)


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


def test_analyze_prints_a_table_and_a_verdict(run: Run, outcomes: Path) -> None:
    text = run("analyze", str(outcomes), "--mde", "0.2")
    assert text.startswith("treatment against control on outcome\n\narm ")
    for word in ("Welch's t", "CUPED", "bootstrap", "anytime-valid", "relative lift, %", "Mann-Whitney", "p (Holm)"):
        assert word in text
    assert "same is left out: the outcome does not vary" in text
    assert "Ship treatment: it beats control by 0." in text
    assert text.endswith(" users of other arms are left out.\n")


def test_analyze_as_json_is_the_librarys_analysis(run: Run, outcomes: Path) -> None:
    metrics = ("--metric", "clicks", "--metric", "outcome", "--metric", "covariate")
    found = parse(run("analyze", str(outcomes), *metrics, "--json"))
    table = pl.read_csv(outcomes)
    control, treatment = (table.filter(pl.col("arm") == arm) for arm in ("control", "treatment"))
    welch = {name: welch_test(control[name], treatment[name]) for name in ("clicks", "outcome", "covariate")}
    assert found["metric"] == "clicks"
    assert found["difference"]["p_value"] == welch["clicks"].p_value
    assert (found["difference"]["low"], found["difference"]["high"]) == (welch["clicks"].low, welch["clicks"].high)
    adjusted = adjust_p_values({name: welch[name].p_value for name in ("outcome", "covariate")})
    assert {name: metric["p_adjusted"] for name, metric in found["secondary"].items()} == adjusted
    assert found["users_in_other_arms"] == 900 - control.height - treatment.height > 0
    assert "cuped" in found


def test_analyze_is_the_same_each_time(run: Run, outcomes: Path) -> None:
    assert run("analyze", str(outcomes), "--json") == run("analyze", str(outcomes), "--json")


def test_analyze_takes_other_arms_and_errors(run: Run, outcomes: Path) -> None:
    words = ("analyze", str(outcomes), "--control", "treatment", "--treatment", "control", "--json")
    assert parse(run(*words))["verdict"]["decision"] == "do not ship"
    assert parse(run(*words, "--lower-is-better"))["verdict"]["decision"] == "ship"


def test_analyze_counts_the_users_still_needed(run: Run, tmp_path: Path) -> None:
    rows = [f"{user},{'control' if user % 2 else 'treatment'},{user // 2 % 2}" for user in range(200)]
    path = tmp_path / "outcomes.csv"
    path.write_text("\n".join(["user_id,arm,outcome", *rows]))
    found = parse(run("analyze", str(path), "--mde", "0.1", "--json"))
    # variance 1/4 * 100/99 in both arms: n = 2 * 7.849 * 0.2525 / 0.1^2 = 396.4, and 0.96 more for the t test
    assert found["design"]["users_needed_per_arm"] == math.ceil(396.4 + 0.96)
    assert found["verdict"]["decision"] == "keep running"
    assert found["verdict"]["more_users"] == found["design"]["users_needed_per_arm"] - 100
    undecided = parse(run("analyze", str(path), "--json"))["verdict"]
    assert undecided["decision"] == "keep running"
    assert "more_users" not in undecided


def test_analyze_refuses_a_verdict_on_a_mismatch(run: Run, outcomes: Path) -> None:
    words = ("analyze", str(outcomes), "--weights", "90,10")
    assert parse(run(*words, "--json"))["verdict"]["decision"] == "no verdict"
    assert "No verdict: chance hardly ever splits users" in run(*words)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--metric", "same"), "the outcome does not vary within either arm: there is nothing to test"),
        (("--control", "old"), "there is no arm 'old' to be the control"),
        (("--weights", "1,2,3"), "--weights is '1,2,3': give 2 numbers"),
        (("--weights", "0,1"), "a positive weight for each"),
        (("--mde", "0"), "minimum effect is 0.0: it must be a positive number"),
        (("--significance", "5"), "confidence is -4.0: it must be above 0 and below 1"),
        (("--power", "80"), "power is 80.0: it must be above significance and below 1"),
    ],
)
def test_analyze_refuses_in_one_line(
    monkeypatch: pytest.MonkeyPatch, outcomes: Path, words: tuple[str, ...], message: str
) -> None:
    assert message in refuse(monkeypatch, "analyze", str(outcomes), *words)


def test_a_mistake_ends_the_process_with_status_1_and_one_line() -> None:
    command = [sys.executable, "-c", "from movierec.cli import main; main()", "abtest", "analyze", "none.csv"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == "error: none.csv is not there: name a CSV file\n"


def test_a_million_users_are_analysed_without_a_bootstrap(run: Run, tmp_path: Path) -> None:
    users = np.arange(1_000_000)
    arm = np.where(users % 2, "control", "treatment")
    pl.DataFrame({"user_id": users, "arm": arm, "outcome": users % 7 * 0.25}).write_csv(tmp_path / "big.csv")
    found = parse(run("analyze", str(tmp_path / "big.csv"), "--json"))
    assert found["arms"]["control"]["n"] == 500_000
    assert "bootstrap" not in found
