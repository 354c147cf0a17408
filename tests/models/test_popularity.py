"""Popularity by hand."""

import pandas as pd
import pytest

from movierec.columns import MOVIE_ID, RATING, USER_ID
from movierec.models.popularity import Popularity

TABLE = pd.DataFrame(
    {USER_ID: [1, 2, 3, 1, 2, 3], MOVIE_ID: [5, 5, 5, 9, 9, 2], RATING: [1.0, 2.0, 3.0, 5.0, 5.0, 5.0]},
)


def test_ranks_by_count_then_id_and_leaves_out_what_was_seen() -> None:
    model = Popularity().fit(TABLE)
    assert model.recommend([1], 3)[0].tolist() == [[5, 9, 2]]  # 3, 2 and 1 ratings
    assert model.recommend([1], 3)[1].tolist() == [[3, 2, 1]]
    assert model.recommend([1, 3], 3, exclude=TABLE)[0].tolist() == [[2, -1, -1], [9, -1, -1]]


def test_predicts_the_shrunken_mean() -> None:
    model = Popularity(prior_ratings=2.0).fit(TABLE)
    mean = 21 / 6
    # The sum of the stars with two more ratings at the mean, over the count with these two.
    assert model.predict([1, 99], [5, 9]).tolist() == pytest.approx([(6 + 2 * mean) / 5, (10 + 2 * mean) / 4])
