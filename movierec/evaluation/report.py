"""Results of an evaluation in summary, with intervals: for metrics, for plots, for experiments and for people."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from movierec.columns import MODEL, TEST_RATINGS, TRAIN_RATINGS, USER_ID
from movierec.evaluation.bed import TestBed
from movierec.evaluation.judge import ModelResult
from movierec.evaluation.stars import StarResult
from movierec.evaluation.uncertainty import tabulate_errors, tabulate_intervals
from movierec.io import FLOAT_DIGITS
from movierec.metrics.bootstrap import UserBootstrap
from movierec.metrics.intervals import Interval, bootstrap_errors, bootstrap_means
from movierec.metrics.ranking import KS
from movierec.metrics.rating import FloatArray, UserErrors
from movierec.roster import BY_NAME
from movierec.text import align_columns

WITH_INTERVAL: Final = ("precision@10", "recall@10", "ndcg@10")
RATING_METRICS: Final = ("rmse", "mae")
HEADLINE: Final = ("rmse", "mae", "ndcg@10", "coverage@10")
STAR_TABLES: Final = ("accuracy", "calibration", "intervals", "deviations")
SHOWN_BY_DVC: Final = ("rmse", "ndcg@10", "coverage@10")  # of nine models, on one screen


def start_resampling(bed: TestBed, rng: np.random.Generator, samples: int) -> tuple[UserBootstrap, np.random.Generator]:
    """Return the resamples of a bed's users for all tables, and the generator for the signs to flip."""
    own = np.random.default_rng(int(rng.integers(2**63)))
    return UserBootstrap(len(bed.users), own, samples), own


def summarize_results(results: Mapping[str, ModelResult], bootstrap: UserBootstrap) -> dict[str, dict[str, Any]]:
    """Turn per-user vectors into means, with intervals for the headline metrics.

    Parameters
    ----------
    results : mapping of str to ModelResult
        By model, on the same `TestBed`.
    bootstrap : UserBootstrap
        The resamples of the bed's users, the same for every table.

    Returns
    -------
    dict
        ``{model: {metric: value, metric_ci: {low, high}}}``; a metric undefined for all users is left out.
    """
    errors = {name: result.stars.errors for name, result in results.items() if result.stars}
    headline = {(name, metric): results[name].by_user[metric] for name in results for metric in WITH_INTERVAL}
    rating = bootstrap_errors(errors, bootstrap) if errors else {}
    ranking = bootstrap_means(headline, bootstrap)
    summary: dict[str, dict[str, Any]] = {}
    for name, result in results.items():
        figures: dict[str, Any] = result.overall | (result.stars.overall if result.stars else {})
        figures |= {
            metric: float(np.nanmean(values)) for metric, values in result.by_user.items() if not np.isnan(values).all()
        }
        for metric in RATING_METRICS if result.stars else ():
            figures |= _with_interval(metric, rating[name][metric])
        for metric in WITH_INTERVAL:
            figures |= _with_interval(metric, ranking[name, metric])
        summary[name] = figures
    return summary


def _with_interval(metric: str, interval: Interval) -> dict[str, Any]:
    if interval.n == 0:
        return {}
    return {metric: interval.estimate, f"{metric}_ci": {"low": interval.low, "high": interval.high}}


def compare_with_floor(summary: dict[str, dict[str, Any]], fetched: Mapping[str, Any]) -> float | None:
    """Add ``rmse_above_floor`` to each model: RMSE less the least one possible, known of embedded data only.

    Parameters
    ----------
    summary : dict
        Each model's figures; changed in place.
    fetched : mapping
        The metrics of the fetch stage.

    Returns
    -------
    float or None
        The noise floor in stars, where it is known.
    """
    floor: float | None = fetched.get("noise_floor", {}).get("rmse")
    for figures in summary.values():
        if floor is not None and "rmse" in figures:
            figures["rmse_above_floor"] = figures["rmse"] - floor
    return floor


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
        (means over the user's test ratings; no columns where there are no ratings), and every per-user metric, NaN
        where undefined.
    """
    models, users = list(results.values()), len(bed.users)
    columns: dict[str, Sequence[npt.NDArray[Any]]] = {
        USER_ID: [bed.users.ids] * len(models),
        MODEL: [np.full(users, name, dtype=object) for name in results],
        TRAIN_RATINGS: [bed.activity] * len(models),
        TEST_RATINGS: [bed.test_ratings] * len(models),
    }
    errors = [_average_errors(each.stars.errors) for each in models if each.stars]
    columns |= {name: [each[name] for each in errors] for name in (errors[0] if errors else ())}
    columns |= {name: [each.by_user[name] for each in models] for name in models[0].by_user}
    whole = {name: np.concatenate(parts) for name, parts in columns.items()}
    return pd.DataFrame(whole, copy=False)  # which pandas would copy into blocks


def _average_errors(errors: UserErrors) -> dict[str, FloatArray]:
    return {"squared_error": errors.squared / errors.count, "absolute_error": errors.absolute / errors.count}


def tabulate_stars(
    results: Mapping[str, ModelResult], summary: Mapping[str, Mapping[str, Any]]
) -> dict[str, pd.DataFrame]:
    """Return the tables of `STAR_TABLES` by name; none where there are events alone."""
    found = {name: result.stars for name, result in results.items() if result.stars}
    if not found:
        return {}
    return {
        "accuracy": tabulate_accuracy(summary),
        "calibration": tabulate_calibration(found),
        "intervals": tabulate_intervals(summary),
        "deviations": tabulate_errors({name: stars.deviations for name, stars in found.items() if stars.deviations}),
    }


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


def tabulate_calibration(results: Mapping[str, StarResult]) -> pd.DataFrame:
    """Return ``model``, ``predicted`` and ``actual`` (bin means, stars) and ``ratings``, one row a bin with ratings."""
    tables = []
    for name, stars in results.items():
        bins = stars.calibration
        columns = {MODEL: name, "predicted": bins.mean_predicted, "actual": bins.mean_actual, "ratings": bins.count}
        tables.append(pd.DataFrame(columns)[bins.count > 0])
    return pd.concat(tables, ignore_index=True)


def select_headline(summary: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    """Return the metrics that DVC shows, ``{model: {metric: value}}``, rounded as they are stored."""
    return {
        model: {metric: round(figures[metric], FLOAT_DIGITS) for metric in SHOWN_BY_DVC if metric in figures}
        for model, figures in summary.items()
    }


def format_headline(summary: Mapping[str, Mapping[str, Any]], floor: float | None) -> str:
    """Return the headline metrics as a table for people."""
    rows = [["model", "RMSE", "MAE", "NDCG@10", "coverage@10"]]
    for model in (name for name in BY_NAME if name in summary):  # as in the roster, whatever order a file keeps
        cells = (
            f"{round(summary[model][name], FLOAT_DIGITS):.4f}" if name in summary[model] else "-" for name in HEADLINE
        )
        rows.append([model, *cells])
    table = align_columns(rows)
    if floor is None or not any("rmse" in figures for figures in summary.values()):
        return table
    return f"{table}\nnoise floor: {floor:.4f} stars, the RMSE that no model can beat on this data"
