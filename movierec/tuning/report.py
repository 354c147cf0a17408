"""Results of a search as tables and metrics."""

from typing import Any

import pandas as pd

from movierec.tuning.objective import Settings
from movierec.tuning.search import GridSearch


def tabulate_trials(search: GridSearch) -> pd.DataFrame:
    """Return one row a finished trial, by name: ``configuration``, its settings, its scores."""
    scored = score_trials(search)
    rows = [{"configuration": name, **settings, **scores} for name, (settings, scores) in sorted(scored.items())]
    return pd.DataFrame(rows)


def score_trials(search: GridSearch) -> dict[str, tuple[Settings, dict[str, float]]]:
    """Return settings and scores of the finished trials by name."""
    return {
        trial.proposal.configuration: (trial.proposal.settings, trial.outcome.scores)
        for trial in search.trials
        if trial.outcome.scores
    }


def summarize_search(search: GridSearch) -> dict[str, Any]:
    """Return the metrics of a search: the winner with its settings and scores, and the numbers of trials."""
    best, states = search.best, [trial.outcome.state for trial in search.trials]
    counts = {"trials": len(states), "pruned": states.count("pruned"), "diverged": states.count("diverged")}
    return {"configuration": best.proposal.configuration, **best.proposal.settings, **best.outcome.scores, **counts}


def describe_search(search: GridSearch) -> str:
    """Return the winner and the counts in one line for people."""
    found, metric = summarize_search(search), search.objective.metric
    remembered = sum(trial.remembered for trial in search.trials)
    return (
        f"{search.objective.model}: best of {found['trials']} trials ({found['pruned']} pruned, "
        f"{found['diverged']} diverged, {remembered} remembered) is {found['configuration']!r}, "
        f"{metric} {found[metric]:.4f}"
    )
