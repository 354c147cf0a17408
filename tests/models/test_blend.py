"""The blend: standardised scores, their mean, and explanations by both parts."""

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from movierec.columns import MOVIE_ID, RATING, USER_ID
from movierec.models.als import ALS
from movierec.models.base import Recommender
from movierec.models.blend import Blend, standardize
from movierec.models.ease import EASE

ALS_SETTINGS = {"factors": 5, "iterations": 3, "regularization": 1.0}


@pytest.fixture(scope="module")
def blend(ratings: pd.DataFrame) -> Blend:
    return Blend({"regularization": 5.0}, ALS_SETTINGS, weight=0.3).fit(ratings)


def test_scores_are_the_weighted_mean_of_standard_scores(blend: Blend) -> None:
    rows = np.array([3, 1], dtype=np.int32)

    def standard(model: Recommender) -> npt.NDArray[np.float64]:
        scores = model.score_rows(rows).astype(np.float64)
        standard: npt.NDArray[np.float64] = scores - scores.mean(axis=1, keepdims=True)
        standard /= scores.std(axis=1, keepdims=True)
        return standard

    expected = 0.3 * standard(blend.ease) + 0.7 * standard(blend.als)
    np.testing.assert_allclose(blend.score_rows(rows), expected, atol=1e-5)


@pytest.mark.parametrize("weight", [0.0, 1.0])
def test_an_extreme_weight_leaves_one_part(blend: Blend, ratings: pd.DataFrame, weight: float) -> None:
    alone = (blend.als, blend.ease)[int(weight)]
    mixed = Blend(weight=weight).adopt(blend.ease, blend.als)
    users = blend.users.ids
    np.testing.assert_array_equal(mixed.recommend(users, 5, ratings)[0], alone.recommend(users, 5, ratings)[0])


def test_other_parts_leave_nothing_of_the_first(blend: Blend, ratings: pd.DataFrame) -> None:
    rows = np.arange(3, dtype=np.int32)
    other = ALS(factors=3, iterations=3, regularization=1.0).fit(ratings)
    twice = Blend().adopt(blend.ease, blend.als)
    twice.score_rows(rows)
    expected = Blend().adopt(blend.ease, other).score_rows(rows)
    np.testing.assert_array_equal(twice.adopt(blend.ease, other).score_rows(rows), expected)


@pytest.mark.parametrize("weight", [0.0, 0.2, 0.9, 1.0])
@pytest.mark.parametrize("max_movies", [2, 12])
def test_movies_that_ease_leaves_out_are_listed_where_they_belong(
    ratings: pd.DataFrame, max_movies: int, weight: float
) -> None:
    part = Blend({"regularization": 5.0, "max_movies": max_movies}, ALS_SETTINGS, weight).fit(ratings)
    every = np.arange(len(part.users), dtype=np.int32)
    for model in (part, part.ease):
        scores = model.score_rows(every)
        for k in (1, 5, 20):
            found = model.recommend(model.users.ids, k)
            best = np.argsort(-scores, axis=1, kind="stable")[:, :k]
            np.testing.assert_allclose(found.scores, np.take_along_axis(scores, best, axis=1), atol=1e-5)
            listed = model.movies.rows(found.movie_ids.ravel()).reshape(found.movie_ids.shape)
            np.testing.assert_allclose(found.scores, np.take_along_axis(scores, listed, axis=1), atol=1e-5)
            assert all(len(np.unique(row)) == k for row in listed)


def test_parts_of_other_ratings_are_refused(blend: Blend, ratings: pd.DataFrame) -> None:
    stranger = EASE().fit(ratings[ratings[USER_ID] > 10])
    with pytest.raises(ValueError, match="fitted on the same ratings"):
        Blend().adopt(stranger, blend.als)


def test_raw_scores_are_those_ranked_by_and_zero_for_strangers(blend: Blend, monkeypatch: pytest.MonkeyPatch) -> None:
    scores = blend.score_rows(np.array([4, 2], dtype=np.int32))
    users, movies = blend.users.ids[[4, 2, 4]], blend.movies.ids[[7, 1, 0]]
    for cells in (8_000_000, 1):
        monkeypatch.setattr("movierec.models.calibration.BLOCK_CELLS", cells)
        raw = blend.predict_raw([*users, users[0], 10**6], [*movies, 10**6, movies[0]])
        np.testing.assert_allclose(raw, [scores[0, 7], scores[1, 1], scores[0, 0], 0, 0], atol=1e-6)


def test_standard_scores_by_hand() -> None:
    standard, deviations = standardize(np.array([[1, 2, 3], [5, 5, 5]], dtype=np.float32))
    np.testing.assert_allclose(standard, [[-np.sqrt(1.5), 0, np.sqrt(1.5)], [0, 0, 0]], rtol=1e-6)
    np.testing.assert_allclose(deviations, [[np.sqrt(2 / 3)], [1]], rtol=1e-6)


def test_parts_keep_their_settings(blend: Blend) -> None:
    assert (blend.ease.regularization, blend.als.factors) == (5.0, 5)
    again = Blend(**blend._settings())
    assert again._settings() == blend._settings()


def test_a_calibrated_blend_predicts_better_than_the_biases(ml_100k: pd.DataFrame) -> None:
    order = np.random.default_rng(0).permutation(len(ml_100k))
    test, validation, train = (ml_100k.iloc[part] for part in np.split(order, [20_000, 30_000]))
    model = Blend(als={"factors": 16, "iterations": 5}).fit(train)

    def rmse() -> float:
        return float(np.sqrt(((model.predict(test[USER_ID], test[MOVIE_ID]) - test[RATING]) ** 2).mean()))

    before = rmse()
    assert model.calibrate(validation).calibration.shape == (3,)
    assert rmse() < before - 0.003
    assert isinstance(model.als, ALS)
