"""A trial of the Bayesian factorisation is a short chain, of whole users where there are many ratings."""

import numpy as np
import pytest
from sklearn.metrics import root_mean_squared_error

from movierec.columns import MOVIE_ID, RATING, TIMESTAMP, USER_ID
from movierec.models.bayes import Bayes
from movierec.tuning.bayes import BURN_IN, SWEEPS, sample_users
from tests.tuning.conftest import BAYES_CONFIGURATIONS, SEED, TRAIN, VALIDATION, bayes_objective

SETTINGS = BAYES_CONFIGURATIONS["plain"].model_dump()


@pytest.mark.parametrize("timed", [True, False])
def test_scores_are_of_the_whole_validation_part(timed: bool) -> None:
    train, validation = (part if timed else part.drop(columns=TIMESTAMP) for part in (TRAIN, VALIDATION))
    objective, curve = bayes_objective(train, validation), list[float | None]()
    scores = objective.score(objective.fit(SETTINGS, curve.append))
    model = Bayes(**SETTINGS, sweeps=SWEEPS, burn_in=BURN_IN, seed=SEED).fit(train)
    times = VALIDATION[TIMESTAMP] if timed else None
    predicted = model.predict(VALIDATION[USER_ID], VALIDATION[MOVIE_ID], times)
    assert scores == {"validation_rmse": pytest.approx(root_mean_squared_error(VALIDATION[RATING], predicted))}
    assert len(curve) == objective.count_steps(SETTINGS) == SWEEPS


def test_more_work_is_more_effort() -> None:
    effort = {name: bayes_objective().estimate_effort(each.model_dump()) for name, each in BAYES_CONFIGURATIONS.items()}
    assert effort["wide"] > effort["plain"]


def test_few_ratings_are_all_taken() -> None:
    train, validation = sample_users(TRAIN, VALIDATION, len(TRAIN), np.random.default_rng(0))
    assert train is TRAIN
    assert validation is VALIDATION


def test_users_are_taken_whole_or_not_at_all() -> None:
    train, validation = sample_users(TRAIN, VALIDATION, 200, np.random.default_rng(0))
    assert 150 < len(train) <= 200
    users = train[USER_ID].unique()
    assert train.equals(TRAIN[TRAIN[USER_ID].isin(users)].reset_index(drop=True))
    assert validation.equals(VALIDATION[VALIDATION[USER_ID].isin(users)].reset_index(drop=True))
    assert not train.equals(sample_users(TRAIN, VALIDATION, 200, np.random.default_rng(1))[0])
