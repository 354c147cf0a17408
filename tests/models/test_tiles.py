"""The generated steps against NumPy in double precision."""

from typing import Any

import numba
import numpy as np
import numpy.typing as npt
import pytest

from movierec.models.tiles import (
    TILE_ROWS,
    add_tile,
    dot_rows,
    dot_unrolled,
    fma,
    stage_row,
    step_unrolled,
)


@numba.njit
def add_narrow_tile(system, left, right, count, row, column):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    add_tile(system, left, right, count, row, column, 16)


@numba.njit
def add_wide_tile(system, left, right, count, row, column):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    add_tile(system, left, right, count, row, column, 24)


@numba.njit
def call_stage_row(plain, weighted, place, right, factors, row, weight, target):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    stage_row(plain, weighted, place, right, factors, row, weight, target, 24)


@numba.njit
def call_dot_rows(left, i, right, j):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    return dot_rows(left, i, right, j)


@numba.njit
def call_dot_unrolled(left, i, right, j):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    return dot_unrolled(left, i, right, j, 24)


@numba.njit
def call_step_unrolled(left, i, right, j, keep, error):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    step_unrolled(left, i, right, j, keep, error, 24)


@numba.njit
def call_fma(x, y, z):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    return fma(x, y, z)


def draw(rows: int, width: int) -> npt.NDArray[np.float32]:
    return np.random.default_rng(rows).normal(size=(rows, width)).astype(np.float32)


def sum_by_lanes(left: npt.NDArray[np.float32], right: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Add products eight columns apart from each other, each with a single rounding."""
    lanes = np.zeros(8, np.float32)
    for start in range(0, len(left), 8):
        products = left[start : start + 8].astype(np.float64) * right[start : start + 8]
        lanes = (products + lanes).astype(np.float32)
    return lanes


@pytest.mark.parametrize("count", [0, 1, 5])
@pytest.mark.parametrize(("add", "columns"), [(add_narrow_tile, 16), (add_wide_tile, 24)])
def test_only_the_tile_is_added_to(count: int, add: Any, columns: int) -> None:
    system, left, right = np.zeros((48, 48), np.float32), draw(6, 48), draw(7, 48)
    add(system, left, right, count, 8, 16)
    expected = np.zeros((48, 48))
    tile = np.s_[8 : 8 + TILE_ROWS], np.s_[16 : 16 + columns]
    expected[tile] = left[:count, tile[0]].astype(np.float64).T @ right[:count, tile[1]]
    np.testing.assert_allclose(system, expected, rtol=1e-6, atol=1e-6)


def test_a_tile_takes_products_one_after_another_with_one_rounding() -> None:
    left, right, system = draw(3, 16), draw(4, 16)[:3], np.zeros((16, 16), np.float32)
    add_narrow_tile(system, left, right, 3, 0, 0)
    total = np.float32(0)
    for k in range(3):
        total = np.float32(np.float64(left[k, 2]) * np.float64(right[k, 5]) + np.float64(total))
    assert system[2, 5] == total


def test_a_row_is_staged_plain_and_weighted_and_added() -> None:
    factors, plain, weighted, right = draw(5, 24), draw(2, 24), draw(3, 24), np.ones(24, np.float32)
    weight, target = np.float32(0.3), np.float32(-0.7)
    call_stage_row(plain, weighted, 1, right, factors, np.int32(4), weight, target)
    np.testing.assert_array_equal(plain, [draw(2, 24)[0], factors[4]])
    np.testing.assert_array_equal(weighted, [draw(3, 24)[0], weight * factors[4], draw(3, 24)[2]])
    np.testing.assert_array_equal(right, (np.float64(target) * factors[4] + 1).astype(np.float32))


@pytest.mark.parametrize("width", [8, 16, 40])
def test_dot_product_of_two_rows_has_its_own_order_of_sums(width: int) -> None:
    left, right = draw(3, width), draw(4, width)
    lanes = sum_by_lanes(left[1], right[3])
    while len(lanes) > 1:
        lanes = lanes[::2] + lanes[1::2]
    assert call_dot_rows(left, 1, right, np.int32(3)) == lanes[0]


def test_unrolled_dot_product_has_its_own_order_of_sums() -> None:
    left, right = draw(3, 24), draw(4, 24)
    p, q = left[1].reshape(3, 8), right[3].reshape(3, 8)
    lanes = sum_by_lanes(p[::2].ravel(), q[::2].ravel()) + sum_by_lanes(p[1], q[1])
    while len(lanes) > 1:
        lanes = lanes[: len(lanes) // 2] + lanes[len(lanes) // 2 :]
    assert call_dot_unrolled(left, 1, right, np.int32(3)) == lanes[0]


def test_unrolled_step_changes_both_rows_by_what_they_were() -> None:
    left, right, keep, error = draw(3, 24), draw(4, 24), np.float32(0.9), np.float32(0.3)
    p, q = left[1].copy(), right[3].copy()
    expected = [(np.float64(error) * other + keep * own).astype(np.float32) for own, other in ((p, q), (q, p))]
    call_step_unrolled(left, 1, right, np.int32(3), keep, error)
    np.testing.assert_array_equal([left[1], right[3]], expected)
    np.testing.assert_array_equal(
        np.vstack([left[[0, 2]], right[:3]]), np.vstack([draw(3, 24)[[0, 2]], draw(4, 24)[:3]])
    )


def test_fma_rounds_once() -> None:
    x: Any = np.float32(1 + 2**-12)
    assert call_fma(x, x, np.float32(-1 - 2**-11)) == np.float32(2**-24)
    assert x * x + np.float32(-1 - 2**-11) == 0
