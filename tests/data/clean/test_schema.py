"""The contract of clean ratings."""

import numpy as np
import pandas as pd
import pytest
from pandera.errors import SchemaError, SchemaErrors

from movierec.data.clean import RATINGS_SCHEMA, clean_ratings
from movierec.data.readers import RawRatings
from tests.data.clean.rows import ENOUGH, KEEP_ALL, NOTHING_BROKEN, table_of

GOOD = table_of(ENOUGH[:3])


def test_schema_accepts_what_it_promises() -> None:
    pd.testing.assert_frame_equal(RATINGS_SCHEMA.validate(GOOD), GOOD)
    RATINGS_SCHEMA.validate(GOOD.drop(columns="timestamp"))


@pytest.mark.parametrize(
    ("table", "match"),
    [
        (GOOD.iloc[::-1], "pairs sorted and unique"),
        (pd.concat([GOOD, GOOD.iloc[2:]]), "pairs sorted and unique"),
        (GOOD.assign(user_id=np.array([2, 1, 1], dtype=np.int32)), "pairs sorted and unique"),
        (GOOD.assign(user_id=np.array([-1, 1, 1], dtype=np.int32)), r"greater_than_or_equal_to\(0\)"),
        (GOOD.assign(movie_id=np.array([-1, 2, 3], dtype=np.int32)), r"greater_than_or_equal_to\(0\)"),
        (GOOD.assign(rating=np.float32(np.inf)), "finite"),
        (GOOD.assign(rating=np.float32(np.nan)), "non-nullable"),
        (GOOD.assign(timestamp=np.int64(-1)), r"greater_than_or_equal_to\(0\)"),
        (GOOD.assign(user_id=GOOD["user_id"].astype(np.int64)), "type int32"),
        (GOOD.assign(rating=GOOD["rating"].astype(np.float64)), "type float32"),
        (GOOD.assign(timestamp=GOOD["timestamp"].astype(np.int32)), "type int64"),
        (GOOD.assign(tag="x"), "COLUMN_NOT_IN_SCHEMA"),
        (GOOD[["movie_id", "user_id", "rating", "timestamp"]], "out-of-order"),
        (GOOD.drop(columns="rating"), "not in dataframe"),
    ],
)
def test_schema_refuses_what_breaks_the_promise(table: pd.DataFrame, match: str) -> None:
    with pytest.raises((SchemaError, SchemaErrors), match=match):
        RATINGS_SCHEMA.validate(table)


def test_a_reader_that_breaks_its_promise_is_caught() -> None:
    rows = table_of([(-1, 1, 3, 0), *ENOUGH])
    with pytest.raises(SchemaError, match=r"greater_than_or_equal_to\(0\)"):
        list(clean_ratings(RawRatings([rows], dict(NOTHING_BROKEN), None), **KEEP_ALL, seed=0)[0])
