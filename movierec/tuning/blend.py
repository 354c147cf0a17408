"""The weight of a blend's parts, by NDCG@10 on validation over the full catalogue; the parts are fitted elsewhere."""

import copy
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from movierec.evaluation.validation import K
from movierec.metrics.ranking import ranking_metrics_by_user
from movierec.metrics.relevance import Relevance
from movierec.models.blend import Blend

JUDGED: Final = 10_000  # users: the standard error of their mean NDCG@10 is about .002
WEIGHTS: Final = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)


def choose_weight(
    blend: Blend,
    relevance: Relevance,
    weights: Sequence[float] = WEIGHTS,
    on_weight: Callable[[float], object] = lambda _: None,
) -> tuple[float, float]:
    """Find the weight of EASE that ranks best on validation.

    Parameters
    ----------
    blend : Blend
        Fitted on ``relevance.train``; not changed.
    relevance : Relevance
        Judged on validation.
    weights : sequence of float
        To choose from, in [0, 1].
    on_weight : callable
        Called with each weight's NDCG@10.

    Returns
    -------
    weight : float
        The first of the best.
    ndcg : float
        Its NDCG@10, 0 to 1, as `measure_validation_ndcg` gives it; of more than `JUDGED` users every so many-th counts.
    """
    judged = np.flatnonzero(relevance.counts > 0)
    judged = judged[:: -(-len(judged) // JUDGED) or 1]
    if not len(judged):
        return weights[0], 0.0
    matrix, counts = relevance.matrix[judged], relevance.counts[judged]
    ndcg = []
    for weight in weights:
        tried = copy.copy(blend)
        tried.weight = weight
        lists = relevance.catalogue.rows(tried.recommend(relevance.users.ids[judged], K, relevance.seen).movie_ids)
        ndcg.append(float(ranking_metrics_by_user(lists, matrix, counts, ks=(K,))[f"ndcg@{K}"].mean()))
        on_weight(ndcg[-1])
    best = int(np.argmax(ndcg))
    return weights[best], ndcg[best]
