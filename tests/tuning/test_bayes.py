"""A trial of the Bayesian factorisation is a whole fit, on a sample of the users where there are many ratings."""

import pandas as pd
import pytest
from sklearn.metrics import root_mean_squared_error

from movierec.columns import MOVIE_ID, RATING, TIMESTAMP, USER_ID
from movierec.models.bayes import Bayes
from movierec.tuning.bayes import MOST_RATINGS, BayesObjective
from tests.tuning.conftest import BAYES_CONFIGURATIONS, SEED, TRAIN, VALIDATION, bayes_objective

SETTINGS = BAYES_CONFIGURATIONS["plain"].model_dump()


@pytest.mark.parametrize("timed", [True, False])
def test_scores_are_of_the_whole_validation_part(*, timed: bool) -> None:
    train, validation = (part if timed else part.drop(columns=TIMESTAMP) for part in (TRAIN, VALIDATION))
    objective, curve = bayes_objective(train, validation), list[float | None]()
    scores = objective.score(objective.fit(SETTINGS, curve.append))
    model = Bayes(**SETTINGS, seed=SEED).fit(train)
    times = VALIDATION[TIMESTAMP] if timed else None
    predicted = model.predict(VALIDATION[USER_ID], VALIDATION[MOVIE_ID], times)
    assert scores == {"validation_rmse": pytest.approx(root_mean_squared_error(VALIDATION[RATING], predicted))}
    assert len(curve) == objective.count_steps(SETTINGS) == 120


def test_genres_matter() -> None:
    genres = [["War"], ["Drama"]] * 15
    one, other = (
        BayesObjective(TRAIN, VALIDATION, SEED, pd.DataFrame({MOVIE_ID: range(1, 31), "genres": each}))
        for each in (genres, genres[::-1])
    )
    assert len({bayes_objective().key, one.key, other.key}) == 3
    assert one.score(one.fit(SETTINGS)) != bayes_objective().score(bayes_objective().fit(SETTINGS))


def test_more_work_is_more_effort() -> None:
    effort = {name: bayes_objective().estimate_effort(each.model_dump()) for name, each in BAYES_CONFIGURATIONS.items()}
    assert effort["wide"] > effort["plain"]


def test_a_trial_is_as_long_as_the_fit_that_follows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("movierec.tuning.bayes.MOST_RATINGS", 200)
    objective = bayes_objective()
    assert len(objective.train) <= 200 < MOST_RATINGS
    assert objective.count_steps(SETTINGS) == Bayes().plan(len(TRAIN)).sweeps
    assert objective.key != bayes_objective(VALIDATION, TRAIN).key
