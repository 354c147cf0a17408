"""Online experiments: who belongs to which arm, and what came out; storing the events is the store's work."""

from typing import Any, Final

import numpy as np
import pandas as pd

from movierec.abtest.analysis import compare_arms
from movierec.abtest.assignment import Experiment
from movierec.abtest.design import Design, Observations
from movierec.abtest.rates import check_rates
from movierec.columns import USER_ID
from movierec.errors import MovierecError
from movierec.ids import OwnId
from movierec.seeds import rng

METRIC: Final = "click_through"
SECONDARY: Final = "any_click"


def assign_arm(experiment: str, user_id: OwnId, control: str, treatment: str) -> str:
    """Return the arm of a user, half of the users each: as `movierec abtest assign --arms CONTROL,TREATMENT` says.

    Parameters
    ----------
    experiment : str
        Its name, which salts the hash.
    user_id : int or str
        Any.
    control, treatment : str
        Names of the arms.

    Raises
    ------
    MovierecError
        If the experiment has no name or the arms share one.

    Examples
    --------
    >>> assign_arm("als-against-popularity", 42, "popularity", "als")
    'popularity'
    """
    return str(Experiment(experiment, {control: 0.5, treatment: 0.5}).assign(user_id))


def report_results(
    outcomes: pd.DataFrame,
    control: str,
    treatment: str,
    *,
    minimum_effect: float | None = None,
    significance: float = 0.05,
    power: float = 0.8,
) -> dict[str, Any]:
    """Compare two arms by what their users clicked.

    Parameters
    ----------
    outcomes : DataFrame
        From `Store.outcomes`: `user_id`, `arm`, `impressions` >= 1, `clicks` from 0 to `impressions`.
    control, treatment : str
        Names of the arms.
    minimum_effect : float, optional
        Smallest improvement of `click_through` worth having, above 0.
    significance, power : float
        As in `Design`.

    Returns
    -------
    dict
        What `movierec abtest analyze --json` prints, fit for JSON. The outcome that decides is `click_through`, each
        user's own share of the movies shown that were clicked, so that a busy user weighs no more than another; the
        secondary one is `any_click`, 1 for a user who clicked at all. `users_in_other_arms` counts those left out:
        of other arms, or seen in both. Where nothing can be tested yet (fewer than two users in an arm, or the same
        outcome for all) there are `metric`, `control`, `treatment`, `arms` with `n` only, and a `verdict` to keep
        running that says why.

    Raises
    ------
    MovierecError
        If the arms share a name or `minimum_effect`, `significance` or `power` is outside its range.
    """
    design = Design(METRIC, minimum_effect, significance, power, control, treatment)
    check_rates(design.significance, design.power)
    known = outcomes[outcomes["arm"].isin([control, treatment])]
    known = known[~known[USER_ID].duplicated(keep=False)]  # who saw both arms belongs to neither
    left_out = outcomes[USER_ID].nunique() - len(known)
    arms = [_observe(known[known["arm"] == arm]) for arm in (control, treatment)]
    try:
        report = compare_arms(arms[0], arms[1], design, rng(0, "abtest", "bootstrap")).to_details()
    except MovierecError as error:
        report = _postpone(design, arms, f"Keep running: {error}.")
    return report | {"users_in_other_arms": left_out}


def _observe(rows: pd.DataFrame) -> Observations:
    clicks = rows["clicks"].to_numpy(dtype=np.float64)
    shares = clicks / rows["impressions"].to_numpy(dtype=np.float64)
    return Observations(shares, secondary={SECONDARY: (clicks > 0).astype(np.float64)})


def _postpone(design: Design, arms: list[Observations], why: str) -> dict[str, Any]:
    return {
        "metric": design.metric,
        "control": design.control,
        "treatment": design.treatment,
        "arms": {role: {"n": len(arm.outcomes)} for role, arm in zip(("control", "treatment"), arms, strict=True)},
        "verdict": {"decision": "keep running", "text": why},
    }
