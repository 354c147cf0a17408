import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from movierec.data.source_ids import Encoder, SourceIds, order_ids, parse_integers
from movierec.errors import MovierecError

IDS = SourceIds([3, 1, 2], ["U0003", "U0001", "007"])


def test_codes_and_own_ids_go_both_ways() -> None:
    assert IDS.encode(["007", "U0003", "007"]).tolist() == [2, 3, 2]
    assert IDS.decode([1, 2]) == ["U0001", "007"]
    assert (IDS.find("U0001"), IDS.find("u0001"), IDS.find(7)) == (1, None, None)
    assert (len(IDS), IDS.encode([]).tolist(), IDS.decode(np.array([], dtype=np.int32))) == (3, [], [])


def test_numbers_may_be_given_as_numbers() -> None:
    ids = SourceIds([1, 2], ["76561198000000001", "-5"])
    assert ids.encode([76561198000000001, "-5"]).tolist() == [1, 2]


def test_an_unknown_id_is_refused_naming_those_like_it() -> None:
    with pytest.raises(MovierecError, match=r"^unknown user 'U0004': did you mean 'U0003' or 'U0001'"):
        IDS.encode(["007", "U0004"], "user")
    with pytest.raises(MovierecError, match=r"^unknown id '~'$"):
        IDS.encode(["~"])
    with pytest.raises(KeyError, match="unknown code 9"):
        IDS.decode([1, 9])


def test_a_table_holds_them() -> None:
    table = IDS.to_table("user_id")
    assert table.to_dict("list") == {"user_id": [1, 2, 3], "source_id": ["U0001", "007", "U0003"]}
    assert [str(dtype) for dtype in table.dtypes] == ["int32", "str"]
    assert SourceIds.from_table(table, "user_id").decode([3]) == ["U0003"]
    plain = SourceIds.from_table(pd.DataFrame({"movie_id": np.array([5, 9], dtype=np.int32)}), "movie_id")
    assert (plain.decode([9]), plain.encode([5]).tolist()) == (["9"], [5])


@pytest.mark.parametrize(("codes", "own"), [([1, 1], ["a", "b"]), ([1, 2], ["a", "a"]), ([1], ["a", "b"])])
def test_what_is_not_one_to_one_is_refused(codes: list[int], own: list[str]) -> None:
    with pytest.raises(ValueError, match="must be distinct and as many"):
        SourceIds(codes, own)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0), ("7", 7), (" 7 ", 7), ("-7", -7), ("9223372036854775807", 2**63 - 1),
        ("9223372036854775808", None), ("007", None), ("00", None), ("-0", None), ("-07", None), ("+7", None),
        ("7.0", None), ("1e3", None), ("1_0", None), ("", None), (" ", None), ("x", None), ("\u0663", None),
    ],
)  # fmt: skip
def test_a_text_is_an_integer_if_nothing_is_lost(text: str, number: int | None) -> None:
    assert pl.DataFrame({"text": [text]}).select(parse_integers(pl.col("text"))).item() == number


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1))
def test_integers_get_codes_in_order(ids: list[int]) -> None:
    series = pl.Series(ids, dtype=pl.Int64)
    ordered = order_ids(series)
    if ordered is None:
        assert min(ids) >= 0
        assert max(ids) < 2**31
        assert Encoder(None).encode(series).tolist() == ids
    else:
        distinct = sorted(set(ids))
        assert ordered.to_list() == distinct
        assert Encoder(ordered).encode(series).tolist() == [distinct.index(each) + 1 for each in ids]


@given(st.lists(st.text(min_size=1), min_size=1), st.lists(st.text(min_size=1)))
def test_texts_get_codes_in_order_of_code_points(ids: list[str], others: list[str]) -> None:
    series = pl.Series(ids, dtype=pl.String)
    ordered = order_ids(series, pl.Series(others, dtype=pl.String))
    distinct = sorted({*ids, *others})
    assert ordered is not None
    assert ordered.to_list() == distinct
    assert Encoder(ordered).encode(series).tolist() == [distinct.index(each) + 1 for each in ids]


def test_ids_of_movies_that_are_not_rated_count() -> None:
    assert order_ids(pl.Series([1, 2]), pl.Series([3])) is None
    ordered = order_ids(pl.Series([1, 2]), pl.Series([2**31]))
    assert ordered is not None
    assert ordered.to_list() == [1, 2, 2**31]
    assert order_ids(pl.Series([], dtype=pl.Int64)) is None
