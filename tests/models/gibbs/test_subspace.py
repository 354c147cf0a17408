"""Singular directions against NumPy's decomposition."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from movierec.models.gibbs.row_blocks import RowBlocks
from movierec.models.gibbs.subspace import Directions, find_directions
from movierec.models.gibbs.subspace import Operator as Matrix


def decompose(matrix: np.ndarray, directions: int, iterations: int = 2) -> Directions:
    with ThreadPoolExecutor(2) as pool:
        rows, columns = (RowBlocks(pool, np.arange(n + 1) * 2000, 16) for n in matrix.shape)
        operator = Matrix(rows, columns, lambda dense: matrix @ dense, lambda dense: matrix.T @ dense)
        return find_directions(operator, directions, iterations, np.random.default_rng(0))


def low_rank(rows: int, columns: int, rank: int) -> np.ndarray:
    rng = np.random.default_rng(rank)
    return (rng.normal(size=(rows, rank)) @ rng.normal(size=(rank, columns))).astype(np.float32)


def test_a_matrix_of_low_rank_is_found_exactly() -> None:
    matrix = low_rank(90, 60, 5)
    found = decompose(matrix, 20)
    assert len(found.scale) == 5
    np.testing.assert_allclose(found.scale, np.linalg.svd(matrix)[1][:5], rtol=1e-4)
    np.testing.assert_allclose(found.left * found.scale @ found.right.T, matrix, atol=1e-2)
    np.testing.assert_allclose(found.left.T @ found.left, np.eye(5), atol=1e-4)


@pytest.mark.parametrize("shape", [(80, 70), (70, 80)])
def test_leading_directions_of_a_full_matrix_explain_nearly_as_much_as_the_best(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    scales = 0.8 ** np.arange(70)
    left, right = (np.linalg.qr(rng.normal(size=(n, 70)))[0] for n in shape)
    matrix = (left * scales @ right.T).astype(np.float32)
    found = decompose(matrix, 10)
    np.testing.assert_allclose(found.scale, scales[:10], rtol=0.02)
    error = np.linalg.norm(matrix - found.left * found.scale @ found.right.T)
    assert error < 1.02 * np.linalg.norm(scales[10:])


def test_a_matrix_of_zeros_has_no_directions() -> None:
    found = decompose(np.zeros((5, 4), np.float32), 3)
    assert (found.left.shape, found.scale.shape, found.right.shape) == ((5, 0), (0,), (4, 0))
