"""Results of an evaluation as tables: for plots, for experiments and for people."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from movierec.columns import MODEL, TEST_RATINGS, TRAIN_RATINGS, USER_ID
from movierec.evaluation import RATING_METRICS, ModelResult, TestBed
from movierec.metrics.ranking import KS


def tabulate_users(results: Mapping[str, ModelResult], bed: TestBed) -> pd.DataFrame:
    """Return one row for each model and user, for analyses such as an experiment's.

    Parameters
    ----------
    results : mapping of str to ModelResult
        By model.
    bed : TestBed
        Their data.

    Returns
    -------
    DataFrame
        ``user_id``, ``model``, ``n_train`` and ``n_test`` (ratings), ``squared_error`` and ``absolute_error``
        (means over the user's test ratings), and every per-user metric, NaN where undefined.
    """
    n_train = bed.train[USER_ID].value_counts().reindex(bed.users.ids, fill_value=0).to_numpy()
    tables = [
        pd.DataFrame(
            {
                USER_ID: bed.users.ids,
                MODEL: name,
                TRAIN_RATINGS: n_train,
                TEST_RATINGS: result.errors.count,
                "squared_error": result.errors.squared / result.errors.count,
                "absolute_error": result.errors.absolute / result.errors.count,
                **result.by_user,
            },
        )
        for name, result in results.items()
    ]
    return pd.concat(tables, ignore_index=True)


def tabulate_accuracy(summary: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """Return ``model``, RMSE and MAE with the ends of their intervals (``rmse_low`` ...), one row a model."""
    rows = []
    for model, figures in summary.items():
        row: dict[str, Any] = {MODEL: model}
        for metric in RATING_METRICS:
            interval = figures[f"{metric}_ci"]
            row |= {metric: figures[metric], f"{metric}_low": interval["low"], f"{metric}_high": interval["high"]}
        rows.append(row)
    return pd.DataFrame(rows)


def tabulate_by_k(summary: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """Return ``model``, ``k`` and every metric that has a k, one row for each model and k."""
    metrics = ("precision", "recall", "ndcg", "map", "hit_rate", "coverage", "diversity", "novelty")
    rows = [
        {MODEL: model, "k": k, **{metric: figures.get(f"{metric}@{k}") for metric in metrics}}
        for model, figures in summary.items()
        for k in KS
    ]
    return pd.DataFrame(rows)


def tabulate_calibration(results: Mapping[str, ModelResult]) -> pd.DataFrame:
    """Return the calibration tables of all models, with the column ``model`` first."""
    return pd.concat({name: result.calibration for name, result in results.items()}, names=[MODEL]).reset_index(0)


def format_summary(summary: Mapping[str, Mapping[str, Any]], floor: float | None) -> str:
    """Return the headline metrics as a table for people."""
    lines = [f"{'model':<12}{'RMSE':>8}{'MAE':>8}{'NDCG@10':>9}{'coverage@10':>13}"]
    for model, figures in summary.items():
        columns = (("rmse", 8), ("mae", 8), ("ndcg@10", 9), ("coverage@10", 13))
        cells = (f"{figures[name]:>{width}.4f}" if name in figures else f"{'-':>{width}}" for name, width in columns)
        lines.append(f"{model:<12}{''.join(cells)}")
    if floor is not None:
        lines.append(f"{'noise floor':<12}{floor:>8.4f}  the RMSE that no model can beat on this data")
    return "\n".join(lines)
