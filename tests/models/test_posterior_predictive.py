"""Answers of a fitted model: strangers, listed movies, days, intervals, one draw."""

import numpy as np
import pandas as pd
import pytest

from movierec.columns import MOVIE_ID, RATING, TIMESTAMP, USER_ID
from movierec.models.bayes import Bayes
from movierec.models.bayes_fold_in import fold_in_movie, fold_in_user

WIDE = {"factors": 3, "sweeps": 40, "burn_in": 10, "directions": 4}


@pytest.fixture(scope="module")
def listed(ratings: pd.DataFrame) -> pd.DataFrame:
    """Return the rated movies, half of them dramas, and one more drama and one more comedy; dramas are better."""
    ids = np.append(np.unique(ratings[MOVIE_ID]), [9001, 9002]).astype(np.int32)
    return pd.DataFrame({MOVIE_ID: ids, "genres": [["Drama" if n % 2 else "Comedy"] for n in range(len(ids))]})


@pytest.fixture(scope="module")
def model(ratings: pd.DataFrame, listed: pd.DataFrame) -> Bayes:
    dramas = listed.loc[listed["genres"].str[0] == "Drama", MOVIE_ID]
    stars = np.clip(ratings[RATING] / 4 + np.where(ratings[MOVIE_ID].isin(dramas), 3.0, 1.0), 0.5, 5)
    return Bayes(**WIDE).fit(ratings.assign(rating=stars), movies=listed)  # type: ignore[arg-type]


def test_a_movie_without_ratings_is_predicted_from_its_genres(model: Bayes, listed: pd.DataFrame) -> None:
    drama, comedy = sorted([9001, 9002], key=lambda movie: listed.set_index(MOVIE_ID)["genres"][movie], reverse=True)
    users = model.users.ids[:5]
    better, worse, unlisted = (model.predict(users, [movie] * 5) for movie in (drama, comedy, 10**6))
    assert (better > worse + 1).all()
    assert ((worse < unlisted) & (unlisted < better)).all()


def test_the_less_is_known_the_wider(model: Bayes) -> None:
    user, movie = model.users.ids[0], model.movies.ids[0]
    known, new_movie, nobody = model.predict_deviation([user, user, 10**6], [movie, 10**6, 10**6])
    assert known < min(new_movie, nobody)


def test_strangers_are_the_mean(model: Bayes) -> None:
    assert model.predict([10**6], [10**6]).tolist() == [float(model.mean)]
    movies = model.movies.ids
    by_mean_user = model.predict(np.full(len(movies), 10**6), movies)
    by_all = np.mean([model.predict(np.full(len(movies), user), movies) for user in model.users.ids], axis=0)
    assert np.corrcoef(by_mean_user, by_all)[0, 1] > 0.95


def test_predictions_stay_on_the_training_ratings_own_scale(model: Bayes) -> None:
    assert float(model.scale[0]) > 1
    every = model.predict(np.repeat(model.users.ids, len(model.movies)), np.tile(model.movies.ids, len(model.users)))
    assert float(model.scale[0]) <= every.min() <= every.max() <= float(model.scale[1])


def test_intervals_nest_and_stay_on_the_scale(model: Bayes) -> None:
    users, movies = model.users.ids[:10], model.movies.ids[:10]
    narrow, wide = (model.predict_interval(users, movies, coverage) for coverage in (0.5, 0.95))
    predicted = model.predict(users, movies)
    assert (wide[0] <= narrow[0]).all()
    assert (narrow[0] < predicted).all()
    assert (predicted < narrow[1]).all()
    assert (narrow[1] <= wide[1]).all()
    assert (wide[1] <= float(model.scale[1])).all()
    for coverage in (0.0, 1.0):
        with pytest.raises(ValueError, match="must be between 0 and 1"):
            model.predict_interval(users, movies, coverage)


def test_a_good_day_lifts_its_ratings_only(ratings: pd.DataFrame) -> None:
    rng = np.random.default_rng(0)
    days = rng.integers(5, size=len(ratings))
    stars = np.clip(3 + np.where(days == 3, 1.5, -0.2), 1, 5) + rng.normal(0, 0.1, len(ratings))
    dated = ratings.assign(**{RATING: stars, TIMESTAMP: days * 86_400})
    fitted = Bayes(**WIDE).fit(dated)  # type: ignore[arg-type]
    user = dated.loc[dated[TIMESTAMP] == 3 * 86_400, USER_ID].iloc[0]
    movie = fitted.movies.ids[0]
    good, other, unseen, undated = (
        float(fitted.predict([user], [movie], None if when is None else [when * 86_400])[0])
        for when in (3, 1, 77, None)
    )
    assert good > other + 0.7
    assert unseen == undated
    seen, new = fitted.predict_deviation([user] * 2, [movie] * 2, [3 * 86_400, 77 * 86_400])
    assert new == fitted.predict_deviation([user], [movie])[0] > seen


def test_one_draw_ranks_by_itself(model: Bayes) -> None:
    rows = np.arange(3, dtype=np.int32)
    one, other, again = (model.at_draw(draw) for draw in (0, 1, 16))
    np.testing.assert_array_equal(one.score_rows(rows), again.score_rows(rows))  # modulo 16 draws
    assert (one.score_rows(rows) != other.score_rows(rows)).any()
    users, movies = model.user_draws[0].astype(np.float64), model.movie_draws[0, : len(model.movies)].astype(np.float64)
    expected = model.mean + users[:3, :1] + movies[:, 0] + users[:3, 1:] @ movies[:, 1:].T
    np.testing.assert_allclose(one.score_rows(rows), expected, rtol=1e-5)
    draws = np.mean([model.at_draw(draw).score_rows(rows) for draw in range(16)], axis=0)
    np.testing.assert_allclose(draws, model.score_rows(rows), atol=0.3)
    assert one.recommend(model.users.ids[:2], 3)[0].shape == (2, 3)


def test_without_what_only_days_and_new_movies_need_answers_are_the_same(model: Bayes) -> None:
    shed = model.shed()
    users, movies = model.users.ids[:10], model.movies.ids[:10]
    np.testing.assert_array_equal(shed.predict(users, movies), model.predict(users, movies))
    np.testing.assert_array_equal(shed.predict_deviation(users, movies), model.predict_deviation(users, movies))
    np.testing.assert_array_equal(shed.predict(users, movies, np.arange(10)), model.predict(users, movies))
    same = fold_in_user(shed, movies, np.full(10, 4.0)), fold_in_user(model, movies, np.full(10, 4.0))
    np.testing.assert_array_equal(same[0].mean, same[1].mean)
    assert np.isfinite(fold_in_movie(shed, users, np.full(10, 4.0)).mean).all()
    kept, all_of_it = (sum(array.nbytes for array in one._arrays().values()) for one in (shed, model))
    assert kept < all_of_it
