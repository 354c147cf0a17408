"""The one source of randomness: a generator, or the key of a hash, for each seed, stage and purpose."""

import zlib

import numpy as np


def rng(seed: int, stage: str, purpose: str) -> np.random.Generator:
    """Return the random generator that belongs to one purpose in one stage.

    Streams of different purposes are independent, so a new draw in one place moves no other result.

    Parameters
    ----------
    seed : int
        The experiment's seed, at least 0.
    stage, purpose : str
        Names, such as ``"split"`` and ``"shuffle"``.

    Returns
    -------
    numpy.random.Generator
        PCG64, seeded by `numpy.random.SeedSequence` with the CRC-32 of both names as spawn key.

    Examples
    --------
    >>> rng(42, "split", "shuffle").integers(100) == rng(42, "split", "shuffle").integers(100)
    np.True_
    """
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=_spawn_key(stage, purpose)))


def hash_key(seed: int, stage: str, purpose: str) -> int:
    """Return the key of the hash that draws for one purpose in one stage: a 64-bit integer with its sign.

    Parameters
    ----------
    seed, stage, purpose
        As `rng` takes them; draws for different purposes are independent.

    Examples
    --------
    >>> hash_key(42, "split", "place") == hash_key(42, "clean", "sample")
    False
    """
    sequence = np.random.SeedSequence(seed, spawn_key=_spawn_key(stage, purpose))
    return int(sequence.generate_state(1, np.uint64).view(np.int64)[0])


def _spawn_key(stage: str, purpose: str) -> tuple[int, int]:
    return zlib.crc32(stage.encode()), zlib.crc32(purpose.encode())
