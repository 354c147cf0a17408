import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from movierec.ids import UNKNOWN, IdIndex, find_rows

int32s = st.integers(-(2**31), 2**31 - 1)


@given(st.lists(int32s, unique=True), st.lists(st.integers(-(2**40), 2**40)))
def test_rows_agree_with_a_dictionary(ids: list[int], others: list[int]) -> None:
    wanted = [*ids, *others, *ids[::-1]]
    oracle = {each: row for row, each in enumerate(ids)}
    rows = IdIndex(ids).rows(np.array(wanted, dtype=np.int64))
    assert rows.dtype == np.int32
    assert rows.tolist() == [oracle.get(each, -1) for each in wanted]


def test_keeps_the_shape_that_is_asked() -> None:
    index = IdIndex([3, 1])
    assert index.rows([[1, 3], [9, 3], [1, 1]]).tolist() == [[1, 0], [UNKNOWN, 0], [1, 1]]
    assert index.rows(3).shape == ()
    assert index.rows(np.empty((0, 4), dtype=np.int32)).shape == (0, 4)
    assert index.rows(pd.Series([1, 3], index=[8, 9])).tolist() == [1, 0]
    assert len(index) == 2


@pytest.mark.parametrize("nothing_like_it", [[1.5], [np.nan], [2**32 + 3], [-3], ["3"], [None]])
def test_what_is_no_known_id_is_unknown(nothing_like_it: list[object]) -> None:
    assert IdIndex([3, 1]).rows(np.array(nothing_like_it)).tolist() == [UNKNOWN]


def test_empty_index_knows_nobody() -> None:
    index = IdIndex([])
    assert len(index) == 0
    assert index.rows([1, 2]).tolist() == [UNKNOWN, UNKNOWN]
    assert index.rows([]).tolist() == []


@pytest.mark.parametrize("ids", [[1, 1], np.array([5, 3, 5], dtype=np.int32)])
def test_refuses_a_repeated_id(ids: list[int]) -> None:
    with pytest.raises(ValueError, match="ids must be distinct"):
        IdIndex(ids)


@pytest.mark.parametrize("ids", [np.array([2**32 + 1]), np.array([2**31]), np.array([1.5]), [2**31]])
def test_refuses_an_id_that_would_change(ids: np.ndarray) -> None:
    with pytest.raises(ValueError, match="32-bit integers"):
        IdIndex(ids)


@given(
    st.sets(st.integers(1, 2**31 - 1), min_size=1, max_size=20),
    st.lists(st.integers(1, 2**31 - 1) | st.integers(-(2**31), 2**40), max_size=20),
)
def test_find_rows_agrees_with_an_id_index(known: set[int], asked: list[int]) -> None:
    ids = np.array(sorted(known), dtype=np.int32)
    wanted = [*asked, *sorted(known)[:3]]
    assert find_rows(ids, wanted).tolist() == IdIndex(ids).rows(wanted).tolist()


def test_find_rows_of_nothing_is_nothing() -> None:
    assert find_rows(np.array([4], dtype=np.int32), []).tolist() == []
