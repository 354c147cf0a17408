"""Movies without a rating: judged among themselves, ranked and rated by content."""

import numpy as np
import pandas as pd
import pytest

from movierec.data.content import Content
from movierec.evaluation.bed import TestBed
from movierec.evaluation.cold_movies import format_cold_movies, judge_cold_movies, rank_cold_movies
from movierec.ids import IdIndex
from tests.beds import as_ratings


def test_ndcg_among_cold_movies_by_hand() -> None:
    test = as_ratings([(1, 10, 5), (1, 11, 2), (2, 12, 4), (3, 10, 1), (9, 10, 5)])
    scores = np.array([[3, 2, 1], [3, 1, 2], [1, 2, 3], [0, 0, 0]], dtype=np.float32)  # of users 1, 2, 3, 4
    # User 1's movie is first: 1. User 2's second: 1 / log2(3). User 3 likes none, 4 has no test, 9 is not known.
    found = rank_cold_movies(scores, [1, 2, 3, 4], test, 4.0)
    assert found == pytest.approx((1 + 1 / np.log2(3)) / 2)


def test_without_anyone_to_judge_by_it_is_zero() -> None:
    assert rank_cold_movies(np.zeros((1, 1), dtype=np.float32), [1], as_ratings([(1, 10, 2)]), 4.0) == 0


def make_world(users: int = 60, movies: int = 80) -> tuple[pd.DataFrame, pd.DataFrame, Content]:
    """Let every user rate movies of the kind that they like, of two kinds; the last 20 movies are cold."""
    rng = np.random.default_rng(0)
    kind = np.arange(movies) % 2
    rated = rng.random((users, movies)) < np.where(kind == np.arange(users)[:, None] % 2, 0.5, 0.05)
    user, movie = np.nonzero(rated)
    stars = np.where(
        kind[movie] == user % 2, 4 + rng.integers(0, 3, len(user)) / 2, 1 + rng.integers(0, 5, len(user)) / 2
    )
    table = as_ratings(list(zip(user + 1, movie + 1, stars, strict=True)))
    factors = np.column_stack([kind, 1 - kind]).astype(np.float32)
    nothing = np.zeros((0, 2), dtype=np.float32)
    content = Content(IdIndex(np.arange(movies) + 1), factors, np.empty(0, dtype=np.str_), nothing[:, 0], nothing)
    cold = table["movie_id"] > 60
    return table[~cold].reset_index(drop=True), table[cold].reset_index(drop=True), content


def test_content_that_tells_all_ranks_and_rates_well() -> None:
    train, test, content = make_world()
    bed = TestBed(train, test, test, pd.DataFrame(), 4.0)
    found = judge_cold_movies(bed, content, ranker={"factors": 4, "regularization": 1.0, "content_weight": 1.0})
    assert found["ndcg@10"] > found["ndcg@10_random"] + 0.15
    assert found["rmse"] < 0.95 * found["rmse_user"]
    assert found["rmse_user"] <= found["rmse_mean"] + 0.01
    assert format_cold_movies(found).startswith(f"movies without ratings: NDCG@10 {found['ndcg@10']:.4f} by content, ")
