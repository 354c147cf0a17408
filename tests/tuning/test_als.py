"""A trial of the ALS is judged by NDCG@10 over the full catalogue, less what the user rated in train."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from movierec.columns import MOVIE_ID, RATING, USER_ID
from movierec.models.als import ALS
from movierec.tuning.als import AlsObjective
from movierec.tuning.memory import TrialMemory
from movierec.tuning.search import GridSearch, run_searches
from tests.tuning.conftest import ALS_CONFIGURATIONS, CONTENT, SEED, THRESHOLD, TRAIN, VALIDATION, als_objective


def ndcg_slowly(model: ALS) -> float:
    """Rank by scores of single pairs, user by user."""
    catalogue, values = sorted(set(TRAIN[MOVIE_ID])), []
    for user, liked in VALIDATION[VALIDATION[RATING] >= THRESHOLD].groupby(USER_ID)[MOVIE_ID]:
        seen = set(TRAIN[MOVIE_ID][TRAIN[USER_ID] == user])
        score = dict(zip(catalogue, model.predict_raw(np.full(len(catalogue), user), catalogue), strict=True))
        best = sorted(set(catalogue) - seen, key=lambda movie: (-score[movie], movie))[:10]
        gain = sum(1 / math.log2(rank + 1) for rank, movie in enumerate(best, start=1) if movie in set(liked))
        values.append(gain / sum(1 / math.log2(rank + 1) for rank in range(1, min(10, len(liked)) + 1)))
    return sum(values) / len(values)


@pytest.mark.parametrize("name", ALS_CONFIGURATIONS)
def test_score_is_the_mean_ndcg_at_10(name: str) -> None:
    objective, settings = als_objective(), ALS_CONFIGURATIONS[name].model_dump()
    model = objective.fit(settings)
    assert objective.score(model) == {"validation_ndcg@10": pytest.approx(ndcg_slowly(model), rel=1e-9)}


def test_the_best_by_ndcg_wins(tmp_path: Path) -> None:
    search = GridSearch(als_objective(), ALS_CONFIGURATIONS)
    list(run_searches([search], TrialMemory(tmp_path), workers=2))
    slowly = {
        name: ndcg_slowly(ALS(**each.model_dump(), seed=SEED).fit(TRAIN)) for name, each in ALS_CONFIGURATIONS.items()
    }
    assert len(set(slowly.values())) == len(slowly)
    assert search.best.proposal.configuration == max(slowly, key=lambda name: slowly[name])


def test_the_model_is_calibrated_on_validation_whatever_the_threads(tmp_path: Path) -> None:
    settings = ALS_CONFIGURATIONS["wide"].model_dump()
    steps = list[float | None]()
    als_objective().fit(settings, steps.append, threads=1).save(tmp_path / "one.npz")
    als_objective().fit(settings, threads=2).save(tmp_path / "two.npz")
    ALS(**settings, seed=SEED).fit(TRAIN).calibrate(VALIDATION).save(tmp_path / "plain.npz")
    assert len({path.read_bytes() for path in tmp_path.iterdir()}) == 1
    assert steps == [None] * als_objective().count_steps(settings)


def test_content_is_used_where_it_has_weight() -> None:
    settings = ALS_CONFIGURATIONS["plain"].model_dump()
    plain, same = als_objective().fit(settings), als_objective(content=CONTENT).fit(settings)
    np.testing.assert_array_equal(same.movie_factors, plain.movie_factors)
    model = als_objective(content=CONTENT).fit(settings | {"content_weight": 0.5})
    assert model.content_map.shape == (2, 3)
    assert model.content_map.any()


def test_without_any_relevant_movie_every_score_is_0() -> None:
    nobody = pd.DataFrame(VALIDATION).assign(rating=VALIDATION[RATING] * 0 + 1)
    objective = AlsObjective(TRAIN, nobody, SEED, THRESHOLD)
    assert objective.score(objective.fit(ALS_CONFIGURATIONS["plain"].model_dump())) == {"validation_ndcg@10": 0.0}


def test_more_work_is_more_effort() -> None:
    effort = {name: als_objective().estimate_effort(each.model_dump()) for name, each in ALS_CONFIGURATIONS.items()}
    assert effort["wide"] > effort["plain"] == effort["tame"]
