"""Accuracy by decile of user activity and of movie popularity."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from movierec.columns import MODEL, TRAIN_RATINGS
from movierec.evaluation.bed import TestBed
from movierec.evaluation.judge import LIST_LENGTH, ModelResult
from movierec.metrics.bootstrap import UserBootstrap
from movierec.metrics.deciles import DECILES, find_deciles
from movierec.metrics.intervals import Interval, bootstrap_means, bootstrap_ratios
from movierec.metrics.ranking import find_hits
from movierec.metrics.ratios import divide_or_nan

NDCG: Final = f"ndcg@{LIST_LENGTH}"
RECALL: Final = f"recall@{LIST_LENGTH}"
Values = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]
Key = tuple[str, int]  # model and decile
Row = tuple[str, Key, Interval]  # the first is the metric


def tabulate_by_decile(
    results: Mapping[str, ModelResult], bed: TestBed, bootstrap: UserBootstrap
) -> dict[str, pd.DataFrame]:
    """Return what `tabulate_by_activity` and `tabulate_by_popularity` return, as ``by_activity`` and so on."""
    return {
        "by_activity": tabulate_by_activity(results, bed, bootstrap),
        "by_popularity": tabulate_by_popularity(results, bed, bootstrap),
    }


def tabulate_by_activity(results: Mapping[str, ModelResult], bed: TestBed, bootstrap: UserBootstrap) -> pd.DataFrame:
    """Return RMSE and NDCG@10 by decile of the users' train ratings.

    Parameters
    ----------
    results : mapping of str to ModelResult
        By model.
    bed : TestBed
        Their data.
    bootstrap : UserBootstrap
        The resamples of the bed's users.

    Returns
    -------
    DataFrame
        ``model``, ``metric``, ``decile`` (0: users not in train), ``n_train`` (mean train ratings of the decile's
        users), ``users`` (behind the figure), ``estimate``, ``low``, ``high``; no row where the metric is undefined.
    """
    decile = find_deciles(bed.activity)
    found: list[Row] = []
    for number in np.unique(decile).tolist():
        own = np.flatnonzero(decile == number)
        errors = {(name, number): result.stars.errors for name, result in results.items() if result.stars}
        squared = {key: each.squared[own] for key, each in errors.items()}
        counts = {key: each.count[own] for key, each in errors.items()}
        scores = {(name, number): result.by_user[NDCG][own] for name, result in results.items()}
        found += _measure(squared, counts, scores, NDCG, bootstrap.of(own))
    models = list(results)
    found.sort(key=lambda row: (row[0] == NDCG, models.index(row[1][0]), row[1][1]))
    return _tabulate(found, _mean_by_decile(bed.activity, decile))


def tabulate_by_popularity(results: Mapping[str, ModelResult], bed: TestBed, bootstrap: UserBootstrap) -> pd.DataFrame:
    """Return RMSE and recall@10 by decile of the movies' train ratings.

    The RMSE is over the test ratings of the decile's movies, the recall over users for whom a movie of the decile is
    relevant: the share of those movies that are in the first 10 of the whole list.

    Parameters
    ----------
    results, bed, bootstrap
        As for `tabulate_by_activity`.

    Returns
    -------
    DataFrame
        As from `tabulate_by_activity`, with deciles of movies (0: movies not in train, which nobody can recommend).
    """
    decile, relevant, users = bed.movie_deciles, bed.relevance.matrix, len(bed.users)
    of_relevant = decile[relevant.indices] * users + np.repeat(np.arange(users), np.diff(relevant.indptr))
    wanted = np.bincount(of_relevant, minlength=(DECILES + 1) * users).reshape(-1, users)
    squared, counts, scores = dict[Key, Values](), dict[Key, Counts](), dict[Key, Values]()
    for name, result in results.items():
        if result.stars:
            squared |= {(name, number): own for number, own in enumerate(result.stars.squared_by_decile)}
            counts |= {(name, number): own for number, own in enumerate(bed.test_ratings_by_decile)}
        top = result.lists[:, :LIST_LENGTH]
        hits = find_hits(top, relevant)[0]
        for number in range(DECILES + 1):
            found = (hits & (decile[top] == number)).sum(axis=1)
            scores[name, number] = divide_or_nan(found, wanted[number])
    return _tabulate(_measure(squared, counts, scores, RECALL, bootstrap), _mean_by_decile(bed.popularity, decile))


def _mean_by_decile(train_ratings: npt.NDArray[np.int64], decile: npt.NDArray[np.int64]) -> dict[int, float]:
    return {0: 0.0} | {number: float(train_ratings[decile == number].mean()) for number in np.unique(decile).tolist()}


def _measure(
    squared: Mapping[Key, Values],
    counts: Mapping[Key, Counts],
    scores: Mapping[Key, Values],
    metric: str,
    bootstrap: UserBootstrap,
) -> list[Row]:
    """Return RMSE, if there are errors, and the mean of a metric, with intervals."""
    of_errors = bootstrap_ratios(squared, counts, bootstrap, is_root=True) if squared else {}
    of_scores = bootstrap_means(scores, bootstrap)
    return [(name, *each) for name, found in (("rmse", of_errors), (metric, of_scores)) for each in found.items()]


def _tabulate(found: list[Row], train_ratings: Mapping[int, float]) -> pd.DataFrame:
    rows = [
        {
            MODEL: model,
            "metric": name,
            "decile": decile,
            TRAIN_RATINGS: train_ratings[decile],
            "users": interval.n,
            "estimate": interval.estimate,
            "low": interval.low,
            "high": interval.high,
        }
        for name, (model, decile), interval in found
        if interval.n
    ]
    return pd.DataFrame(rows)
