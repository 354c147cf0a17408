"""A sample of users for the trials."""

from movierec.columns import USER_ID
from movierec.tuning.sample import draw_users
from tests.tuning.conftest import TRAIN, VALIDATION


def test_few_ratings_are_all_taken() -> None:
    train, validation = draw_users(TRAIN, VALIDATION, len(TRAIN), 0)
    assert train is TRAIN
    assert validation is VALIDATION


def test_users_are_taken_whole_or_not_at_all() -> None:
    train, validation = draw_users(TRAIN, VALIDATION, 200, 0)
    assert 150 < len(train) <= 200
    users = train[USER_ID].unique()
    assert train.equals(TRAIN[TRAIN[USER_ID].isin(users)].reset_index(drop=True))
    assert validation.equals(VALIDATION[VALIDATION[USER_ID].isin(users)].reset_index(drop=True))
    assert not train.equals(draw_users(TRAIN, VALIDATION, 200, 1)[0])


def test_a_smaller_sample_is_a_part_of_a_larger_one() -> None:
    few, many = (set(draw_users(TRAIN, VALIDATION, most, 0)[0][USER_ID]) for most in (200, 400))
    assert few < many


def test_somebody_is_always_drawn() -> None:
    assert draw_users(TRAIN, VALIDATION, 1, 0)[0][USER_ID].nunique() == 1
