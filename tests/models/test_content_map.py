"""The ALS with content: without content the plain one to the bit, with it a lower loss and movies in their place."""

import itertools
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from movierec.columns import MOVIE_ID
from movierec.data.content import Content
from movierec.errors import MovierecError
from movierec.ids import IdIndex
from movierec.models.als import ALS
from movierec.models.indexed import IndexedRatings

Floats = npt.NDArray[np.float64]


def content_of(ratings: pd.DataFrame, size: int = 4) -> Content:
    ids = np.unique(ratings[MOVIE_ID])
    factors = np.random.default_rng(5).standard_normal((len(ids), size)).astype(np.float32)
    nothing = np.zeros((0, size), dtype=np.float32)
    return Content(IdIndex(ids), factors, np.empty(0, dtype=np.str_), nothing[:, 0], nothing)


@pytest.mark.parametrize("weight", [0.0, 0.1])
def test_without_content_or_weight_it_is_the_plain_als_to_the_bit(ratings: pd.DataFrame, weight: float) -> None:
    content = content_of(ratings) if weight == 0 else None
    model = ALS(4, 3, content_weight=weight).fit(ratings, content=content).calibrate(ratings)
    plain = ALS(4, 3).fit(ratings).calibrate(ratings)
    np.testing.assert_array_equal(model.movie_factors, plain.movie_factors)
    assert model.objective == plain.objective
    assert model.content_map.shape == (0, 4)


def test_a_sweep_solves_users_then_movies_drawn_to_their_content(ratings: pd.DataFrame) -> None:
    content, penalty, weight = content_of(ratings), 0.5, 2.0
    before, after = (
        ALS(4, sweeps, regularization=penalty, content_weight=weight).fit(ratings, content=content) for sweeps in (1, 2)
    )
    data = IndexedRatings(ratings)
    confidence, preference = (np.full((len(data.users), len(data.movies)), fill) for fill in (1.0, 0.0))
    confidence[data.pairs.user, data.pairs.movie] = after.confidence(data.pairs.stars)
    preference[data.pairs.user, data.pairs.movie] = 1
    q, v = content.factors.astype(np.float64), before.movie_factors.astype(np.float64)

    def solve(other: Floats, wanted: Floats, weights: Floats, drawn_to: Floats) -> Floats:
        ridge = penalty * np.eye(4)
        rows = zip(wanted, weights, drawn_to, strict=True)
        return np.array(
            [np.linalg.solve((other.T * c) @ other + ridge, other.T @ (c * p) + penalty * m) for p, c, m in rows]
        )

    u = solve(v, preference, confidence, np.zeros((len(data.users), 4)))
    v = solve(u, preference.T, confidence.T, q @ before.content_map)
    np.testing.assert_allclose(after.user_factors, u, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(after.movie_factors, v, rtol=1e-3, atol=1e-4)
    w = np.linalg.solve(q.T @ q + np.eye(4) / weight, q.T @ v)
    squares = (u**2).sum() + ((v - q @ w) ** 2).sum() + (w**2).sum() / weight
    loss = (confidence * (preference - u @ v.T) ** 2).sum() + penalty * squares
    assert after.objective[-1] == pytest.approx(loss / confidence.sum(), rel=1e-5)


def test_the_library_knows_no_content(ratings: pd.DataFrame) -> None:
    model = ALS(4, 3, content_weight=0.5, engine="implicit")
    with pytest.raises(MovierecError, match="^the ALS's engine implicit knows no content"):
        model.fit(ratings, content=content_of(ratings))


def test_a_stored_model_keeps_its_map(ratings: pd.DataFrame, tmp_path: Path) -> None:
    model = ALS(4, 3, content_weight=0.5).fit(ratings, content=content_of(ratings))
    model.save(tmp_path / "als.npz")
    loaded = ALS.load(tmp_path / "als.npz")
    assert loaded.content_weight == 0.5
    np.testing.assert_array_equal(loaded.content_map, model.content_map)


def test_the_loss_falls_with_every_sweep(ratings: pd.DataFrame) -> None:
    told: list[float] = []
    model = ALS(4, 8, regularization=0.5, content_weight=1.0)
    model.fit(ratings, on_sweep=told.append, content=content_of(ratings))
    assert told == model.objective
    assert all(later < earlier for earlier, later in itertools.pairwise(told))


def test_the_map_is_the_ridge_regression_of_the_movies_on_their_content(ratings: pd.DataFrame) -> None:
    content = content_of(ratings)
    model = ALS(4, 3, content_weight=0.5).fit(ratings, content=content)
    q = content.of(model.movies.ids).astype(np.float64)
    expected = np.linalg.solve(q.T @ q + 2 * np.eye(4), q.T @ model.movie_factors)
    np.testing.assert_allclose(model.content_map, expected, atol=1e-5)
    np.testing.assert_allclose(model.place(content.of(model.movies.ids[:3])), q[:3] @ expected, atol=1e-5)


def test_a_tiny_weight_is_the_als_from_another_start(ratings: pd.DataFrame) -> None:
    model = ALS(2, 60, regularization=3.0, content_weight=1e-9).fit(ratings, content=content_of(ratings))
    plain = ALS(2, 60, regularization=3.0).fit(ratings)
    every = np.arange(len(model.users), dtype=np.int32)
    np.testing.assert_allclose(model.score_rows(every), plain.score_rows(every), atol=2e-2)


@pytest.mark.parametrize("threads", [1, 2])
def test_threads_change_no_bit(ratings: pd.DataFrame, threads: int) -> None:
    content = content_of(ratings)
    one = ALS(5, 3, content_weight=0.1).fit(ratings, content=content)
    other = ALS(5, 3, content_weight=0.1).fit(ratings, threads=threads, content=content)
    np.testing.assert_array_equal(one.movie_factors, other.movie_factors)


def test_fitted_again_without_content_it_forgets_its_map(ratings: pd.DataFrame) -> None:
    model = ALS(4, 2, content_weight=0.5).fit(ratings, content=content_of(ratings))
    assert model.fit(ratings).content_map.shape == (0, 4)
