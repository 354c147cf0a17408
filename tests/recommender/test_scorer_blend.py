"""The blend answering for one user: explanations by both parts."""

import numpy as np
import pytest

from movierec.models.blend import Blend
from movierec.recommender.artifacts import Artifacts
from movierec.recommender.scorer_blend import BlendScorer


@pytest.fixture(scope="module")
def model(artifacts: Artifacts) -> Blend:
    model = artifacts.models["blend"]
    assert isinstance(model, Blend)
    return model


def test_parts_sum_to_the_differences_between_scores(artifacts: Artifacts, model: Blend) -> None:
    scorer = BlendScorer(model)
    profile = artifacts.profiles.find(int(model.users.ids[5]))
    taste, every = scorer.fold_in(profile), np.arange(len(model.movies), dtype=np.int32)
    assert taste
    shares = scorer.explain(profile, taste, every)
    rows = np.searchsorted(model.movies.ids, shares.rated_ids).astype(np.int32)
    parts = scorer.explain_parts(rows, shares.stars, every)
    assert sorted(parts) == ["als", "ease"]
    np.testing.assert_allclose(parts["ease"] + parts["als"], shares.parts)
    explained = shares.parts.sum(axis=1)
    np.testing.assert_allclose(explained - explained[0], taste.scores - taste.scores[0], atol=1e-4)
    np.testing.assert_allclose(shares.scores, taste.scores, atol=1e-6)


def test_whoever_rated_what_ease_does_not_model_is_scored_by_the_als(artifacts: Artifacts, model: Blend) -> None:
    row = int(np.setdiff1d(np.arange(len(model.movies)), model.ease.modelled)[0])
    taste = BlendScorer(model).fold_in(artifacts.profiles.find(999_999, {int(model.movies.ids[row]): 5.0}))
    assert taste
    assert taste.scores.std() == pytest.approx(1 - model.weight, rel=1e-3)


def test_movies_are_compared_by_the_als(model: Blend) -> None:
    cosines = BlendScorer(model).compare(4)
    factors = model.als.movie_factors.astype(np.float64)
    expected = factors @ factors[4] / (np.linalg.norm(factors, axis=1) * np.linalg.norm(factors[4]))
    np.testing.assert_allclose(cosines, expected, atol=1e-5)
