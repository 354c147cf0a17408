"""An evaluation that favours nobody: a cheat is perfect, chance scores as chance does, and no label leaks."""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from movierec.columns import RATING, USER_ID
from movierec.evaluation.bed import TestBed
from movierec.evaluation.judge import ModelResult, evaluate_model
from movierec.metrics.ranking import KS
from movierec.models.als import ALS
from movierec.models.base import Recommender
from movierec.models.bias import Bias
from movierec.models.popularity import Popularity
from movierec.models.svd import SVD
from tests.beds import (
    Chance,
    Oracle,
    Recorder,
    hand_labels_to_strangers,
    random_bed,
    stars_of,
    summarize,
)


def test_an_oracle_is_perfect() -> None:
    bed = random_bed()
    result = evaluate_model(Oracle(bed.test).fit(bed.train), bed)
    ranked = bed.relevance.counts > 0
    assert ranked.sum() > 60
    assert stars_of(result).errors.squared.sum() == stars_of(result).errors.absolute.sum() == 0
    for k in KS:
        attainable = np.minimum(bed.relevance.counts, k)[ranked]
        for metric in ("ndcg", "map", "hit_rate"):
            assert set(result.by_user[f"{metric}@{k}"][ranked]) == {1.0}, metric
        assert result.by_user[f"precision@{k}"][ranked].tolist() == (attainable / k).tolist()
        assert result.by_user[f"recall@{k}"][ranked].tolist() == (attainable / bed.relevance.counts[ranked]).tolist()
    assert set(result.by_user["mrr"][ranked]) == {1.0}
    figures = summarize(bed, oracle=Oracle(bed.test).fit(bed.train))["oracle"]
    assert figures["rmse"] == figures["mae"] == 0
    assert figures["rmse_ci"] == {"low": 0, "high": 0}
    assert figures["ndcg@10"] == 1


def check_chance(result: ModelResult, bed: TestBed) -> None:
    # A random order of C candidates puts each of R relevant ones in the first k with probability k / C.
    seen = bed.seen[USER_ID].value_counts().reindex(bed.users.ids, fill_value=0)
    ranked = bed.relevance.counts > 0
    relevant, candidates = bed.relevance.counts[ranked], len(bed.catalogue) - seen.to_numpy()[ranked]
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


def test_random_ranking_scores_at_chance() -> None:
    bed = random_bed(users=3000, movies=60, ratings=60_000, seed=1)
    check_chance(evaluate_model(Chance().fit(bed.train), bed), bed)


def test_an_oracle_with_the_labels_of_other_movies_ranks_at_chance() -> None:
    bed = random_bed(users=3000, movies=60, ratings=60_000, seed=2)
    check_chance(evaluate_model(Oracle(hand_labels_to_strangers(bed)).fit(bed.train), bed), bed)


def test_an_oracle_with_shuffled_labels_predicts_at_chance() -> None:
    # E (y - y')^2 over all permutations y' of the labels y is 2 (mean of y^2 - square of the mean); the test part has
    # 15,000 ratings, and the mean square a standard error of about .04.
    bed = random_bed(users=3000, movies=60, ratings=60_000, seed=2)
    labels = np.random.default_rng(3).permutation(bed.test[RATING].to_numpy())
    result = evaluate_model(Oracle(bed.test.assign(rating=labels)).fit(bed.train), bed)
    by_chance = 2 * np.var(bed.test[RATING].to_numpy(dtype=np.float64))
    assert stars_of(result).errors.squared.sum() / len(bed.test) == pytest.approx(by_chance, abs=4 * 0.04)


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
    np.testing.assert_allclose(stars_of(one).errors.squared, stars_of(other).errors.squared, rtol=1e-12)
    np.testing.assert_allclose(stars_of(one).errors.absolute, stars_of(other).errors.absolute, rtol=1e-12)
    assert stars_of(one).errors.count.tolist() == stars_of(other).errors.count.tolist()
    assert bed.describe() == shuffled.describe()


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
        outcome.append(
            ((tmp_path / "model.npz").read_bytes(), recorder.lists.tolist(), stars_of(result).errors.squared.sum())
        )
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
