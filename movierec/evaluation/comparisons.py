"""Which differences of two models are real: for metrics, for plots and for people."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from movierec.evaluation.judge import ModelResult
from movierec.evaluation.report import WITH_INTERVAL
from movierec.metrics.bootstrap import UserBootstrap
from movierec.metrics.comparison import Comparison, compare_models, pair_errors, pair_means

COMPARED: Final = ("rmse", "ndcg@10")


def compare_results(
    results: Mapping[str, ModelResult], bootstrap: UserBootstrap, rng: np.random.Generator
) -> list[Comparison]:
    """Compare every two models in each metric that has an interval.

    Parameters
    ----------
    results, bootstrap
        As for `summarize_results`.
    rng : numpy.random.Generator
        Draws the signs that are flipped.

    Returns
    -------
    list of Comparison
        p-values are adjusted over all of them.
    """
    errors = {name: result.stars.errors for name, result in results.items() if result.stars}
    metrics = pair_errors(errors) if errors else {}
    for metric in WITH_INTERVAL:
        metrics[metric] = pair_means({name: result.by_user[metric] for name, result in results.items()})
    return compare_models(list(results), metrics, bootstrap, rng)


def summarize_comparisons(comparisons: Iterable[Comparison]) -> dict[str, dict[str, dict[str, Any]]]:
    """Return ``{metric: {a_vs_b: {difference, p_value, real}}}`` of the headline metrics, p-values adjusted."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for one in comparisons:
        if one.metric in COMPARED:
            finding = {"difference": one.difference.estimate, "p_value": one.p_adjusted, "real": one.is_real}
            found.setdefault(one.metric, {})[f"{one.first}_vs_{one.second}"] = finding
    return found


def tabulate_comparisons(comparisons: Iterable[Comparison]) -> pd.DataFrame:
    """Return one row a comparison: ``metric``, the models, difference with interval, users, p-values, ``real``."""
    rows = [
        {
            "metric": one.metric,
            "first": one.first,
            "second": one.second,
            "difference": one.difference.estimate,
            "low": one.difference.low,
            "high": one.difference.high,
            "users": one.difference.n,
            "p_value": one.p_value,
            "p_adjusted": one.p_adjusted,
            "real": one.is_real,
        }
        for one in comparisons
    ]
    return pd.DataFrame(rows)


def format_comparisons(comparisons: Sequence[Comparison]) -> str:
    """Return a line for each headline metric that says which differences of two models are real, or may be chance."""
    of_metric = {metric: [one for one in comparisons if one.metric == metric] for metric in COMPARED}
    return "\n".join(f"{metric}: {_tell_real(found)}" for metric, found in of_metric.items() if found)


def _tell_real(comparisons: Sequence[Comparison]) -> str:
    """Name the pairs of whichever are fewer."""
    real, doubtful = (
        [f"{one.first} and {one.second}" for one in comparisons if one.is_real == wanted] for wanted in (True, False)
    )
    if not doubtful:
        return "all differences real"
    if not real:
        return "all differences may be chance"
    if len(doubtful) <= len(real):
        return f"may be chance: {'; '.join(doubtful)}"
    return f"may be chance, but for {'; '.join(real)}"
