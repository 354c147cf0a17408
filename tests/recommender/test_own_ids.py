import pandas as pd
import pytest

from movierec.recommender.own_ids import OwnIds, UnknownIdError


def test_integers_that_are_their_own_codes_stand_for_themselves() -> None:
    ids = OwnIds.from_table(pd.DataFrame({"user_id": [3, 5], "source_id": ["3", "5"]}), "user_id")
    assert (ids.are_text, ids.find(3), ids.find(99), ids.name([5, 8]), ids.show(3)) == (False, 3, 99, [5, 8], 3)
    with pytest.raises(UnknownIdError, match="there is no id 'x': the ids of this data are whole numbers"):
        ids.find("x")


def test_a_table_without_own_ids_has_codes_alone() -> None:
    assert OwnIds.from_table(pd.DataFrame({"movie_id": [3]}), "movie_id").find_all([3, 4]).tolist() == [3, 4]


def test_texts_are_found_and_named_whatever_they_look_like() -> None:
    ids = OwnIds([1, 2, 3], ["007", "42", "U 1"])
    assert ids.find_all(["007", 42, "42", "U 1", 7, "x"]).tolist() == [1, 2, 2, 3, -1, -1]
    assert (ids.name([3, 2]), ids.show(42), ids.show("x")) == (["U 1", "42"], "42", "x")
