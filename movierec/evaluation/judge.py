"""Judging fitted models on the test part: every rating, every user, the full catalogue.

What is measured is defined in `movierec.metrics`; here models, data and metrics meet.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse as sp

from movierec.columns import GENRES, MOVIE_ID, RATING, TIMESTAMP, USER_ID
from movierec.data.exclusions import Exclusions
from movierec.evaluation.uncertainty import Uncertainty, state_uncertainty
from movierec.evaluation.validation import judge_validation_lists
from movierec.ids import IdIndex
from movierec.metrics.diversity import (
    coverage,
    exposure_counts,
    gini,
    intra_list_diversity_by_factors,
    intra_list_diversity_by_genre,
    mean_popularity,
    mean_profile_popularity,
    novelty,
    popularity_lift,
)
from movierec.metrics.ranking import KS, ranking_metrics_by_user
from movierec.metrics.rating import UserErrors, error_sums_by_user, rmse
from movierec.metrics.relevance import Relevance
from movierec.models.als import ALS
from movierec.models.base import Recommender
from movierec.models.chunks import RankChunks, rank_by_threads
from movierec.models.posterior_predictive import PosteriorPredictive
from movierec.roster import VALIDATION_NDCG

LIST_LENGTH = 10  # of the metrics that are given for one k
Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class TestBed:
    """The data that every model is judged on.

    Attributes
    ----------
    train, validation, test : DataFrame
        The three parts.
    movies : DataFrame
        ``movie_id`` and ``genres``.
    relevance_threshold : float
        Stars from which a test rating makes its movie relevant.
    movie_factors : ndarray of float, shape (catalogue, factors), optional
        By which the distance of two movies is judged, the same for every model.
    rated : bool
        Whether there are ratings to predict, not events alone.
    rank_chunks : RankChunks
        Who ranks; threads of this process by default.
    """

    __test__ = False  # for pytest: no test class

    train: pd.DataFrame
    validation: pd.DataFrame
    test: pd.DataFrame
    movies: pd.DataFrame
    relevance_threshold: float
    movie_factors: npt.NDArray[np.floating] | None = None
    rated: bool = True
    rank_chunks: RankChunks = rank_by_threads

    @cached_property
    def relevance(self) -> Relevance:
        """Who is ranked for, and what is relevant to them."""
        return Relevance(self.train, self.test, self.relevance_threshold)

    @cached_property
    def validation_relevance(self) -> Relevance:
        """What is relevant in validation, by which models are chosen."""
        return Relevance(self.train, self.validation, self.relevance_threshold)

    @property
    def users(self) -> IdIndex:
        """Users with test ratings, in ascending order; rows of all per-user results."""
        return self.relevance.users

    @property
    def catalogue(self) -> IdIndex:
        """Movies in train, in ascending order: what can be recommended."""
        return self.relevance.catalogue

    @cached_property
    def test_ratings(self) -> npt.NDArray[np.int64]:
        """How many test ratings each user has, shape (users,)."""
        return np.bincount(self.users.rows(self.test[USER_ID]), minlength=len(self.users))

    @cached_property
    def seen(self) -> pd.DataFrame:
        """Pairs of train and validation, which are not recommended again."""
        return pd.concat([self.train, self.validation])[[USER_ID, MOVIE_ID]]

    @cached_property
    def excluded(self) -> Exclusions:
        """The pairs of `seen`, ready for look-ups."""
        return Exclusions(self.catalogue, self.train, self.validation)

    @cached_property
    def ranked_users(self) -> IdIndex:
        """Users with validation or test ratings, in ascending order: who gets lists."""
        return IdIndex(np.union1d(self.users.ids, self.validation_relevance.users.ids))

    @cached_property
    def genre_matrix(self) -> npt.NDArray[np.bool_]:
        """Genres of each movie of the catalogue, shape (catalogue, genres); none for an unlisted movie."""
        listed = dict(zip(self.movies[MOVIE_ID], self.movies[GENRES], strict=True))
        genres = [set(listed.get(movie_id, ())) for movie_id in self.catalogue.ids.tolist()]
        names = sorted(set().union(*genres))
        return np.array([[name in row for name in names] for row in genres], dtype=bool).reshape(len(genres), -1)

    @cached_property
    def popularity(self) -> npt.NDArray[np.int64]:
        """Train ratings of each movie of the catalogue, shape (catalogue,)."""
        return np.bincount(self.catalogue.rows(self.train[MOVIE_ID]), minlength=len(self.catalogue))

    @cached_property
    def train_users(self) -> int:
        """How many users train has."""
        return int(self.train[USER_ID].nunique())

    @cached_property
    def profile_popularity(self) -> Values:
        """Mean popularity of what each user rated in train, shape (users,)."""
        return mean_profile_popularity(self.profiles, self.popularity)

    @cached_property
    def activity(self) -> npt.NDArray[np.int64]:
        """Train ratings of each user, shape (users,); 0 for cold users."""
        counts: npt.NDArray[np.int64] = np.diff(self.profiles.indptr).astype(np.int64)
        return counts

    @cached_property
    def profiles(self) -> sp.csr_array:
        """What each user rated in train, boolean, shape (users, catalogue)."""
        user, movie = self.users.rows(self.train[USER_ID]), self.catalogue.rows(self.train[MOVIE_ID])
        inside = user >= 0
        ones = np.ones(int(inside.sum()), dtype=bool)
        return sp.csr_array((ones, (user[inside], movie[inside])), shape=(len(self.users), len(self.catalogue)))

    def describe(self) -> dict[str, int]:
        """Count what the figures stand on, and what they leave out."""
        new_movie = self.catalogue.rows(self.test[MOVIE_ID]) < 0
        known, n_relevant = self.relevance.known, self.relevance.counts
        new_user = ~known[self.users.rows(self.test[USER_ID])]
        return {
            "test_ratings": len(self.test),
            "test_users": len(self.users),
            "catalogue": len(self.catalogue),
            "ranked_users": int((n_relevant > 0).sum()),
            "users_not_in_train": int((~known).sum()),
            "users_without_relevant": int((known & (n_relevant == 0)).sum()),
            "ratings_of_unknown_user_or_movie": int((new_user | new_movie).sum()),
        }


@dataclass(frozen=True)
class ModelResult:
    """What one model did on a `TestBed`.

    Attributes
    ----------
    predicted : ndarray of float64, shape (test ratings,)
        Predicted ratings in stars, in the order of the test part; none where there are no ratings.
    lists : ndarray of int32, shape (users, 20)
        Recommended rows of the catalogue, best first, -1 where a list has ended.
    errors : UserErrors
        Of the predicted ratings, by user; all zeros where there are none.
    by_user : dict of str to ndarray of float64, shape (users,)
        Ranking metrics, diversity and novelty; NaN where undefined.
    overall : dict of str to float
        Coverage, concentration and popularity of the lists, ``validation_ndcg@10``, for the ALS the RMSE of its
        uncalibrated scores, and how honest stated intervals are.
    uncertainty : Uncertainty or None
        What the model says about the errors of `predicted`; None if it says nothing.
    """

    predicted: Values
    lists: npt.NDArray[np.int32]
    errors: UserErrors
    by_user: dict[str, Values]
    overall: dict[str, float]
    uncertainty: Uncertainty | None = None


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
    if not bed.rated:
        nothing = np.zeros(len(bed.users))
        return ModelResult(nothing[:0], lists, UserErrors(nothing.astype(np.int64), nothing, nothing), by_user, overall)
    predicted, errors, stars, uncertainty = _judge_stars(model, bed)
    return ModelResult(predicted, lists, errors, by_user, overall | stars, uncertainty)


def _judge_stars(model: Recommender, bed: TestBed) -> tuple[Values, UserErrors, dict[str, float], Uncertainty | None]:
    pairs, actual = (bed.test[USER_ID], bed.test[MOVIE_ID]), bed.test[RATING].to_numpy(dtype=np.float64)
    uncertainty, overall = None, dict[str, float]()
    if isinstance(model, PosteriorPredictive):  # it knows moods of days, and how sure it is
        predicted, uncertainty = model.predict(*pairs, bed.test.get(TIMESTAMP)), state_uncertainty(model, bed.test)
        overall |= uncertainty.judge(actual)
    else:
        predicted = model.predict(*pairs)
    if isinstance(model, ALS):
        overall["rmse_raw"] = rmse(actual, model.predict_raw(*pairs))
    errors = error_sums_by_user(bed.users.rows(bed.test[USER_ID]), actual, predicted, len(bed.users))
    return predicted, errors, overall, uncertainty


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
