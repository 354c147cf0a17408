"""Parameters decide which searches run."""

from collections.abc import Callable
from typing import Any

import pytest

from movierec.columns import USER_ID
from movierec.data.content import Content
from movierec.models.als import ALS
from movierec.params import load_params
from movierec.scales import HALF_STARS
from movierec.settings import TuneParams
from movierec.tuning.als import AlsObjective
from movierec.tuning.plan import plan_searches
from movierec.tuning.search import GridSearch
from movierec.tuning.tpe import TpeSearch
from tests.tuning.conftest import (
    ALS_CONFIGURATIONS,
    BAYES_CONFIGURATIONS,
    CONFIGURATIONS,
    CONTENT,
    SEED,
    TRAIN,
    VALIDATION,
)


@pytest.mark.parametrize(("search", "kind", "extra"), [("grid", GridSearch, 0), ("tpe", TpeSearch, 7)])
def test_all_models_are_searched_alike(search: str, kind: type[GridSearch], extra: int) -> None:
    listed = {"svd": CONFIGURATIONS, "als": ALS_CONFIGURATIONS, "bayes": BAYES_CONFIGURATIONS}
    tune = TuneParams(search=search, trials=7, workers=2, most_ratings=10_000, **listed)  # type: ignore[arg-type]
    svd, als, bayes = plan_searches(tune, 3.5, TRAIN, VALIDATION, SEED, CONTENT)
    assert type(svd) is type(als) is type(bayes) is kind
    assert (svd.objective.model, svd.configurations, svd.planned) == ("svd", CONFIGURATIONS, 5 + extra)
    assert (als.objective.model, als.configurations, als.planned) == ("als", ALS_CONFIGURATIONS, 4 + extra)
    assert (bayes.objective.model, bayes.configurations, bayes.planned) == ("bayes", BAYES_CONFIGURATIONS, 2 + extra)
    assert {svd.objective.seed, als.objective.seed, bayes.objective.seed} == {SEED}
    assert "3.5" in als.objective._conditions()
    assert isinstance(als.objective, AlsObjective)
    assert als.objective.content is CONTENT
    assert [each.final for each in (svd, als, bayes)] == [None] * 3


def test_trials_on_a_sample_and_the_winners_on_all() -> None:
    tune = load_params(scale=HALF_STARS).tune.model_copy(update={"most_ratings": len(TRAIN) // 2})
    svd, als, bayes = plan_searches(tune, 3.5, TRAIN, VALIDATION, SEED, CONTENT)
    for search in (svd, als):
        assert len(TRAIN) / 4 < len(search.objective.train) <= len(TRAIN) / 2
        assert set(search.objective.validation[USER_ID]) <= set(search.objective.train[USER_ID])
        assert search.final
        assert search.final.train is TRAIN
        assert search.final.validation is VALIDATION
    assert bayes.final is None


def test_another_may_fit_the_winning_als_on_all() -> None:
    asked = list[dict[str, Any]]()

    def fit(settings: dict[str, Any], on_sweep: Callable[[float], object], content: Content | None) -> ALS:
        asked.append(settings)
        assert content is CONTENT
        return ALS(**settings).fit(TRAIN, on_sweep)

    tune = load_params(scale=HALF_STARS).tune.model_copy(update={"most_ratings": len(TRAIN) // 2})
    _, als, _ = plan_searches(tune, 3.5, TRAIN, VALIDATION, SEED, CONTENT, fit_als=fit)
    settings, steps = ALS_CONFIGURATIONS["plain"].model_dump(), list[float | None]()
    assert als.final
    model = als.final.fit(settings, steps.append)
    als.objective.fit(settings)
    assert asked == [{**settings, "seed": SEED, "counts": False}]
    assert len(steps) == settings["iterations"]
    assert isinstance(model, ALS)
    assert model.user_bias.any()


def test_the_committed_configurations_are_a_grid() -> None:
    params = load_params(scale=HALF_STARS)
    searches = plan_searches(params.tune, params.evaluate.relevance_threshold, TRAIN, VALIDATION, params.seed)
    assert [type(each) for each in searches] == [GridSearch] * 3
