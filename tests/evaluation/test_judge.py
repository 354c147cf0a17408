import math
from collections import Counter
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from movierec.columns import MOVIE_ID, RATING, USER_ID
from movierec.data.download import fetch_dataset
from movierec.data.readers import read_movies, read_ratings
from movierec.evaluation.bed import TestBed
from movierec.evaluation.judge import evaluate_model
from movierec.metrics.ranking import KS
from movierec.models.base import Recommender
from movierec.models.bias import Bias
from movierec.models.popularity import Popularity
from movierec.models.svd import SVD
from tests.beds import (
    TEST,
    Chance,
    Fake,
    Recorder,
    random_bed,
    small_bed,
    stars_of,
    summarize,
)

LOG2_3 = math.log2(3)


def test_popularity_by_hand() -> None:
    # For everyone the order is 1, 2, 3, 4, 5 (ties by id), less what the user rated in train or validation:
    # user 1 gets 4*, 5; user 2 gets 4, 5*; user 3 gets 2*, 5; user 4 gets 1, 3, 4; user 9 gets nothing.
    bed = small_bed()
    found = evaluate_model(Popularity().fit(bed.train), bed).by_user
    expected: dict[str, list[float]] = {
        "precision@10": [1 / 10, 1 / 10, 1 / 10],
        "recall@10": [1, 1, 1 / 2],
        "ndcg@10": [1, 1 / LOG2_3, 1 / (1 + 1 / LOG2_3)],
        "map@10": [1, 1 / 2, 1 / 2],
        "hit_rate@10": [1, 1, 1],
        "mrr": [1, 1 / 2, 1],
    }
    for metric, values in expected.items():
        wanted = np.array(values + [math.nan] * 2)  # none for users 4 and 9
        np.testing.assert_allclose(found[metric], wanted, atol=1e-15, err_msg=metric)
    # With 4 users in train: movie 1 and 2 log2(4 / 3) bits, movie 3 one bit, movies 4 and 5 two bits.
    bits = math.log2(4 / 3)
    novelty = [2, 2, (bits + 2) / 2, (bits + 1 + 2) / 3, math.nan]
    assert found["novelty@10"].tolist() == pytest.approx(novelty, nan_ok=True)
    # Movie 5 is unlisted and movie 3 has no genre, which leaves the pair 1 (Drama), 4 (War) of user 4: nothing shared.
    assert found["diversity@10"].tolist() == pytest.approx([math.nan, math.nan, math.nan, 1, math.nan], nan_ok=True)


def test_concentration_of_popularity_by_hand() -> None:
    # In lists (above) movies 1, 2, 3 are once, 4 and 5 three times: (-4 - 2 + 0 + 2 * 3 + 4 * 3) / (5 * 9) = 12 / 45.
    # Mean popularity of the lists 1, 1, 2 and 2; of what users rated in train 3, 8 / 3, 2 and 2; user 9 has neither.
    bed = small_bed()
    found = evaluate_model(Popularity().fit(bed.train), bed).overall
    assert found["gini@10"] == pytest.approx(12 / 45)
    assert found["popularity_lift@10"] == pytest.approx((1 + 1 + 2 + 2) / (3 + 8 / 3 + 2 + 2) - 1)


def test_diversity_by_factors_by_hand() -> None:
    # Movies 4 and 5 are opposite, 2 is at right angles to 5, 1 equals 4, and 3 has no direction.
    bed = small_bed()
    factors = np.array([[1, 0], [0, 1], [0, 0], [2, 0], [-3, 0]], dtype=np.float32)
    with_factors = TestBed(bed.train, bed.validation, bed.test, bed.movies, 4.0, factors)
    found = evaluate_model(Popularity().fit(bed.train), with_factors).by_user
    assert found.pop("factor_diversity@10").tolist() == pytest.approx([2, 2, 1, 0, math.nan], nan_ok=True)
    without = evaluate_model(Popularity().fit(bed.train), bed).by_user
    assert set(found) == set(without)


def test_errors_of_popularity_by_hand() -> None:
    # Offset of a movie: sum(stars - 3.6) / (ratings + 10). Movie 6 is unknown and predicted at the mean.
    offset = {1: 1.2 / 13, 2: -0.8 / 13, 3: -0.2 / 12, 4: 0.4 / 11, 5: -0.6 / 11, 6: 0.0}
    errors = np.array([3.6 + offset[movie] - stars for _, movie, stars in TEST])
    bed = small_bed()
    figures = summarize(bed, popularity=Popularity().fit(bed.train))["popularity"]
    assert figures["rmse"] == pytest.approx(math.sqrt((errors**2).mean()), abs=1e-6)
    assert figures["mae"] == pytest.approx(abs(errors).mean(), abs=1e-6)
    assert figures["coverage@5"] == 1  # all of 1 to 5 are in a list
    by_user = stars_of(evaluate_model(Popularity().fit(bed.train), bed)).errors
    assert by_user.count.tolist() == [2, 2, 2, 1, 1]
    squared, absolute = (np.add.reduceat(values, [0, 2, 4, 6, 7]) for values in (errors**2, abs(errors)))
    assert by_user.squared.tolist() == pytest.approx(squared, abs=1e-6)
    assert by_user.absolute.tolist() == pytest.approx(absolute, abs=1e-6)


def test_means_are_over_ranked_users_alone() -> None:
    bed = small_bed()
    figures = summarize(bed, popularity=Popularity().fit(bed.train))["popularity"]
    assert figures["recall@10"] == pytest.approx((1 + 1 + 1 / 2) / 3)
    assert figures["precision@5"] == pytest.approx(1 / 5)
    assert figures["mrr"] == pytest.approx((1 + 1 / 2 + 1) / 3)


def test_a_movie_outside_the_catalogue_still_counts_as_missed() -> None:
    bed = small_bed()
    assert bed.relevance.counts.tolist() == [1, 1, 2, 0, 0]
    assert bed.relevance.matrix.toarray().astype(int).tolist() == [
        [0, 0, 0, 1, 0],
        [0, 0, 0, 0, 1],
        [0, 1, 0, 0, 0],  # not movie 6
        [0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0],  # user 9 likes movie 1, but is cold
    ]


def test_a_cold_user_is_not_ranked_for_but_predicted_for() -> None:
    bed = small_bed(test=[(1, 4, 5), (9, 1, 5), (9, 2, 4), (9, 6, 1)])
    recorder = Recorder(Popularity().fit(bed.train))
    result = evaluate_model(recorder, bed)
    assert recorder.users_asked.tolist() == [1, 9]
    assert set(recorder.lists[1].tolist()) == {-1}
    assert all(np.isnan(values[1]) for values in result.by_user.values())
    assert stars_of(result).errors.count.tolist() == [1, 3]


def test_only_cold_users() -> None:
    bed = small_bed(test=[(9, 1, 5), (8, 2, 4)])
    figures = summarize(bed, bias=Bias().fit(bed.train))["bias"]
    of_ratings = {"rmse", "rmse_ci", "mae", "mae_ci"}
    assert set(figures) == of_ratings | {"coverage@5", "coverage@10", "coverage@20", "validation_ndcg@10"}
    assert figures["coverage@10"] == 0


@pytest.mark.parametrize("model", [Popularity(), SVD(factors=3, epochs=2), Fake()], ids=lambda model: model.name)
def test_what_was_rated_is_never_recommended_and_all_else_can_be(model: Recommender) -> None:
    bed = random_bed(ratings=4000)
    recorder = Recorder(model.fit(bed.train))
    evaluate_model(recorder, bed)
    seen = pd.concat([bed.train, bed.validation]).groupby(USER_ID)[MOVIE_ID].agg(set)
    for user, recommended in zip(recorder.users_asked.tolist(), recorder.lists.tolist(), strict=True):
        movies = [movie for movie in recommended if movie >= 0]
        assert not seen[user] & set(movies)
        assert len(movies) == min(max(KS), len(bed.catalogue) - len(seen[user]))


def test_lists_are_cut_at_each_k() -> None:
    bed = random_bed(users=4, movies=80, ratings=160)
    recorder = Recorder(Chance().fit(bed.train))
    result = evaluate_model(recorder, bed)
    bits = -np.log2(bed.popularity / bed.train[USER_ID].nunique())
    for k in KS:
        top = recorder.lists[:, :k]
        assert result.overall[f"coverage@{k}"] == len(np.unique(top[top >= 0])) / len(bed.catalogue)
        of_first = bits[bed.catalogue.rows(top[0])]
        assert len(of_first) == k
        assert result.by_user[f"novelty@{k}"][0] == pytest.approx(of_first.mean())
    assert result.overall["coverage@5"] < result.overall["coverage@10"] < result.overall["coverage@20"]
    assert not np.array_equal(result.by_user["diversity@5"], result.by_user["diversity@20"])


def test_all_models_share_the_rows_of_users() -> None:
    bed = random_bed()
    assert bed.users.ids.tolist() == sorted(set(bed.test[USER_ID]))
    of_user = bed.test[bed.test[USER_ID] == bed.users.ids[7]]
    for model in (Bias(), Popularity(), SVD(factors=2, epochs=1)):
        recorder = Recorder(model.fit(bed.train))
        result = evaluate_model(recorder, bed)
        assert {len(values) for values in result.by_user.values()} == {len(bed.users)}
        assert stars_of(result).errors.count.sum() == len(bed.test)
        errors = model.predict(of_user[USER_ID], of_user[MOVIE_ID]) - of_user[RATING]
        assert stars_of(result).errors.squared[7] == pytest.approx((errors**2).sum())
        hits = set(of_user[MOVIE_ID][of_user[RATING] >= 4]) & set(recorder.lists[7, :20].tolist())
        assert result.by_user["precision@20"][7] == len(hits) / 20


def rank_by_popularity_slowly(bed: TestBed) -> dict[str, float]:
    """Do the same with sets and loops."""
    counts = Counter(bed.train[MOVIE_ID].tolist())
    order = sorted(counts, key=lambda movie: (-counts[movie], movie))
    seen = pd.concat([bed.train, bed.validation]).groupby(USER_ID)[MOVIE_ID].agg(set)
    scores = []
    for user, liked in bed.test[bed.test[RATING] >= 4].groupby(USER_ID)[MOVIE_ID]:
        relevant = set(liked)
        top = list(islice((movie for movie in order if movie not in seen[user]), 10))
        ranks = [rank for rank, movie in enumerate(top, start=1) if movie in relevant]
        ideal = sum(1 / math.log2(rank + 1) for rank in range(1, min(10, len(relevant)) + 1))
        gain = sum(1 / math.log2(rank + 1) for rank in ranks)
        scores.append((gain / ideal, len(ranks) / 10, len(ranks) / len(relevant)))
    ndcg, precision, recall = np.mean(scores, axis=0)
    return {"ndcg@10": ndcg, "precision@10": precision, "recall@10": recall}


@pytest.mark.parametrize(
    ("dataset", "measured"),
    [
        ("ml-100k", {"ndcg@10": 0.1725, "precision@10": 0.1327, "recall@10": 0.1379}),
        ("ml-latest-small", {"ndcg@10": 0.1565, "precision@10": 0.1176, "recall@10": 0.0993}),
    ],
)
def test_popularity_on_movielens(
    dataset: str, measured: dict[str, float], mirror: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOVIELENS_MIRROR", str(mirror))
    fetch_dataset(dataset, tmp_path / "raw")
    ratings = read_ratings(tmp_path / "raw").table
    order = np.random.default_rng(0).permutation(len(ratings))
    test, validation, train = np.split(order, [int(0.2 * len(ratings)), int(0.3 * len(ratings))])
    movies = read_movies(tmp_path / "raw")
    bed = TestBed(ratings.iloc[train], ratings.iloc[validation], ratings.iloc[test], movies, 4.0)
    figures = summarize(bed, popularity=Popularity().fit(bed.train))["popularity"]
    assert {metric: figures[metric] for metric in measured} == pytest.approx(rank_by_popularity_slowly(bed), abs=1e-12)
    # Measured by another program on the same split: it breaks ties in another order, and forgives movies not in train.
    assert {metric: figures[metric] for metric in measured} == pytest.approx(measured, abs=6e-4)
