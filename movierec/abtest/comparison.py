"""Every statistic of an experiment of two arms, computed once and put into a report."""

import math

import numpy as np

from movierec.abtest.analysis import MeanDifference, relative_lift, sample_ratio_check, welch_test
from movierec.abtest.cuped import CupedDifference, cuped_test
from movierec.abtest.design import Design, Observations
from movierec.abtest.power import Rates, mean_minimum_effect, mean_sample_size
from movierec.abtest.report import Report
from movierec.abtest.robustness import bootstrap_difference, rank_test
from movierec.abtest.secondary import compare_secondary
from movierec.abtest.sequential import AnytimeValid, anytime_valid
from movierec.abtest.verdict import decide


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
        At least two users each. CUPED runs when both have a covariate.
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
        The verdict follows Welch's interval: the data are looked at once.

    Raises
    ------
    MovierecError
        If an arm has fewer than two users, an outcome or covariate that is NaN or infinite, or nothing varies within
        either arm; or a number of the design is outside its range.
    """
    outcomes, sizes = (control.outcomes, treatment.outcomes), (len(control.outcomes), len(treatment.outcomes))
    confidence = 1 - design.significance
    difference = welch_test(*outcomes, confidence)
    sample_ratio = sample_ratio_check(design.by_arm(sizes), design.by_arm(design.weights))
    rates = Rates(significance=design.significance, power=design.power)
    users_needed = None
    if design.minimum_effect is not None:
        users_needed = math.ceil(
            mean_sample_size(design.minimum_effect, difference.pooled_std, ratio=design.ratio, **rates)
        )
    bootstrap = None
    if sum(sizes) <= most_bootstrap_users:
        bootstrap = bootstrap_difference(*outcomes, rng, confidence=confidence, resamples=resamples)
    return Report(
        design=design,
        difference=difference,
        lift=relative_lift(difference),
        cuped=_adjust(control, treatment, confidence),
        peeking=_allow_peeking(difference, design),
        ranks=rank_test(*outcomes),
        bootstrap=bootstrap,
        sample_ratio=sample_ratio,
        users_needed=users_needed,
        detectable_effect=mean_minimum_effect(min(sizes), difference.pooled_std, ratio=design.ratio, **rates),
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
    )


def _allow_peeking(difference: MeanDifference, design: Design) -> AnytimeValid:
    return anytime_valid(
        difference.estimate,
        difference.standard_error,
        difference.control.n + difference.treatment.n,
        significance=design.significance,
        tuned_for=design.tuned_for,
    )


def _adjust(control: Observations, treatment: Observations, confidence: float) -> CupedDifference | None:
    if control.covariate is None or treatment.covariate is None:
        return None
    return cuped_test(control.outcomes, treatment.outcomes, control.covariate, treatment.covariate, confidence)
