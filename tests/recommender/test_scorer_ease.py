"""EASE answering for one user: exact parts, partial correlations, and movies that it does not model."""

import numpy as np
import pytest

from movierec.models.ease import EASE
from movierec.recommender.artifacts import Artifacts
from movierec.recommender.scorer_ease import EaseScorer


@pytest.fixture(scope="module")
def model(artifacts: Artifacts) -> EASE:
    model = artifacts.models["ease"]
    assert isinstance(model, EASE)
    assert len(model.modelled) < len(model.movies)
    return model


def test_stars_are_the_models(artifacts: Artifacts, model: EASE) -> None:
    scorer, user_id, movies = EaseScorer(model), int(model.users.ids[3]), [*model.movies.ids[:9].tolist(), 500_000]
    predicted = scorer.predict(scorer.recall(user_id), movies)
    np.testing.assert_allclose(predicted.stars, model.predict([user_id] * 10, movies))
    np.testing.assert_allclose(scorer.predict(None, movies).stars, model.predict([999_999] * 10, movies))
    assert predicted.low is None
    folded = scorer.fold_in(artifacts.profiles.find(user_id))
    assert folded
    assert abs(scorer.predict(folded, movies).stars - predicted.stars).max() < 0.7


def test_a_movie_that_is_not_modelled_says_nothing(artifacts: Artifacts, model: EASE) -> None:
    scorer = EaseScorer(model)
    row = int(np.setdiff1d(np.arange(len(model.movies)), model.modelled)[0])
    assert scorer.fold_in(artifacts.profiles.find(999_999, {int(model.movies.ids[row]): 5.0})) is None
    assert not scorer.compare(row).any()


def test_movies_are_compared_by_partial_correlation(model: EASE) -> None:
    row = int(model.modelled[7])
    found = EaseScorer(model).compare(row)
    assert found[row] == 1
    assert np.abs(found).max() == 1
    assert EaseScorer(model).compare(int(model.modelled[9]))[row] == pytest.approx(found[model.modelled[9]], rel=1e-3)
