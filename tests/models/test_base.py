"""One class of tests that every model must pass, whatever it computes."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from movierec.columns import MOVIE_ID, RATING, USER_ID
from movierec.errors import MovierecError
from movierec.models.als import ALS
from movierec.models.base import Recommender, gather, index_ids
from movierec.models.bayes import Bayes
from movierec.models.bias import Bias
from movierec.models.blend import Blend
from movierec.models.ease import EASE
from movierec.models.popularity import Popularity
from movierec.models.svd import SVD

MODELS: dict[str, Callable[[], Recommender]] = {
    "svd": lambda: SVD(factors=5, epochs=3),
    "fast": lambda: SVD(factors=5, epochs=3, engine="fast"),
    "parallel": lambda: SVD(factors=5, epochs=3, engine="parallel"),
    "surprise": lambda: SVD(factors=5, epochs=3, engine="surprise"),
    "als": lambda: ALS(factors=5, iterations=3, regularization=1.0),
    "implicit": lambda: ALS(factors=5, iterations=3, regularization=1.0, engine="implicit"),
    "bayes": lambda: Bayes(factors=5, sweeps=12, burn_in=4, directions=4),
    "als_content": lambda: ALS(factors=5, iterations=3, regularization=1.0, content_weight=0.1),
    "ease": lambda: EASE(regularization=10.0),
    "ease_of_the_most_rated": lambda: EASE(regularization=10.0, max_movies=20),
    "blend": lambda: Blend(als={"factors": 5, "iterations": 3, "regularization": 1.0}),
    "bias": Bias,
    "popularity": Popularity,
}


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS.keys())
class TestConformance:
    def test_fit_returns_the_model_and_its_training_ids_ascending(
        self, make: Callable[[], Recommender], ratings: pd.DataFrame
    ) -> None:
        model = make()
        assert model.fit(ratings) is model
        assert model.users.ids.tolist() == sorted(set(ratings[USER_ID]))
        assert model.movies.ids.tolist() == sorted(set(ratings[MOVIE_ID]))

    def test_predictions_are_finite_stars_in_the_order_asked(
        self, make: Callable[[], Recommender], ratings: pd.DataFrame
    ) -> None:
        model = make().fit(ratings)
        forwards = model.predict(ratings[USER_ID], ratings[MOVIE_ID])
        backwards = model.predict(ratings[USER_ID][::-1], ratings[MOVIE_ID][::-1])
        assert forwards.shape == (len(ratings),)
        assert forwards.dtype == np.float64
        assert ((forwards >= 0.5) & (forwards <= 5)).all()
        np.testing.assert_array_equal(forwards, backwards[::-1])

    def test_predictions_keep_to_the_scale_of_the_training_ratings(
        self, make: Callable[[], Recommender], ratings: pd.DataFrame, tmp_path: Path
    ) -> None:
        for low, high in ((1, 10), (0, 100), (2, 2)):
            scaled = ratings.assign(rating=np.where(np.arange(len(ratings)) % 2, low, high).astype(np.float32))
            model = make().fit(scaled)
            model.save(tmp_path / "model.npz")
            loaded = type(model).load(tmp_path / "model.npz")
            assert model.scale.tolist() == loaded.scale.tolist() == [low, high]
            predicted = loaded.predict(ratings[USER_ID], ratings[MOVIE_ID])
            assert ((predicted >= low) & (predicted <= high)).all()

    def test_unknown_ids_are_predicted_from_what_is_known(
        self, make: Callable[[], Recommender], ratings: pd.DataFrame
    ) -> None:
        model = make().fit(ratings)
        nobody = model.predict([10**6], [10**6])
        assert nobody == pytest.approx(ratings[RATING].mean(), abs=1e-6)
        assert model.predict([], []).shape == (0,)

    def test_lists_hold_the_best_scores_without_what_was_excluded(
        self, make: Callable[[], Recommender], ratings: pd.DataFrame
    ) -> None:
        model = make().fit(ratings)
        users = model.users.ids[::-1][:7]
        ids, scores = model.recommend(users, 10, exclude=ratings)
        assert ids.shape == scores.shape == (7, 10)
        for user, row, row_scores in zip(users, ids, scores, strict=True):
            seen = set(ratings.loc[ratings[USER_ID] == user, MOVIE_ID])
            every = model.score_rows(model.users.rows([user]))[0]
            candidates = [j for j, movie in enumerate(model.movies.ids) if movie not in seen]
            best = sorted(candidates, key=lambda j: (-every[j], model.movies.ids[j]))[:10]
            assert row[row >= 0].tolist() == model.movies.ids[best].tolist()
            np.testing.assert_allclose(row_scores[: len(best)], every[best], rtol=1e-5)

    def test_short_lists_and_unknown_users_are_padded(
        self, make: Callable[[], Recommender], ratings: pd.DataFrame
    ) -> None:
        model = make().fit(ratings)
        known = int(model.users.ids[0])
        everything_but_one = pd.DataFrame({USER_ID: known, MOVIE_ID: model.movies.ids[1:]})
        ids, scores = model.recommend([known, 10**6], 3, exclude=everything_but_one)
        assert ids.tolist() == [[model.movies.ids[0], -1, -1], [-1, -1, -1]]
        assert np.isnan(scores).tolist() == [[False, True, True], [True, True, True]]

    def test_excluding_unknown_pairs_changes_nothing(
        self, make: Callable[[], Recommender], ratings: pd.DataFrame
    ) -> None:
        model = make().fit(ratings)
        strangers = pd.DataFrame({USER_ID: [10**6, 7], MOVIE_ID: [2, 10**6]})
        plain, excluded = model.recommend([7], 5)[0], model.recommend([7], 5, exclude=strangers)[0]
        np.testing.assert_array_equal(plain, excluded)

    def test_blocks_do_not_change_the_lists(
        self, make: Callable[[], Recommender], ratings: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        model = make().fit(ratings)
        whole = model.recommend(model.users.ids, 5, exclude=ratings)[0]
        monkeypatch.setattr("movierec.models.base.BLOCK_CELLS", 3 * len(model.movies))
        np.testing.assert_array_equal(model.recommend(model.users.ids, 5, exclude=ratings)[0], whole)

    def test_a_stored_model_answers_as_the_fitted_one(
        self, make: Callable[[], Recommender], ratings: pd.DataFrame, tmp_path: Path
    ) -> None:
        model = make().fit(ratings)
        model.save(tmp_path / "model.npz")
        loaded = type(model).load(tmp_path / "model.npz")
        np.testing.assert_array_equal(
            loaded.predict(ratings[USER_ID], ratings[MOVIE_ID]), model.predict(ratings[USER_ID], ratings[MOVIE_ID])
        )
        np.testing.assert_array_equal(loaded.recommend([7, 10], 5)[0], model.recommend([7, 10], 5)[0])

    def test_the_same_fit_gives_the_same_bytes(
        self, make: Callable[[], Recommender], ratings: pd.DataFrame, tmp_path: Path
    ) -> None:
        for name in ("one.npz", "two.npz"):
            make().fit(ratings).save(tmp_path / name)
        assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()

    def test_one_rating_is_enough_and_none_is_refused(
        self, make: Callable[[], Recommender], ratings: pd.DataFrame
    ) -> None:
        one = ratings.iloc[:1]
        predicted = make().fit(one).predict(one[USER_ID], one[MOVIE_ID])
        assert predicted == pytest.approx(float(one[RATING].iloc[0]), abs=0.2)
        with pytest.raises(ValueError, match="no ratings"):
            make().fit(ratings.iloc[:0])

    def test_a_damaged_file_is_refused(
        self, make: Callable[[], Recommender], ratings: pd.DataFrame, tmp_path: Path
    ) -> None:
        path = tmp_path / "model.npz"
        model = make().fit(ratings)
        model.save(path)
        path.write_bytes(path.read_bytes()[:-200])
        with pytest.raises(MovierecError, match="damaged: delete it"):
            type(model).load(path)
        with pytest.raises(MovierecError, match="absent.npz is missing"):
            type(model).load(tmp_path / "absent.npz")


def test_another_kind_of_model_is_refused(ratings: pd.DataFrame, tmp_path: Path) -> None:
    Bias().fit(ratings).save(tmp_path / "model.npz")
    with pytest.raises(MovierecError, match="holds a model 'bias', not 'svd'"):
        SVD.load(tmp_path / "model.npz")


def test_a_pickle_in_a_model_file_is_never_opened(tmp_path: Path) -> None:
    settings = np.array(json.dumps({"model": "bias"}))
    with (tmp_path / "evil.npz").open("wb") as file:
        np.savez(file, settings=settings, user_ids=np.array([print], dtype=object), movie_ids=np.array([1]))
    with pytest.raises(MovierecError, match="no model file or is damaged"):
        Bias.load(tmp_path / "evil.npz")


def test_index_ids_gives_the_row_of_each_id() -> None:
    table = pd.DataFrame({USER_ID: [9, 4, 9], MOVIE_ID: [1, 3, 2]})
    users, movies, user_rows, movie_rows = index_ids(table)
    assert (users.ids.tolist(), user_rows.tolist()) == ([4, 9], [1, 0, 1])
    assert (movies.ids.tolist(), movie_rows.tolist()) == ([1, 2, 3], [0, 2, 1])


def test_gather_gives_zero_for_unknown_rows() -> None:
    assert gather(np.array([2.0, 3.0]), np.array([1, -1, 0], dtype=np.int32)).tolist() == [3.0, 0.0, 2.0]
