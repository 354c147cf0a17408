"""The float32 loops of matrix factorisation: one epoch of SGD over a block or a stratum, and squared errors.

They take the steps of `exact`, in single precision and in vectors of eight numbers. The speed comes from the rows'
width, which the compiler knows: nothing is a loop over a row. Every product that is rounded with its sum is written as
one and the order of each sum is given, so that the bits depend neither on the compiler nor on the processor.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from movierec.compiled import njit
from movierec.models.sgd.schedule import GROUP
from movierec.models.tiles import LANES, dot_unrolled, fma, pad_width, step_unrolled

LINE = 64  # bytes that the processor's caches hold as one; a vector in two of them takes longer

Floats = npt.NDArray[np.float32]


class PaddedFactors(NamedTuple):
    """What SGD learns, changed in place: biases (n,) and factors (n, width), float32.

    Columns from the latent dimension on hold zeros, which every step keeps.
    """

    user_bias: Floats
    movie_bias: Floats
    user_factors: Floats
    movie_factors: Floats


class FastStep(NamedTuple):
    """One learning rate and penalty for all parameters, and the ratings' mean, in float32."""

    mean: np.float32
    learning_rate: np.float32
    regularization: np.float32


class Kernels(NamedTuple):
    """Loops compiled for one width of the factors' rows.

    Attributes
    ----------
    run_block : callable
        ``(block, step, model)``: take one SGD step for each rating of a `schedule.Block`, group by group.
    run_blocks : callable
        ``(first, last, stratum, strata, step, model)``: take the blocks of parts `first` to `last` (exclusive) of a
        stratum of `schedule.Strata`. The errors of `GROUP` ratings are computed before any of them is learnt from.
    sum_squares : callable
        ``(user, movie, stars, low, high, mean, model)``: sum the squared errors of predictions clipped to
        [low, high], in float64. A row of -1 is unknown and leaves out what depends on it.
    """

    run_block: Callable[..., None]
    run_blocks: Callable[..., None]
    sum_squares: Callable[..., float]


@njit(inline="always")
def _weigh(rating, u, i, step, model, width):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Return a rating's error times the learning rate."""
    dot = dot_unrolled(model.user_factors, u, model.movie_factors, i, width)
    return step.learning_rate * (rating - (step.mean + model.user_bias[u] + model.movie_bias[i] + dot))


@njit(inline="always")
def _learn(u, i, error, keep, model, width):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    model.user_bias[u] = fma(keep, model.user_bias[u], error)
    model.movie_bias[i] = fma(keep, model.movie_bias[i], error)
    step_unrolled(model.user_factors, u, model.movie_factors, i, keep, error, width)


@njit(inline="always")
def _take_one(n, user, movie, rating, step, keep, model, width):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    u, i = np.uint64(user[n]), np.uint64(movie[n])  # unsigned: no row is counted from the end
    _learn(u, i, _weigh(rating[n], u, i, step, model, width), keep, model, width)


@njit(inline="always")
def _take_group(n, user, movie, rating, step, keep, model, width):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    u0, u1, u2, u3 = np.uint64(user[n]), np.uint64(user[n + 1]), np.uint64(user[n + 2]), np.uint64(user[n + 3])
    i0, i1, i2, i3 = np.uint64(movie[n]), np.uint64(movie[n + 1]), np.uint64(movie[n + 2]), np.uint64(movie[n + 3])
    error0 = _weigh(rating[n], u0, i0, step, model, width)
    error1 = _weigh(rating[n + 1], u1, i1, step, model, width)
    error2 = _weigh(rating[n + 2], u2, i2, step, model, width)
    error3 = _weigh(rating[n + 3], u3, i3, step, model, width)
    _learn(u0, i0, error0, keep, model, width)
    _learn(u1, i1, error1, keep, model, width)
    _learn(u2, i2, error2, keep, model, width)
    _learn(u3, i3, error3, keep, model, width)


@cache
def compile_kernels(width: int) -> Kernels:
    """Return the loops for rows of this width; each is compiled when it is first called, and kept on disk.

    Parameters
    ----------
    width : int
        A positive multiple of `LANES`.

    Returns
    -------
    Kernels
        The same ones for the same width.

    Raises
    ------
    ValueError
        If the width is no positive multiple of `LANES`.
    """
    if width < LANES or width % LANES:
        raise ValueError(f"a width of {width} is no multiple of {LANES}")
    return Kernels(_make_run_block(width), _make_run_blocks(width), _make_sum_squares(width))


def _make_run_block(width: int) -> Callable[..., None]:
    @njit()
    def run_block(block, step, model):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
        user, movie, rating, group_sizes = block
        keep = np.float32(1) - step.learning_rate * step.regularization
        n = np.uint64(0)
        for size in group_sizes:
            if size == GROUP:
                _take_group(n, user, movie, rating, step, keep, model, width)
                n += np.uint64(GROUP)
            else:
                for _ in range(size):
                    _take_one(n, user, movie, rating, step, keep, model, width)
                    n += np.uint64(1)

    return run_block  # type: ignore[no-any-return]


def _make_run_blocks(width: int) -> Callable[..., None]:
    @njit()
    def run_blocks(first, last, stratum, strata, step, model):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
        user, movie, rating, starts, _ = strata
        keep = np.float32(1) - step.learning_rate * step.regularization
        for part in range(first, last):
            n, end = np.uint64(starts[part, stratum]), np.uint64(starts[part, stratum + 1])
            while n + np.uint64(GROUP) <= end:
                _take_group(n, user, movie, rating, step, keep, model, width)
                n += np.uint64(GROUP)
            while n < end:
                _take_one(n, user, movie, rating, step, keep, model, width)
                n += np.uint64(1)

    return run_blocks  # type: ignore[no-any-return]


def _make_sum_squares(width: int) -> Callable[..., float]:
    @njit()
    def sum_squares(user, movie, stars, low, high, mean, model):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
        total = 0.0
        for n in range(len(user)):
            u, i = user[n], movie[n]
            estimate = mean
            if u >= 0:
                estimate += model.user_bias[np.uint64(u)]
            if i >= 0:
                estimate += model.movie_bias[np.uint64(i)]
            if u >= 0 and i >= 0:
                estimate += dot_unrolled(model.user_factors, u, model.movie_factors, i, width)
            if estimate < low:
                estimate = low
            elif estimate > high:
                estimate = high
            total += np.float64(stars[n] - estimate) ** 2
        return total

    return sum_squares  # type: ignore[no-any-return]


def pad(array: npt.NDArray[np.floating[Any]]) -> Floats:
    """Copy factors into float32 rows of padded width, with zeros behind them."""
    padded = make_rows(*array.shape)
    padded[:, : array.shape[1]] = array
    return padded


def make_rows(count: int, factors: int) -> Floats:
    """Return zeros in rows wide enough for so many factors, which begin where a line of the caches does."""
    width = pad_width(factors)
    room = np.zeros(count * width + LINE // 4, dtype=np.float32)
    start = -room.ctypes.data % LINE // 4
    return room[start : start + count * width].reshape(count, width)
