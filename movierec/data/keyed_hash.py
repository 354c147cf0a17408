"""The chance by which ratings and movies are drawn: a keyed hash of their ids, the same in every engine.

A draw takes what ranks lowest by hash, so neither the order of rows nor how they are divided among files, buckets or
machines decides anything, and shares are exact.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

# Of xxHash64 by Yann Collet.
_P1: Final = np.uint64(0x9E3779B185EBCA87)
_P2: Final = np.uint64(0xC2B2AE3D27D4EB4F)
_P3: Final = np.uint64(0x165667B19E3779F9)
_P4: Final = np.uint64(0x85EBCA77C2B2AE63)
_P5: Final = np.uint64(0x27D4EB2F165667C5)
_BYTES: Final = np.uint64(8)
SPARK_SEED: Final = 42

Hashes = npt.NDArray[np.int64]


def hash_ids(key: int, *ids: npt.ArrayLike) -> Hashes:
    """Hash ids one after another, each seeded by the hash of those before it.

    Parameters
    ----------
    key : int
        A 64-bit integer with its sign, as `movierec.seeds.hash_key` gives it.
    *ids : array_like of int, shape (n,)
        Such as the codes of a rating's user and movie.

    Returns
    -------
    ndarray of int64, shape (n,)
        Bit for bit Spark's ``xxhash64(lit(key).cast("long"), user.cast("long"), movie.cast("long"))``.

    Examples
    --------
    >>> hash_ids(1, [10, 11], [20, 20]).tolist()
    [-4551981339934097488, -813649060480041006]
    """
    state: npt.NDArray[np.uint64] = np.asarray([SPARK_SEED], dtype=np.uint64)
    for column in (np.asarray([key], dtype=np.int64), *ids):
        state = _hash_integers(np.asarray(column, dtype=np.int64).view(np.uint64), state)
    return state.view(np.int64)


def _hash_integers(values: npt.NDArray[np.uint64], seeds: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Return xxHash64 of each value's eight bytes; sums and products wrap."""
    state = _rotate(values * _P2, 31) * _P1
    state ^= seeds + (_P5 + _BYTES)
    state = _rotate(state, 27) * _P1 + _P4
    for shift, prime in ((33, _P2), (29, _P3)):
        state = (state ^ (state >> np.uint64(shift))) * prime
    return state ^ (state >> np.uint64(32))


def _rotate(values: npt.NDArray[np.uint64], bits: int) -> npt.NDArray[np.uint64]:
    return (values << np.uint64(bits)) | (values >> np.uint64(64 - bits))
