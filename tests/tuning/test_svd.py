"""A trial of the SVD is judged on every validation rating."""

import pytest
from sklearn.metrics import mean_absolute_error, root_mean_squared_error

from movierec.columns import MOVIE_ID, RATING, USER_ID
from movierec.models.svd import SVD
from tests.tuning.conftest import CONFIGURATIONS, SEED, TRAIN, VALIDATION, svd_objective

SETTINGS = CONFIGURATIONS["long"].model_dump()


def test_scores_are_of_the_whole_validation_part() -> None:
    objective, curve = svd_objective(), list[float | None]()
    scores = objective.score(objective.fit(SETTINGS, curve.append))
    predicted = SVD(**SETTINGS, seed=SEED, engine="fast").fit(TRAIN).predict(VALIDATION[USER_ID], VALIDATION[MOVIE_ID])
    assert scores == {
        "validation_rmse": pytest.approx(root_mean_squared_error(VALIDATION[RATING], predicted), rel=1e-12),
        "validation_mae": pytest.approx(mean_absolute_error(VALIDATION[RATING], predicted), rel=1e-12),
    }
    assert len(curve) == objective.count_steps(SETTINGS) == 7
    assert curve[-1] == pytest.approx(scores["validation_rmse"], rel=1e-6)  # in float32


def test_more_work_is_more_effort() -> None:
    effort = {name: svd_objective().estimate_effort(each.model_dump()) for name, each in CONFIGURATIONS.items()}
    assert effort["long"] > effort["wide"] > effort["plain"] == effort["fast"]
