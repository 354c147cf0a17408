"""Accuracy by decile of user activity and of movie popularity."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse as sp

from movierec.columns import MODEL, MOVIE_ID, RATING, TRAIN_RATINGS, USER_ID
from movierec.evaluation.judge import LIST_LENGTH, ModelResult, TestBed
from movierec.metrics.intervals import Interval, UserBootstrap, bootstrap_errors, bootstrap_means
from movierec.metrics.ranking import find_hits
from movierec.metrics.rating import UserErrors, error_sums_by_user
from movierec.metrics.ratios import divide_or_nan

DECILES: Final = 10
NDCG: Final = f"ndcg@{LIST_LENGTH}"
RECALL: Final = f"recall@{LIST_LENGTH}"
Values = npt.NDArray[np.float64]
Key = tuple[str, int]  # model and decile


def find_deciles(train_ratings: npt.NDArray[np.integer[Any]]) -> npt.NDArray[np.int64]:
    """Cut users or movies into ten groups of equal size by their number of train ratings.

    Parameters
    ----------
    train_ratings : ndarray of int, shape (n,)
        In ascending order of id; equal numbers are ordered by it.

    Returns
    -------
    ndarray of int64, shape (n,)
        From 1, the fewest ratings, to 10; 0 for those without a train rating, which are in no decile. With fewer
        than ten to cut, some deciles are empty.

    Examples
    --------
    >>> find_deciles(np.array([0, 7, 90, 7])).tolist()
    [0, 1, 7, 4]
    """
    decile = np.zeros(len(train_ratings), dtype=np.int64)
    rated = np.flatnonzero(train_ratings)
    order = rated[np.argsort(train_ratings[rated], kind="stable")]
    decile[order] = 1 + np.arange(len(order)) * DECILES // max(1, len(order))
    return decile


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
    errors, scores = dict[Key, UserErrors](), dict[Key, Values]()
    for name, result in results.items():
        for number in np.unique(decile).tolist():
            own = decile == number
            sums = result.errors
            errors[name, number] = UserErrors(sums.count * own, sums.squared * own, sums.absolute * own)
            scores[name, number] = np.where(own, result.by_user[NDCG], np.nan)
    return _tabulate(errors, scores, NDCG, _mean_by_decile(bed.activity, decile), bootstrap)


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
    decile = find_deciles(bed.popularity)
    rated = bed.catalogue.rows(bed.test[MOVIE_ID])
    of_rating = np.where(rated >= 0, decile[rated], 0)
    errors, scores = dict[Key, UserErrors](), dict[Key, Values]()
    for name, result in results.items():
        for number in np.unique(of_rating).tolist() if bed.rated else ():
            errors[name, number] = _sum_errors(result, bed, of_rating == number)
        for number, values in _recall_by_decile(result, bed.relevance.matrix, decile).items():
            scores[name, number] = values
    return _tabulate(errors, scores, RECALL, _mean_by_decile(bed.popularity, decile), bootstrap)


def _sum_errors(result: ModelResult, bed: TestBed, own: npt.NDArray[np.bool_]) -> UserErrors:
    user = bed.users.rows(bed.test[USER_ID])[own]
    return error_sums_by_user(user, bed.test[RATING][own], result.predicted[own], len(bed.users))


def _recall_by_decile(result: ModelResult, relevant: sp.csr_array, decile: npt.NDArray[np.int64]) -> dict[int, Values]:
    """Return each user's recall@10 among the relevant movies of each decile, NaN where there are none."""
    lists = result.lists[:, :LIST_LENGTH]
    hits = find_hits(lists, relevant)[0]
    user = np.repeat(np.arange(len(lists)), np.diff(relevant.indptr))
    recall = {}
    for number in np.unique(decile).tolist():
        wanted = np.bincount(user[decile[relevant.indices] == number], minlength=len(lists))
        recall[number] = divide_or_nan((hits & (decile[lists] == number)).sum(axis=1), wanted)
    return recall


def _mean_by_decile(train_ratings: npt.NDArray[np.int64], decile: npt.NDArray[np.int64]) -> dict[int, float]:
    return {0: 0.0} | {number: float(train_ratings[decile == number].mean()) for number in np.unique(decile).tolist()}


def _tabulate(
    errors: Mapping[Key, UserErrors],
    scores: Mapping[Key, Values],
    metric: str,
    train_ratings: Mapping[int, float],
    bootstrap: UserBootstrap,
) -> pd.DataFrame:
    of_errors = bootstrap_errors(errors, bootstrap, rates=["rmse"]) if errors else {}
    of_scores = bootstrap_means(scores, bootstrap)
    found: list[tuple[str, Key, Interval]] = [("rmse", key, interval["rmse"]) for key, interval in of_errors.items()]
    found += [(metric, key, interval) for key, interval in of_scores.items()]
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
