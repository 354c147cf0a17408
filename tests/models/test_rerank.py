"""Re-ranking for variety: the picks by hand, the edges, and that it never invents a movie."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from movierec.models import rerank
from movierec.models.rerank import rerank_by_mmr

# Movies 0 and 1 are alike, movie 2 is like neither, movie 3 is half like 2, movie 4 is nothing.
VECTORS = np.array([[2, 0], [1, 0], [0, 1], [0.5, 0.75**0.5], [0, 0]], dtype=np.float32)


def lists_of(*rows: list[int]) -> np.ndarray:
    return np.array(rows, dtype=np.int32)


def test_picks_by_hand() -> None:
    scores = np.array([[10, 9, 5, 0]], dtype=np.float32)  # scaled to 1, .9, .5, 0
    # After 0: movie 1 has .5 x .9 - .5 x 1 = -.05, movie 2 has .25 - 0, movie 3 has 0 - .25. Then 1: -.05, 3: -.43.
    assert rerank_by_mmr(lists_of([0, 1, 2, 3]), scores, VECTORS, 4, 0.5).tolist() == [[0, 2, 1, 3]]


def test_strength_zero_keeps_the_order() -> None:
    scores = np.array([[9, 8, 8, 1]], dtype=np.float32)
    assert rerank_by_mmr(lists_of([3, 0, 1, 2]), scores, VECTORS, 3, 0.0).tolist() == [[3, 0, 1]]


def test_short_and_empty_lists_stay_so() -> None:
    scores = np.array([[3, 2, np.nan], [np.nan] * 3, [4, np.nan, np.nan]], dtype=np.float32)
    found = rerank_by_mmr(lists_of([0, 1, -1], [-1, -1, -1], [4, -1, -1]), scores, VECTORS, 3, 0.4)
    assert found.tolist() == [[0, 1, -1], [-1, -1, -1], [4, -1, -1]]


@given(st.integers(0, 1000), st.floats(0, 0.99), st.integers(1, 6))
def test_it_picks_candidates_once_and_the_best_first(seed: int, strength: float, k: int) -> None:
    rng = np.random.default_rng(seed)
    candidates = np.array([rng.permutation(9)[:6] for _ in range(4)], dtype=np.int32)
    scores = -np.sort(-rng.random((4, 6), dtype=np.float32), axis=1)
    vectors = rng.standard_normal((9, 3)).astype(np.float32)
    found = rerank_by_mmr(candidates, scores, vectors, k, strength)
    assert found.shape == (4, k)
    assert (found[:, 0] == candidates[:, 0]).all()
    for row, allowed in zip(found.tolist(), candidates.tolist(), strict=True):
        assert len(set(row)) == k
        assert set(row) <= set(allowed)


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    candidates = np.array([rng.permutation(5)[:4] for _ in range(7)], dtype=np.int32)
    scores = rng.random((7, 4), dtype=np.float32)
    whole = rerank_by_mmr(candidates, scores, VECTORS, 3, 0.5)
    monkeypatch.setattr(rerank, "_BLOCK_CELLS", 1)
    np.testing.assert_array_equal(rerank_by_mmr(candidates, scores, VECTORS, 3, 0.5), whole)
    assert rerank_by_mmr(candidates[:0], scores[:0], VECTORS, 3, 0.5).shape == (0, 3)


@pytest.mark.parametrize(
    ("k", "strength", "problem"),
    [(0, 0.1, "k is 0, must be in"), (5, 0.1, "k is 5"), (2, 1.0, "strength is 1.0"), (2, -0.1, "strength is -0.1")],
)
def test_what_is_out_of_range_is_refused(k: int, strength: float, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        rerank_by_mmr(lists_of([0, 1, 2, 3]), np.ones((1, 4), dtype=np.float32), VECTORS, k, strength)
