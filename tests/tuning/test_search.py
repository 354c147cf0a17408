"""The grid: everything listed, once; the best model is kept."""

from pathlib import Path
from typing import Any

import pytest

from movierec.columns import MOVIE_ID, USER_ID
from movierec.errors import MovierecError
from movierec.tuning.memory import Outcome, TrialMemory
from movierec.tuning.report import describe_search, summarize_search
from movierec.tuning.sample import draw_users
from movierec.tuning.search import GridSearch, run_searches
from movierec.tuning.trials import Proposal, Trial
from tests.tuning.conftest import (
    ALS_CONFIGURATIONS,
    CONFIGURATIONS,
    SEED,
    SETTINGS,
    TRAIN,
    VALIDATION,
    als_objective,
    svd_objective,
)


def search_both(folder: Path, workers: int = 2) -> list[GridSearch]:
    searches = [GridSearch(svd_objective(), CONFIGURATIONS), GridSearch(als_objective(), ALS_CONFIGURATIONS)]
    trials = list(run_searches(searches, TrialMemory(folder), workers))
    assert len(trials) == sum(search.planned for search in searches) == len(CONFIGURATIONS) + len(ALS_CONFIGURATIONS)
    assert not any(trial.model for trial in trials)
    return searches


def describe(search: GridSearch) -> list[tuple[str, Outcome]]:
    return [(trial.proposal.configuration, trial.outcome) for trial in search.trials]


def test_trials_are_in_the_order_of_the_list_whatever_the_workers(tmp_path: Path) -> None:
    results = [search_both(tmp_path / str(workers), workers) for workers in (1, 2, 5)]
    for one, *others in zip(*results, strict=True):
        assert [name for name, _ in describe(one)] == list(one.configurations)
        for other in others:
            assert describe(other) == describe(one)
            assert other.best.proposal.configuration == one.best.proposal.configuration


def test_a_second_search_fits_nothing_but_its_winners_and_saves_the_same(
    tmp_path: Path, fits: list[dict[str, Any]]
) -> None:
    first = search_both(tmp_path / "trials")
    fitted = len(fits)
    for search in first:
        search.fit_winner().save(tmp_path / f"first_{search.objective.model}.npz")
    assert len(fits) == fitted == len(CONFIGURATIONS) + len(ALS_CONFIGURATIONS)
    second = search_both(tmp_path / "trials")
    assert len(fits) == fitted
    assert all(trial.remembered for search in second for trial in search.trials)
    assert [describe(search) for search in second] == [describe(search) for search in first]
    for search in second:
        search.fit_winner().save(tmp_path / f"second_{search.objective.model}.npz")
        names = (tmp_path / f"{run}_{search.objective.model}.npz" for run in ("first", "second"))
        assert len({name.read_bytes() for name in names}) == 1
    assert len(fits) == fitted + 2


def test_the_winner_of_a_sample_is_fitted_and_scored_on_all(tmp_path: Path) -> None:
    few, whole = svd_objective(*draw_users(TRAIN, VALIDATION, len(TRAIN) // 2, SEED)), svd_objective()
    search = GridSearch(few, CONFIGURATIONS, whole)
    trials = list(run_searches([search], TrialMemory(tmp_path), 2))
    assert search.scores == search.best.outcome.scores
    winner = search.fit_winner()
    expected = whole.fit(search.best.proposal.settings)
    pairs = VALIDATION[USER_ID], VALIDATION[MOVIE_ID]
    assert winner.predict(*pairs).tolist() == expected.predict(*pairs).tolist()
    assert search.scores == whole.score(expected)
    assert search.best_score == search.scores["validation_rmse"] != search.best.outcome.scores["validation_rmse"]
    found = summarize_search(search)
    assert found["sampled_ratings"] == len(few.train)
    assert found["validation_rmse"] == search.best_score
    assert f"best of {len(trials)} trials on {len(few.train):,} ratings" in describe_search(search)


def make_trial(search: GridSearch, name: str, scores: dict[str, float]) -> Trial:
    return Trial(Proposal(search.objective, name, SETTINGS), Outcome([], scores), remembered=True)


@pytest.mark.parametrize(
    ("objective", "expected"), [(svd_objective(), "b"), (als_objective(), "a")], ids=["lowest RMSE", "highest NDCG"]
)
@pytest.mark.parametrize("backwards", [False, True])
def test_the_best_is_the_first_by_name_among_equals(objective: Any, expected: str, backwards: bool) -> None:  # noqa: FBT001
    search = GridSearch(objective, CONFIGURATIONS)
    values = {"c": 0.8, "b": 0.7, "a": 0.9, "e": 0.9, "d": 0.7}
    trials = [make_trial(search, name, {objective.metric: value}) for name, value in values.items()]
    for trial in [make_trial(search, "0", {}), *(trials[::-1] if backwards else trials)]:
        search.consider(trial)
    assert search.best.proposal.configuration == expected


def test_no_finished_trial_is_told() -> None:
    search = GridSearch(als_objective(), ALS_CONFIGURATIONS)
    search.consider(make_trial(search, "a", {}))
    with pytest.raises(MovierecError, match=r"no trial of tune\.als was finished: list other settings"):
        _ = search.best


def test_data_are_not_changed(tmp_path: Path) -> None:
    train, validation = TRAIN.copy(), VALIDATION.copy()
    search_both(tmp_path)
    assert TRAIN.equals(train)
    assert VALIDATION.equals(validation)
