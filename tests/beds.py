"""Test beds small enough to judge by hand, and models that know too much or nothing."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from movierec.columns import MOVIE_ID, RATING, USER_ID
from movierec.data.exclusions import Exclusions
from movierec.evaluation.bed import TestBed
from movierec.evaluation.judge import ModelResult, evaluate_model
from movierec.evaluation.report import summarize_results
from movierec.evaluation.stars import StarResult
from movierec.metrics.bootstrap import UserBootstrap
from movierec.models.base import Lists, Recommender, index_ids
from movierec.models.chunks import RankChunks, rank_by_threads

Rows = list[tuple[int, int, float]]


def as_ratings(rows: Rows) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=[USER_ID, MOVIE_ID, RATING])
    return table.astype({USER_ID: "int32", MOVIE_ID: "int32", RATING: "float32"})


def as_movies(genres: dict[int, Any]) -> pd.DataFrame:
    return pd.DataFrame({MOVIE_ID: np.array(list(genres), dtype=np.int32), "genres": list(genres.values())})


# Ratings of each movie in train: movie 1 and 2 have 3, movie 3 has 2, movies 4 and 5 have 1. Mean 36 / 10 = 3.6.
TRAIN: Rows = [
    *[(1, 1, 4), (1, 2, 5)],
    *[(2, 1, 3), (2, 2, 4), (2, 3, 5)],
    *[(3, 1, 5), (3, 3, 2), (3, 4, 4)],
    *[(4, 2, 1), (4, 5, 3)],
]
VALIDATION: Rows = [(1, 3, 4)]
TEST: Rows = [
    *[(1, 4, 5), (1, 5, 2)],  # left to rank: 4, 5; relevant 4
    *[(2, 4, 1), (2, 5, 4)],  # left to rank: 4, 5; relevant 5
    *[(3, 2, 4), (3, 6, 5)],  # left to rank: 2, 5; relevant 2, and 6, which is not in train
    *[(4, 3, 3.5)],  # left to rank: 1, 3, 4; relevant none
    *[(9, 1, 5)],  # not in train
]
GENRES = {1: ["Drama"], 2: ["Drama", "War"], 3: [], 4: ["War"]}  # movie 5 is not listed


def small_bed(test: Rows = TEST, genres: dict[int, Any] = GENRES) -> TestBed:
    return TestBed(as_ratings(TRAIN), as_ratings(VALIDATION), as_ratings(test), as_movies(genres), 4.0)


def random_bed(users: int = 80, movies: int = 60, ratings: int = 2000, seed: int = 0) -> TestBed:
    """Draw distinct pairs and split them 60/15/25; every user and movie is in train for these sizes."""
    rng = np.random.default_rng(seed)
    pair = rng.choice(users * movies, ratings, replace=False)
    stars = rng.integers(1, 11, ratings) / 2
    table = as_ratings(list(zip(pair // movies + 1, pair % movies + 101, stars, strict=True)))
    first, second = int(0.6 * ratings), int(0.75 * ratings)
    genres = {movie + 101: ["Drama", "War"][: movie % 3] for movie in range(movies)}
    return TestBed(table[:first], table[first:second], table[second:], as_movies(genres), 4.0)


class Fake(Recommender):
    """A model that knows users and movies of its ratings and nothing else."""

    name = "fake"

    def fit(self, ratings: pd.DataFrame) -> Self:
        self.users, self.movies, _, _ = index_ids(ratings)
        return self

    def predict(self, user_ids: npt.ArrayLike, movie_ids: npt.ArrayLike) -> npt.NDArray[np.float64]:
        del movie_ids
        return np.full(len(np.asarray(user_ids)), 3.0)

    def score_rows(self, user_rows: npt.NDArray[np.int32]) -> npt.NDArray[np.float32]:
        return np.zeros((len(user_rows), len(self.movies)), dtype=np.float32)

    def _arrays(self) -> dict[str, npt.NDArray[Any]]:
        return {}

    def _settings(self) -> dict[str, Any]:
        return {}


class Oracle(Fake):
    """A cheat that was handed the test labels; any other rating is 3 stars to it, any other movie the worst."""

    def __init__(self, test: pd.DataFrame) -> None:
        self.labels = test.set_index([USER_ID, MOVIE_ID])[RATING].astype(np.float64)

    def predict(self, user_ids: npt.ArrayLike, movie_ids: npt.ArrayLike) -> npt.NDArray[np.float64]:
        return np.nan_to_num(self.look_up(user_ids, movie_ids), nan=3.0)

    def look_up(self, user_ids: npt.ArrayLike, movie_ids: npt.ArrayLike) -> npt.NDArray[np.float64]:
        pairs = pd.MultiIndex.from_arrays([np.asarray(user_ids), np.asarray(movie_ids)])
        return np.asarray(self.labels.reindex(pairs), dtype=np.float64)

    def score_rows(self, user_rows: npt.NDArray[np.int32]) -> npt.NDArray[np.float32]:
        users = np.repeat(self.users.ids[user_rows], len(self.movies))
        stars = self.look_up(users, np.tile(self.movies.ids, len(user_rows)))
        return np.nan_to_num(stars).astype(np.float32).reshape(len(user_rows), -1)


class Chance(Fake):
    """A model that ranks at random."""

    def score_rows(self, user_rows: npt.NDArray[np.int32]) -> npt.NDArray[np.float32]:
        return np.random.default_rng(7).random((len(user_rows), len(self.movies)), dtype=np.float32)


def hand_labels_to_strangers(bed: TestBed) -> pd.DataFrame:
    """Move each test rating to a movie drawn from all that its user had not rated before."""
    seen = bed.seen.groupby(USER_ID)[MOVIE_ID].agg(set)
    rng = np.random.default_rng(11)
    moved = bed.test.copy()
    for user, rows in bed.test.groupby(USER_ID).groups.items():
        unseen = sorted(set(bed.catalogue.ids.tolist()) - seen.get(user, set()))
        moved.loc[rows, MOVIE_ID] = rng.choice(np.array(unseen, dtype=np.int32), len(rows), replace=False)
    return moved


class Recorder(Recommender):
    """Pass everything on to a model, and keep the lists."""

    def __init__(self, model: Recommender) -> None:
        self.model, self.name = model, model.name  # type: ignore[misc]

    def recommend_each(
        self,
        user_ids: npt.ArrayLike,
        k: int,
        excludes: Sequence[pd.DataFrame | Exclusions | None],
        rank_chunks: RankChunks = rank_by_threads,
    ) -> list[Lists]:
        self.users_asked = np.asarray(user_ids)
        found = self.model.recommend_each(user_ids, k, excludes, rank_chunks)
        self.lists = found[0].movie_ids
        return found

    def fit(self, ratings: pd.DataFrame) -> Self:
        self.model.fit(ratings)
        return self

    def predict(self, user_ids: npt.ArrayLike, movie_ids: npt.ArrayLike) -> npt.NDArray[np.float64]:
        return self.model.predict(user_ids, movie_ids)

    def score_rows(self, user_rows: npt.NDArray[np.int32]) -> npt.NDArray[np.float32]:
        return self.model.score_rows(user_rows)

    def _arrays(self) -> dict[str, npt.NDArray[Any]]:
        return self.model._arrays()

    def _settings(self) -> dict[str, Any]:
        return self.model._settings()


def stars_of(result: ModelResult) -> StarResult:
    """Return what there is where there are ratings."""
    assert result.stars
    return result.stars


def summarize(bed: TestBed, **models: Recommender) -> dict[str, dict[str, Any]]:
    """Judge models, and sum them up as the stage does."""
    results = {name: evaluate_model(model, bed) for name, model in models.items()}
    return summarize_results(results, resample(bed, samples=200))


def resample(bed: TestBed, seed: int = 0, samples: int = 100) -> UserBootstrap:
    """Draw resamples of a bed's users."""
    return UserBootstrap(len(bed.users), np.random.default_rng(seed), samples)
