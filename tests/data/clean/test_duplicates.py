"""Which of several ratings of a movie by a user stays."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from movierec.data.duplicates import pair_keys
from tests.data.clean.rows import Row, run, table_of


@pytest.mark.usefixtures("few_suffice")
def test_the_latest_rating_of_a_pair_stays() -> None:
    rows: list[Row] = [(2, 5, 1, 30), (1, 5, 2, 10), (2, 5, 3, 20), (2, 5, 4, 10), (1, 5, 4.5, 11)]
    ratings, report = run(rows)
    pd.testing.assert_frame_equal(ratings, table_of([(1, 5, 4.5, 11), (2, 5, 1, 30)]))
    assert report.dropped["duplicate"] == 3


@pytest.mark.usefixtures("few_suffice")
def test_the_last_in_the_file_stays_among_equals() -> None:
    rows: list[Row] = [(1, 5, 1, 10), (1, 5, 5, 10), (1, 4, 3, 9), (1, 5, 2, 10), (1, 5, 4, 9)]
    ratings, _ = run(rows)
    pd.testing.assert_frame_equal(ratings, table_of([(1, 4, 3, 9), (1, 5, 2, 10)]))


@pytest.mark.usefixtures("few_suffice")
def test_sorted_input_with_equal_pairs_is_no_shortcut() -> None:
    rows: list[Row] = [(1, 5, 1, 30), (1, 5, 2, 20), (1, 6, 3, 0)]
    assert run(rows)[0]["rating"].tolist() == [1, 3]


ids = st.integers(1, 2**31 - 1)


@given(st.lists(st.tuples(ids, ids), min_size=2))
def test_pair_keys_order_as_pairs_do(pairs: list[tuple[int, int]]) -> None:
    keys = pair_keys(table_of([(*pair, 3.0, 0) for pair in pairs])).tolist()
    assert all(key > 0 for key in keys)
    for (one, one_key), (other, other_key) in zip(
        zip(pairs, keys, strict=True), zip(pairs[1:], keys[1:], strict=True), strict=False
    ):
        assert (one < other, one == other) == (one_key < other_key, one_key == other_key)
