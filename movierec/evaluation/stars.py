"""Judging predicted ratings: how far they are off, for whom, and whether the model knew."""

from dataclasses import dataclass

import numpy as np

from movierec.columns import MOVIE_ID, RATING, TIMESTAMP, USER_ID
from movierec.evaluation.bed import TestBed, Values
from movierec.evaluation.uncertainty import state_uncertainty
from movierec.metrics.rating import CalibrationTable, UserErrors, calibration_table, error_sums_by_user, rmse, sum_by
from movierec.metrics.uncertainty import DeviationTable
from movierec.models.als import ALS
from movierec.models.base import Recommender
from movierec.models.posterior_predictive import PosteriorPredictive


@dataclass(frozen=True)
class StarResult:
    """What one model's predictions of the test ratings are worth; the predictions themselves are not kept.

    Attributes
    ----------
    errors : UserErrors
        By user.
    squared_by_decile : ndarray of float64, shape (11, users)
        Squared errors summed by the movies' decile and user; decile 0 are the movies that are not in train.
    calibration : CalibrationTable
        Over bins of `TestBed.star_edges`.
    overall : dict of str to float
        For the ALS the RMSE of its uncalibrated scores, and how honest stated intervals are.
    deviations : DeviationTable or None
        Stated against observed errors; None of a model that does not say how sure it is.
    """

    errors: UserErrors
    squared_by_decile: Values
    calibration: CalibrationTable
    overall: dict[str, float]
    deviations: DeviationTable | None = None


def judge_stars(model: Recommender, bed: TestBed) -> StarResult:
    """Predict every test rating of a bed that has ratings."""
    pairs, actual = (bed.test[USER_ID], bed.test[MOVIE_ID]), bed.test[RATING].to_numpy(dtype=np.float64)
    overall, deviations = dict[str, float](), None
    if isinstance(model, PosteriorPredictive):  # it knows moods of days, and how sure it is
        predicted = model.predict(*pairs, bed.test.get(TIMESTAMP))
        stated = state_uncertainty(model, bed.test, predicted)
        overall |= stated.judge(actual)
        deviations = stated.compare(predicted, actual)
    else:
        predicted = model.predict(*pairs)
    if isinstance(model, ALS):
        overall["rmse_raw"] = rmse(actual, model.predict_raw(*pairs))
    groups = bed.test_ratings_by_decile
    return StarResult(
        error_sums_by_user(bed.test_users, actual, predicted, len(bed.users), bed.test_ratings),
        sum_by(bed.rating_groups, np.square(actual - predicted), groups.size).reshape(groups.shape),
        calibration_table(actual, predicted, bed.star_edges),
        overall,
        deviations,
    )
