"""The hash is Spark's: constants of its own tests, and of Spark 4.3's function."""

import numpy as np
import pytest

from movierec.data.keyed_hash import SPARK_SEED, hash_ids
from movierec.seeds import hash_key

PRIME = 2654435761
LONG = np.array([0xDD2F535E4B1FFF9E], dtype=np.uint64)


@pytest.mark.parametrize(("seed", "expected"), [(0, 0xF74CB1451B32B8CF), (PRIME, 0x9C44B77FBCC302C5)])
def test_one_long_of_sparks_own_tests(seed: int, expected: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("movierec.data.keyed_hash.SPARK_SEED", seed)
    assert hash_ids(int(LONG.view(np.int64)[0])).view(np.uint64).tolist() == [expected]


def test_columns_are_chained(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = hash_ids(5, [1, 2], [3, 3])
    for row, (user, movie) in enumerate([(1, 3), (2, 3)]):
        state = SPARK_SEED
        for value in (5, user, movie):
            monkeypatch.setattr("movierec.data.keyed_hash.SPARK_SEED", state)
            state = int(hash_ids(value).view(np.uint64)[0])
        assert int(whole.view(np.uint64)[row]) == state


def test_purposes_and_seeds_have_keys_of_their_own() -> None:
    keys = {hash_key(seed, *of) for seed in (0, 1, 2**70) for of in (("clean", "sample"), ("split", "place"))}
    assert len(keys) == 6
    assert all(-(2**63) <= key < 2**63 for key in keys)


def test_hashes_are_even() -> None:
    users, movies = np.divmod(np.arange(200_000), 400)
    top = hash_ids(3, users, movies) >> 60  # sixteen bins of 12,500, standard deviation 108
    assert np.abs(np.bincount(top + 8, minlength=16) - 12_500).max() < 5 * 108
