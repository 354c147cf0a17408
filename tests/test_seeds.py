import itertools
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from movierec.seeds import rng

seeds = st.integers(0, 2**32 - 1)


def test_stream_never_changes() -> None:
    # PCG64's raw output is a promise of NumPy's; the key is the CRC-32 of "split" and of "shuffle"
    assert (zlib.crc32(b"split"), zlib.crc32(b"shuffle")) == (2985662993, 872307057)
    sequence = np.random.SeedSequence(42, spawn_key=(2985662993, 872307057))
    golden = [17441968703774146137, 10139446046367560228]
    assert np.random.PCG64(sequence).random_raw(2).tolist() == golden
    assert [rng(42, "split", "shuffle").bit_generator.random_raw() for _ in range(2)] == [golden[0]] * 2


@given(seeds, st.text(), st.text())
def test_same_names_same_stream(seed: int, stage: str, purpose: str) -> None:
    first, second = rng(seed, stage, purpose), rng(seed, stage, purpose)
    assert first.bytes(16) == second.bytes(16)


def test_streams_of_different_purposes_are_unrelated() -> None:
    names = [("split", "shuffle"), ("shuffle", "split"), ("split", ""), ("", "split"), ("splitshuffle", "")]
    draws = [rng(seed, *pair).random(4000) for seed in (0, 1, 42, 2**32 - 1) for pair in names]
    for one, other in itertools.combinations(draws, 2):
        # 190 pairs, standard deviation 1 / sqrt(4000) = 0.016: five of them are 0.079
        assert abs(np.corrcoef(one, other)[0, 1]) < 5 / 4000**0.5


def test_drawing_from_one_moves_no_other() -> None:
    expected = rng(7, "fetch", "noise").random(3)
    rng(7, "fetch", "choice").random(1000)
    np.testing.assert_array_equal(rng(7, "fetch", "noise").random(3), expected)


def test_refuses_a_negative_seed() -> None:
    with pytest.raises(ValueError, match="non-negative"):
        rng(-1, "split", "shuffle")
