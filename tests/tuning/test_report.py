"""Tables and metrics of a search."""

import json
from pathlib import Path

import pytest

from movierec import io
from movierec.tuning.memory import Outcome
from movierec.tuning.report import (
    describe_search,
    summarize_search,
    tabulate_curves,
    tabulate_settings,
    tabulate_trials,
)
from movierec.tuning.search import GridSearch
from movierec.tuning.trials import Proposal, Trial
from tests.tuning.conftest import CONFIGURATIONS, svd_objective


@pytest.fixture
def search() -> GridSearch:
    search = GridSearch(svd_objective(), CONFIGURATIONS)
    scores = {"validation_rmse": 0.8, "validation_mae": 0.4}
    outcomes = {
        "b": Outcome([2.0, 0.8], scores),
        "a": Outcome([2.0, 1.0], {"validation_rmse": 1.0, "validation_mae": 0.5}),
        "p": Outcome([2.0]),
        "d": Outcome([], error="the SVD diverges"),
    }
    for name, outcome in outcomes.items():
        proposal = Proposal(search.objective, name, {"factors": 5, "learning_rate": 0.01})
        trial = Trial(proposal, outcome, remembered=name in "ap")
        search.consider(trial)
        search.learn([trial])
    return search


def test_finished_trials_are_tabulated_by_name(search: GridSearch) -> None:
    table = tabulate_trials(search)
    assert list(table) == ["configuration", "factors", "learning_rate", "validation_rmse", "validation_mae"]
    assert table.to_numpy().tolist() == [["a", 5, 0.01, 1.0, 0.5], ["b", 5, 0.01, 0.8, 0.4]]


def test_curves_are_tabulated_also_of_unfinished_trials(search: GridSearch) -> None:
    table = tabulate_curves([search])
    assert list(table) == ["model", "configuration", "step", "score"]
    curves = {name: list(rows["score"]) for name, rows in table.groupby("configuration", sort=False)}
    assert list(curves.items()) == [("a", [2.0, 1.0]), ("b", [2.0, 0.8]), ("p", [2.0])]
    assert table["step"].tolist() == [1, 2, 1, 2, 1]


def test_settings_are_tabulated_of_every_trial(search: GridSearch) -> None:
    table = tabulate_settings([search])
    assert table["configuration"].tolist() == ["a", "b", "d", "p"]
    assert table["state"].tolist() == ["finished", "finished", "diverged", "pruned"]
    assert set(table["model"]) == {"svd"}
    assert [json.loads(text) for text in table["settings"]] == [{"factors": 5, "learning_rate": 0.01}] * 4
    assert list(tabulate_settings([])) == ["model", "configuration", "state", "settings"]


def test_without_any_curve_the_table_has_its_columns() -> None:
    assert list(tabulate_curves([GridSearch(svd_objective(), CONFIGURATIONS)])) == [
        "model", "configuration", "step", "score",
    ]  # fmt: skip


def test_summary_is_the_winner_and_the_counts(search: GridSearch, tmp_path: Path) -> None:
    summary = summarize_search(search)
    winner = {"configuration": "b", "factors": 5, "learning_rate": 0.01, "validation_rmse": 0.8, "validation_mae": 0.4}
    assert summary == {**winner, "trials": 4, "pruned": 1, "diverged": 1}
    io.write_json(summary, tmp_path / "tune.json")
    assert json.loads((tmp_path / "tune.json").read_text(encoding="utf-8")) == summary


def test_description(search: GridSearch) -> None:
    expected = "svd: best of 4 trials (1 pruned, 1 diverged, 2 remembered) is 'b', validation_rmse 0.8000"
    assert describe_search(search) == expected
