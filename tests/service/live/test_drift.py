import math

import numpy as np
import pytest

from movierec.service.live.drift import LEAST_RATINGS, WINDOW, RatingErrors


def feed(errors: RatingErrors, std: float, ratings: int, seed: int = 0) -> RatingErrors:
    for error in np.random.default_rng(seed).normal(0, std, ratings).tolist():
        errors.add(error)
    return errors


def test_nothing_is_known_before_the_first_rating() -> None:
    errors = RatingErrors(0.8)
    assert math.isnan(errors.rmse)
    assert not errors.alarm


def test_rmse_is_that_of_the_errors() -> None:
    errors = RatingErrors(0.8)
    for error in (1.0, -2.0, 2.0):
        errors.add(error)
    assert errors.rmse == pytest.approx(math.sqrt(3))


def test_no_alarm_before_there_are_enough() -> None:
    errors = feed(RatingErrors(0.8), 2.0, LEAST_RATINGS - 1)
    assert not errors.alarm
    errors.add(2.0)
    assert errors.alarm


def test_good_model_rarely_alarms_and_a_worse_one_does() -> None:
    good = [feed(RatingErrors(0.8), 0.8, WINDOW, seed).alarm for seed in range(300)]
    bad = [feed(RatingErrors(0.8), 0.95, WINDOW, seed).alarm for seed in range(20)]
    assert sum(good) <= 2
    assert sum(bad) >= 19


def test_better_than_the_baseline_is_no_drift() -> None:
    assert not feed(RatingErrors(0.8), 0.2, WINDOW).alarm


def test_alarm_ends_when_the_window_has_passed() -> None:
    errors = feed(RatingErrors(0.8), 2.0, WINDOW)
    assert errors.alarm
    assert not feed(errors, 0.5, WINDOW).alarm


def test_errors_all_alike_have_no_variance_to_divide_by() -> None:
    errors = RatingErrors(0.8)
    for _ in range(LEAST_RATINGS):
        errors.add(0.9)
    assert errors.alarm
