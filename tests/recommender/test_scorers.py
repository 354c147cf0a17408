from pathlib import Path

import numpy as np
import pytest

from movierec import io, paths
from movierec.errors import MovierecError
from movierec.models.als import ALS
from movierec.models.bayes import Bayes
from movierec.models.blend import Blend
from movierec.models.ease import EASE
from movierec.models.popularity import Popularity
from movierec.models.svd import SVD
from movierec.recommender.artifacts import Artifacts
from movierec.recommender.scorers import make_scorer
from movierec.roster import STORED


@pytest.mark.parametrize("name", STORED)
def test_scores_are_the_models(artifacts: Artifacts, name: str) -> None:
    model = artifacts.models[name]
    scorer = make_scorer(model)
    for row, user_id in enumerate(model.users.ids[:20].tolist()):
        taste = scorer.recall(user_id)
        assert taste
        scores = scorer.score(taste)
        assert scores.dtype == np.float32
        np.testing.assert_allclose(scores, model.score_rows(np.array([row]))[0], rtol=1e-5, atol=1e-6)
    assert scorer.recall(999_999) is None


@pytest.mark.parametrize("name", STORED)
def test_the_parts_of_an_explanation_sum_to_the_folded_in_score(artifacts: Artifacts, name: str) -> None:
    model = artifacts.models[name]
    scorer = make_scorer(model)
    rows = np.arange(len(model.movies), dtype=np.int32)
    profile = artifacts.profiles.find(int(model.users.ids[5]), {500_000: 4.0})
    taste, recalled = scorer.fold_in(profile), scorer.recall(profile.user_id)
    assert taste
    assert recalled
    shares = scorer.explain(profile, taste, rows)
    np.testing.assert_array_equal(shares.parts, scorer.explain(profile, recalled, rows).parts)
    np.testing.assert_allclose(shares.scores, scorer.score(taste), rtol=1e-4, atol=1e-5)
    if not isinstance(model, Bayes | Blend):  # what they add, `test_bayes_fold_in` and `test_scorer_blend` check
        offset = model.mean + model.movie_bias if isinstance(model, SVD) else np.zeros(len(rows))
        np.testing.assert_allclose(shares.parts.sum(axis=1) + offset, shares.scores)
    known = model.movies.ids[model.modelled] if isinstance(model, EASE) else model.movies.ids
    assert shares.rated_ids.tolist() == [movie for movie in profile.movie_ids.tolist() if movie in known]


def test_whoever_rated_no_known_movie_cannot_be_folded_in(artifacts: Artifacts) -> None:
    scorer = make_scorer(artifacts.models["als"])
    assert scorer.fold_in(artifacts.profiles.find(999_999)) is None
    assert scorer.fold_in(artifacts.profiles.find(999_999, {500_000: 4.0})) is None


def test_a_movie_without_factors_is_like_none(artifacts: Artifacts) -> None:
    original = artifacts.models["als"]
    assert isinstance(original, ALS)
    model = ALS(**original._settings())
    vars(model).update(vars(original), movie_factors=original.movie_factors.copy())
    model.movie_factors[3] = 0
    scorer = make_scorer(model)
    assert not scorer.compare(3).any()
    assert scorer.compare(4)[3] == 0
    assert scorer.compare(4)[4] == pytest.approx(1)


def test_a_model_without_factors_is_refused(shop: Path) -> None:
    ratings = io.read_parquet(shop / paths.CLEAN_RATINGS)
    with pytest.raises(MovierecError, match="cannot use a model 'popularity': give it one that the pipeline stores"):
        make_scorer(Popularity().fit(ratings))


def test_without_uncertainty_there_is_nothing_to_explore(artifacts: Artifacts) -> None:
    scorer = make_scorer(artifacts.models["als"])
    taste = scorer.recall(1)
    np.testing.assert_array_equal(scorer.explore(taste, np.random.default_rng(0)), scorer.score(taste))
