"""What is excluded for a user is what the tables hold, whatever their order and the catalogue."""

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from movierec.columns import MOVIE_ID, USER_ID
from movierec.data.exclusions import Exclusions
from movierec.ids import IdIndex

PAIRS = st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), max_size=30)


def as_table(pairs: list[tuple[int, int]]) -> pd.DataFrame:
    return pd.DataFrame(pairs, columns=[USER_ID, MOVIE_ID], dtype=np.int32)


@given(
    parts=st.lists(PAIRS, min_size=1, max_size=3),
    catalogue=st.lists(st.integers(1, 9), unique=True, max_size=9),
    wanted=st.lists(st.integers(1, 12), max_size=8),
    others=st.lists(st.integers(1, 9), unique=True, max_size=9),
)
def test_each_user_gets_their_own(
    parts: list[list[tuple[int, int]]], catalogue: list[int], wanted: list[int], others: list[int]
) -> None:
    exclusions = Exclusions(IdIndex(catalogue), *map(as_table, parts))
    pairs = {pair for part in parts for pair in part}
    for movies in (exclusions.movies, IdIndex(catalogue), IdIndex(others)):
        found = exclusions.select(wanted, movies).toarray()
        known = [movie for movie in movies.ids.tolist() if movie in catalogue]
        expected = [[(user, movie) in pairs and movie in known for movie in movies.ids.tolist()] for user in wanted]
        np.testing.assert_array_equal(found, np.array(expected, dtype=bool).reshape(found.shape))
