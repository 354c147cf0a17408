"""Rows of ids are those that NumPy finds."""

from typing import Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from movierec.models import rows
from movierec.models.rows import rank_ids

IDS = st.lists(st.integers(-50, 50), min_size=1, max_size=40)


@given(IDS, st.sampled_from([1, 10**7]), st.sampled_from(["int32", "int64"]))
def test_rows_are_places_among_the_distinct_ids(ids: list[int], spread: int, kind: Literal["int32", "int64"]) -> None:
    given_ids = (np.array(ids) * spread).astype(kind)
    found, distinct = rank_ids(given_ids)
    expected, places = np.unique(given_ids, return_inverse=True)
    np.testing.assert_array_equal(distinct, expected, strict=True)
    np.testing.assert_array_equal(found, places.astype(np.int32), strict=True)


def test_wide_ids_keep_no_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(rows, "_rank")
    found, distinct = rank_ids(np.array([2**62, -(2**62), 2**62]))
    assert found.tolist() == [1, 0, 1]
    assert distinct.tolist() == [-(2**62), 2**62]
