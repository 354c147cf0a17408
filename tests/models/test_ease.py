"""EASE: what a rating weighs, whom it listens to, and that a score is the sum of its parts."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from movierec.columns import MOVIE_ID, RATING, USER_ID
from movierec.data.content import Content
from movierec.errors import MovierecError
from movierec.ids import IdIndex
from movierec.models.ease import EASE


@pytest.fixture(scope="module")
def content(ratings: pd.DataFrame) -> Content:
    """Give every movie but one five random factors."""
    ids = np.unique(ratings[MOVIE_ID])[1:]
    factors = np.random.default_rng(5).standard_normal((len(ids), 5)).astype(np.float32)
    nothing = np.zeros((0, 5), dtype=np.float32)
    return Content(IdIndex(ids), factors, np.empty(0, dtype=np.str_), nothing[:, 0], nothing)


def score_densely(model: EASE, ratings: pd.DataFrame, content: Content | None) -> npt.NDArray[np.float64]:
    """Write the whole model down again, without sparse tricks, in float64."""
    stars = ratings[RATING].to_numpy(dtype=np.float64)
    user, movie = model.users.rows(ratings[USER_ID]), model.movies.rows(ratings[MOVIE_ID])
    x = np.zeros((len(model.users), len(model.movies)))
    x[user, movie] = np.where(stars >= 4, 1 + model.slope * (stars - 4), model.low)
    votes = (x > 0).sum(axis=1) ** -model.user_power
    rows = np.sqrt(votes / votes.mean())[:, np.newaxis] * x
    penalty = model.regularization + model.dropout / (1 - model.dropout) * (rows**2).sum(axis=0)
    if content is not None:
        rows = np.vstack([rows, np.sqrt(model.content_weight) * content.of(model.movies.ids).T])
    inverse = np.linalg.inv(rows.T @ rows + np.diag(penalty))
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0)
    scores: npt.NDArray[np.float64] = (x @ weights) * (x > 0).sum(axis=0) ** -model.popularity_power
    return scores


@pytest.mark.parametrize("with_content", [False, True])
@pytest.mark.parametrize("users", [15, 40])
def test_scores_are_those_of_the_dense_closed_form(
    ratings: pd.DataFrame, content: Content, users: int, *, with_content: bool
) -> None:
    some = ratings[ratings[USER_ID] <= np.unique(ratings[USER_ID])[users - 1]]
    given = content if with_content else None
    model = EASE(regularization=5.0).fit(some, given)
    assert bool(model.inputs.size) is (users == 15)
    every = model.score_rows(np.arange(len(model.users), dtype=np.int32))
    np.testing.assert_allclose(every, score_densely(model, some, given), atol=1e-3)


def test_weights_of_ratings() -> None:
    model = EASE(low=0.25, slope=0.5)
    assert model.weigh(np.array([0.5, 3.5, 4.0, 5.0], dtype=np.float32)).tolist() == [0.25, 0.25, 1.0, 1.5]


def test_content_of_weight_zero_is_no_content(ratings: pd.DataFrame, content: Content, tmp_path: Path) -> None:
    for name, given in (("with.npz", content), ("without.npz", None)):
        EASE(content_weight=0.0).fit(ratings, given).save(tmp_path / name)
    assert (tmp_path / "with.npz").read_bytes() == (tmp_path / "without.npz").read_bytes()


@pytest.mark.parametrize(("users", "most"), [(15, 30), (15, 12), (40, 30), (40, 12)])
def test_a_stranger_is_scored_as_a_trained_user_and_every_score_is_the_sum_of_its_parts(
    ratings: pd.DataFrame, users: int, most: int
) -> None:
    some = ratings[ratings[USER_ID] <= np.unique(ratings[USER_ID])[users - 1]]
    model = EASE(regularization=5.0, max_movies=most).fit(some)
    own = some[some[USER_ID] == some[USER_ID].iloc[0]]
    rows, stars = model.movies.rows(own[MOVIE_ID]), own[RATING].to_numpy()
    trained = model.score_rows(np.array([0], dtype=np.int32))[0]
    np.testing.assert_allclose(model.fold_in(rows, stars), trained, atol=1e-6)
    every = np.arange(len(model.movies), dtype=np.int32)
    parts = model.explain(rows, stars, every)
    assert parts.shape == (len(every), len(rows))
    np.testing.assert_allclose(parts.sum(axis=1), trained, atol=1e-5)
    np.testing.assert_allclose(parts[rows, np.arange(len(rows))], 0, atol=1e-6)  # no movie speaks for itself


def test_who_rated_nothing_has_no_scores(ratings: pd.DataFrame) -> None:
    model = EASE().fit(ratings)
    nothing = np.empty(0, dtype=np.int32)
    assert not model.fold_in(nothing, []).any()
    assert model.explain(nothing, [], np.array([1], dtype=np.int32)).shape == (1, 0)


def test_only_the_most_rated_movies_are_modelled(ratings: pd.DataFrame) -> None:
    model = EASE(max_movies=7).fit(ratings)
    counts = ratings.groupby(MOVIE_ID).size()
    expected = counts.sort_values(ascending=False, kind="stable").index[:7]
    assert model.movies.ids[model.modelled].tolist() == sorted(expected)
    scores = model.score_rows(np.arange(5, dtype=np.int32))
    assert not np.delete(scores, model.modelled, axis=1).any()
    assert scores[:, model.modelled].any()


def test_a_temper_moves_lists_towards_the_less_rated(ratings: pd.DataFrame) -> None:
    popularity = ratings.groupby(MOVIE_ID).size()
    plain, tempered = (
        EASE(regularization=5.0, popularity_power=power).fit(ratings).recommend(np.unique(ratings[USER_ID]), 5)[0]
        for power in (0.0, 1.0)
    )
    assert popularity[tempered.ravel()].mean() < popularity[plain.ravel()].mean()


def test_too_little_regularization_is_told(ratings: pd.DataFrame) -> None:
    twice = pd.concat([ratings, ratings.assign(**{MOVIE_ID: ratings[MOVIE_ID] + 1000})])  # the same column twice
    with pytest.raises(MovierecError, match="raise its regularization"):
        EASE(regularization=1e-9, dropout=0.0).fit(twice)


def test_a_whole_matrix_is_stored_in_16_bits_and_is_the_same_afterwards(ratings: pd.DataFrame, tmp_path: Path) -> None:
    model = EASE(regularization=5.0).fit(ratings)
    model.save(tmp_path / "ease.npz")
    with np.load(tmp_path / "ease.npz") as stored:
        assert stored["outputs"].dtype == np.float16
    loaded = EASE.load(tmp_path / "ease.npz")
    assert loaded.outputs.dtype == np.float32
    np.testing.assert_array_equal(loaded.outputs, model.outputs)


def test_on_real_ratings_it_ranks_better_than_popularity_by_far(ml_100k: pd.DataFrame) -> None:
    order = np.random.default_rng(0).permutation(len(ml_100k))
    test, train = ml_100k.iloc[order[:20_000]], ml_100k.iloc[order[20_000:]]
    lists = EASE().fit(train).recommend(np.unique(test[USER_ID]), 10, exclude=train)[0]
    liked = set(map(tuple, test.loc[test[RATING] >= 4, [USER_ID, MOVIE_ID]].to_numpy().tolist()))
    hits = np.mean(
        [
            [(user, movie) in liked for movie in row]
            for user, row in zip(np.unique(test[USER_ID]).tolist(), lists.tolist(), strict=True)
        ]
    )
    assert hits == pytest.approx(0.27, abs=0.015)  # popularity: 0.14
