import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from movierec.abtest.difference import welch_test
from movierec.errors import MovierecError
from movierec.service.experiments import assign_arm, report_results
from movierec.service.storage.store import Event, Store

ROOT = Path(__file__).parents[2]


def outcomes(*rows: tuple[int, str, int, int]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["user_id", "arm", "impressions", "clicks"])


def draw(users: int, treatment: float) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    arm = np.where(np.arange(users) % 2, "als", "popularity")
    shown = rng.integers(5, 30, users)
    clicks = rng.binomial(shown, np.where(arm == "als", treatment, 0.1))
    return pd.DataFrame({"user_id": np.arange(1, users + 1), "arm": arm, "impressions": shown, "clicks": clicks})


def test_arms_are_those_of_the_command_line() -> None:
    users = [str(user) for user in (1, 2, 3, 44_840, 2**31 - 1)]
    words = ["abtest", "assign", "--experiment", "home page", "--arms", "popularity,als", "--json"]
    words += [word for user in users for word in ("--user", user)]
    command = [sys.executable, "-c", "from movierec.cli import main; main()", *words]
    told = json.loads(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout)
    arms = [assign_arm("home page", int(user), "popularity", "als") for user in users]
    assert arms == [user["arm"] for user in told["users"]]


def test_both_arms_get_half_of_the_users() -> None:
    arms = [assign_arm("x", user, "a", "b") for user in range(1, 4001)]
    assert abs(arms.count("a") - 2000) < 150


@pytest.mark.parametrize(("name", "arms"), [("", ("a", "b")), ("x", ("a", "a"))])
def test_an_experiment_without_name_or_with_one_arm_is_refused(name: str, arms: tuple[str, str]) -> None:
    with pytest.raises(MovierecError, match="name"):
        assign_arm(name, 1, *arms)


def test_every_user_weighs_the_same() -> None:
    table = draw(400, 0.2)
    report = report_results(table, "popularity", "als", minimum_effect=0.01)
    shares = table["clicks"] / table["impressions"]
    expected = welch_test(shares[table["arm"] == "popularity"], shares[table["arm"] == "als"])
    assert report["metric"] == "click_through"
    assert report["difference"]["estimate"] == pytest.approx(expected.estimate)
    assert report["difference"]["p_value"] == pytest.approx(expected.p_value)
    assert report["secondary"]["any_click"]["estimate"] > 0
    assert report["verdict"]["decision"] == "ship"
    assert report["users_in_other_arms"] == 0
    json.dumps(report, allow_nan=False)


def test_users_of_both_arms_and_of_others_are_left_out() -> None:
    table = draw(100, 0.2)
    expected = report_results(table, "popularity", "als")
    extra = outcomes((901, "als", 3, 3), (901, "popularity", 3, 3), (902, "svd", 5, 5), (902, "svd2", 5, 5))
    report = report_results(pd.concat([table, extra]), "popularity", "als")
    assert report.pop("users_in_other_arms") == 2
    assert expected.pop("users_in_other_arms") == 0
    assert report == expected


def test_arms_of_unlikely_sizes_get_no_verdict() -> None:
    table = draw(400, 0.2)
    lost = table[(table["arm"] == "als") | (table["user_id"] < 100)]
    assert report_results(lost, "popularity", "als")["verdict"]["decision"] == "no verdict"


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([], "fewer than|at least|users"),
        ([(1, "popularity", 2, 1), (2, "popularity", 2, 0)], "treatment"),
        ([(1, "popularity", 2, 1), (2, "popularity", 2, 0), (3, "als", 1, 1)], "treatment"),
        ([(user, arm, 3, 0) for arm, users in (("als", (1, 2)), ("popularity", (3, 4))) for user in users], "vary"),
    ],
)
def test_too_little_to_test_is_an_answer(rows: list[tuple[int, str, int, int]], reason: str) -> None:
    report = report_results(outcomes(*rows), "popularity", "als")
    assert report["verdict"]["decision"] == "keep running"
    assert pd.Series([report["verdict"]["text"]]).str.contains(reason).all()
    assert report["arms"]["control"]["n"] == sum(arm == "popularity" for _, arm, _, _ in rows)
    json.dumps(report, allow_nan=False)


@pytest.mark.parametrize(
    "wrong", [{"significance": 0.0}, {"significance": 1.0}, {"power": 1.5}, {"minimum_effect": -1.0}]
)
def test_a_design_that_no_data_could_answer_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(MovierecError, match="must be"):
        report_results(outcomes(), "popularity", "als", **wrong)


def test_events_become_results(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'events.db'}")
    arms = {user: assign_arm("x", user, "popularity", "als") for user in range(1, 41)}
    shown = [Event(user, movie, "impression", "x", arm, 5) for user, arm in arms.items() for movie in (1, 2, 3)]
    clicks = [Event(user, 1 + user % 3, "click", "x", arm, 6) for user, arm in arms.items() if user % 4]
    store.add_events([*shown, *clicks])
    report = report_results(store.outcomes("x"), "popularity", "als")
    store.close()
    means = {role: report["arms"][role]["mean"] for role in ("control", "treatment")}
    for role, arm in (("control", "popularity"), ("treatment", "als")):
        members = [user for user, name in arms.items() if name == arm]
        assert means[role] == pytest.approx(sum(user % 4 > 0 for user in members) / 3 / len(members))
