"""The one source of randomness: a generator for each seed, stage and purpose."""

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
    key = (zlib.crc32(stage.encode()), zlib.crc32(purpose.encode()))
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))
