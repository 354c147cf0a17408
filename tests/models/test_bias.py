"""The bias model against scikit-surprise's BaselineOnly and by hand."""

import numpy as np
import pandas as pd
import pytest
import surprise

from movierec.columns import MOVIE_ID, RATING, USER_ID
from movierec.models.bias import Bias
from tests.models.conftest import split_ninety_ten


def test_equals_scikit_surprise(ratings: pd.DataFrame) -> None:
    reader = surprise.Reader(rating_scale=(0.5, 5))
    trainset = surprise.Dataset.load_from_df(ratings[[USER_ID, MOVIE_ID, RATING]], reader).build_full_trainset()
    theirs = surprise.BaselineOnly(verbose=False).fit(trainset)
    model = Bias().fit(ratings)
    users = [trainset.to_inner_uid(user) for user in model.users.ids.tolist()]
    movies = [trainset.to_inner_iid(movie) for movie in model.movies.ids.tolist()]
    np.testing.assert_allclose(model.user_bias, theirs.bu[users], atol=1e-10)
    np.testing.assert_allclose(model.movie_bias, theirs.bi[movies], atol=1e-10)


def test_one_sweep_by_hand() -> None:
    table = pd.DataFrame({USER_ID: [1, 1, 2], MOVIE_ID: [1, 2, 1], RATING: [5.0, 3.0, 4.0]})
    model = Bias(sweeps=1, movie_penalty=1.0, user_penalty=2.0).fit(table)
    assert model.mean == 4
    assert model.movie_bias.tolist() == [(1 + 0) / (2 + 1), (-1) / (1 + 1)]  # 1/3, -1/2
    expected = [((1 - 1 / 3) + (-1 + 1 / 2)) / (2 + 2), (0 - 1 / 3) / (1 + 2)]
    assert model.user_bias.tolist() == pytest.approx(expected)


def test_accuracy_on_ml_100k(ml_100k: pd.DataFrame) -> None:
    train, test = split_ninety_ten(ml_100k)
    residual = Bias().fit(train).predict(test[USER_ID], test[MOVIE_ID]) - test[RATING].to_numpy()
    assert np.sqrt((residual**2).mean()) == pytest.approx(0.9266, abs=2e-4)
