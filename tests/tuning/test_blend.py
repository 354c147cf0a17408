"""The weight of a blend: what `measure_validation_ndcg` would choose."""

import numpy as np
import pandas as pd
import pytest

from movierec.evaluation.validation import measure_validation_ndcg
from movierec.metrics.relevance import Relevance
from movierec.models.blend import Blend
from movierec.tuning.blend import choose_weight
from tests.beds import random_bed


@pytest.fixture(scope="module")
def relevance() -> Relevance:
    return random_bed().validation_relevance


def test_the_best_weight_on_validation_is_chosen(relevance: Relevance) -> None:
    blend = Blend({"regularization": 5.0}, {"factors": 4, "regularization": 1.0}).fit(relevance.train)
    weights = (0.0, 0.25, 0.5, 1.0)
    expected = []
    for weight in weights:
        blend.weight = weight
        expected.append(measure_validation_ndcg(blend, relevance))
    weight, ndcg = choose_weight(blend, relevance, weights)
    assert len(set(expected)) > 1
    assert weight == weights[int(np.argmax(expected))]
    assert ndcg == pytest.approx(max(expected))


def test_without_anything_to_judge_by_the_first_is_taken(relevance: Relevance) -> None:
    blend = Blend(als={"factors": 2, "iterations": 1}).fit(relevance.train)
    nothing = Relevance(relevance.train, pd.DataFrame(relevance.judged[:0]), 4.0)
    assert choose_weight(blend, nothing, (0.4, 0.6)) == (0.4, 0.0)
