"""The compiled normal equations against NumPy in double precision."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numba
import numpy as np
import pytest

from movierec.models.normal_equations import (
    BATCH,
    compile_normal_equations,
    pad_width,
    run_blocks,
    split_rows,
)

WIDTHS = [16, 24, 32, 40, 56]


def draw_row(width: int, ratings: int) -> tuple[Any, ...]:
    rng = np.random.default_rng(ratings)
    factors = rng.normal(size=(70, width)).astype(np.float32)
    columns = rng.integers(70, size=ratings).astype(np.int32)
    weights, targets = rng.random((2, ratings)).astype(np.float32)
    return factors, columns, weights, targets


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("ratings", [0, 1, 7, BATCH, 2 * BATCH + 5])
def test_sums_are_those_of_numpy_on_and_above_the_diagonal(width: int, ratings: int) -> None:
    factors, columns, weights, targets = draw_row(width, ratings)
    system, right = np.eye(width, dtype=np.float32), np.ones(width, np.float32)
    scratch = np.empty((2, BATCH, width), np.float32)
    compile_normal_equations(width).accumulate(system, right, scratch, factors, columns, weights, targets)
    rows = factors[columns].astype(np.float64)
    expected = np.eye(width) + (rows.T * weights) @ rows
    np.testing.assert_allclose(np.triu(system), np.triu(expected), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(right, 1 + rows.T @ targets, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("width", WIDTHS)
def test_the_factor_is_choleskys_and_solves_both_ways(width: int) -> None:
    kernels = compile_normal_equations(width)
    rows = np.random.default_rng(width).normal(size=(3 * width, width))
    symmetric = rows.T @ rows / width + np.eye(width)
    factor = np.triu(symmetric).astype(np.float32)
    for start in range(0, width, 8):  # all of the diagonal's squares may count
        square = np.s_[start : start + 24, start : start + 24]
        factor[square] = symmetric[square]
    assert kernels.factorize(factor)
    upper = np.linalg.cholesky(symmetric).T
    np.testing.assert_allclose(factor, upper + np.tril(upper.T, -1), atol=2e-5)
    for solve, matrix in ((kernels.solve_lower, upper.T), (kernels.solve_upper, upper)):
        right = np.arange(width, dtype=np.float32)
        solve(factor, right)
        np.testing.assert_allclose(matrix @ right, np.arange(width), atol=1e-3)


@pytest.mark.parametrize("broken", [0.0, -1.0, np.nan])
@pytest.mark.parametrize("at", [0, 20])
def test_what_is_not_positive_definite_is_told(broken: float, at: int) -> None:
    system = np.eye(32, dtype=np.float32)
    system[at, at] = broken
    assert not compile_normal_equations(32).factorize(system)


@pytest.mark.parametrize("width", [0, -16, 8, 15, 44])
def test_other_widths_are_refused(width: int) -> None:
    with pytest.raises(ValueError, match=f"width is {width}, must be a multiple of 8 from 16"):
        compile_normal_equations(width)


def test_padding() -> None:
    assert [pad_width(columns) for columns in (1, 15, 16, 17, 100)] == [16, 16, 16, 24, 104]


def test_blocks_hold_about_the_same_work() -> None:
    indptr = np.array([0, 100, 100, 100, 150, 200, 200])
    assert split_rows(indptr, 10, 1) == [0, 6]
    bounds = split_rows(indptr, 10, 2)  # work before each row: 0 110 120 130 190 250 260
    assert bounds == [0, 3, 6]
    assert split_rows(np.array([0, 5]), 10, 4) == [0, 1, 1, 1, 1]


def test_every_block_is_run_once_and_in_order() -> None:
    with ThreadPoolExecutor(3) as pool:
        assert run_blocks(pool, lambda first, last: (first, last), [0, 2, 2, 5]) == [(0, 2), (2, 5)]


def test_the_compiler_is_told_the_processor() -> None:
    assert (numba.config.CPU_NAME, numba.config.CPU_FEATURES) == ("haswell", "+avx2,+fma")
