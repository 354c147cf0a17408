"""NDCG@10 on validation: the figure by which every choice between ranking models is made."""

from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from movierec.data.exclusions import Exclusions
from movierec.metrics.ranking import ranking_metrics_by_user
from movierec.metrics.relevance import Relevance

K: Final = 10


class Ranker(Protocol):
    """Whatever recommends movies as `movierec.models.base.Recommender` does."""

    def recommend(
        self, user_ids: npt.ArrayLike, k: int, exclude: Exclusions
    ) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
        """Return each user's best `k` movies and their scores, without the excluded pairs."""


def measure_validation_ndcg(model: Ranker, relevance: Relevance) -> float:
    """Rank the full catalogue for every user of validation, less what the user rated in train.

    Parameters
    ----------
    model : Ranker
        Fitted on ``relevance.train``.
    relevance : Relevance
        Judged on validation.

    Returns
    -------
    float
        NDCG@10, 0 to 1: the mean over known users with a relevant movie, 0 without any such user.
    """
    return judge_validation_lists(model.recommend(relevance.users.ids, K, relevance.seen)[0], relevance)


def judge_validation_lists(movie_ids: npt.NDArray[np.int32], relevance: Relevance) -> float:
    """Return what `measure_validation_ndcg` does, of lists of at least `K` movies in the order of `relevance.users`."""
    judged = relevance.counts > 0
    if not judged.any():
        return 0.0
    lists = relevance.catalogue.rows(movie_ids[:, :K])
    by_user = ranking_metrics_by_user(lists, relevance.matrix, relevance.counts, ks=(K,))
    return float(np.mean(by_user[f"ndcg@{K}"][judged]))
