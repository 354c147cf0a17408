"""New users and movies: as good as fitted ones, no worse than strangers, and exact given a draw."""

import numpy as np
import pandas as pd
import pytest

from movierec.columns import MOVIE_ID, RATING, USER_ID
from movierec.metrics.rating import rmse
from movierec.models.bayes import Bayes
from movierec.models.bayes_fold_in import _prior_mean, fold_in_movie, fold_in_user


@pytest.fixture(scope="module")
def model(ml_100k: pd.DataFrame) -> Bayes:
    """Fit on all but every tenth user."""
    return Bayes(factors=15, sweeps=30, burn_in=10).fit(ml_100k[ml_100k[USER_ID] % 10 > 0])


def test_new_users_are_predicted_better_than_strangers(model: Bayes, ml_100k: pd.DataFrame) -> None:
    stars, folded, strange, inside = [], [], [], []
    held_out = ml_100k[(ml_100k[USER_ID] % 10 == 0) & (model.movies.rows(ml_100k[MOVIE_ID]) >= 0)]
    for _, rows in held_out.groupby(USER_ID):
        known, asked = rows.iloc[::2], rows.iloc[1::2]
        found = fold_in_user(model, known[MOVIE_ID], known[RATING])
        predicted, deviation = found.predict(model.movies.rows(asked[MOVIE_ID]))
        folded.append(predicted)
        stars.append(asked[RATING])
        strange.append(model.predict(asked[USER_ID], asked[MOVIE_ID]))
        inside.append(np.abs(predicted - asked[RATING]) < 1.2816 * deviation)
    actual = np.concatenate(stars)
    assert rmse(actual, np.concatenate(folded)) < 0.94
    assert rmse(actual, np.concatenate(folded)) < rmse(actual, np.concatenate(strange)) - 0.08
    assert np.mean(np.concatenate(inside)) == pytest.approx(0.8, abs=0.03)


def test_a_user_of_the_fit_is_predicted_as_in_the_fit(model: Bayes, ml_100k: pd.DataFrame) -> None:
    rows = ml_100k[ml_100k[USER_ID] == 405]
    every = np.arange(len(model.movies), dtype=np.int32)
    found = fold_in_user(model, rows[MOVIE_ID], rows[RATING])
    undated = model.predict(np.full(len(every), 405), model.movies.ids)
    assert np.corrcoef(found.predict(every)[0], undated)[0, 1] > 0.9
    np.testing.assert_allclose(np.clip(found.score(every), 1, 5), found.predict(every)[0])


def test_a_new_movie_is_folded_in_by_its_ratings(model: Bayes, ml_100k: pd.DataFrame) -> None:
    rows = ml_100k[(ml_100k[MOVIE_ID] == 50) & (ml_100k[USER_ID] % 10 > 0)]
    found = fold_in_movie(model, rows[USER_ID], rows[RATING])
    users = model.users.rows(rows[USER_ID])
    assert found.predict(users)[0].mean() == pytest.approx(rows[RATING].mean(), abs=0.1)


def test_without_ratings_a_user_is_the_mean_one_with_little_certainty(model: Bayes) -> None:
    none, some = fold_in_user(model, [], []), fold_in_user(model, model.movies.ids[:30], np.full(30, 4.0))
    every = np.arange(len(model.movies), dtype=np.int32)
    strange = model.predict(np.full(len(every), 10**6), model.movies.ids)
    assert np.corrcoef(none.predict(every)[0], strange)[0, 1] > 0.95
    assert (none.predict(every)[1] > some.predict(every)[1]).mean() > 0.95
    unknown = fold_in_user(model, [10**6], [1.0])
    np.testing.assert_array_equal(unknown.mean, none.mean)


def test_each_draw_has_the_exact_solution_for_some_noise_of_the_row(model: Bayes) -> None:
    rows, stars, draw = np.arange(40, dtype=np.int32), np.linspace(1, 5, 40), 3
    found = fold_in_user(model, model.movies.ids[rows], stars)
    design = model.movie_draws[draw, rows].astype(np.float64)
    targets = stars - model.mean - design[:, 0]
    design[:, 0] = 1
    weighted = design.T * (model.precision[draw] / model.movie_noise[rows])
    system = np.linalg.inv(found.covariance[draw])
    prior = vars(model)["user_precision"][draw].astype(np.float64)
    weight = np.trace(system - prior) / np.trace(weighted @ design)
    np.testing.assert_allclose(system, prior + weight * weighted @ design, atol=1e-3)
    right = prior @ _prior_mean(model, "user", rows)[draw] + weight * weighted @ targets
    np.testing.assert_allclose(found.mean[draw], np.linalg.solve(system, right), atol=1e-6)


def test_what_no_rating_explains_is_the_score_of_the_mean_row_with_as_many_ratings(model: Bayes) -> None:
    rows, asked = np.arange(40, dtype=np.int32), np.arange(50, 60, dtype=np.int32)
    found = fold_in_user(model, model.movies.ids[rows], np.linspace(1, 5, 40))
    stored = vars(model)
    bag = stored["user_bags_projection"][rows].sum(axis=0, dtype=np.float64) / np.sqrt(40)
    before = _prior_mean(model, "user", rows) - bag @ stored["user_bags_coefficients"]
    vector = (found.covariance @ stored["user_precision"] @ before[:, :, None])[:, :, 0]  # as if no rating had stars
    movies = model.movie_draws[:, asked].astype(np.float64)
    product = (movies[:, :, 1:] @ vector[:, 1:, None])[:, :, 0]
    expected = model.mean + (movies[:, :, 0] + vector[:, :1] + product).mean(axis=0)
    np.testing.assert_allclose(found.score(asked) - found.explain(asked).sum(axis=1), expected, atol=1e-6)


def test_a_liked_movie_speaks_for_itself(model: Bayes) -> None:
    rows = np.arange(30, dtype=np.int32)
    low, high = (
        fold_in_user(model, model.movies.ids[rows], [*[3.0] * 29, stars]).explain(rows) for stars in (1.0, 5.0)
    )
    assert high[29, 29] > low[29, 29] + 0.02
    assert fold_in_user(model, [], []).explain(rows).shape == (30, 0)
