"""The best movies by products of factors are those of all scores, though few are computed."""

import numpy as np
import pytest
import scipy.sparse as sp

from movierec.models import products
from movierec.models.products import Products, rank_columns
from movierec.models.top_k import top_k_rows

USERS, MOVIES = 40, 500


def make(seed: int, *, biased: bool = True) -> Products:
    """Draw factors whose length differs as much as it does between seldom and often rated movies."""
    rng = np.random.default_rng(seed)
    users, movies = rng.normal(size=(USERS, 6)), rng.normal(size=(MOVIES, 6))
    lengths = [rng.exponential(size=len(side)) ** 2 for side in (users, movies)]
    values = (biased * rng.normal(size=len(side)) for side in (users, movies))
    return Products(*(
        array.astype(np.float32)
        for array in (users * lengths[0][:, None], movies * lengths[1][:, None], *values)
    ))  # fmt: skip


def exclude(seed: int, share: float) -> sp.csr_array:
    return sp.csr_array(np.random.default_rng(seed).random((USERS, MOVIES)) < share)


@pytest.mark.parametrize("biased", [False, True])
@pytest.mark.parametrize("first", [1, 15, 100, 10_000])
def test_lists_are_those_of_all_scores(first: int, biased: bool, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: FBT001
    monkeypatch.setattr(products, "FIRST", first)
    for seed in range(5):
        model, excluded = make(seed, biased=biased), [exclude(seed, 0.1), exclude(seed, 0.99)]
        for users in np.array_split(model.order_users(np.arange(USERS)), 8):
            scores, own = model.score(users), [each[users] for each in excluded]
            for top, seen in zip(model.rank(users, own, 10), own, strict=True):
                whole = top_k_rows(scores, seen.indptr, seen.indices, 10)
                np.testing.assert_array_equal(top.columns, whole.columns)
                np.testing.assert_allclose(top.scores, whole.scores, rtol=1e-5, atol=1e-5)


def test_few_movies_are_scored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(products, "FIRST", 50)
    model, scored = make(1), []
    score = Products.score

    def count(self: Products, users: np.ndarray, movies: np.ndarray) -> np.ndarray:
        scored.append(len(movies))
        return score(self, users, movies)

    monkeypatch.setattr(Products, "score", count)
    for users in np.array_split(model.order_users(np.arange(USERS)), 8):
        list(model.rank(users, [exclude(2, 0.05)[users]], 10))
    assert scored[::2] == [50] * 8
    assert np.mean(scored[1::2]) < MOVIES / 2


def test_equal_scores_are_ordered_by_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(products, "FIRST", 5)
    alike = Products(
        np.ones((2, 1), np.float32), np.ones((30, 1), np.float32), *(np.zeros(n, np.float32) for n in (2, 30))
    )
    (top,) = alike.rank(np.array([0, 1]), [sp.csr_array((2, 30), dtype=bool)], 3)
    assert top.columns.tolist() == [[0, 1, 2]] * 2


def test_columns_that_are_not_given_are_never_listed() -> None:
    scores = np.array([[3, 1, 2]], np.float32)
    seen = sp.csr_array(([True, True], ([0, 0], [4, 5])), shape=(1, 9))
    top = rank_columns(scores, np.array([2, 4, 7]), seen, 3)
    assert top.columns.tolist() == [[2, 7, -1]]
    assert top.scores[0, :2].tolist() == [3, 2]
