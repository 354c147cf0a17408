"""Effects of days: which day it is, and whether their spread is found again."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from movierec.models.gibbs.day_effects import DayEffects, locate_days, number_days
from movierec.models.gibbs.kernels import Days
from movierec.models.gibbs.row_blocks import RowBlocks

DAYS, SIZE = 3000, 5


@pytest.mark.parametrize("deviation", [0.0, 0.1, 0.7])
def test_the_spread_of_effects_is_found_even_if_there_is_none(deviation: float) -> None:
    rng = np.random.default_rng(0)
    effects = deviation * rng.standard_normal(DAYS)
    residuals = (np.repeat(effects, SIZE) + rng.standard_normal(DAYS * SIZE)).astype(np.float32)
    indptr = np.arange(DAYS + 1) * SIZE
    columns, weights, squares = np.zeros(DAYS * SIZE, np.int32), np.ones(1, np.float32), []
    with ThreadPoolExecutor(2) as pool:
        days = DayEffects(RowBlocks(pool, indptr, 4), Days(indptr, np.arange(DAYS)), np.arange(DAYS, dtype=np.int32))
        for _ in range(60):
            days.draw(residuals, columns, np.ones(DAYS), weights, rng)
            squares.append(1 / days.precision)
    assert np.sqrt(np.mean(squares[20:])) == pytest.approx(deviation, abs=0.06)
    if deviation == 0.7:
        shrunken = residuals.reshape(DAYS, SIZE).sum(axis=1) / (SIZE + 1 / 0.7**2)
        np.testing.assert_allclose(days.draws.mean, shrunken, atol=0.1)


def test_each_rating_has_the_effect_of_its_day() -> None:
    indptr = np.array([0, 2, 3])
    with ThreadPoolExecutor(1) as pool:
        days = DayEffects(RowBlocks(pool, indptr, 4), Days(indptr, np.array([0, 0])), np.array([5, 9], dtype=np.int32))
    days.draws.effect[:] = [0.5, -1]
    assert days.by_rating().tolist() == [0.5, 0.5, -1]


def test_days_are_utc_and_may_lie_before_1970() -> None:
    assert number_days([0, 86_399, 86_400, -1]).tolist() == [0, 0, 1, -1]


def test_days_are_located_by_user_and_day() -> None:
    user, day = np.array([0, 0, 2], dtype=np.int32), np.array([-3, 7, 1], dtype=np.int32)
    assert locate_days(user, day, [0, 0, 1, 2, 2, 3], [7, -3, 7, 1, 2, 1]).tolist() == [1, 0, -1, 2, -1, -1]
    assert locate_days(user[:0], day[:0], [0], [7]).tolist() == [-1]
