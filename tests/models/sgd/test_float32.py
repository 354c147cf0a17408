"""The float32 loops against the same arithmetic in NumPy, and on other processors."""

import hashlib
import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from movierec.models.sgd.float32 import FastStep, PaddedFactors, compile_kernels, pad
from movierec.models.sgd.schedule import Block, interleave
from movierec.models.sgd.strata import Strata
from movierec.models.tiles import pad_width

STEP = FastStep(np.float32(3.0), np.float32(0.1), np.float32(0.25))
FACTORS, WIDTH, USERS, MOVIES = 5, 8, 12, 9
Rows = npt.NDArray[np.int32]


def make_model(seed: int = 0, factors: int = FACTORS) -> PaddedFactors:
    rng = np.random.default_rng(seed)
    biases = (rng.normal(0, 0.1, rows).astype(np.float32) for rows in (USERS, MOVIES))
    return PaddedFactors(*biases, *(pad(rng.normal(0, 0.3, (rows, factors))) for rows in (USERS, MOVIES)))


def draw(n: int = 60) -> tuple[Rows, Rows, npt.NDArray[np.float32]]:
    rng = np.random.default_rng(1)
    user, movie = np.sort(rng.integers(USERS, size=n)), rng.integers(MOVIES, size=n)
    return user.astype(np.int32), movie.astype(np.int32), (rng.integers(1, 11, n) / 2).astype(np.float32)


def step_slowly(model: PaddedFactors, groups: list[list[tuple[int, int, float]]]) -> list[npt.NDArray[np.float64]]:
    """Take groups one after another: the errors of a group first, then its steps."""
    user_bias, movie_bias, p, q = (array.astype(np.float64) for array in model)
    for group in groups:
        errors = [stars - (3.0 + user_bias[u] + movie_bias[i] + p[u] @ q[i]) for u, i, stars in group]
        for (u, i, _), error in zip(group, errors, strict=True):
            user_bias[u] += 0.1 * (error - 0.25 * user_bias[u])
            movie_bias[i] += 0.1 * (error - 0.25 * movie_bias[i])
            p[u], q[i] = p[u] + 0.1 * (error * q[i] - 0.25 * p[u]), q[i] + 0.1 * (error * p[u] - 0.25 * q[i])
    return [user_bias, movie_bias, p, q]


def assert_close(model: PaddedFactors, expected: list[npt.NDArray[np.float64]]) -> None:
    for one, other in zip(model, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)
    assert not model.user_factors[:, FACTORS:].any()
    assert not model.movie_factors[:, FACTORS:].any()


def test_a_block_is_taken_as_one_by_one() -> None:
    ratings = draw()
    expected = step_slowly(make_model(), [[(int(u), int(i), float(r))] for u, i, r in zip(*ratings, strict=True)])
    model = make_model()
    compile_kernels(WIDTH).run_block(interleave(*ratings), STEP, model)
    assert_close(model, expected)


@pytest.mark.parametrize("stratum", [0, 1])
def test_blocks_of_a_stratum_are_taken_four_at_a_time(stratum: int) -> None:
    user, movie, stars = draw(20)
    strata = Strata(user, movie, stars, np.array([[0, 4, 9], [9, 16, 20]]), np.arange(MOVIES, dtype=np.int32))
    groups = {0: [[0, 1, 2, 3], [9, 10, 11, 12], [13], [14], [15]], 1: [[4, 5, 6, 7], [8], [16, 17, 18, 19]]}[stratum]
    rated = [[(int(user[n]), int(movie[n]), float(stars[n])) for n in group] for group in groups]
    expected, model = step_slowly(make_model(), rated), make_model()
    compile_kernels(WIDTH).run_blocks(0, 2, stratum, strata, STEP, model)
    assert_close(model, expected)


def test_squared_errors_by_hand() -> None:
    model = PaddedFactors(
        np.array([0.5, 3.0], dtype=np.float32),
        np.array([0.25], dtype=np.float32),
        pad(np.array([[1.0, 2.0], [0.0, 0.0]])),
        pad(np.array([[3.0, -1.0]])),
    )
    user, movie = np.array([0, 0, -1, -1, 1], dtype=np.int32), np.array([0, -1, 0, -1, 0], dtype=np.int32)
    stars, scale = np.full(5, 2.0, dtype=np.float32), (np.float32(0.5), np.float32(5), np.float32(2))
    # Predictions: 2 + .5 + .25 + 1 = 3.75; 2 + .5; 2 + .25; 2; 2 + 3 + .25, clipped to 5.
    assert compile_kernels(WIDTH).sum_squares(user, movie, stars, *scale, model) == 1.75**2 + 0.25 + 0.0625 + 0 + 9
    model.user_bias[:] = np.nan
    assert np.isnan(compile_kernels(WIDTH).sum_squares(user, movie, stars, *scale, model))


def test_widths() -> None:
    assert (pad_width(FACTORS), pad_width(104)) == (WIDTH, 104)
    assert compile_kernels(WIDTH) is compile_kernels(WIDTH)
    for width in (0, 50):
        with pytest.raises(ValueError, match=f"a width of {width} is no multiple of 8"):
            compile_kernels(width)


# Takes a few steps and prints a hash of every bit; with the argument, for the processor named there.
FINGERPRINT = """
import hashlib, os, sys
import movierec
if sys.argv[1:]:
    os.environ["NUMBA_CPU_NAME"], os.environ["NUMBA_CPU_FEATURES"] = sys.argv[1], ""
import numpy as np
from tests.models.sgd.test_float32 import STEP, draw, make_model
from movierec.models.sgd.schedule import Block
from movierec.models.sgd.float32 import compile_kernels
model = make_model(0, 16)
compile_kernels(16).run_block(Block(*draw(), np.ones(60, dtype=np.uint8)), STEP, model)
print(hashlib.sha256(b"".join(array.tobytes() for array in model)).hexdigest())
"""
ANOTHER = "nehalem"  # it cannot fuse a multiplication with an addition; any newer one can run its code


@pytest.mark.skipif(platform.machine() not in {"x86_64", "AMD64"}, reason="the target pinned is an x86 processor")
def test_bits_do_not_depend_on_the_processor(tmp_path: Path) -> None:
    def fingerprint(environment: Mapping[str, str], *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", FINGERPRINT, *arguments],
            env={**os.environ, "NUMBA_CACHE_DIR": str(tmp_path), **environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    pinned = fingerprint({"NUMBA_CPU_NAME": ANOTHER, "NUMBA_CPU_FEATURES": ""})
    assert len(pinned.strip()) == len(hashlib.sha256().hexdigest())
    assert fingerprint({}) == pinned
    assert fingerprint({}, ANOTHER) == pinned


def test_an_empty_block_changes_nothing() -> None:
    model, none = make_model(), np.array([], dtype=np.int32)
    block = Block(none, none, none.astype(np.float32), np.array([], dtype=np.uint8))
    compile_kernels(WIDTH).run_block(block, STEP, model)
    for one, other in zip(model, make_model(), strict=True):
        np.testing.assert_array_equal(one, other)
