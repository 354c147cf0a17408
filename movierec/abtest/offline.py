"""The offline experiment: two models as arms, test users as subjects."""

from collections.abc import Collection
from typing import Final

import numpy as np
import pandas as pd

from movierec.abtest.analysis import compare_arms
from movierec.abtest.assignment import Experiment
from movierec.abtest.design import Design, Observations
from movierec.abtest.report import Report
from movierec.columns import MODEL, TEST_RATINGS, TRAIN_RATINGS, USER_ID
from movierec.errors import MovierecError
from movierec.settings import AbtestParams
from movierec.text import find_nearest

LOWER_IS_BETTER: Final = frozenset({"squared_error", "absolute_error"})
SECONDARY_METRICS: Final = ("ndcg@10", "precision@10", "recall@10", "squared_error")

_NOT_OUTCOMES = (USER_ID, MODEL, TRAIN_RATINGS, TEST_RATINGS)


def run_experiment(per_user: pd.DataFrame, params: AbtestParams, rng: np.random.Generator) -> Report:
    """Assign every test user to one of two models and compare the outcomes, as if the models had been served.

    A user counts for the assigned model alone, though the table holds the outcome under both: the experiment shows
    what an online one of this size would. (The evaluate stage compares both models on every user.)

    Parameters
    ----------
    per_user : DataFrame
        One row for each user and model: `user_id` int32, `model` str, `n_train` (the user's ratings in train) and a
        float column for each outcome, NaN where it is undefined.
    params : AbtestParams
        Names of the experiment, the models and the outcome; error rates; minimum effect.
    rng : numpy.random.Generator
        For the bootstrap. The assignment does not depend on it, only on the experiment's name.

    Returns
    -------
    Report
        The covariate is the logarithm of 1 + `n_train`, as activity is heavy-tailed. The anytime-valid interval is
        tuned for the users there are: their number is known before any outcome. Secondary metrics are those of
        `SECONDARY_METRICS` that the table holds, each on the users whose outcome is defined under both models.

    Raises
    ------
    MovierecError
        If the table lacks the outcome or a model (the message names the nearest there is), or the outcomes cannot be
        compared: fewer than two users in an arm, or none varies.
    """
    experiment = Experiment(params.experiment, {params.control: 0.5, params.treatment: 0.5})
    users = select_users(per_user, params, params.metric)
    others = [name for name in SECONDARY_METRICS if name in per_user.columns and name != params.metric]
    secondary = {name: _divide(select_users(per_user, params, name), experiment) for name in others}
    design = Design(
        metric=params.metric,
        minimum_effect=params.minimum_effect,
        significance=params.significance,
        power=params.power,
        control=params.control,
        treatment=params.treatment,
        lower_is_better=params.metric in LOWER_IS_BETTER,
        tuned_for=max(1, len(users)),
    )
    control, treatment = (
        Observations(
            arm[name].to_numpy(dtype=np.float64),
            np.log1p(arm[TRAIN_RATINGS].to_numpy(dtype=np.float64)),
            {metric: arms[name][name].to_numpy(dtype=np.float64) for metric, arms in secondary.items()},
        )
        for name, arm in _divide(users, experiment).items()
    )
    return compare_arms(control, treatment, design, rng)


def select_users(per_user: pd.DataFrame, params: AbtestParams, metric: str) -> pd.DataFrame:
    """Return the users whose outcome is defined under both models, whichever they are assigned.

    Parameters
    ----------
    per_user, params
        As in `run_experiment`.
    metric : str
        The outcome.

    Returns
    -------
    DataFrame
        `user_id`, `n_train` and a column for each of the two models, by user id.

    Raises
    ------
    MovierecError
        If the outcome or a model is not in the table.
    """
    outcomes = [name for name in per_user.columns if name not in _NOT_OUTCOMES]
    _require_known("abtest.metric", metric, outcomes)
    for key, model in (("abtest.control", params.control), ("abtest.treatment", params.treatment)):
        _require_known(key, model, per_user[MODEL].unique())
    control, treatment = (_outcomes_of(per_user, model, metric) for model in (params.control, params.treatment))
    users = control.merge(treatment.drop(columns=TRAIN_RATINGS), on=USER_ID, validate="one_to_one")
    return users.sort_values(USER_ID, ignore_index=True)


def _divide(users: pd.DataFrame, experiment: Experiment) -> dict[str, pd.DataFrame]:
    arms = experiment.assign_many(users[USER_ID].to_numpy())
    return {name: users[arms == arm] for arm, name in enumerate(experiment.arms)}


def _outcomes_of(per_user: pd.DataFrame, model: str, metric: str) -> pd.DataFrame:
    rows = per_user.loc[per_user[MODEL] == model, [USER_ID, TRAIN_RATINGS, metric]]
    return rows.dropna().rename(columns={metric: model})


def _require_known(key: str, name: str, known: Collection[str]) -> None:
    if name not in known:
        near = find_nearest(name, known)
        hint = f"the nearest is {near!r}" if near else "there is none"
        raise MovierecError(f"{key} is {name!r}, which data/evaluation/per_user.parquet does not hold: {hint}")
