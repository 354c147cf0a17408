import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from movierec.ids import IdIndex
from movierec.service.lookup import find_rows

IDS = st.integers(1, 2**31 - 1)


@given(st.sets(IDS, min_size=1, max_size=20), st.lists(IDS | st.integers(-(2**31), 2**40), max_size=20))
def test_rows_are_those_of_an_id_index(known: set[int], asked: list[int]) -> None:
    ids = np.array(sorted(known), dtype=np.int32)
    wanted = [*asked, *sorted(known)[:3]]
    assert find_rows(ids, wanted).tolist() == IdIndex(ids).rows(wanted).tolist()


def test_asking_for_nothing_finds_nothing() -> None:
    assert find_rows(np.array([4], dtype=np.int32), []).tolist() == []
