"""Trials run several at a time, each once; what is finished stays, whatever happens next."""

import os
from pathlib import Path
from typing import Any

import pytest

from movierec.errors import MovierecError
from movierec.models.als import ALS
from movierec.models.svd import SVD
from movierec.settings import SvdConfiguration
from movierec.tuning.memory import Outcome, TrialMemory
from movierec.tuning.objective import Objective
from movierec.tuning.trials import Proposal, Trial, run_trials
from tests.tuning.conftest import (
    ALS_CONFIGURATIONS,
    CONFIGURATIONS,
    WILD,
    als_objective,
    configure,
    configure_als,
    results_in,
    svd_objective,
)


def propose(configurations: dict[str, SvdConfiguration]) -> list[Proposal]:
    objective = svd_objective()
    return [Proposal(objective, name, each.model_dump()) for name, each in configurations.items()]


def run(
    folder: Path, configurations: dict[str, SvdConfiguration] = CONFIGURATIONS, workers: int = 2
) -> dict[str, Trial]:
    trials = run_trials(propose(configurations), TrialMemory(folder), workers)
    return {trial.proposal.configuration: trial for trial in trials}


def outcomes(trials: dict[str, Trial]) -> dict[str, Outcome]:
    return {name: trials[name].outcome for name in sorted(trials)}


def test_the_same_trial_never_runs_twice(tmp_path: Path, fits: list[dict[str, Any]]) -> None:
    first = run(tmp_path)
    assert len(fits) == len(CONFIGURATIONS) == len(list(tmp_path.iterdir()))
    assert not any(trial.remembered for trial in first.values())
    assert all(trial.model for trial in first.values())
    second = run(tmp_path)
    assert len(fits) == len(CONFIGURATIONS)
    assert all(trial.remembered for trial in second.values())
    assert outcomes(second) == outcomes(first)


def test_only_what_is_new_runs(tmp_path: Path, fits: list[dict[str, Any]]) -> None:
    run(tmp_path, {"plain": CONFIGURATIONS["plain"]})
    fits.clear()
    trials = run(tmp_path, {"renamed": CONFIGURATIONS["plain"], "wide": CONFIGURATIONS["wide"]})
    assert [settings["factors"] for settings in fits] == [9]
    assert {name: trial.remembered for name, trial in trials.items()} == {"renamed": True, "wide": False}


def test_equal_settings_by_several_names_run_once(tmp_path: Path, fits: list[dict[str, Any]]) -> None:
    trials = run(tmp_path, {f"name {i}": configure() for i in range(8)}, workers=4)
    assert len(fits) == 1
    assert sorted(trials) == [f"name {i}" for i in range(8)]
    assert all(trial.outcome == trials["name 0"].outcome for trial in trials.values())


def test_workers_change_no_result_and_the_longest_start_first(tmp_path: Path) -> None:
    by_one = run(tmp_path / "1", workers=1)
    assert list(by_one) == ["long", "wide", "plain", "fast", "tame"]  # 7 x 3, 2 x 9, 2 x 3
    for workers in (2, 5):
        assert outcomes(run(tmp_path / str(workers), workers=workers)) == outcomes(by_one)
    assert results_in(tmp_path / "1") == results_in(tmp_path / "2") == results_in(tmp_path / "5")


def test_cores_are_shared_among_the_workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told, original = list[int](), ALS.fit

    def fit(self: ALS, *args: Any, threads: int, **options: Any) -> ALS:
        told.append(threads)
        return original(self, *args, threads=threads, **options)

    monkeypatch.setattr(ALS, "fit", fit)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(6))
    objective = als_objective()
    proposals = [Proposal(objective, name, each.model_dump()) for name, each in ALS_CONFIGURATIONS.items()]
    for count, workers, expected in ((4, 2, 3), (4, 4, 1), (1, 4, 6), (4, 9, 1)):
        list(run_trials(proposals[:count], TrialMemory(tmp_path / f"{count} {workers}"), workers))
        assert set(told) == {expected}
        told.clear()


@pytest.mark.parametrize("error", [RuntimeError("failed"), KeyboardInterrupt("failed")], ids=["error", "Ctrl-C"])
def test_what_was_finished_before_a_failure_stays(
    error: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = SVD.fit

    def fail_on_the_last(self: SVD, *args: Any, **options: Any) -> SVD:
        if self.regularization == 0.5:
            raise error
        return original(self, *args, **options)

    with monkeypatch.context() as patched:
        patched.setattr(SVD, "fit", fail_on_the_last)
        with pytest.raises(type(error), match="failed"):
            run(tmp_path, workers=1)
    assert len(list(tmp_path.iterdir())) == 4
    trials = run(tmp_path)
    assert {name for name, trial in trials.items() if not trial.remembered} == {"tame"}


@pytest.mark.parametrize("again", [False, True], ids=["first", "remembered"])
def test_divergence_names_the_configuration_and_keeps_the_others(again: bool, tmp_path: Path) -> None:  # noqa: FBT001
    configurations = {"long": configure(factors=30, epochs=7), "wild": WILD}
    message = r"^tune\.svd\.wild: .* diverges .* lower its learning_rate$"
    for _ in range(1 + again):
        with pytest.raises(MovierecError, match=message):
            run(tmp_path, configurations, workers=1)
    assert run(tmp_path, {"long": configurations["long"]})["long"].remembered


def test_an_als_without_solution_names_the_configuration(tmp_path: Path) -> None:
    settings = configure_als(factors=50, penalty=0.0).model_dump()
    with pytest.raises(MovierecError, match=r"^tune\.als\.flat: the ALS diverges: raise its regularization$"):
        list(run_trials([Proposal(als_objective(), "flat", settings)], TrialMemory(tmp_path), workers=1))


@pytest.mark.parametrize("objective", [svd_objective(), als_objective()], ids=["svd", "als"])
def test_divergence_may_be_tolerated(objective: Objective, tmp_path: Path, fits: list[dict[str, Any]]) -> None:
    wild = WILD if objective.model == "svd" else configure_als(factors=50, penalty=0.0)
    proposal = Proposal(objective, "wild", wild.model_dump(), must_converge=False)
    for remembered in (False, True):
        (trial,) = run_trials([proposal], TrialMemory(tmp_path), workers=1)
        assert (trial.outcome.state, trial.remembered, trial.model) == ("diverged", remembered, None)
    assert len(fits) == 1


# --- pruning ---


class PruneAt:
    """Gives up at a step, and takes note of the curve."""

    def __init__(self, step: int) -> None:
        self.step = step
        self.told: list[tuple[int, float]] = []

    def __call__(self, step: int, score: float) -> bool:
        self.told.append((step, score))
        return step == self.step


def run_pruned(folder: Path, step: int) -> tuple[Trial, PruneAt]:
    judge = PruneAt(step)
    proposal = Proposal(svd_objective(), "long", CONFIGURATIONS["long"].model_dump(), judge)
    (trial,) = run_trials([proposal], TrialMemory(folder), workers=1)
    return trial, judge


def test_a_pruned_fit_ends_at_once_and_has_no_score(tmp_path: Path) -> None:
    whole, _ = run_pruned(tmp_path / "whole", 99)
    trial, judge = run_pruned(tmp_path / "pruned", 3)
    assert (trial.outcome, trial.model) == (Outcome(whole.outcome.curve[:3]), None)
    assert judge.told == list(enumerate(whole.outcome.curve[:3], start=1))


@pytest.mark.parametrize(
    ("before", "now", "fitted"), [(99, 3, 1), (3, 3, 1), (5, 3, 1), (3, 5, 2), (3, 99, 2), (99, 99, 1), (7, 99, 2)]
)
def test_what_is_remembered_changes_no_result(
    before: int, now: int, fitted: int, tmp_path: Path, fits: list[dict[str, Any]]
) -> None:
    expected, _ = run_pruned(tmp_path / "fresh", now)
    fits.clear()
    run_pruned(tmp_path / "used", before)
    trial, _ = run_pruned(tmp_path / "used", now)
    assert trial.outcome == expected.outcome
    assert trial.remembered == (fitted == 1)
    assert len(fits) == fitted
