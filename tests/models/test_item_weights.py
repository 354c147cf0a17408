"""The closed form of EASE against a dense one, written down as in the paper."""

import numpy as np
import numpy.typing as npt
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from movierec.errors import MovierecError
from movierec.models import item_weights
from movierec.models.item_weights import ItemWeights, solve_item_weights

Floats = npt.NDArray[np.float32]
NO_CONTENT = np.zeros((0, 30), dtype=np.float32)


def random_ratings(users: int, movies: int, seed: int = 0) -> sp.csr_array:
    rng = np.random.default_rng(seed)
    dense = np.where(rng.random((users, movies)) < 0.3, rng.random((users, movies)) + 0.5, 0)
    return sp.csr_array(dense.astype(np.float32))


def solve_densely(rows: npt.NDArray[np.floating], penalty: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Steck (2019), eq. 8, in float64."""
    inverse = np.linalg.inv(rows.T.astype(np.float64) @ rows + np.diag(penalty.astype(np.float64)))
    weights: npt.NDArray[np.float64] = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0)
    return weights


def whole(weights: ItemWeights) -> npt.NDArray[np.float64]:
    product = weights.inputs @ weights.outputs if weights.inputs.size else weights.outputs
    return (product - np.diag(weights.own)).astype(np.float64)


@pytest.mark.parametrize(
    ("users", "extra", "among_rows"), [(20, 0, True), (20, 5, True), (20, 11, False), (60, 3, False)]
)
def test_either_side_gives_the_dense_solution(users: int, extra: int, among_rows: bool) -> None:  # noqa: FBT001
    ratings = random_ratings(users, 30)
    content = np.random.default_rng(1).standard_normal((extra, 30)).astype(np.float32)
    penalty = np.linspace(2, 5, 30, dtype=np.float32)
    found = solve_item_weights(ratings, penalty, content)
    assert bool(found.inputs.size) is among_rows
    expected = solve_densely(np.vstack([ratings.toarray(), content]), penalty)
    np.testing.assert_allclose(whole(found), expected, atol=2e-6)
    np.testing.assert_allclose(np.diag(whole(found)), 0, atol=1e-6)


def test_by_hand() -> None:
    # Two users, both rated both movies: A'A = [[2, 2], [2, 2]], + 1 on the diagonal; inv = [[3, -2], [-2, 3]] / 5.
    found = solve_item_weights(
        sp.csr_array(np.ones((2, 2), dtype=np.float32)), np.ones(2, np.float32), NO_CONTENT[:, :2]
    )
    np.testing.assert_allclose(whole(found), [[0, 2 / 3], [2 / 3, 0]], atol=1e-6)


@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 10_000))
@settings(max_examples=60)
def test_no_other_weights_rebuild_better(users: int, movies: int, seed: int) -> None:
    """With a zero diagonal, the gradient of the loss is zero off the diagonal."""
    ratings, penalty = random_ratings(users, movies, seed), np.full(movies, 1.5, dtype=np.float32)
    weights = whole(solve_item_weights(ratings, penalty, np.zeros((0, movies), dtype=np.float32)))
    dense = ratings.toarray().astype(np.float64)
    gradient = dense.T @ (dense @ weights - dense) + penalty[:, np.newaxis] * weights
    np.fill_diagonal(gradient, 0)
    np.testing.assert_allclose(gradient, 0, atol=3e-5)


def test_tiles_do_not_change_the_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    ratings, penalty = random_ratings(60, 30), np.full(30, 2, dtype=np.float32)
    expected = solve_item_weights(ratings, penalty, NO_CONTENT).outputs
    monkeypatch.setattr(item_weights, "_TILE", 7)
    np.testing.assert_array_equal(solve_item_weights(ratings, penalty, NO_CONTENT).outputs, expected)


@pytest.mark.parametrize("users", [20, 60])
def test_equations_without_a_solution_are_told(users: int) -> None:
    ratings = sp.csr_array(np.ones((users, 30), dtype=np.float32))
    with pytest.raises(MovierecError, match="^EASE has no unique solution: raise its regularization$"):
        solve_item_weights(ratings, np.full(30, 1e-12, dtype=np.float32), NO_CONTENT)
