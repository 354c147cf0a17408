import math
from collections import Counter
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from movierec import evaluation, io
from movierec.columns import MOVIE_ID, RATING, USER_ID
from movierec.data.download import fetch_dataset
from movierec.data.readers import read_movies, read_ratings
from movierec.evaluation import TestBed, evaluate_model, summarize_results
from movierec.metrics.ranking import KS
from movierec.models.als import ALS
from movierec.models.base import Recommender, index_ids
from movierec.models.bias import Bias
from movierec.models.popularity import Popularity
from movierec.models.svd import SVD

Rows = list[tuple[int, int, float]]
LOG2_3 = math.log2(3)
RANKING = ("precision", "recall", "ndcg", "map", "hit_rate")
BEYOND = ("coverage", "diversity", "novelty")


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
    """A cheat that was handed the test labels."""

    def __init__(self, test: pd.DataFrame) -> None:
        self.labels = test.set_index([USER_ID, MOVIE_ID])[RATING].astype(np.float64)

    def predict(self, user_ids: npt.ArrayLike, movie_ids: npt.ArrayLike) -> npt.NDArray[np.float64]:
        pairs = pd.MultiIndex.from_arrays([np.asarray(user_ids), np.asarray(movie_ids)])
        return np.asarray(self.labels.reindex(pairs), dtype=np.float64)

    def score_rows(self, user_rows: npt.NDArray[np.int32]) -> npt.NDArray[np.float32]:
        users = np.repeat(self.users.ids[user_rows], len(self.movies))
        stars = self.predict(users, np.tile(self.movies.ids, len(user_rows)))
        return np.nan_to_num(stars).astype(np.float32).reshape(len(user_rows), -1)


class Chance(Fake):
    """A model that ranks at random."""

    def score_rows(self, user_rows: npt.NDArray[np.int32]) -> npt.NDArray[np.float32]:
        return np.random.default_rng(7).random((len(user_rows), len(self.movies)), dtype=np.float32)


class Recorder(Recommender):
    """Pass everything on to a model, and keep the lists."""

    def __init__(self, model: Recommender) -> None:
        self.model, self.name = model, model.name  # type: ignore[misc]

    def recommend(
        self, user_ids: npt.ArrayLike, k: int, exclude: pd.DataFrame | None = None
    ) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
        self.users_asked = np.asarray(user_ids)
        self.lists, scores = self.model.recommend(user_ids, k, exclude)
        return self.lists, scores

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


def summarize(bed: TestBed, **models: Recommender) -> dict[str, dict[str, Any]]:
    results = {name: evaluate_model(model, bed) for name, model in models.items()}
    return summarize_results(results, np.random.default_rng(0), samples=200)


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


def test_errors_of_popularity_by_hand() -> None:
    # Offset of a movie: sum(stars - 3.6) / (ratings + 10). Movie 6 is unknown and predicted at the mean.
    offset = {1: 1.2 / 13, 2: -0.8 / 13, 3: -0.2 / 12, 4: 0.4 / 11, 5: -0.6 / 11, 6: 0.0}
    errors = np.array([3.6 + offset[movie] - stars for _, movie, stars in TEST])
    bed = small_bed()
    figures = summarize(bed, popularity=Popularity().fit(bed.train))["popularity"]
    assert figures["rmse"] == pytest.approx(math.sqrt((errors**2).mean()), abs=1e-6)
    assert figures["mae"] == pytest.approx(abs(errors).mean(), abs=1e-6)
    assert figures["coverage@5"] == 1  # all of 1 to 5 are in a list
    by_user = evaluate_model(Popularity().fit(bed.train), bed).errors
    assert by_user.count.tolist() == [2, 2, 2, 1, 1]
    squared, absolute = (np.add.reduceat(values, [0, 2, 4, 6, 7]) for values in (errors**2, abs(errors)))
    assert by_user.squared.tolist() == pytest.approx(squared, abs=1e-6)
    assert by_user.absolute.tolist() == pytest.approx(absolute, abs=1e-6)


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


def test_means_are_over_ranked_users_alone() -> None:
    bed = small_bed()
    figures = summarize(bed, popularity=Popularity().fit(bed.train))["popularity"]
    assert figures["recall@10"] == pytest.approx((1 + 1 + 1 / 2) / 3)
    assert figures["precision@5"] == pytest.approx(1 / 5)
    assert figures["mrr"] == pytest.approx((1 + 1 / 2 + 1) / 3)


def test_a_movie_outside_the_catalogue_still_counts_as_missed() -> None:
    bed = small_bed()
    assert bed.n_relevant.tolist() == [1, 1, 2, 0, 0]
    assert bed.relevant.toarray().astype(int).tolist() == [
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
    assert result.errors.count.tolist() == [1, 3]


def test_only_cold_users() -> None:
    bed = small_bed(test=[(9, 1, 5), (8, 2, 4)])
    figures = summarize(bed, bias=Bias().fit(bed.train))["bias"]
    assert set(figures) == {"rmse", "rmse_ci", "mae", "mae_ci", "coverage@5", "coverage@10", "coverage@20"}
    assert figures["coverage@10"] == 0


def test_an_oracle_is_perfect() -> None:
    bed = random_bed()
    result = evaluate_model(Oracle(bed.test).fit(bed.train), bed)
    ranked = bed.n_relevant > 0
    assert ranked.sum() > 60
    assert result.errors.squared.sum() == result.errors.absolute.sum() == 0
    for k in KS:
        attainable = np.minimum(bed.n_relevant, k)[ranked]
        for metric in ("ndcg", "map", "hit_rate"):
            assert set(result.by_user[f"{metric}@{k}"][ranked]) == {1.0}, metric
        assert result.by_user[f"precision@{k}"][ranked].tolist() == (attainable / k).tolist()
        assert result.by_user[f"recall@{k}"][ranked].tolist() == (attainable / bed.n_relevant[ranked]).tolist()
    assert set(result.by_user["mrr"][ranked]) == {1.0}
    figures = summarize(bed, oracle=Oracle(bed.test).fit(bed.train))["oracle"]
    assert figures["rmse"] == figures["mae"] == 0
    assert figures["rmse_ci"] == {"low": 0, "high": 0}
    assert figures["ndcg@10"] == 1


def test_random_ranking_scores_at_chance() -> None:
    # A random order of C candidates puts each of R relevant ones in the first k with probability k / C.
    bed = random_bed(users=3000, movies=60, ratings=60_000, seed=1)
    result = evaluate_model(Chance().fit(bed.train), bed)
    seen = pd.concat([bed.train, bed.validation])[USER_ID].value_counts().reindex(bed.users.ids, fill_value=0)
    ranked = bed.n_relevant > 0
    relevant, candidates = bed.n_relevant[ranked], len(bed.catalogue) - seen.to_numpy()[ranked]
    assert candidates.min() >= max(KS)
    discounts = np.cumsum(1 / np.log2(np.arange(2, max(KS) + 2)))
    for k in KS:
        by_chance = {
            "precision": relevant / candidates,
            "recall": k / candidates,
            "ndcg": relevant / candidates * discounts[k - 1] / discounts[np.minimum(relevant, k) - 1],
        }
        for metric, expected in by_chance.items():
            excess = result.by_user[f"{metric}@{k}"][ranked] - expected
            assert abs(excess.mean()) < 3.5 * excess.std() / math.sqrt(len(excess)), f"{metric}@{k}"
            assert excess.std() > 0


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


@given(st.integers(0, 2**32 - 1))
def test_the_order_of_the_rows_changes_nothing(seed: int) -> None:
    bed = random_bed(users=20, movies=15, ratings=150, seed=3)
    parts = (bed.train, bed.validation, bed.test, bed.movies)
    train, validation, test, movies = (part.sample(frac=1, random_state=seed) for part in parts)
    shuffled = TestBed(train, validation, test, movies, bed.relevance_threshold)
    model = Popularity().fit(bed.train)
    one, other = evaluate_model(model, bed), evaluate_model(model, shuffled)
    for metric, values in one.by_user.items():
        np.testing.assert_array_equal(values, other.by_user[metric], err_msg=metric)
    np.testing.assert_allclose(one.errors.squared, other.errors.squared, rtol=1e-12)
    np.testing.assert_allclose(one.errors.absolute, other.errors.absolute, rtol=1e-12)
    assert one.errors.count.tolist() == other.errors.count.tolist()
    assert bed.describe() == shuffled.describe()


def test_all_models_share_the_rows_of_users() -> None:
    bed = random_bed()
    assert bed.users.ids.tolist() == sorted(set(bed.test[USER_ID]))
    of_user = bed.test[bed.test[USER_ID] == bed.users.ids[7]]
    for model in (Bias(), Popularity(), SVD(factors=2, epochs=1)):
        recorder = Recorder(model.fit(bed.train))
        result = evaluate_model(recorder, bed)
        assert {len(values) for values in result.by_user.values()} == {len(bed.users)}
        assert result.errors.count.sum() == len(bed.test)
        errors = model.predict(of_user[USER_ID], of_user[MOVIE_ID]) - of_user[RATING]
        assert result.errors.squared[7] == pytest.approx((errors**2).sum())
        hits = set(of_user[MOVIE_ID][of_user[RATING] >= 4]) & set(recorder.lists[7, :20].tolist())
        assert result.by_user["precision@20"][7] == len(hits) / 20


def test_summary_has_every_metric_and_the_headline_with_intervals(tmp_path: Path) -> None:
    bed = random_bed()
    figures = summarize(bed, bias=Bias().fit(bed.train))["bias"]
    with_interval = {"rmse", "mae", "precision@10", "recall@10", "ndcg@10"}
    assert set(figures) == (
        {f"{metric}@{k}" for metric in (*RANKING, *BEYOND) for k in KS}
        | {"mrr", "rmse", "mae"}
        | {f"{metric}_ci" for metric in with_interval}
    )
    for metric in with_interval:
        interval = figures[f"{metric}_ci"]
        assert set(interval) == {"low", "high"}
        assert interval["low"] < figures[metric] < interval["high"], metric
    io.write_json({"bias": figures}, tmp_path / "evaluate.json")  # neither NaN nor list


def test_summary_means_users_and_pools_errors() -> None:
    bed = random_bed()
    result = evaluate_model(Bias().fit(bed.train), bed)
    figures = summarize_results({"bias": result}, np.random.default_rng(0), samples=100)["bias"]
    for metric, values in result.by_user.items():
        assert figures[metric] == pytest.approx(np.mean(values[~np.isnan(values)])), metric
    assert figures["rmse"] == pytest.approx(math.sqrt(result.errors.squared.sum() / len(bed.test)))
    assert figures["mae"] == pytest.approx(result.errors.absolute.sum() / len(bed.test))
    assert {metric: figures[metric] for metric in result.overall} == result.overall


def test_intervals_are_seeded_and_shared_between_models() -> None:
    bed = random_bed()
    model = Bias().fit(bed.train)
    summary = summarize(bed, one=model, same=model)
    assert summary["one"] == summary["same"]
    assert summary == summarize(bed, one=model, same=model)
    result = {"one": evaluate_model(model, bed)}
    other = summarize_results(result, np.random.default_rng(1), samples=200)["one"]
    assert other["rmse_ci"] != summary["one"]["rmse_ci"]
    assert other["rmse"] == summary["one"]["rmse"]


def test_calibration_covers_every_rating() -> None:
    bed = random_bed()
    table = evaluate_model(Bias().fit(bed.train), bed).calibration
    assert list(table) == ["predicted", "actual", "ratings"]
    assert table["ratings"].sum() == len(bed.test)
    assert (table["ratings"] > 0).all()
    constant = evaluate_model(Fake().fit(bed.train), bed).calibration
    assert constant.to_numpy().tolist() == [[3, pytest.approx(bed.test[RATING].mean()), len(bed.test)]]


@pytest.mark.parametrize("stars", [0.5, 5.0])
def test_predictions_at_both_ends_of_the_scale_have_a_calibration_bin(stars: float) -> None:
    bed = small_bed(test=[(1, 4, stars)])
    result = evaluate_model(Oracle(bed.test).fit(bed.train), bed)
    assert result.calibration.to_numpy().tolist() == [[stars, stars, 1]]


def test_only_als_has_raw_scores() -> None:
    bed = random_bed()
    als = ALS(factors=4, iterations=3).fit(bed.train).calibrate(bed.validation)
    summary = summarize(bed, als=als, bias=Bias().fit(bed.train))
    scores = als.predict_raw(bed.test[USER_ID], bed.test[MOVIE_ID])
    assert summary["als"]["rmse_raw"] == pytest.approx(np.sqrt(np.mean((scores - bed.test[RATING]) ** 2)), rel=1e-6)
    assert summary["als"]["rmse_raw"] > summary["als"]["rmse"]
    assert "rmse_raw" not in summary["bias"]


MODELS: dict[str, Callable[[], Recommender]] = {
    "als": lambda: ALS(factors=4, iterations=3),
    "bias": Bias,
    "popularity": Popularity,
    "svd": lambda: SVD(factors=4, epochs=3),
}


@pytest.mark.parametrize("name", MODELS)
def test_no_test_label_reaches_a_model(name: str, tmp_path: Path) -> None:
    bed = random_bed()
    labels = np.random.default_rng(5).permutation(bed.test[RATING].to_numpy())
    permuted = TestBed(bed.train, bed.validation, bed.test.assign(rating=labels), bed.movies, 4.0)
    outcome = []
    for each in (bed, permuted):
        before = [part.copy() for part in (each.train, each.validation, each.test)]
        recorder = Recorder(MODELS[name]().fit(each.train))
        result = evaluate_model(recorder, each)
        for part, copy in zip((each.train, each.validation, each.test), before, strict=True):
            pd.testing.assert_frame_equal(part, copy)
        recorder.model.save(tmp_path / "model.npz")
        outcome.append(((tmp_path / "model.npz").read_bytes(), recorder.lists.tolist(), result.errors.squared.sum()))
    (model, lists, errors), (permuted_model, permuted_lists, permuted_errors) = outcome
    assert model == permuted_model
    assert lists == permuted_lists
    assert errors != permuted_errors


def test_svd_learns_nothing_from_validation(tmp_path: Path) -> None:
    bed = random_bed()
    labels = np.random.default_rng(5).permutation(bed.validation[RATING].to_numpy())
    stored = []
    for validation in (None, bed.validation, bed.validation.assign(rating=labels), bed.validation[:1]):
        SVD(factors=4, epochs=3).fit(bed.train, validation).save(tmp_path / "svd.npz")
        stored.append((tmp_path / "svd.npz").read_bytes())
    assert len(set(stored)) == 1


def test_compare_with_floor() -> None:
    summary: dict[str, dict[str, Any]] = {"svd": {"rmse": 0.75}, "bias": {"rmse": 1.0}}
    evaluation.compare_with_floor(summary, None)
    assert summary == {"svd": {"rmse": 0.75}, "bias": {"rmse": 1.0}}
    evaluation.compare_with_floor(summary, 0.5)
    assert summary["svd"] == {"rmse": 0.75, "rmse_above_floor": 0.25}
    assert summary["bias"]["rmse_above_floor"] == 0.5


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
