import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from movierec.data.describe import LONG_TAIL_POINTS, count_stars, describe_ratings, trace_long_tail
from movierec.data.tally import tally_ratings


def ratings_of(movie_ids: list[int], stars: list[float] | None = None) -> pd.DataFrame:
    n = len(movie_ids)
    return pd.DataFrame(
        {
            "user_id": np.arange(1, n + 1, dtype=np.int32),
            "movie_id": np.array(movie_ids, dtype=np.int32),
            "rating": np.array(stars or [3.5] * n, dtype=np.float32),
            "timestamp": np.zeros(n, dtype=np.int64),
        },
    )


def test_description_by_hand() -> None:
    table = ratings_of([10, 20, 10, 30, 10], [0.5, 5, 4, 4, 3]).assign(user_id=[1, 1, 2, 2, 7])
    described = describe_ratings(tally_ratings([table]))
    # 5 of 3 users x 3 movies are rated; (0.5 + 5 + 4 + 4 + 3) / 5 = 3.3
    assert described == {
        "ratings": 5,
        "users": 3,
        "movies": 3,
        "sparsity": pytest.approx(4 / 9),
        "mean_rating": pytest.approx(3.3),
    }


def test_a_full_table_is_not_sparse() -> None:
    assert describe_ratings(tally_ratings([ratings_of([10], [2.5])])) == {
        "ratings": 1, "users": 1, "movies": 1, "sparsity": 0, "mean_rating": 2.5,
    }  # fmt: skip


def test_the_mean_does_not_lose_digits() -> None:
    n = 200_001
    table = ratings_of(list(range(1, n + 1)), [3.5] * (n - 1) + [0.5])
    # in float32 a sum beyond 2**19 moves in steps of 1/16
    assert describe_ratings(tally_ratings([table]))["mean_rating"] == pytest.approx(3.5 - 3 / n, abs=1e-12)


def test_stars_by_hand() -> None:
    counts = count_stars(tally_ratings([ratings_of([1, 2, 3, 4, 5, 6], [5, 0.5, 4, 4, 0.5, 4])]))
    pd.testing.assert_frame_equal(counts, pd.DataFrame({"stars": [0.5, 4.0, 5.0], "ratings": [2, 3, 1]}))


def test_long_tail_by_hand() -> None:
    # movie 8 has 3 of 6 ratings, 9 has 2, 7 has 1
    tail = trace_long_tail(tally_ratings([ratings_of([7, 8, 8, 9, 8, 9])]))
    expected = pd.DataFrame({"movie_share": [0, 1 / 3, 2 / 3, 1], "rating_share": [0, 3 / 6, 5 / 6, 1]})
    pd.testing.assert_frame_equal(tail, expected)


@given(st.lists(st.integers(1, 400), min_size=1, max_size=600))
def test_long_tail_is_a_concave_curve_over_the_diagonal(movie_ids: list[int]) -> None:
    tail = trace_long_tail(tally_ratings([ratings_of(movie_ids)])).to_numpy()
    counts = sorted((movie_ids.count(movie) for movie in set(movie_ids)), reverse=True)
    assert len(tail) <= LONG_TAIL_POINTS + 1
    assert tail[0].tolist() == [0, 0]
    assert tail[-1].tolist() == [1, 1]
    for movie_share, rating_share in tail[:: max(1, len(tail) // 7)]:
        top = round(movie_share * len(counts))
        assert rating_share == pytest.approx(sum(counts[:top]) / len(movie_ids), abs=1e-12)
    slopes = np.diff(tail[:, 1]) / np.diff(tail[:, 0])
    assert (np.diff(slopes) <= 1e-9).all()
    assert (tail[:, 1] >= tail[:, 0] - 1e-12).all()


def test_long_tail_has_so_many_points_and_no_more() -> None:
    tail = trace_long_tail(tally_ratings([ratings_of(list(range(1, 1001)))]))
    assert len(tail) == LONG_TAIL_POINTS + 1
    np.testing.assert_allclose(tail["rating_share"], tail["movie_share"], atol=1e-12)
