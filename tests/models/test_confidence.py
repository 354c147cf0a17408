"""Half a sweep of ALS with priors: each row solves its own ridge regression."""

import numpy as np
import pytest
import scipy.sparse as sp

from movierec.errors import MovierecError
from movierec.models.confidence import measure_loss, solve_side

RNG = np.random.default_rng(3)
CONFIDENCE = sp.csr_array(np.where(RNG.random((9, 14)) < 0.4, 0.5 + 4 * RNG.random((9, 14)), 0).astype(np.float32))
FIXED = RNG.standard_normal((14, 3)).astype(np.float32)
PRIOR = RNG.standard_normal((9, 3)).astype(np.float32)


def test_rows_solve_their_equations() -> None:
    found = solve_side(CONFIDENCE, FIXED, PRIOR, 2.0)
    dense, fixed = CONFIDENCE.toarray(), FIXED.astype(np.float64)
    for row in range(9):
        c, p = np.where(dense[row] > 0, dense[row], 1.0), (dense[row] > 0).astype(float)
        left = (fixed.T * c) @ fixed + 2 * np.eye(3)
        np.testing.assert_allclose(found[row], np.linalg.solve(left, fixed.T @ (c * p) + 2 * PRIOR[row]), rtol=1e-4)


def test_a_row_without_ratings_is_drawn_to_its_prior_and_to_zero() -> None:
    nobody = sp.csr_array(np.zeros((1, 14), dtype=np.float32))
    gram = FIXED.T @ FIXED
    expected = np.linalg.solve(gram + 2 * np.eye(3), 2 * PRIOR[0])
    np.testing.assert_allclose(solve_side(nobody, FIXED, PRIOR[:1], 2.0)[0], expected, rtol=1e-4)


@pytest.mark.parametrize("threads", [0, 2, 5])
def test_threads_change_no_bit(threads: int) -> None:
    one = solve_side(CONFIDENCE, FIXED, PRIOR, 2.0, threads=1)
    np.testing.assert_array_equal(solve_side(CONFIDENCE, FIXED, PRIOR, 2.0, threads=threads), one)


def test_equations_without_a_solution_are_told() -> None:
    with pytest.raises(MovierecError, match="^the ALS diverges: raise its regularization$"):
        solve_side(CONFIDENCE, np.zeros_like(FIXED), PRIOR, 0.0)


def test_loss_is_the_sum_over_every_pair() -> None:
    rows = RNG.standard_normal((9, 3)).astype(np.float32)
    dense, residual = CONFIDENCE.toarray(), (CONFIDENCE.toarray() > 0) - rows.astype(np.float64) @ FIXED.T
    expected = (np.where(dense > 0, dense, 1) * residual**2).sum()
    assert measure_loss(CONFIDENCE, rows, FIXED) == pytest.approx(expected, rel=1e-6)
