"""Judging fitted models on the test part: every rating, every user, the full catalogue.

What is measured is defined in `movierec.metrics`; here models, data and metrics meet.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from movierec.evaluation.bed import TestBed
from movierec.evaluation.stars import StarResult, judge_stars
from movierec.evaluation.validation import judge_validation_lists
from movierec.metrics.diversity import (
    coverage,
    exposure_counts,
    gini,
    intra_list_diversity_by_factors,
    intra_list_diversity_by_genre,
    mean_popularity,
    novelty,
    popularity_lift,
)
from movierec.metrics.ranking import KS, ranking_metrics_by_user
from movierec.models.base import Recommender
from movierec.roster import VALIDATION_NDCG

LIST_LENGTH = 10  # of the metrics that are given for one k
Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ModelResult:
    """What one model did on a `TestBed`.

    Attributes
    ----------
    lists : ndarray of int32, shape (users, 20)
        Recommended rows of the catalogue, best first, -1 where a list has ended.
    by_user : dict of str to ndarray of float64, shape (users,)
        Ranking metrics, diversity and novelty; NaN where undefined.
    overall : dict of str to float
        Coverage, concentration and popularity of the lists, and ``validation_ndcg@10``.
    stars : StarResult or None
        Of the predicted ratings; None where there are events alone.
    """

    lists: npt.NDArray[np.int32]
    by_user: dict[str, Values]
    overall: dict[str, float]
    stars: StarResult | None = None


def evaluate_model(model: Recommender, bed: TestBed) -> ModelResult:
    """Predict every test rating and rank the catalogue for every test user.

    Parameters
    ----------
    model : Recommender
        Fitted on ``bed.train``.
    bed : TestBed
        The data.

    Returns
    -------
    ModelResult
        Per-user vectors and overall figures.
    """
    lists, chosen_by = _rank(model, bed)
    by_user = ranking_metrics_by_user(lists, bed.relevance.matrix, bed.relevance.counts) | _judge_variety(lists, bed)
    overall = {f"coverage@{k}": coverage(lists[:, :k], len(bed.catalogue)) for k in KS}
    overall |= _judge_concentration(lists[:, :LIST_LENGTH], bed) | {VALIDATION_NDCG: chosen_by}
    return ModelResult(lists, by_user, overall, judge_stars(model, bed) if bed.rated else None)


def _rank(model: Recommender, bed: TestBed) -> tuple[npt.NDArray[np.int32], float]:
    """Return each test user's list as rows of the catalogue, and NDCG@10 on validation, for the scores of once."""
    exclusions = bed.excluded, bed.validation_relevance.seen
    for_test, for_validation = model.recommend_each(bed.ranked_users.ids, max(KS), exclusions, bed.rank_chunks)
    lists = bed.catalogue.rows(for_test.movie_ids[bed.ranked_users.rows(bed.users.ids)])
    own = for_validation.movie_ids[bed.ranked_users.rows(bed.validation_relevance.users.ids)]
    return lists, judge_validation_lists(own, bed.validation_relevance)


def _judge_variety(lists: npt.NDArray[np.int32], bed: TestBed) -> dict[str, Values]:
    by_user = {}
    for k in KS:
        by_user[f"diversity@{k}"] = intra_list_diversity_by_genre(lists[:, :k], bed.genre_matrix)
        by_user[f"novelty@{k}"] = novelty(lists[:, :k], bed.popularity, bed.train_users)
    if bed.movie_factors is not None:
        top = lists[:, :LIST_LENGTH]
        by_user[f"factor_diversity@{LIST_LENGTH}"] = intra_list_diversity_by_factors(top, bed.movie_factors)
    return by_user


def _judge_concentration(top: npt.NDArray[np.int32], bed: TestBed) -> dict[str, float]:
    """Return what is defined of the lists' Gini coefficient and popularity lift."""
    of_lists, of_profiles = mean_popularity(top, bed.popularity), bed.profile_popularity
    found = {
        f"gini@{LIST_LENGTH}": gini(exposure_counts(top, len(bed.catalogue))),
        f"popularity_lift@{LIST_LENGTH}": popularity_lift(of_lists, of_profiles),
    }
    return {metric: value for metric, value in found.items() if np.isfinite(value)}
