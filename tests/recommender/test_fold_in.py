import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from implicit.cpu.als import AlternatingLeastSquares

from movierec.columns import MOVIE_ID, RATING, USER_ID
from movierec.models.als import ALS
from movierec.models.bias import Bias
from movierec.models.svd import SVD
from movierec.recommender.fold_in import (
    PRIOR_PENALTY,
    FoldedUser,
    fold_in_als,
    fold_in_bias,
    fold_in_svd,
    gram_of_movies,
    with_ones,
)

Floats = npt.NDArray[np.float64]


@pytest.fixture(scope="module")
def als(ratings: pd.DataFrame) -> ALS:
    return ALS(6, iterations=30, regularization=2.0, alpha=2.0, seed=1).fit(ratings)


@pytest.fixture(scope="module")
def svd(ratings: pd.DataFrame) -> SVD:
    return SVD(6, regularization=0.05, seed=1).fit(ratings)


def rated_by(
    ratings: pd.DataFrame, model: ALS | SVD, row: int
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
    own = ratings[ratings[USER_ID] == model.users.ids[row]]
    return model.movies.rows(own[MOVIE_ID]), own[RATING].to_numpy()


@pytest.mark.parametrize("threshold", [4.0, None])
def test_the_als_solves_what_implicit_recalculates(ratings: pd.DataFrame, threshold: float | None) -> None:
    als = ALS(6, regularization=2.0, alpha=2.0, relevance_threshold=threshold, seed=1).fit(ratings)
    reference = AlternatingLeastSquares(6, regularization=2.0, alpha=1.0, use_cg=False, num_threads=1)
    reference.item_factors, reference.user_factors = als.movie_factors, als.user_factors
    for row in range(len(als.users)):
        rows, stars = rated_by(ratings, als, row)
        matrix = sp.csr_matrix((als.confidence(stars), rows, [0, len(rows)]), shape=(1, len(als.movies)))
        folded = fold_in_als(als, gram_of_movies(als), rows, stars)
        np.testing.assert_allclose(folded.vector, reference.recalculate_user(0, matrix), atol=1e-5)


@pytest.mark.parametrize(("sweeps", "tolerance"), [(15, 0.02), (300, 1e-5)])
def test_the_training_ratings_of_a_user_give_the_stored_als_vector_as_the_sweeps_converge(
    ratings: pd.DataFrame, sweeps: int, tolerance: float
) -> None:
    # never exactly: the last sweep solves the users first, then moves the movies once more
    als = ALS(6, iterations=sweeps, regularization=10.0, alpha=2.0, seed=1).fit(ratings)
    gram = gram_of_movies(als)
    folded = [fold_in_als(als, gram, *rated_by(ratings, als, row)).vector for row in range(len(als.users))]
    np.testing.assert_allclose(folded, als.user_factors, atol=tolerance)


def test_the_training_ratings_of_a_user_give_the_stored_bias(ratings: pd.DataFrame, als: ALS) -> None:
    bias = Bias().fit(ratings)
    found = [fold_in_bias(als, *rated_by(ratings, als, row)) for row in range(len(als.users))]
    np.testing.assert_allclose(found, bias.user_bias, rtol=1e-12)


@given(st.integers(0, 2**32 - 1), st.integers(1, 25), st.sampled_from([0.0, 0.02, 1.0]))
def test_the_svds_gradient_is_zero_at_the_solution(svd: SVD, seed: int, n: int, regularization: float) -> None:
    rng = np.random.default_rng(seed)
    rows = rng.choice(len(svd.movies), n, replace=False).astype(np.int32)
    stars = rng.integers(1, 11, n) / 2
    model = SVD(6, regularization=regularization)
    model.mean, model.movie_bias, model.movie_factors = svd.mean, svd.movie_bias, svd.movie_factors
    solution = fold_in_svd(model, rows, stars).vector
    bias, factors = solution[0], solution[1:]
    error = stars - svd.mean - svd.movie_bias[rows] - bias - svd.movie_factors[rows] @ factors
    pull = np.append(error.sum(), error @ svd.movie_factors[rows])
    np.testing.assert_allclose(pull, (n * regularization + PRIOR_PENALTY) * solution, atol=1e-9)


def test_one_rating_moves_the_svd_towards_it(svd: SVD) -> None:
    movie, row = with_ones(svd.movie_factors[[3]])[0], np.array([3], dtype=np.int32)
    hated, liked = (movie @ fold_in_svd(svd, row, [stars]).vector for stars in (0.5, 5.0))
    assert 0.5 < svd.mean + svd.movie_bias[3] + hated < svd.mean + svd.movie_bias[3] + liked < 5.0
    assert hated < 0 < liked


@pytest.mark.parametrize("n", [0, 1, 30])
def test_an_explanation_sums_to_the_score(als: ALS, svd: SVD, n: int) -> None:
    rows, stars = np.arange(n, dtype=np.int32), np.linspace(0.5, 5, n)
    everything = np.arange(len(als.movies))
    cases: list[tuple[FoldedUser, Floats]] = [
        (fold_in_als(als, gram_of_movies(als), rows, stars), als.movie_factors[everything].astype(np.float64)),
        (fold_in_svd(svd, rows, stars), with_ones(svd.movie_factors[everything])),
    ]
    for folded, movies in cases:
        parts = folded.explain(movies)
        assert parts.shape == (len(everything), n)
        np.testing.assert_allclose(parts.sum(axis=1), movies @ folded.vector, atol=1e-9)


def test_a_part_is_what_the_score_loses_without_the_pull_of_the_rating(svd: SVD) -> None:
    # the SVD's system does not depend on the stars: a rating of exactly mean + movie bias pulls at nothing
    rows = np.array([1, 4, 9], dtype=np.int32)
    stars = np.array([5.0, 1.0, 3.5])
    neutral = np.append(stars[:2], svd.mean + svd.movie_bias[9])
    movie = with_ones(svd.movie_factors[[7]])
    whole, without = fold_in_svd(svd, rows, stars), fold_in_svd(svd, rows, neutral)
    assert (movie @ (whole.vector - without.vector)).item() == pytest.approx(whole.explain(movie)[0, 2])


def test_a_heavier_confidence_pulls_an_als_score_up(als: ALS) -> None:
    gram, rows = gram_of_movies(als), np.array([2], dtype=np.int32)
    scores = [als.movie_factors[2] @ fold_in_als(als, gram, rows, [stars]).vector for stars in (1.0, 4.0, 5.0)]
    assert scores[0] < scores[1] < scores[2] < 1


@pytest.mark.parametrize("n", [1, 10, None])
def test_new_users_are_predicted_better_than_by_their_bias_or_none(ml_100k: pd.DataFrame, n: int | None) -> None:
    new = ml_100k[USER_ID] % 3 == 0
    train = ml_100k[~new].sort_values(USER_ID, kind="stable", ignore_index=True)
    model = SVD(20, 40, regularization=0.08, init_std_dev=0.005, seed=42).fit(train)
    errors: dict[str, list[float]] = {"folded in": [], "bias": [], "stranger": []}
    for _, own in ml_100k[new & ml_100k[MOVIE_ID].isin(model.movies.ids)].groupby(USER_ID):
        rows, stars = model.movies.rows(own[MOVIE_ID]), own[RATING].to_numpy(dtype=np.float64)
        cut = len(own) * 4 // 5  # of ratings in the file's order, which is random
        known, asked = rows[: min(n or cut, cut)], rows[cut:]
        residual = stars - model.mean - model.movie_bias[rows]
        folded = fold_in_svd(model, known, stars[: len(known)]).vector
        bias = residual[: len(known)].sum() / (len(known) + Bias().user_penalty)
        errors["folded in"].extend(residual[cut:] - with_ones(model.movie_factors[asked]) @ folded)
        errors["bias"].extend(residual[cut:] - bias)
        errors["stranger"].extend(residual[cut:])
    found = {name: float(np.sqrt(np.mean(np.square(values)))) for name, values in errors.items()}
    assert found["folded in"] < found["bias"] < found["stranger"]
