"""Counts, genres and decades in orthogonal directions."""

import numpy as np
import pandas as pd
import pytest

from movierec.models.gibbs.side_information import decompose_features, describe_content, describe_counts, weigh_rows

MOVIES = pd.DataFrame(
    {
        "movie_id": np.array([7, 3, 9, 5], dtype=np.int32),
        "year": pd.array([1994, 1999, None, 2001], dtype="Int16"),
        "genres": [["Drama", "War"], ["Drama"], [], ["War"]],
    }
)


def test_scores_are_orthonormal_and_span_the_centred_features() -> None:
    features = np.random.default_rng(0).normal(size=(20, 3))
    features = np.column_stack([features, features[:, 0] + 2])  # no new direction
    basis = decompose_features(features)
    assert basis.scale.shape == (3,)
    np.testing.assert_allclose(basis.scores.T @ basis.scores, np.eye(3), atol=1e-5)
    np.testing.assert_allclose(
        basis.scores * basis.scale @ basis.projection.T, features - features.mean(axis=0), atol=1e-5
    )


def test_features_that_never_differ_have_no_directions() -> None:
    assert decompose_features(np.ones((4, 2))).scale.shape == (0,)


def test_new_rows_are_placed_where_old_ones_with_their_features_are() -> None:
    features = np.random.default_rng(1).normal(size=(9, 4))
    weights = np.array([3, 1, *[0] * 7])
    longer = decompose_features(features).extend(features[[4, 2]]).extend_by_mean(1, weights)
    np.testing.assert_allclose(longer.scores[9:11], longer.scores[[4, 2]], atol=1e-5)
    np.testing.assert_allclose(longer.scores[11], (3 * longer.scores[0] + longer.scores[1]) / 4, atol=1e-6)


def test_rated_rows_count_the_same_and_others_nothing() -> None:
    assert weigh_rows(np.array([5, 0, 1])).tolist() == [1, 0, 1]


def test_counts() -> None:
    logarithms = np.log([1, 10]) / 2
    expected = np.column_stack([logarithms, (logarithms - 2) ** 2])
    np.testing.assert_allclose(describe_counts([0, 9]), expected)


def test_flags_of_genres_then_decades_in_the_order_asked() -> None:
    flags = describe_content(MOVIES, np.array([3, 7, 9, 1], dtype=np.int32))
    # Drama, War, the nineties, the noughties; 9 has neither, 1 is not listed
    assert flags.tolist() == [[1, 0, 1, 0], [1, 1, 1, 0], [0, 0, 0, 0], [0, 0, 0, 0]]


@pytest.mark.parametrize("movies", [MOVIES.drop(columns="year"), MOVIES.assign(year=pd.array([None] * 4, "Int16"))])
def test_years_need_not_be_known(movies: pd.DataFrame) -> None:
    assert describe_content(movies, np.array([7], dtype=np.int32)).tolist() == [[1, 1]]


def test_genres_that_came_from_a_file_are_arrays() -> None:
    movies = MOVIES.assign(genres=MOVIES["genres"].map(np.array))
    assert describe_content(movies, np.array([5], dtype=np.int32)).tolist() == [[0, 1, 0, 1]]
