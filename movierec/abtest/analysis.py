"""Every statistic of an experiment of two arms, computed once and put into a report."""

import math
from collections.abc import Callable
from typing import TypeVar

import numpy as np

from movierec.abtest.cuped import CupedDifference, cuped_test
from movierec.abtest.design import Design, Observations
from movierec.abtest.difference import MeanDifference, RelativeLift, relative_lift, sample_ratio_check, welch_test
from movierec.abtest.power import mean_minimum_effect, mean_sample_size
from movierec.abtest.rates import Rates, check_rates
from movierec.abtest.report import Report
from movierec.abtest.second_opinions import bootstrap_difference, rank_test
from movierec.abtest.secondary import compare_secondary
from movierec.abtest.sequential import AnytimeValid, anytime_valid
from movierec.abtest.verdict import decide
from movierec.errors import MovierecError

Answer = TypeVar("Answer")


def compare_arms(
    control: Observations,
    treatment: Observations,
    design: Design,
    rng: np.random.Generator,
    *,
    resamples: int = 1000,
    most_bootstrap_users: int = 200_000,
) -> Report:
    """Analyse an experiment of two arms.

    Parameters
    ----------
    control, treatment : Observations
        At least two users each. CUPED runs if they have a covariate.
    design : Design
        Fixed beforehand.
    rng : numpy.random.Generator
        For the bootstrap.
    resamples : int
        Of the bootstrap.
    most_bootstrap_users : int
        With more users, both arms together, the bootstrap is left out: it would take long to repeat Welch's interval,
        as means of so many users are normally distributed.

    Returns
    -------
    Report
        The verdict follows Welch's interval: the data are looked at once. Beside it each opinion stands for itself: one
        that cannot be computed is left out, and `Report.left_out` says why.

    Raises
    ------
    MovierecError
        If an arm has fewer than two users, an outcome that is NaN, infinite or beyond 1e100, or nothing varies within
        either arm; or a number of the design is outside its range.
    """
    outcomes, sizes = (control.outcomes, treatment.outcomes), (len(control.outcomes), len(treatment.outcomes))
    confidence = 1 - design.significance
    difference = welch_test(*outcomes, confidence)
    check_rates(design.significance, design.power)
    rates = Rates(significance=design.significance, power=design.power)
    sample_ratio = sample_ratio_check(design.by_arm(sizes), design.by_arm(design.weights))
    found = _Opinions()

    def resample() -> tuple[float, float]:
        if sum(sizes) > most_bootstrap_users:
            raise MovierecError("means of so many users are normally distributed")
        return bootstrap_difference(*outcomes, rng, confidence=confidence, resamples=resamples)

    users_needed = found.ask("users_needed_per_arm", lambda: _plan(difference, design, rates))
    return Report(
        design=design,
        difference=difference,
        lift=found.ask("relative_lift", lambda: _lift(difference)),
        cuped=found.ask("cuped", lambda: _adjust(control, treatment, confidence)),
        peeking=found.ask("anytime_valid", lambda: _allow_peeking(difference, design)),
        ranks=found.ask("mann_whitney", lambda: rank_test(*outcomes)),
        bootstrap=found.ask("bootstrap", resample),
        sample_ratio=sample_ratio,
        users_needed=users_needed,
        detectable_effect=found.ask(
            "detectable_effect",
            lambda: mean_minimum_effect(min(sizes), difference.pooled_std, ratio=design.ratio, **rates),
        ),
        secondary=compare_secondary(control.secondary, treatment.secondary, confidence),
        verdict=decide(
            difference,
            sample_ratio,
            minimum_effect=design.minimum_effect,
            users_needed=users_needed,
            lower_is_better=design.lower_is_better,
            names=(design.control, design.treatment),
            is_even=design.ratio == 1,
        ),
        left_out=found.left_out,
    )


class _Opinions:
    """Asks for one opinion after the other, and keeps the reasons of those that cannot be given."""

    def __init__(self) -> None:
        self.left_out: dict[str, str] = {}

    def ask(self, name: str, compute: Callable[[], Answer | None]) -> Answer | None:
        try:
            return compute()
        except MovierecError as error:
            self.left_out[name] = str(error)
            return None


def _plan(difference: MeanDifference, design: Design, rates: Rates) -> int | None:
    if design.minimum_effect is None:
        return None
    return math.ceil(mean_sample_size(design.minimum_effect, difference.pooled_std, ratio=design.ratio, **rates))


def _lift(difference: MeanDifference) -> RelativeLift:
    lift = relative_lift(difference)
    if lift is None:
        raise MovierecError("the control's mean is not clearly above 0")
    return lift


def _allow_peeking(difference: MeanDifference, design: Design) -> AnytimeValid:
    return anytime_valid(
        difference.estimate,
        difference.standard_error,
        difference.control.n + difference.treatment.n,
        significance=design.significance,
        tuned_for=design.tuned_for,
    )


def _adjust(control: Observations, treatment: Observations, confidence: float) -> CupedDifference | None:
    if control.covariate is None and treatment.covariate is None:
        return None
    if control.covariate is None or treatment.covariate is None:
        raise MovierecError("one arm has no covariate")
    return cuped_test(control.outcomes, treatment.outcomes, control.covariate, treatment.covariate, confidence)
