"""Judging how well content alone ranks and rates movies that train does not hold; other movies are judged elsewhere."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from movierec.columns import MOVIE_ID, RATING, USER_ID
from movierec.data.content import Content
from movierec.evaluation.bed import TestBed
from movierec.metrics.ranking import ranking_metrics_by_user
from movierec.metrics.rating import rmse
from movierec.metrics.relevance import Relevance
from movierec.models.als import ALS
from movierec.models.bias import Bias
from movierec.models.content_ratings import ContentRatings
from movierec.models.top_k import top_k_rows

K = 10
RANKER: Final[dict[str, Any]] = {"factors": 64, "regularization": 40.0, "alpha": 1.5, "content_weight": 0.5}
Floats = npt.NDArray[np.float32]


def rank_cold_movies(scores: Floats, users: npt.ArrayLike, test: pd.DataFrame, threshold: float) -> float:
    """Judge a ranking of test's movies among themselves, for `split.method: cold_movies`.

    Parameters
    ----------
    scores : ndarray of float32, shape (users, cold movies)
        Of every movie of `test`, in ascending order of id.
    users : array_like of int, shape (users,)
        The users of the rows.
    test : DataFrame
        ``user_id``, ``movie_id``, ``rating``.
    threshold : float
        Stars from which a rating makes its movie relevant.

    Returns
    -------
    float
        NDCG@10, 0 to 1: the mean over the users given who like a cold movie; 0 without any.
    """
    relevance = Relevance(test, test, threshold)
    rows = relevance.users.rows(users)
    known = np.flatnonzero(rows >= 0)
    nothing = np.zeros(len(known) + 1, dtype=np.int64)
    lists = top_k_rows(scores[known], nothing, nothing[:0], min(K, scores.shape[1])).columns
    padded = np.full((len(known), K), -1, dtype=np.int32)
    padded[:, : lists.shape[1]] = lists
    ndcg = ranking_metrics_by_user(padded, relevance.matrix[rows[known]], ks=(K,))[f"ndcg@{K}"]
    return float(np.nanmean(ndcg)) if np.isfinite(ndcg).any() else 0.0


def judge_cold_movies(
    bed: TestBed, content: Content, seed: int = 0, ranker: Mapping[str, Any] = RANKER
) -> dict[str, float]:
    """Measure what content tells of movies without any rating in train.

    Parameters
    ----------
    bed : TestBed
        Its train and test have no common movie.
    content : Content
        Of the movies of both, without what tells of test's ratings.
    seed : int
        Of the fit.
    ranker : mapping
        The arguments of the `ALS` that ranks them.

    Returns
    -------
    dict of str to float
        ``ndcg@10`` of the ALS, and ``ndcg@10_random`` of a random order, for scale; ``rmse`` of `ContentRatings`,
        ``rmse_user`` of the user's mean and ``rmse_mean`` of everybody's, where there are ratings.
    """
    train, test, cold = bed.train, bed.test, np.unique(bed.test[MOVIE_ID])
    als = ALS(**ranker, seed=seed, counts=not bed.rated).fit(train, content=content)
    scores = als.user_factors @ als.place(content.of(cold)).T
    random = np.random.default_rng(0).random(scores.shape, dtype=np.float32)
    ranked = {
        f"ndcg@{K}": rank_cold_movies(scores, als.users.ids, test, bed.relevance_threshold),
        f"ndcg@{K}_random": rank_cold_movies(random, als.users.ids, test, bed.relevance_threshold),
    }
    if not bed.rated:
        return ranked
    pairs, stars = (test[USER_ID], test[MOVIE_ID]), test[RATING]
    return ranked | {
        "rmse": rmse(stars, ContentRatings().fit(train, content).predict(*pairs)),
        "rmse_user": rmse(stars, Bias().fit(train).predict(*pairs)),
        "rmse_mean": rmse(stars, np.full(len(test), float(train[RATING].mean()))),
    }


def format_cold_movies(found: Mapping[str, float]) -> str:
    """Return what `judge_cold_movies` found in one line for people."""
    ndcg = f"NDCG@{K} {found[f'ndcg@{K}']:.4f} by content, {found[f'ndcg@{K}_random']:.4f} at random"
    stars = (
        f"; RMSE {found['rmse']:.4f} by content, {found['rmse_user']:.4f} by the user's mean" if "rmse" in found else ""
    )
    return f"movies without ratings: {ndcg}{stars}"
