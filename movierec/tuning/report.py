"""Results of a search as files, tables and metrics."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from movierec import io, paths
from movierec.columns import MODEL
from movierec.roster import TUNED
from movierec.tuning.search import GridSearch
from movierec.tuning.trials import Trial


def name_winner(model: str) -> Path:
    """Tell where the winner of a kind of model is stored: it fitted, or its settings for the stage that fits it."""
    entry = TUNED[model]
    return paths.MODELS / f"{entry.name}.npz" if entry.stage == "tune" else paths.DETAILS / f"tune_{entry.name}.json"


def store_winner(search: GridSearch) -> None:
    """Write what `name_winner` names."""
    path = name_winner(search.objective.model)
    if path.suffix == ".npz":
        search.fit_winner().save(path)
    else:
        io.write_json(search.best.proposal.settings, path)


def tabulate_trials(search: GridSearch) -> pd.DataFrame:
    """Return one row a finished trial, by name: ``configuration``, its settings, its scores."""
    rows = [
        {"configuration": trial.proposal.configuration, **trial.proposal.settings, **trial.outcome.scores}
        for trial in _by_name(search)
        if trial.outcome.scores
    ]
    return pd.DataFrame(rows)


def tabulate_curves(searches: Sequence[GridSearch]) -> pd.DataFrame:
    """Return one row a measured step of each trial, by name, also of those that were pruned or diverged.

    Columns are ``model``, ``configuration``, ``step`` from 1 (an epoch, a sweep) and ``score``, the one that decides,
    on validation after that step. A model that is scored only when it is done has no rows.
    """
    rows = [
        (search.objective.model, trial.proposal.configuration, step, score)
        for search in searches
        for trial in _by_name(search)
        for step, score in enumerate(trial.outcome.curve, start=1)
    ]
    return pd.DataFrame(rows, columns=[MODEL, "configuration", "step", "score"])


def tabulate_settings(searches: Sequence[GridSearch]) -> pd.DataFrame:
    """Return one row a trial, also of those that were pruned or diverged: what was tried, and how it ended.

    Columns are ``model``, ``configuration``, ``state`` (finished, pruned or diverged) and ``settings`` (JSON, exact).
    """
    rows = [
        (search.objective.model, trial.proposal.configuration, trial.outcome.state, json.dumps(trial.proposal.settings))
        for search in searches
        for trial in _by_name(search)
    ]
    return pd.DataFrame(rows, columns=[MODEL, "configuration", "state", "settings"])


def _by_name(search: GridSearch) -> list[Trial]:
    return sorted(search.trials, key=lambda trial: trial.proposal.configuration)


def summarize_search(search: GridSearch) -> dict[str, Any]:
    """Return the findings of a search: the winner with its settings and scores, and the numbers of trials.

    Where they had a sample of the users, ``sampled_ratings`` tells how many training ratings.
    """
    best, states = search.best, [trial.outcome.state for trial in search.trials]
    counts = {"trials": len(states), "pruned": states.count("pruned"), "diverged": states.count("diverged")}
    if search.final:
        counts["sampled_ratings"] = len(search.objective.train)
    return {"configuration": best.proposal.configuration, **best.proposal.settings, **search.scores, **counts}


def describe_search(search: GridSearch) -> str:
    """Return the winner and the counts in one line for people."""
    found, metric = summarize_search(search), search.objective.metric
    remembered = sum(trial.remembered for trial in search.trials)
    sample = f" on {found['sampled_ratings']:,} ratings" if search.final else ""
    return (
        f"{search.objective.model}: best of {found['trials']} trials{sample} ({found['pruned']} pruned, "
        f"{found['diverged']} diverged, {remembered} remembered) is {found['configuration']!r}, "
        f"{metric} {found[metric]:.4f}"
    )
