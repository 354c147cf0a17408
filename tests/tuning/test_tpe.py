"""Searching near what is good: the same proposals and the same end whatever runs when."""

import warnings
from pathlib import Path
from typing import Any

import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from movierec.settings import AlsConfiguration, SvdConfiguration
from movierec.tuning.memory import Outcome, TrialMemory
from movierec.tuning.search import run_searches
from movierec.tuning.tpe import BATCH, TpeSearch, pick_tenths, span_space
from tests.tuning.conftest import (
    ALS_CONFIGURATIONS,
    CONFIGURATIONS,
    SEED,
    WILD,
    als_objective,
    configure,
    configure_als,
    results_in,
    svd_objective,
)

Found = list[tuple[str, dict[str, Any], Outcome]]
LISTED = {**CONFIGURATIONS, "longer": configure(epochs=20, rate=0.02)}


def search(
    folder: Path, trials: int = 20, workers: int = 2, seed: int = SEED, listed: dict[str, SvdConfiguration] = LISTED
) -> TpeSearch:
    found = TpeSearch(svd_objective(), listed, trials, seed)
    ended = list(run_searches([found], TrialMemory(folder), workers))
    assert len(ended) == len(found.trials) == found.planned == len(listed) + trials
    return found


def describe(found: TpeSearch) -> Found:
    return [(trial.proposal.configuration, trial.proposal.settings, trial.outcome) for trial in found.trials]


def states(found: TpeSearch) -> list[str]:
    return [trial.outcome.state for trial in found.trials]


def test_the_workers_change_nothing(tmp_path: Path) -> None:
    by_one = search(tmp_path / "1", workers=1)
    for workers in (2, 9):
        by_many = search(tmp_path / str(workers), workers=workers)
        assert describe(by_many) == describe(by_one)
        assert by_many.best.proposal.configuration == by_one.best.proposal.configuration
        assert results_in(tmp_path / str(workers)) == results_in(tmp_path / "1")


def test_hopeless_fits_are_given_up_for_less_work(tmp_path: Path) -> None:
    found = search(tmp_path)
    pruned = [trial for trial in found.trials if trial.outcome.state == "pruned"]
    assert len(pruned) >= 3
    for trial in pruned:
        epochs = trial.proposal.settings["epochs"]
        assert 3 <= 10 * len(trial.outcome.curve) / epochs < 10
        assert trial.outcome.scores == {}
    assert found.best.outcome.state == "finished"


def test_a_second_search_fits_nothing_and_finds_the_same(tmp_path: Path, fits: list[dict[str, Any]]) -> None:
    first = search(tmp_path)
    fitted = len(fits)
    second = search(tmp_path)
    assert len(fits) == fitted
    assert all(trial.remembered for trial in second.trials)
    assert describe(second) == describe(first)


def test_what_is_remembered_changes_no_proposal(tmp_path: Path) -> None:
    fresh = search(tmp_path / "fresh", trials=20)
    search(tmp_path / "used", trials=11)  # ends within a batch
    search(tmp_path / "used", seed=SEED + 1)
    assert describe(search(tmp_path / "used", trials=20)) == describe(fresh)


def test_a_longer_search_begins_as_a_shorter_one(tmp_path: Path) -> None:
    shorter, longer = search(tmp_path, trials=BATCH), search(tmp_path, trials=3 * BATCH)
    assert describe(longer)[: len(shorter.trials)] == describe(shorter)


def test_another_seed_proposes_others(tmp_path: Path) -> None:
    one, other = search(tmp_path), search(tmp_path, seed=SEED + 1)
    listed = len(LISTED)
    assert describe(one)[:listed] == describe(other)[:listed]
    assert not any(
        mine[1] == theirs[1] for mine, theirs in zip(describe(one)[listed:], describe(other)[listed:], strict=True)
    )


def test_the_listed_come_first_and_are_never_pruned(tmp_path: Path) -> None:
    found = search(tmp_path)
    assert [name for name, *_ in describe(found)][: len(LISTED) + 2] == [*LISTED, "tpe_1", "tpe_2"]
    assert set(states(found)[: len(LISTED)]) == {"finished"}


def test_it_does_not_end_worse_than_the_grid(tmp_path: Path) -> None:
    found = search(tmp_path)
    metric = found.objective.metric
    assert found.best.outcome.scores[metric] <= min(
        trial.outcome.scores[metric] for trial in found.trials[: len(LISTED)]
    )


def test_no_two_trials_have_one_name(tmp_path: Path) -> None:
    found = search(tmp_path, trials=3, listed={"tpe_2": configure(), "tpe_3": configure(factors=5)})
    assert [name for name, *_ in describe(found)] == ["tpe_2", "tpe_3", "tpe_1", "tpe_4", "tpe_5"]


def test_divergence_does_not_end_the_search(tmp_path: Path) -> None:
    found = search(tmp_path, listed={**LISTED, "wild": WILD})
    assert states(found)[len(LISTED)] == "diverged"
    assert states(found).count("diverged") >= 2  # those proposed near it as well
    assert found.best.outcome.state == "finished"
    assert describe(search(tmp_path, listed={**LISTED, "wild": WILD})) == describe(found)


def test_als_is_searched_upwards_without_a_curve(tmp_path: Path) -> None:
    found = TpeSearch(als_objective(), ALS_CONFIGURATIONS, 10, SEED)
    list(run_searches([found], TrialMemory(tmp_path), 2))
    assert set(states(found)) == {"finished"}
    scores = [trial.outcome.scores["validation_ndcg@10"] for trial in found.trials]
    assert found.best.outcome.scores["validation_ndcg@10"] == max(scores)
    assert {trial.proposal.settings["relevance_threshold"] for trial in found.trials} == {4.0, None}


def test_proposals_can_be_typed_and_are_in_the_span(tmp_path: Path) -> None:
    for _, settings, _ in describe(search(tmp_path))[len(LISTED) :]:
        assert SvdConfiguration(**settings).model_dump() == settings
        assert 1 <= settings["factors"] <= 18
        assert 1 <= settings["epochs"] <= 40
        assert 0.005 <= settings["learning_rate"] <= 0.06
        assert all(float(f"{value:.3g}") == value for value in settings.values())


def test_nothing_experimental_is_used(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        search(tmp_path, workers=1)


# --- the space ---


def test_the_span_reaches_from_half_the_lowest_to_twice_the_highest() -> None:
    listed = [configure(factors=10, epochs=5, rate=0.004, penalty=0.0), configure(factors=40, epochs=5, rate=0.01)]
    assert span_space(listed) == {
        "factors": IntDistribution(5, 80, log=True),
        "epochs": IntDistribution(2, 10, log=True),
        "learning_rate": FloatDistribution(0.002, 0.02, log=True),
        "regularization": FloatDistribution(0.0, 0.04),  # 0 has no logarithm
        "init_std_dev": FloatDistribution(0.05, 0.2, log=True),
    }


def test_the_span_stays_within_what_params_may_say() -> None:
    space = span_space([configure(factors=1, epochs=9999, rate=0.9, penalty=9e5)])
    assert space["factors"] == IntDistribution(1, 2, log=True)
    assert space["epochs"] == IntDistribution(4999, 10_000, log=True)
    assert space["learning_rate"] == FloatDistribution(0.45, 1, log=True)
    assert space["regularization"] == FloatDistribution(4.5e5, 1e6, log=True)


def test_what_is_no_number_is_chosen_from_what_is_listed() -> None:
    listed = [configure_als(threshold=None), configure_als(threshold=4.0), configure_als(threshold=None)]
    assert span_space(listed)["relevance_threshold"] == CategoricalDistribution((None, 4.0))


def test_a_number_that_is_always_0_is_not_searched(tmp_path: Path) -> None:
    listed = {"plain": configure(penalty=0.0), "wide": configure(factors=9, penalty=0.0)}
    assert "regularization" not in span_space(listed.values())
    assert {settings["regularization"] for _, settings, _ in describe(search(tmp_path, 3, listed=listed))} == {0.0}


def test_every_setting_of_a_configuration_is_in_the_space() -> None:
    assert set(span_space([configure().model_copy(update={"patience": 2})])) == set(SvdConfiguration.model_fields)
    described = configure_als().model_copy(update={"content_weight": 0.1})
    assert set(span_space([described])) == set(AlsConfiguration.model_fields)


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        (1, {}),
        (2, {5: 1}),
        (3, {3: 1, 6: 2}),
        (10, {tenth: tenth for tenth in range(1, 10)}),
        (100, {tenth: 10 * tenth for tenth in range(1, 10)}),
        (15, {1: 2, 2: 3, 3: 5, 4: 6, 5: 8, 6: 9, 7: 11, 8: 12, 9: 14}),  # the first step at or after 1.5, 3, 4.5 ...
    ],
)
def test_tenths_of_a_curve(steps: int, expected: dict[int, float]) -> None:
    assert pick_tenths([float(step) for step in range(1, steps + 1)], steps) == expected
