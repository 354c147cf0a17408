"""The SVD equals scikit-surprise's bit for bit, learns real ratings, and reports its curve truthfully."""

import dataclasses
import itertools

import numpy as np
import pandas as pd
import pytest
import surprise
from hypothesis import given, settings
from hypothesis import strategies as st

from movierec.columns import MOVIE_ID, RATING, USER_ID
from movierec.errors import MovierecError
from movierec.models.indexed import IndexedRatings
from movierec.models.sgd.engines import ENGINES, EngineName
from movierec.models.svd import SVD, EpochResult
from tests.models.conftest import make_ratings, split_ninety_ten

ARRAYS = ("mean", "user_bias", "movie_bias", "user_factors", "movie_factors")


def assert_same_bits(one: SVD, other: SVD) -> None:
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), strict=True, err_msg=name)


@given(
    seed=st.integers(0, 2**32 - 1),
    users=st.integers(1, 12),
    movies=st.integers(1, 12),
    share=st.floats(0.05, 1),
    factors=st.sampled_from([1, 2, 7, 50, 100]),
    epochs=st.integers(1, 4),
    learning_rate=st.sampled_from([0.001, 0.005, 0.05]),
    regularization=st.sampled_from([0.0, 0.02, 0.4]),
    init_std_dev=st.sampled_from([0.0, 0.05, 0.1]),
)
@settings(max_examples=60, deadline=None)
def test_exact_engine_equals_scikit_surprise_bit_for_bit(
    seed: int,
    users: int,
    movies: int,
    share: float,
    factors: int,
    epochs: int,
    learning_rate: float,
    regularization: float,
    init_std_dev: float,
) -> None:
    ratings = make_ratings(seed % 1000, users, movies, max(1, int(share * users * movies)))
    exact, reference = (
        SVD(factors, epochs, learning_rate, regularization, init_std_dev=init_std_dev, seed=seed, engine=engine)
        for engine in ("exact", "surprise")
    )
    assert_same_bits(exact.fit(ratings), reference.fit(ratings))


def test_exact_engine_equals_a_plain_surprise_script_on_real_ratings(ml_100k: pd.DataFrame) -> None:
    train, _ = split_ninety_ten(ml_100k)
    data = surprise.Dataset.load_from_df(train[[USER_ID, MOVIE_ID, RATING]], surprise.Reader(rating_scale=(1, 5)))
    trainset = data.build_full_trainset()
    theirs = surprise.SVD(n_factors=50, n_epochs=10, random_state=0).fit(trainset)
    ours = SVD(50, 10).fit(train)
    users = [trainset.to_inner_uid(user) for user in ours.users.ids.tolist()]
    movies = [trainset.to_inner_iid(movie) for movie in ours.movies.ids.tolist()]
    np.testing.assert_array_equal(ours.user_factors, theirs.pu[users])
    np.testing.assert_array_equal(ours.movie_factors, theirs.qi[movies])
    np.testing.assert_array_equal(ours.user_bias, theirs.bu[users])
    np.testing.assert_array_equal(ours.movie_bias, theirs.bi[movies])


def test_ratings_indexed_once_serve_any_engine(ratings: pd.DataFrame) -> None:
    data = IndexedRatings(ratings)
    for engine in ENGINES:
        assert_same_bits(SVD(4, 2, engine=engine).fit(data), SVD(4, 2, engine=engine).fit(ratings))


def test_unsorted_ratings_are_taken_in_order_of_user() -> None:
    ratings = make_ratings(3)
    shuffled = ratings.sample(frac=1, random_state=1).sort_values(USER_ID, kind="stable")
    mixed = shuffled.sort_values(MOVIE_ID, kind="stable")
    assert_same_bits(SVD(4, 2).fit(mixed), SVD(4, 2, engine="surprise").fit(mixed.sort_values(USER_ID, kind="stable")))


def test_accuracy_on_ml_100k_is_what_scikit_surprise_was_measured_at(ml_100k: pd.DataFrame) -> None:
    train, test = split_ninety_ten(ml_100k)
    model = SVD(50, 10).fit(train, test)
    assert model.history[-1].validation_rmse == pytest.approx(0.9270, abs=0.002)


def test_history_is_the_error_of_the_model_after_each_epoch(ratings: pd.DataFrame) -> None:
    train, validation = ratings.iloc[::2], ratings.iloc[1::2]
    seen: list[EpochResult] = []
    model = SVD(4, 3).fit(train, validation, on_epoch=seen.append)
    assert seen == model.history
    assert [result.epoch for result in seen] == [1, 2, 3]
    for epochs, result in enumerate(seen, start=1):
        earlier = SVD(4, epochs).fit(train)
        for part, error in ((train, result.train_rmse), (validation, result.validation_rmse)):
            residual = earlier.predict(part[USER_ID], part[MOVIE_ID]) - part[RATING].to_numpy()
            assert error == pytest.approx(np.sqrt((residual**2).mean()), rel=1e-12)


def test_the_training_error_need_not_be_measured(ratings: pd.DataFrame) -> None:
    train, validation = ratings.iloc[::2], ratings.iloc[1::2]
    watched, unwatched = (SVD(4, 3).fit(train, validation, measure_train=measure) for measure in (True, False))
    assert_same_bits(watched, unwatched)
    assert unwatched.history == [dataclasses.replace(result, train_rmse=None) for result in watched.history]
    with pytest.raises(MovierecError, match="the SVD diverges in epoch"):
        SVD(50, 9, 1.0, init_std_dev=5.0).fit(train, validation, measure_train=False)


def test_training_error_falls(ratings: pd.DataFrame) -> None:
    errors = [result.train_rmse or 0.0 for result in SVD(10, 30, 0.02, 0.0).fit(ratings, ratings).history]
    assert all(later < earlier for earlier, later in itertools.pairwise(errors))


def test_without_validation_only_the_last_epoch_is_measured(ratings: pd.DataFrame) -> None:
    assert [(result.epoch, result.validation_rmse) for result in SVD(4, 3).fit(ratings).history] == [(3, None)]


def test_surprise_engine_has_only_the_end_of_the_curve(ratings: pd.DataFrame) -> None:
    assert [result.epoch for result in SVD(4, 3, engine="surprise").fit(ratings).history] == [3]


def test_validation_ratings_do_not_change_the_factors(ratings: pd.DataFrame) -> None:
    assert_same_bits(SVD(4, 2).fit(ratings.iloc[::2]), SVD(4, 2).fit(ratings.iloc[::2], ratings.iloc[1::2]))


def test_parallel_engine_depends_on_the_seed_but_not_on_the_threads(
    ratings: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = []
    for cores in (1, 2, 5, 200):
        monkeypatch.setattr("movierec.models.sgd.engines.available_cores", lambda cores=cores: cores)
        models.append(SVD(4, 3, engine="parallel", seed=1).fit(ratings))
    for model in models[1:]:
        assert_same_bits(models[0], model)
    assert (SVD(4, 3, engine="parallel", seed=2).fit(ratings).user_bias != models[0].user_bias).any()


@pytest.mark.parametrize("factors", [3, 16, 50, 112])
def test_fast_engine_is_the_exact_one_in_single_precision(ml_100k: pd.DataFrame, factors: int) -> None:
    train, test = split_ninety_ten(ml_100k)
    exact, fast = (SVD(factors, 10, engine=engine, seed=1).fit(train, test) for engine in ("exact", "fast"))
    for name in ARRAYS:
        np.testing.assert_allclose(getattr(fast, name), getattr(exact, name), rtol=0, atol=1e-4, err_msg=name)
    for one, other in zip(fast.history, exact.history, strict=True):
        assert dataclasses.astuple(one) == pytest.approx(dataclasses.astuple(other), abs=1e-5)


def test_parallel_engine_is_about_as_accurate_as_the_exact_one(ml_100k: pd.DataFrame) -> None:
    train, test = split_ninety_ten(ml_100k)

    def fit_error(engine: EngineName, seed: int) -> float:
        return SVD(50, 20, engine=engine, seed=seed).fit(train, test).history[-1].validation_rmse or 0.0

    engines: tuple[EngineName, EngineName] = ("exact", "parallel")
    errors = {  # one seed moves it by 0.002
        engine: np.mean([fit_error(engine, seed) for seed in range(4)]) for engine in engines
    }
    assert errors["parallel"] == pytest.approx(errors["exact"], abs=0.002)


@pytest.mark.parametrize("engine", ["exact", "fast", "parallel"])
def test_patience_stops_and_keeps_the_best_epoch(ratings: pd.DataFrame, engine: EngineName) -> None:
    train, validation = ratings.iloc[::2], ratings.iloc[1::2]
    stopped = SVD(4, 200, 0.05, patience=3, engine=engine).fit(train, validation)
    best = stopped.best_epoch.epoch
    assert len(stopped.history) == best + 3 < 200
    errors = [result.validation_rmse or 0 for result in stopped.history]
    assert best == 1 + int(np.argmin(errors))
    assert_same_bits(stopped, SVD(4, best, 0.05, engine=engine).fit(train))


def test_patience_that_never_runs_out_keeps_the_best_epoch_too(ratings: pd.DataFrame) -> None:
    train, validation = ratings.iloc[::2], ratings.iloc[1::2]
    model = SVD(4, 60, 0.05, patience=1000).fit(train, validation)
    assert len(model.history) == 60
    assert_same_bits(model, SVD(4, model.best_epoch.epoch, 0.05).fit(train))


def test_patience_needs_something_to_watch(ratings: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match="patience needs validation ratings"):
        SVD(4, 3, patience=2).fit(ratings)
    with pytest.raises(ValueError, match="and an engine that reports every epoch"):
        SVD(4, 3, patience=2, engine="surprise").fit(ratings, ratings)


@pytest.mark.parametrize("engine", ["exact", "fast", "parallel"])
def test_too_high_a_learning_rate_is_told(ratings: pd.DataFrame, engine: EngineName) -> None:
    with pytest.raises(MovierecError, match="the SVD diverges in epoch 5: lower its learning_rate"):
        SVD(50, 5, 1.0, init_std_dev=5.0, engine=engine).fit(ratings)
