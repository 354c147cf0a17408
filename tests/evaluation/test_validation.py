"""NDCG on validation, by which models are chosen."""

import pytest

from movierec.evaluation.bed import TestBed
from movierec.evaluation.judge import evaluate_model
from movierec.models.popularity import Popularity
from movierec.tuning.als import AlsObjective
from tests.beds import (
    Oracle,
    as_ratings,
    random_bed,
    small_bed,
)


def test_validation_ndcg_is_what_tuning_scores_the_als_by() -> None:
    bed = random_bed()
    objective = AlsObjective(bed.train, bed.validation, seed=3, relevance_threshold=bed.relevance_threshold)
    settings = {"factors": 4, "iterations": 3, "regularization": 1.0, "alpha": 1.0, "relevance_threshold": 4.0}
    model = objective.fit(settings)
    scores = objective.score(model)
    assert scores["validation_ndcg@10"] > 0
    assert evaluate_model(model, bed).overall.items() >= scores.items()


def test_validation_ndcg_knows_no_test_rating() -> None:
    bed = random_bed()
    other = TestBed(bed.train, bed.validation, bed.test[:9], bed.movies, bed.relevance_threshold)
    model = Popularity().fit(bed.train)
    found = {evaluate_model(model, each).overall["validation_ndcg@10"] for each in (bed, other)}
    assert len(found) == 1


def test_validation_ndcg_of_who_knows_validation_is_1() -> None:
    bed = random_bed()
    assert evaluate_model(Oracle(bed.validation).fit(bed.train), bed).overall["validation_ndcg@10"] == 1.0


@pytest.mark.parametrize("validation", [[], [(1, 3, 3.5)], [(9, 3, 5)]])
def test_validation_ndcg_is_0_where_nobody_is_judged(validation: list[tuple[int, int, float]]) -> None:
    bed = small_bed()
    empty = TestBed(bed.train, as_ratings(validation), bed.test, bed.movies, 4.0)
    assert evaluate_model(Popularity().fit(bed.train), empty).overall["validation_ndcg@10"] == 0.0
