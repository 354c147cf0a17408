"""Stars by content: two ridge regressions, and what is left where nothing is known."""

import numpy as np
import pandas as pd
import pytest

from movierec.columns import MOVIE_ID, RATING, USER_ID
from movierec.data.content import Content
from movierec.ids import IdIndex
from movierec.models.bias import Bias
from movierec.models.content_ratings import ContentRatings, solve_ridge


def content_of(ids: list[int], factors: list[list[float]]) -> Content:
    nothing = np.zeros((0, len(factors[0])), dtype=np.float32)
    given = np.array(factors, dtype=np.float32)
    return Content(IdIndex(ids), given, np.empty(0, dtype=np.str_), nothing[:, 0], nothing)


@pytest.mark.parametrize("rows", [0, 3, 8])
def test_ridge_is_the_same_among_rows_and_columns(rows: int) -> None:
    rng = np.random.default_rng(rows)
    inputs, targets = rng.standard_normal((rows, 5)), rng.standard_normal(rows)
    expected = np.linalg.solve(inputs.T @ inputs + 2 * np.eye(5), inputs.T @ targets)
    np.testing.assert_allclose(solve_ridge(inputs, targets, 2.0), expected, atol=1e-12)


def test_a_user_who_likes_one_kind_is_predicted_to_like_its_new_movie(ratings: pd.DataFrame) -> None:
    ids = np.unique(ratings[MOVIE_ID]).tolist()
    kinds = [[float(row % 2), float(1 - row % 2)] for row in range(len(ids))]
    content = content_of([*ids, 9001, 9002], [*kinds, [1.0, 0.0], [0.0, 1.0]])
    kind = dict(zip(ids, kinds, strict=True))
    user = int(ratings[USER_ID].iloc[0])
    loved = np.array([kind[movie][0] for movie in ratings[MOVIE_ID]]) > 0
    stars = np.where(ratings[USER_ID] == user, np.where(loved, 5.0, 1.0), ratings[RATING])
    model = ContentRatings().fit(ratings.assign(**{RATING: stars.astype(np.float32)}), content)
    first, second = model.predict([user, user], [9001, 9002])
    assert first > second + 0.5


def test_without_content_it_is_the_users_bias(ratings: pd.DataFrame) -> None:
    ids = np.unique(ratings[MOVIE_ID]).tolist()
    model = ContentRatings().fit(ratings, content_of(ids, [[0.0, 0.0]] * len(ids)))
    bias = Bias().fit(ratings)
    users = bias.users.ids[:4]
    np.testing.assert_allclose(model.predict(users, [10**6] * 4), bias.predict(users, [10**6] * 4))
    assert model.predict([10**6], [ids[0]]) == pytest.approx(float(bias.mean))


def test_everybodys_weights_by_hand() -> None:
    # One movie, two ratings of 5 by users whose bias is shrunk: its content takes up what the biases leave.
    table = pd.DataFrame({USER_ID: [1, 2, 1, 2], MOVIE_ID: [1, 1, 2, 2], RATING: [5.0, 5.0, 3.0, 3.0]})
    content = content_of([1, 2], [[1.0], [-1.0]])
    model = ContentRatings(penalty=1.0, user_penalty=1e9, movie_penalty=2.0).fit(table, content)
    # Mean 4, biases 0, residuals 1 and -1, trust 2 / (2 + 2) = 1/2: w = (1/2 + 1/2) / (1/2 + 1/2 + 1) = 1/2.
    np.testing.assert_allclose(model.weights, [0.5], atol=1e-9)
    np.testing.assert_allclose(model.predict([1, 2], [1, 2]), [4.5, 3.5], atol=1e-6)
