from datetime import UTC, datetime
from typing import NamedTuple

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from movierec.data.times import TimeUnit, parse_times


class Times(NamedTuple):
    seconds: pl.Series
    form: str


def to_seconds(values: pl.Series) -> Times:
    """Read all in two pieces, as the reader of files does."""
    unit, pieces = TimeUnit(), [parse_times(part) for part in (values[: len(values) // 2], values[len(values) // 2 :])]
    both = pl.concat([piece.numbers for piece in pieces])
    if form := pieces[0].form:
        return Times(both, form)
    for piece in pieces:
        unit.add(piece.numbers)
    return Times(unit.to_seconds(both), unit.form)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2020-01-01", 1577836800),
        ("2020-01-01T00:00:01Z", 1577836801),
        ("2020-01-01 00:00:01", 1577836801),
        (" 2020-01-01T00:00:01.999 ", 1577836801),
        ("2020-01-01T02:00:01+02:00", 1577836801),
        ("2020-01-01 02:00:01+0200", 1577836801),
        ("2020-01-01 00:00:01 UTC", 1577836801),
        ("2020-01-01T00:01", 1577836860),
        ("2020-01-01T02:01+02:00", 1577836860),
        ("1969-12-31T23:59:59Z", -1),
        ("1969-12-31T23:59:59.5Z", -1),
        ("01/02/2020", None),
        ("2020-13-01", None),
        ("yesterday", None),
        ("", None),
        (None, None),
    ],
)
def test_texts(text: str | None, seconds: int | None) -> None:
    times = to_seconds(pl.Series([text], dtype=pl.String))
    assert (times.seconds.to_list(), times.form) == ([seconds], "ISO 8601")


@given(st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1)))  # noqa: DTZ001
def test_any_iso_text_is_read_as_python_reads_it(moment: datetime) -> None:
    seconds = int(moment.replace(tzinfo=UTC, microsecond=0).timestamp())
    assert to_seconds(pl.Series([moment.isoformat(), moment.isoformat(" ")])).seconds.to_list() == [seconds, seconds]


@given(
    st.integers(10**8, 4 * 10**9), st.sampled_from([("seconds", 1), ("milliseconds", 10**3), ("microseconds", 10**6)])
)
def test_numbers_are_told_apart_by_size(second: int, unit: tuple[str, int]) -> None:
    name, factor = unit
    values = [second * factor, (second + 1) * factor - 1, None]
    times = to_seconds(pl.Series(values, dtype=pl.Int64))
    assert (times.seconds.to_list(), times.form) == ([second, second, None], name)


def test_one_odd_number_does_not_decide() -> None:
    assert to_seconds(pl.Series([10**9, 10**9, 10**15])).form == "seconds"


def test_empty_and_fractional_numbers() -> None:
    assert to_seconds(pl.Series([], dtype=pl.Int64)).form == "seconds"
    assert to_seconds(pl.Series([1.5e9 + 0.75, float("nan")])).seconds.to_list() == [1_500_000_000, None]


def test_dates_and_times_of_their_own_type() -> None:
    moments = pl.Series([datetime(2020, 1, 1, 0, 0, 1, 5)])  # noqa: DTZ001
    assert to_seconds(moments).seconds.to_list() == [1577836801]
    assert to_seconds(moments.cast(pl.Date)).seconds.to_list() == [1577836800]
    zoned = moments.dt.replace_time_zone("Europe/Berlin")
    assert to_seconds(zoned).seconds.to_list() == [1577836801 - 3600]
