"""The weight of a blend's parts, by NDCG@10 on validation over the full catalogue; the parts are fitted elsewhere."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from movierec.columns import MOVIE_ID, USER_ID
from movierec.evaluation.validation import K
from movierec.metrics.ranking import ranking_metrics_by_user
from movierec.metrics.relevance import Relevance
from movierec.models.base import BLOCK_CELLS
from movierec.models.blend import Blend
from movierec.models.top_k import top_k_rows

JUDGED: Final = 10_000  # users: the standard error of their mean NDCG@10 is about .002
WEIGHTS: Final = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)


def choose_weight(blend: Blend, relevance: Relevance, weights: Sequence[float] = WEIGHTS) -> tuple[float, float]:
    """Find the weight of EASE that ranks best on validation.

    Each user's scores are made once, whatever the number of weights.

    Parameters
    ----------
    blend : Blend
        Fitted on ``relevance.train``; not changed.
    relevance : Relevance
        Judged on validation.
    weights : sequence of float
        To choose from, in [0, 1].

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
    lists = _rank(blend, relevance, judged, weights)
    matrix, counts = relevance.matrix[judged], relevance.counts[judged]
    ndcg = [float(ranking_metrics_by_user(each, matrix, counts, ks=(K,))[f"ndcg@{K}"].mean()) for each in lists]
    best = int(np.argmax(ndcg))
    return weights[best], ndcg[best]


def _rank(
    blend: Blend, relevance: Relevance, judged: npt.NDArray[np.int64], weights: Sequence[float]
) -> list[npt.NDArray[np.int32]]:
    """Return the lists of the judged users for each weight, in rows of the catalogue, which are the blend's movies."""
    rows = blend.users.rows(relevance.users.ids[judged])
    user = blend.users.rows(relevance.train[USER_ID])
    pairs = (np.ones(len(user), dtype=bool), (user, blend.movies.rows(relevance.train[MOVIE_ID])))
    seen = sp.csr_array(pairs, shape=(len(blend.users), len(blend.movies)))
    lists = [np.empty((len(rows), K), dtype=np.int32) for _ in weights]
    block = max(1, BLOCK_CELLS // len(blend.movies))
    for first in range(0, len(rows), block):
        part = slice(first, first + block)
        scores, excluded = blend.standardized_rows(rows[part]), seen[rows[part]]
        for weight, ranked in zip(weights, lists, strict=True):
            ranked[part] = top_k_rows(blend.mix(*scores, weight), excluded.indptr, excluded.indices, K).columns
    return lists
