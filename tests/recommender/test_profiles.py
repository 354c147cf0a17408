from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from movierec import io, paths
from movierec.columns import MOVIE_ID, RATING, USER_ID
from movierec.ids import IdIndex
from movierec.recommender.artifacts import Artifacts
from movierec.recommender.profiles import Profiles


@pytest.fixture
def profiles() -> Profiles:
    table = pd.DataFrame({USER_ID: [3, 3, 3, 8], MOVIE_ID: [10, 20, 40, 10], RATING: [4.0, 0.5, 5.0, 3.0]})
    return Profiles(table.astype({USER_ID: np.int32, MOVIE_ID: np.int32, RATING: np.float32}), IdIndex([3]))


def test_a_known_user_has_the_ratings_of_the_data(profiles: Profiles) -> None:
    found = profiles.find(3)
    assert (found.user_id, found.trained, found.changed) == (3, True, False)
    assert found.movie_ids.tolist() == [10, 20, 40]
    assert found.stars.tolist() == [4.0, 0.5, 5.0]


def test_a_user_outside_train_is_known_but_not_trained(profiles: Profiles) -> None:
    found = profiles.find(8)
    assert found.movie_ids.tolist() == [10]
    assert not found.trained


@pytest.mark.parametrize("user_id", [1, 5, 9, 2**31 - 1])
def test_a_stranger_has_rated_nothing(profiles: Profiles, user_id: int) -> None:
    found = profiles.find(user_id)
    assert len(found.movie_ids) == len(found.stars) == 0
    assert not found.trained
    assert not found.changed


def test_stored_ratings_lie_over_those_of_the_data_in_order_of_id(profiles: Profiles) -> None:
    found = profiles.find(3, {30: 1.5, 5: 2.0, 20: 4.5})
    assert found.movie_ids.tolist() == [5, 10, 20, 30, 40]
    assert found.stars.tolist() == [2.0, 4.0, 4.5, 1.5, 5.0]
    assert f"{found.movie_ids.dtype} {found.stars.dtype}" == "int64 float32"
    assert found.trained
    assert found.changed
    assert profiles.find(3).stars.tolist() == [4.0, 0.5, 5.0], "the data itself must not change"


def test_stored_ratings_that_the_data_took_in_change_nothing(profiles: Profiles) -> None:
    assert not profiles.find(3, {20: 0.5}).changed
    assert profiles.find(3, {20: 1.0}).changed


def test_a_stranger_with_stored_ratings_has_changed(profiles: Profiles) -> None:
    found = profiles.find(77, {7: 3.0})
    assert found.movie_ids.tolist() == [7]
    assert found.changed
    assert not found.trained


def test_every_rating_of_the_data_is_in_one_profile(artifacts: Artifacts, shop: Path) -> None:
    ratings = io.read_parquet(shop / paths.CLEAN_RATINGS)
    for user_id in ratings[USER_ID].unique().tolist():
        own, found = ratings[ratings[USER_ID] == user_id], artifacts.profiles.find(user_id)
        assert found.movie_ids.tolist() == own[MOVIE_ID].tolist()
        assert found.stars.tolist() == own[RATING].tolist()
