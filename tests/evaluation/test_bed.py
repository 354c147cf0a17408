"""What is known of the data whatever the model."""

from typing import Any

import numpy as np
import pytest

from movierec.models.popularity import Popularity
from tests.beds import (
    GENRES,
    small_bed,
    summarize,
)


def test_profiles_are_what_test_users_rated_in_train() -> None:
    bed = small_bed()
    assert bed.profiles.toarray().astype(int).tolist() == [
        [1, 1, 0, 0, 0],
        [1, 1, 1, 0, 0],
        [1, 0, 1, 1, 0],
        [0, 1, 0, 0, 1],
        [0, 0, 0, 0, 0],
    ]
    assert bed.activity.tolist() == [2, 3, 3, 2, 0]


def test_what_the_figures_leave_out_is_counted() -> None:
    assert small_bed().describe() == {
        "test_ratings": 8,
        "test_users": 5,
        "catalogue": 5,
        "ranked_users": 3,  # 1, 2, 3
        "users_not_in_train": 1,  # 9
        "users_without_relevant": 1,  # 4
        "ratings_of_unknown_user_or_movie": 2,  # (3, 6) and (9, 1)
    }


def test_genre_matrix() -> None:
    # As parquet gives them: arrays. Movie 5 is not listed; movie 77 is not in the catalogue, so neither is Western.
    genres = {77: np.array(["Western"]), **{movie: np.array(names, dtype=object) for movie, names in GENRES.items()}}
    matrix = small_bed(genres=genres).genre_matrix
    assert matrix.dtype == bool
    assert matrix.astype(int).tolist() == [[1, 0], [1, 1], [0, 0], [0, 1], [0, 0]]  # Drama, War


@pytest.mark.parametrize("genres", [{}, {1: [], 2: []}], ids=["no movie listed", "no genre known"])
def test_without_genres_there_is_no_diversity(genres: dict[int, Any]) -> None:
    bed = small_bed(genres=genres)
    figures = summarize(bed, popularity=Popularity().fit(bed.train))["popularity"]
    assert not [metric for metric in figures if metric.startswith("diversity")]
    assert figures["ndcg@10"] > 0
