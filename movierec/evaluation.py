"""Judging fitted models on the test part: every rating, every user, the full catalogue.

What is measured is defined in `movierec.metrics`; here models, data and metrics meet.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse as sp

from movierec.columns import GENRES, MOVIE_ID, RATING, USER_ID
from movierec.ids import IdIndex
from movierec.metrics.diversity import coverage, intra_list_diversity_by_genre, novelty
from movierec.metrics.intervals import Interval, bootstrap_errors, bootstrap_means
from movierec.metrics.ranking import KS, ranking_metrics_by_user
from movierec.metrics.rating import UserErrors, calibration_table, error_sums_by_user, rmse
from movierec.models.als import ALS
from movierec.models.base import Recommender

WITH_INTERVAL = ("precision@10", "recall@10", "ndcg@10")
RATING_METRICS = ("rmse", "mae")
CALIBRATION_EDGES = np.arange(0.25, 5.5, 0.25)  # stars
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
    """

    __test__ = False  # for pytest: no test class

    train: pd.DataFrame
    validation: pd.DataFrame
    test: pd.DataFrame
    movies: pd.DataFrame
    relevance_threshold: float

    @cached_property
    def users(self) -> IdIndex:
        """Users with test ratings, in ascending order; rows of all per-user results."""
        return IdIndex(np.unique(self.test[USER_ID]))

    @cached_property
    def catalogue(self) -> IdIndex:
        """Movies in train, in ascending order: what can be recommended."""
        return IdIndex(np.unique(self.train[MOVIE_ID]))

    @cached_property
    def seen(self) -> pd.DataFrame:
        """Pairs of train and validation, which are not recommended again."""
        return pd.concat([self.train, self.validation])[[USER_ID, MOVIE_ID]]

    @cached_property
    def known(self) -> npt.NDArray[np.bool_]:
        """Whether each user is in train, shape (users,); the others are cold and not ranked for."""
        return np.isin(self.users.ids, self.train[USER_ID].unique())

    @cached_property
    def relevant(self) -> sp.csr_array:
        """Relevant movies of the catalogue, boolean, shape (users, catalogue); none for cold users."""
        liked = self._liked[np.isin(self._liked[USER_ID], self.users.ids[self.known])]
        user, movie = self.users.rows(liked[USER_ID]), self.catalogue.rows(liked[MOVIE_ID])
        inside = movie >= 0
        ones = np.ones(int(inside.sum()), dtype=bool)
        return sp.csr_array((ones, (user[inside], movie[inside])), shape=(len(self.users), len(self.catalogue)))

    @cached_property
    def n_relevant(self) -> npt.NDArray[np.int64]:
        """Relevant movies of each user, also those outside the catalogue; 0 for cold users."""
        counts = np.bincount(self.users.rows(self._liked[USER_ID]), minlength=len(self.users))
        return np.where(self.known, counts, 0)

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

    @property
    def _liked(self) -> pd.DataFrame:
        return self.test[self.test[RATING] >= self.relevance_threshold]

    def describe(self) -> dict[str, int]:
        """Count what the figures stand on, and what they leave out."""
        new_movie = self.catalogue.rows(self.test[MOVIE_ID]) < 0
        new_user = ~self.known[self.users.rows(self.test[USER_ID])]
        return {
            "test_ratings": len(self.test),
            "test_users": len(self.users),
            "catalogue": len(self.catalogue),
            "ranked_users": int((self.n_relevant > 0).sum()),
            "users_not_in_train": int((~self.known).sum()),
            "users_without_relevant": int((self.known & (self.n_relevant == 0)).sum()),
            "ratings_of_unknown_user_or_movie": int((new_user | new_movie).sum()),
        }


@dataclass(frozen=True)
class ModelResult:
    """What one model did on a `TestBed`.

    Attributes
    ----------
    errors : UserErrors
        Of the predicted ratings, by user.
    by_user : dict of str to ndarray of float64, shape (users,)
        Ranking metrics, diversity and novelty; NaN where undefined.
    overall : dict of str to float
        Coverage, and for the ALS the RMSE of its uncalibrated scores.
    calibration : DataFrame
        ``predicted``, ``actual`` (bin means, stars) and ``ratings``, for bins with ratings.
    """

    errors: UserErrors
    by_user: dict[str, Values]
    overall: dict[str, float]
    calibration: pd.DataFrame


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
    pairs = bed.test[USER_ID], bed.test[MOVIE_ID]
    actual, predicted = bed.test[RATING].to_numpy(dtype=np.float64), model.predict(*pairs)
    errors = error_sums_by_user(bed.users.rows(bed.test[USER_ID]), actual, predicted, len(bed.users))
    bins = calibration_table(actual, predicted, CALIBRATION_EDGES)
    calibration = pd.DataFrame(
        {"predicted": bins.mean_predicted, "actual": bins.mean_actual, "ratings": bins.count},
    )
    lists = bed.catalogue.rows(model.recommend(bed.users.ids, max(KS), exclude=bed.seen)[0])
    by_user = ranking_metrics_by_user(lists, bed.relevant, bed.n_relevant)
    overall = {"rmse_raw": rmse(actual, model.predict_raw(*pairs))} if isinstance(model, ALS) else {}
    for k in KS:
        top = lists[:, :k]
        overall[f"coverage@{k}"] = coverage(top, len(bed.catalogue))
        by_user[f"diversity@{k}"] = intra_list_diversity_by_genre(top, bed.genre_matrix)
        by_user[f"novelty@{k}"] = novelty(top, bed.popularity, bed.train[USER_ID].nunique())
    return ModelResult(errors, by_user, overall, calibration[calibration["ratings"] > 0])


def summarize_results(
    results: Mapping[str, ModelResult],
    rng: np.random.Generator,
    samples: int,
) -> dict[str, dict[str, Any]]:
    """Turn per-user vectors into means, with intervals for the headline metrics.

    Parameters
    ----------
    results : mapping of str to ModelResult
        By model, on the same `TestBed`.
    rng : numpy.random.Generator
        Resamples users.
    samples : int
        Bootstrap resamples.

    Returns
    -------
    dict
        ``{model: {metric: value, metric_ci: {low, high}}}``; a metric undefined for all users is left out.
    """
    rating = bootstrap_errors({name: result.errors for name, result in results.items()}, rng, samples)
    headline = {(name, metric): result.by_user[metric] for name, result in results.items() for metric in WITH_INTERVAL}
    ranking = bootstrap_means({" ".join(key): values for key, values in headline.items()}, rng, samples)
    summary: dict[str, dict[str, Any]] = {}
    for name, result in results.items():
        figures: dict[str, Any] = dict(result.overall)
        figures |= {metric: float(np.nanmean(values)) for metric, values in _defined(result.by_user)}
        for metric in RATING_METRICS:
            figures |= _with_interval(metric, rating[name][metric])
        for metric in WITH_INTERVAL:
            figures |= _with_interval(metric, ranking[f"{name} {metric}"])
        summary[name] = figures
    return summary


def _defined(by_user: Mapping[str, Values]) -> Iterable[tuple[str, Values]]:
    return ((metric, values) for metric, values in by_user.items() if not np.isnan(values).all())


def _with_interval(metric: str, interval: Interval) -> dict[str, Any]:
    if interval.n == 0:
        return {}
    return {metric: interval.estimate, f"{metric}_ci": {"low": interval.low, "high": interval.high}}


def compare_with_floor(summary: dict[str, dict[str, Any]], floor: float | None) -> None:
    """Add ``rmse_above_floor`` to each model: RMSE less the least one possible, known of synthetic data only."""
    if floor is not None:
        for figures in summary.values():
            figures["rmse_above_floor"] = figures["rmse"] - floor
