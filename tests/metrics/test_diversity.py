from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import sparse
from scipy.spatial.distance import pdist

from movierec.metrics import diversity
from movierec.metrics.diversity import (
    coverage,
    exposure_counts,
    gini,
    intra_list_diversity_by_factors,
    intra_list_diversity_by_genre,
    mean_popularity,
    mean_profile_popularity,
    novelty,
    popularity_lift,
)

seeds = st.integers(0, 2**32 - 1)
MOVIES = 25


def random_lists(seed: int, users: int = 15, k: int = 8) -> npt.NDArray[np.int64]:
    rng = np.random.default_rng(seed)
    lists = np.argsort(rng.random((users, MOVIES)), axis=1)[:, :k]
    return np.where(np.arange(k) < rng.integers(0, k + 1, size=(users, 1)), lists, -1)


def mean_pdist(vectors: npt.NDArray[Any], metric: Literal["jaccard", "cosine"]) -> float:
    return float(pdist(vectors, metric).mean()) if len(vectors) > 1 else np.nan


def test_exposure_and_coverage_by_hand() -> None:
    lists = np.array([[0, 2], [2, -1], [-1, -1]])
    assert exposure_counts(lists, 5).tolist() == [1, 0, 2, 0, 0]
    assert coverage(lists, 5) == 2 / 5
    assert coverage(np.array([[-1]]), 3) == 0
    assert coverage(np.array([[2, 0, 1]]), 3) == 1


def test_gini_by_hand() -> None:
    # counts 1, 3: (2*1 - 3) * 1 + (2*2 - 3) * 3 = 2, over n * sum = 2 * 4
    assert gini(np.array([3, 1])) == 2 / 8
    assert gini(np.array([5, 5, 5, 5])) == 0
    assert gini(np.array([0, 0, 0, 0, 7])) == 1 - 1 / 5
    assert np.isnan(gini(np.array([0, 0])))
    assert np.isnan(gini(np.array([], dtype=int)))


@given(hnp.arrays(np.int64, st.integers(1, 30), elements=st.integers(0, 10**6)).filter(np.any))
def test_gini_is_half_the_relative_mean_difference(counts: npt.NDArray[np.int64]) -> None:
    differences = np.abs(counts[:, np.newaxis] - counts[np.newaxis, :]).mean()
    assert gini(counts) == pytest.approx(differences / (2 * counts.mean()), abs=1e-12)
    assert 0 <= gini(counts) <= 1 - 1 / len(counts)


def test_diversity_by_genre_by_hand() -> None:
    genres = np.array([[1, 1, 0], [1, 0, 0], [0, 0, 1], [0, 0, 0]], dtype=bool)
    lists = np.array(
        [
            [0, 1, 2],  # 0-1: 1 - 1/2; 0-2: 1 - 0/3; 1-2: 1 - 0/2 -> (0.5 + 1 + 1) / 3
            [0, 1, 3],  # movie 3 has no genre: only 0-1 remains -> 0.5
            [1, 3, -1],  # no pair of known content
            [-1, -1, -1],
        ]
    )
    np.testing.assert_allclose(intra_list_diversity_by_genre(lists, genres), [2.5 / 3, 0.5, np.nan, np.nan], rtol=1e-15)


def test_diversity_by_factors_by_hand() -> None:
    factors = np.array([[2, 0], [0, 0.5], [-1, 0], [0, 0]], dtype=np.float32)
    lists = np.array(
        [
            [0, 1, 2],  # cosines 0, -1, 0 -> (1 + 2 + 1) / 3
            [0, 1, 3],  # movie 3 has no direction: only 0-1 remains -> 1
            [2, 3, -1],
            [-1, -1, -1],
        ]
    )
    np.testing.assert_allclose(intra_list_diversity_by_factors(lists, factors), [4 / 3, 1, np.nan, np.nan], rtol=1e-15)


def test_same_movies_are_not_diverse() -> None:
    lists = np.array([[0, 1, 2]])
    assert intra_list_diversity_by_genre(lists, np.ones((3, 4), dtype=bool)).tolist() == [0]
    assert intra_list_diversity_by_factors(lists, np.full((3, 7), 0.1)).tolist() == pytest.approx([0], abs=1e-15)


@given(seeds, st.sampled_from([1, 300, 10**6]))
def test_diversity_agrees_with_scipy_for_any_block(seed: int, block: int) -> None:
    rng = np.random.default_rng(seed)
    lists = random_lists(seed)
    genres = rng.random((MOVIES, 6)) < 0.3
    factors = rng.standard_normal((MOVIES, 5)) * (rng.random((MOVIES, 1)) < 0.8)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(diversity, "_BLOCK_ELEMENTS", block)
        by_genre = intra_list_diversity_by_genre(lists, genres)
        by_factors = intra_list_diversity_by_factors(lists, factors)
    for user, row in enumerate(lists):
        listed = row[row >= 0]
        known = genres[listed][genres[listed].any(axis=1)]
        directed = factors[listed][factors[listed].any(axis=1)]
        assert by_genre[user] == pytest.approx(mean_pdist(known, "jaccard"), abs=1e-12, nan_ok=True)
        assert by_factors[user] == pytest.approx(mean_pdist(directed, "cosine"), abs=1e-12, nan_ok=True)


@given(seeds)
def test_order_within_a_list_does_not_matter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    lists = random_lists(seed)
    mixed = rng.permuted(lists, axis=1)  # also moves the padding
    genres = rng.random((MOVIES, 6)) < 0.3
    popularity = rng.integers(0, 50, MOVIES)
    assert coverage(lists, MOVIES) == coverage(mixed, MOVIES)
    for before, after in (
        (intra_list_diversity_by_genre(lists, genres), intra_list_diversity_by_genre(mixed, genres)),
        (novelty(lists, popularity, 50), novelty(mixed, popularity, 50)),
        (mean_popularity(lists, popularity), mean_popularity(mixed, popularity)),
    ):
        np.testing.assert_allclose(before, after, atol=1e-12)


def test_novelty_by_hand() -> None:
    popularity = np.array([16, 4, 1, 0])
    # log2(16/16) = 0, log2(16/4) = 2, log2(16/1) = 4; nobody counts as one: 4
    found = novelty(np.array([[0, 1, 2], [3, -1, -1], [-1, -1, -1], [0, -1, -1]]), popularity, n_users=16)
    np.testing.assert_array_equal(found, [(0 + 2 + 4) / 3, 4, np.nan, 0])


def test_popularity_by_hand() -> None:
    popularity = np.array([10, 20, 90])
    lists = mean_popularity(np.array([[2, 1], [2, -1], [-1, -1], [0, 1]]), popularity)
    np.testing.assert_array_equal(lists, [55, 90, np.nan, 15])
    rated = sparse.csr_array(np.array([[1.0, 0.5, 0.0], [0, 5, 0], [0, 0, 3], [0, 0, 0]]))
    profiles = mean_profile_popularity(rated, popularity)
    np.testing.assert_array_equal(profiles, [15, 20, 90, np.nan])
    # users 0 and 1 have both: (55 + 90) / (15 + 20) - 1
    assert popularity_lift(lists, profiles) == pytest.approx(145 / 35 - 1)
    assert np.isnan(popularity_lift(lists[2:], profiles[2:]))


def test_no_users() -> None:
    nobody = np.empty((0, 5), dtype=int)
    assert coverage(nobody, 4) == 0
    assert intra_list_diversity_by_genre(nobody, np.ones((4, 2), dtype=bool)).shape == (0,)
    assert novelty(nobody, np.ones(4, dtype=int), 9).shape == (0,)


@pytest.mark.parametrize("row", [3, -2])
def test_refuses_movies_that_do_not_exist(row: int) -> None:
    lists, counts = np.array([[0, row]]), np.ones(3, dtype=int)
    for judge in (
        lambda: coverage(lists, 3),
        lambda: intra_list_diversity_by_genre(lists, np.ones((3, 2), dtype=bool)),
        lambda: intra_list_diversity_by_factors(lists, np.ones((3, 2))),
        lambda: novelty(lists, counts, 5),
        lambda: mean_popularity(lists, counts),
    ):
        with pytest.raises(ValueError, match=r"movie rows must be in \[0, 3\), or -1"):
            judge()


def test_refuses_impossible_figures() -> None:
    lists = np.array([[0, 1]])
    with pytest.raises(ValueError, match="the catalogue is empty"):
        coverage(np.array([[-1]]), 0)
    with pytest.raises(ValueError, match="exposure counts must not be negative"):
        gini(np.array([1, -1]))
    with pytest.raises(ValueError, match="factors must be finite"):
        intra_list_diversity_by_factors(lists, np.array([[np.nan], [1.0]]))
    for popularity, n_users in (([1, 6], 5), ([-1, 2], 5), ([0, 0], 0)):
        with pytest.raises(ValueError, match=f"between 0 and n_users = {n_users}"):
            novelty(lists, np.array(popularity), n_users)
