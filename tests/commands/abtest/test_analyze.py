"""`movierec abtest analyze`, typed: what it prints, its JSON, and one line for every mistake."""

import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from movierec.abtest.difference import welch_test
from movierec.abtest.second_opinions import adjust_p_values
from tests.commands.abtest.typed import Run, parse, refuse

ROOT = Path(__file__).parents[3]


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
