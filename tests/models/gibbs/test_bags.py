"""Bags of what was rated, against the dense matrix."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from movierec.models.gibbs.bags import Bags, decompose_bags, scale_bags
from movierec.models.gibbs.row_blocks import RowBlocks

RATED = np.array([[1, 1, 0, 0], [0, 1, 0, 0], [1, 0, 1, 1], [0, 1, 1, 1], [1, 1, 1, 0]])


def as_bags(pool: ThreadPoolExecutor, rated: np.ndarray) -> Bags:
    indptr = np.concatenate([[0], np.cumsum(rated.sum(axis=1))])
    return Bags(RowBlocks(pool, indptr, 16), indptr, np.nonzero(rated)[1].astype(np.int32))


def test_rated_rows_are_added() -> None:
    with ThreadPoolExecutor(2) as pool:
        dense = np.arange(8, dtype=np.float32).reshape(4, 2)
        np.testing.assert_array_equal(as_bags(pool, RATED).add_rows(dense), RATED @ dense)


def test_a_bag_has_length_one() -> None:
    assert scale_bags([4, 1, 0]).tolist() == [[0.5], [1.0], [1.0]]


def test_directions_are_those_of_the_centred_bags() -> None:
    with ThreadPoolExecutor(2) as pool:
        basis = decompose_bags(as_bags(pool, RATED), as_bags(pool, RATED.T), 10, np.random.default_rng(0))
    bags = RATED / np.sqrt(RATED.sum(axis=1, keepdims=True))
    centred = bags - bags.mean(axis=0)
    np.testing.assert_allclose(basis.mean, bags.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(basis.scale, np.linalg.svd(centred)[1][: len(basis.scale)], rtol=1e-4)
    np.testing.assert_allclose(basis.scores * basis.scale, centred @ basis.projection, atol=1e-5)
    np.testing.assert_allclose(basis.scores.T @ basis.scores, np.eye(len(basis.scale)), atol=1e-5)


def test_users_who_rated_all_the_same_have_no_directions() -> None:
    rated = np.ones((3, 4), dtype=int)
    with ThreadPoolExecutor(1) as pool:
        basis = decompose_bags(as_bags(pool, rated), as_bags(pool, rated.T), 2, np.random.default_rng(0))
    assert np.abs(basis.scores * basis.scale).max(initial=0) < 1e-6
