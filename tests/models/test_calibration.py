"""Scores turned into stars: the same as the ALS's calibration."""

import numpy as np
import pandas as pd
import pytest

from movierec.columns import MOVIE_ID, RATING, USER_ID
from movierec.models.als import ALS
from movierec.models.bias import Bias
from movierec.models.ease import EASE


def test_without_calibration_the_bias_model_predicts(ratings: pd.DataFrame) -> None:
    pairs = ratings[USER_ID], ratings[MOVIE_ID]
    np.testing.assert_allclose(EASE().fit(ratings).predict(*pairs), Bias().fit(ratings).predict(*pairs))


def test_calibration_is_the_least_squares_fit_on_the_ratings_given(ratings: pd.DataFrame) -> None:
    train, validation = ratings.iloc[::2], ratings.iloc[1::2]
    model = EASE(regularization=5.0).fit(train).calibrate(validation)
    pairs = validation[USER_ID], validation[MOVIE_ID]
    inputs = np.column_stack([np.ones(len(validation)), Bias().fit(train).predict(*pairs), model.predict_raw(*pairs)])
    expected = np.linalg.pinv(inputs) @ validation[RATING].to_numpy(dtype=np.float64)
    np.testing.assert_allclose(model.calibration, expected, rtol=1e-6)


def test_it_turns_the_same_scores_into_the_same_stars_as_the_als(ratings: pd.DataFrame) -> None:
    """Give EASE the raw scores of an ALS: both are calibrated alike."""
    train, validation = ratings.iloc[::2], ratings.iloc[1::2]
    als, ease = ALS(3, 2, regularization=1.0).fit(train), EASE().fit(train)
    vars(ease)["predict_raw"] = als.predict_raw
    pairs = validation[USER_ID], validation[MOVIE_ID]
    np.testing.assert_allclose(
        ease.calibrate(validation).predict(*pairs), als.calibrate(validation).predict(*pairs), rtol=1e-9
    )


@pytest.mark.parametrize("cells", [8_000_000, 1])
def test_raw_scores_are_those_ranked_by(ratings: pd.DataFrame, monkeypatch: pytest.MonkeyPatch, cells: int) -> None:
    monkeypatch.setattr("movierec.models.calibration.BLOCK_CELLS", cells)
    model = EASE(regularization=5.0).fit(ratings)
    every = model.score_rows(np.arange(len(model.users), dtype=np.int32))
    user, movie = np.array([5, 0, 5, 39]), np.array([3, 29, 0, 3])
    found = model.predict_raw(model.users.ids[user], model.movies.ids[movie])
    np.testing.assert_allclose(found, every[user, movie], rtol=1e-6)
    assert model.predict_raw([10**6, 7], [2, 10**6]).tolist() == [0, 0]
