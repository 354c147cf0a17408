from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from movierec.models import top_k
from movierec.models.top_k import top_k_rows

NO_INDICES = np.empty(0, dtype=np.int32)


def nothing_excluded(rows: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
    return np.zeros(rows + 1, dtype=np.int64), NO_INDICES


def random_exclusions(rng: np.random.Generator, rows: int, movies: int) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Unsorted, with repeats, some rows excluding everything."""
    lists = [rng.integers(movies, size=rng.choice([0, 3, movies])) for _ in range(rows)]
    lists[0] = rng.permutation(movies)
    return np.cumsum([0, *map(len, lists)]), np.concatenate(lists)


def reference(scores: npt.NDArray[Any], indptr: npt.NDArray[Any], indices: npt.NDArray[Any], k: int) -> list[list[int]]:
    """Sort whole rows by (-score, column), then drop what may not be recommended."""
    lists = []
    for row, values in enumerate(scores):
        barred = set(indices[indptr[row] : indptr[row + 1]].tolist())
        order = np.lexsort((np.arange(len(values)), -values))
        allowed = [int(c) for c in order if values[c] > -np.inf and int(c) not in barred]
        lists.append((allowed + [-1] * k)[:k])
    return lists


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_by_hand(dtype: type[np.floating[Any]]) -> None:
    scores = np.array(
        [
            [0.1, 0.9, 0.5, 0.9],  # tie of 1 and 3: the lower column first
            [0.1, 0.9, 0.5, 0.9],  # without column 1
            [np.nan, -np.inf, 2.0, np.inf],  # NaN and -inf never
        ],
        dtype=dtype,
    )
    top = top_k_rows(scores, np.array([0, 0, 1, 1]), np.array([1]), k=3)
    assert top.columns.tolist() == [[1, 3, 2], [3, 2, 0], [3, 2, -1]]
    assert top.columns.dtype == np.int32
    assert top.scores.dtype == dtype
    expected = np.array([[0.9, 0.9, 0.5], [0.9, 0.5, 0.1], [np.inf, 2.0, np.nan]], dtype=dtype)
    np.testing.assert_array_equal(top.scores, expected)


def test_all_movies_excluded_and_k_beyond_the_catalogue() -> None:
    scores = np.array([[1.0, 2.0], [1.0, 2.0]])
    top = top_k_rows(scores, np.array([0, 2, 2]), np.array([0, 1]), k=4)
    assert top.columns.tolist() == [[-1] * 4, [1, 0, -1, -1]]
    np.testing.assert_array_equal(top.scores, [[np.nan] * 4, [2, 1, np.nan, np.nan]])


def test_no_rows_and_no_movies() -> None:
    assert top_k_rows(np.empty((0, 9)), *nothing_excluded(0), k=2).columns.shape == (0, 2)
    assert top_k_rows(np.empty((2, 0)), *nothing_excluded(2), k=2).columns.tolist() == [[-1, -1], [-1, -1]]


@given(
    seed=st.integers(0, 2**32 - 1),
    movies=st.sampled_from([1, 5, 63, 64, 65, 200]),
    levels=st.sampled_from([1, 3, 1000]),
    k=st.integers(1, 90),
)
def test_equals_a_full_sort(seed: int, movies: int, levels: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.integers(-levels, levels, size=(8, movies)).astype(np.float32)  # few levels: many ties
    scores[rng.random(scores.shape) < 0.1] = np.nan
    scores[rng.random(scores.shape) < 0.1] = -np.inf
    scores[rng.random(scores.shape) < 0.05] = np.inf
    indptr, indices = random_exclusions(rng, *scores.shape)
    before = scores.copy()
    top = top_k_rows(scores, indptr, indices, k)
    np.testing.assert_array_equal(scores, before)
    assert top.columns.tolist() == reference(scores, indptr, indices, k)
    taken = np.take_along_axis(scores, np.maximum(top.columns, 0), axis=1)
    np.testing.assert_array_equal(top.scores, np.where(top.columns >= 0, taken, np.nan))


@pytest.mark.parametrize("order", [1, -1])
def test_sorted_scores(order: int) -> None:
    scores = np.arange(1000, dtype=np.float64)[np.newaxis, ::order]
    best = list(range(999, 989, -1)) if order == 1 else list(range(10))
    assert top_k_rows(scores, *nothing_excluded(1), k=10).columns.tolist() == [best]


def test_views_serve_as_well_as_copies() -> None:
    rng = np.random.default_rng(3)
    scores = rng.standard_normal((6, 40))
    indptr, indices = random_exclusions(rng, 6, 40)
    whole = top_k_rows(scores, indptr, indices, k=5).columns
    part = top_k_rows(scores[2:5], indptr[2:6], indices, k=5).columns  # a block of a larger CSR matrix
    np.testing.assert_array_equal(part, whole[2:5])
    in_columns = top_k_rows(np.asfortranarray(scores), indptr, indices, k=5).columns
    np.testing.assert_array_equal(in_columns, whole)


@pytest.mark.parametrize("cores", [1, 2, 3, 50])
def test_the_number_of_threads_changes_nothing(cores: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(4)
    scores = rng.integers(0, 9, size=(31, 70)).astype(np.float32)
    indptr, indices = random_exclusions(rng, *scores.shape)
    monkeypatch.setattr(top_k, "_MIN_SCORES_PER_THREAD", 1)
    monkeypatch.setattr(top_k, "available_cores", lambda: cores)
    assert top_k_rows(scores, indptr, indices, k=6).columns.tolist() == reference(scores, indptr, indices, 6)


def test_serves_several_threads_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    scores = rng.standard_normal((40, 500))
    indptr, indices = random_exclusions(rng, *scores.shape)
    expected = reference(scores, indptr, indices, 7)
    monkeypatch.setattr(top_k, "_MIN_SCORES_PER_THREAD", 1)
    monkeypatch.setattr(top_k, "available_cores", lambda: 2)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: top_k_rows(scores, indptr, indices, 7).columns.tolist(), range(12)))
    assert found == [expected] * 12


@pytest.mark.parametrize(
    ("scores", "indptr", "indices", "k", "message"),
    [
        (np.ones((1, 3)), [0, 0], [], 0, "k is 0, must be at least 1"),
        (np.ones(3), [0, 0], [], 1, "must be a float32 or float64 matrix, not float64 with 1 axes"),
        (np.ones((1, 3), dtype=int), [0, 0], [], 1, "must be a float32 or float64 matrix, not int64"),
        (np.ones((1, 3)), [0], [], 1, r"excluded_indptr has shape \(1,\), must be \(2,\)"),
        (np.ones((1, 3)), [0, 2], [1], 1, "excluded_indptr must not fall and must stay within"),
        (np.ones((1, 3)), [-1, 0], [1], 1, "excluded_indptr must not fall and must stay within"),
        (np.ones((2, 3)), [0, 1, 0], [1], 1, "excluded_indptr must not fall and must stay within"),
        (np.ones((1, 3)), [0, 1], [3], 1, r"excluded columns must be in \[0, 3\)"),
        (np.ones((1, 3)), [0, 1], [-1], 1, r"excluded columns must be in \[0, 3\)"),
    ],
)
def test_refuses_what_does_not_fit(
    scores: npt.NDArray[Any], indptr: list[int], indices: list[int], k: int, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        top_k_rows(scores, np.array(indptr), np.array(indices, dtype=np.int32), k)
