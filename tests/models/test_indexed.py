"""Indexed ratings keep the order that counts, and the sample stands for all."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from movierec.columns import MOVIE_ID, RATING, USER_ID
from movierec.models import indexed
from movierec.models.indexed import IndexedRatings
from tests.models.conftest import make_ratings


def test_pairs_are_the_ratings_in_order_of_user() -> None:
    mixed = make_ratings(2).sort_values(MOVIE_ID, kind="stable")
    data = IndexedRatings(mixed)
    expected = mixed.sort_values(USER_ID, kind="stable")
    user, movie, stars = data.pairs
    assert data.users.ids[user].tolist() == expected[USER_ID].tolist()
    assert data.movies.ids[movie].tolist() == expected[MOVIE_ID].tolist()
    assert stars.tolist() == expected[RATING].tolist()


def test_what_is_indexed_is_not_indexed_again(ratings: pd.DataFrame) -> None:
    data = IndexedRatings.of(ratings)
    assert IndexedRatings.of(data) is data
    assert data.table is ratings
    assert data.block is data.block


def test_strangers_have_no_row(ratings: pd.DataFrame) -> None:
    table = pd.DataFrame({USER_ID: [7, 8], MOVIE_ID: [3, 7], RATING: [1.5, 4.0]})
    user, movie, stars = IndexedRatings(ratings).locate(table)
    assert (user.tolist(), movie.tolist(), stars.tolist()) == ([0, -1], [-1, 1], [1.5, 4.0])


@pytest.mark.parametrize(("limit", "step"), [(500, 1), (499, 2), (250, 2), (100, 5)])
def test_the_sample_is_every_so_many_th_rating(
    ratings: pd.DataFrame, limit: int, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexed, "SAMPLE", limit)
    data = IndexedRatings(ratings)
    for sampled, column in zip(data.sample, data.pairs, strict=True):
        np.testing.assert_array_equal(sampled, column[::step])
    assert len(data.sample.stars) <= limit


def test_no_ratings_are_refused(ratings: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match="cannot fit a model on no ratings"):
        IndexedRatings(ratings[:0])


def test_groups_are_those_of_a_sparse_matrix() -> None:
    data = IndexedRatings(make_ratings(5))
    user, movie, stars = data.pairs
    matrix = sp.csr_array((stars, (user, movie)), shape=(len(data.users), len(data.movies)))
    for grouped, expected in ((data.by_user, matrix), (data.by_movie, matrix.T.tocsr())):
        assert [array.dtype.name for array in grouped] == ["int64", "int32", "float32"]
        for one, other in zip(grouped, (expected.indptr, expected.indices, expected.data), strict=True):
            np.testing.assert_array_equal(one, other)
