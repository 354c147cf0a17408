"""The ALS: what it minimises, whom it trusts, and how its scores become stars."""

import itertools
from typing import Literal

import numpy as np
import pandas as pd
import pytest

from movierec.columns import MOVIE_ID, RATING, USER_ID
from movierec.errors import MovierecError
from movierec.evaluation.validation import measure_validation_ndcg
from movierec.metrics.relevance import Relevance
from movierec.models.als import ALS
from movierec.models.bias import Bias
from movierec.models.indexed import IndexedRatings

ENGINES: tuple[Literal["fast"], Literal["implicit"]] = ("fast", "implicit")


def weighted_loss(model: ALS, ratings: pd.DataFrame) -> float:
    """Compute Hu, Koren & Volinsky's eq. 3 over every pair, rated or not, without sparse tricks."""
    user, movie = model.users.rows(ratings[USER_ID]), model.movies.rows(ratings[MOVIE_ID])
    confidence = np.ones((len(model.users), len(model.movies)))
    preference = np.zeros_like(confidence)
    stars = ratings[RATING].to_numpy()
    confidence[user, movie] = np.where(stars >= 4, model.alpha * stars, 1.0)
    preference[user, movie] = 1
    factors = (model.user_factors.astype(np.float64), model.movie_factors.astype(np.float64))
    residual = preference - factors[0] @ factors[1].T
    penalty = model.regularization * sum((array**2).sum() for array in factors)
    return float((confidence * residual**2).sum() + penalty)


def test_the_loss_falls_with_every_sweep(ratings: pd.DataFrame) -> None:
    losses = [weighted_loss(ALS(4, n, regularization=0.5).fit(ratings), ratings) for n in range(1, 6)]
    assert all(later < earlier for earlier, later in itertools.pairwise(losses))


def test_the_reported_objective_falls(ratings: pd.DataFrame) -> None:
    told: list[float] = []
    model = ALS(4, 6, regularization=0.5).fit(ratings, on_sweep=told.append)
    assert told == model.objective
    assert len(told) == 6
    assert all(later < earlier for earlier, later in itertools.pairwise(told))


def test_user_factors_solve_their_ridge_regression(ratings: pd.DataFrame) -> None:
    """After the last sweep the movies were solved for given the users: the gradient there is zero."""
    model = ALS(3, 4, regularization=2.0).fit(ratings)
    user_factors = model.user_factors.astype(np.float64)
    for row, movie_id in enumerate(model.movies.ids[:5]):
        rated = ratings[ratings[MOVIE_ID] == movie_id]
        confidence, preference = np.ones(len(model.users)), np.zeros(len(model.users))
        rows = model.users.rows(rated[USER_ID])
        confidence[rows] = np.where(rated[RATING] >= 4, rated[RATING], 1.0)
        preference[rows] = 1
        left = (user_factors * confidence[:, None]).T @ user_factors + 2.0 * np.eye(3)
        expected = np.linalg.solve(left, user_factors.T @ (confidence * preference))
        np.testing.assert_allclose(model.movie_factors[row], expected, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(
    ("threshold", "expected"),
    [(4.0, [1.0, 1.0, 8.0, 10.0]), (None, [1.0, 7.0, 8.0, 10.0]), (5.0, [1.0, 1.0, 1.0, 10.0])],
)
def test_confidence_of_a_rating(threshold: float | None, expected: list[float]) -> None:
    stars = np.array([0.5, 3.5, 4.0, 5.0], dtype=np.float32)
    assert ALS(alpha=2.0, relevance_threshold=threshold).confidence(stars).tolist() == expected


def test_without_calibration_it_predicts_as_the_bias_model(ratings: pd.DataFrame) -> None:
    pairs = ratings[USER_ID], ratings[MOVIE_ID]
    np.testing.assert_allclose(ALS(3, 2).fit(ratings).predict(*pairs), Bias().fit(ratings).predict(*pairs))


def test_calibration_is_the_least_squares_fit_on_the_ratings_given(ratings: pd.DataFrame) -> None:
    train, validation = ratings.iloc[::2], ratings.iloc[1::2]
    model = ALS(3, 2, regularization=1.0).fit(train).calibrate(validation)
    pairs = validation[USER_ID], validation[MOVIE_ID]
    bias = Bias().fit(train)
    inputs = np.column_stack([np.ones(len(validation)), bias.predict(*pairs), model.predict_raw(*pairs)])
    expected = np.linalg.pinv(inputs) @ validation[RATING].to_numpy(dtype=np.float64)
    np.testing.assert_allclose(model.calibration, expected, rtol=1e-6)


def test_raw_scores_are_dot_products_and_zero_for_strangers(ratings: pd.DataFrame) -> None:
    model = ALS(3, 2, regularization=1.0).fit(ratings)
    user, movie = model.users.ids[2], model.movies.ids[4]
    raw = model.predict_raw([user, user, 10**6], [movie, 10**6, movie])
    assert raw[0] == pytest.approx(float(model.user_factors[2] @ model.movie_factors[4]), rel=1e-5)
    assert raw[1:].tolist() == [0.0, 0.0]


@pytest.mark.parametrize("iterations", [1, 4])
@pytest.mark.parametrize("threshold", [None, 4.0])
@pytest.mark.parametrize("factors", [5, 20])
def test_sweeps_equal_those_of_implicit(
    ml_100k: pd.DataFrame, iterations: int, threshold: float | None, factors: int
) -> None:
    fast, implicit = (
        ALS(factors, iterations, relevance_threshold=threshold, seed=3, engine=engine).fit(ml_100k)
        for engine in ENGINES
    )
    for name in ("user_factors", "movie_factors"):
        ours, theirs = getattr(fast, name), getattr(implicit, name)
        assert (ours.dtype, ours.shape) == (np.float32, theirs.shape)
        assert np.linalg.norm(ours - theirs) < 1e-4 * np.linalg.norm(theirs)
    assert fast.objective == pytest.approx(implicit.objective, rel=1e-5)


def test_both_engines_rank_alike(ml_100k: pd.DataFrame) -> None:
    order = np.random.default_rng(0).permutation(len(ml_100k))
    train, test = ml_100k.iloc[order[20_000:]], ml_100k.iloc[order[:20_000]]
    relevance = Relevance(train, test, 4.0)
    values = [measure_validation_ndcg(ALS(16, engine=engine).fit(train), relevance) for engine in ENGINES]
    assert values[0] > 0.3
    assert values[0] == pytest.approx(values[1], abs=5e-4)  # the bootstrap's standard error is ten times that


def test_ratings_indexed_once_serve_any_fit(ratings: pd.DataFrame) -> None:
    data = IndexedRatings(ratings)
    for alpha in (1.0, 2.0):
        once, anew = ALS(3, 2, alpha=alpha).fit(data), ALS(3, 2, alpha=alpha).fit(ratings)
        np.testing.assert_array_equal(once.movie_factors, anew.movie_factors)


@pytest.mark.parametrize("threads", [1, 2, 5, 200])
def test_threads_change_no_bit(ratings: pd.DataFrame, threads: int) -> None:
    one, other = ALS(7, 5).fit(ratings), ALS(7, 5).fit(ratings, threads=threads)
    np.testing.assert_array_equal(one.user_factors, other.user_factors)
    np.testing.assert_array_equal(one.movie_factors, other.movie_factors)


@pytest.mark.parametrize("engine", ENGINES)
def test_equations_without_a_solution_are_told(ratings: pd.DataFrame, engine: Literal["fast", "implicit"]) -> None:
    with pytest.raises(MovierecError, match="^the ALS diverges: raise its regularization$"):
        ALS(60, 2, regularization=0.0, engine=engine).fit(ratings)


def test_an_error_of_the_callback_is_its_own(ratings: pd.DataFrame) -> None:
    def fail(_loss: float) -> None:
        raise ValueError("mine")

    with pytest.raises(ValueError, match="^mine$"):
        ALS(3, 2).fit(ratings, on_sweep=fail)


def test_on_real_ratings_raw_scores_are_no_ratings_and_calibrated_ones_beat_the_bias(ml_100k: pd.DataFrame) -> None:
    order = np.random.default_rng(0).permutation(len(ml_100k))
    test, validation, train = (ml_100k.iloc[part] for part in np.split(order, [20_000, 30_000]))
    model = ALS().fit(train).calibrate(validation)
    pairs, actual = (test[USER_ID], test[MOVIE_ID]), test[RATING].to_numpy()

    def rmse(predicted: np.ndarray) -> float:
        return float(np.sqrt(((predicted - actual) ** 2).mean()))

    assert 3.2 < rmse(model.predict_raw(*pairs)) < 3.5
    assert rmse(model.predict(*pairs)) < rmse(Bias().fit(train).predict(*pairs)) - 0.005
