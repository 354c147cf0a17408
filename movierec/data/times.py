"""Times of ratings in any usual form, turned into whole seconds since 1970 in UTC."""

from typing import Final, NamedTuple

import polars as pl

# Seconds stay below 1e11 until the year 5138; milliseconds of 1973 are above it, and so on by thousands.
_UNITS: Final = (
    ("seconds", 1e11, 1),
    ("milliseconds", 1e14, 10**3),
    ("microseconds", 1e17, 10**6),
    ("nanoseconds", float("inf"), 10**9),
)
_FORMATS: Final = (
    "%Y-%m-%dT%H:%M:%S%.f%#z",
    "%Y-%m-%dT%H:%M%#z",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%d",
)


class ParsedTimes(NamedTuple):
    """Times of some rows as integers, null where a field holds no time.

    Attributes
    ----------
    numbers : Series of Int64
        Seconds since 1970 in UTC; or, of times given as numbers, these, rounded down, in a unit not yet known.
    form : str or None
        Such as ``ISO 8601``; None of numbers.
    """

    numbers: pl.Series
    form: str | None


def parse_times(values: pl.Series) -> ParsedTimes:
    """Turn times into integers.

    Parameters
    ----------
    values : Series
        Numbers; texts in ISO 8601 (a date, or date and time with a blank or ``T`` between, with or without zone, which
        is UTC by default); or dates and times.

    Examples
    --------
    >>> parse_times(pl.Series(["1970-01-02"])).numbers.to_list()
    [86400]
    """
    if values.dtype.is_temporal():
        return ParsedTimes(values.cast(pl.Datetime("us")).dt.epoch("s"), "dates and times")
    if values.dtype.is_numeric():
        whole = values if values.dtype.is_integer() else values.floor()
        return ParsedTimes(whole.cast(pl.Int64, strict=False), None)
    text = values.str.strip_chars().str.replace(r"^(\d{4}-\d\d-\d\d) ", "${1}T").str.replace(r" ?(UTC|GMT|Z)$", "Z")
    frame = text.alias("text").to_frame()
    parsed = [pl.col("text").str.to_datetime(each, strict=False, time_zone="UTC", time_unit="us") for each in _FORMATS]
    seconds = frame.select(pl.coalesce(parsed).dt.epoch("s").alias("seconds")).to_series()
    return ParsedTimes(seconds, "ISO 8601")


class TimeUnit:
    """The unit of times given as numbers, told by how large more than half of them are.

    Examples
    --------
    >>> unit = TimeUnit()
    >>> unit.add(pl.Series([1577836800500, 1577836801000]))
    >>> unit.form, unit.to_seconds(pl.Series([1577836800500])).to_list()
    ('milliseconds', [1577836800])
    """

    def __init__(self) -> None:
        self._counts = [0] * len(_UNITS)  # of the numbers below each bound

    def add(self, values: pl.Series) -> None:
        """Count more numbers of Int64; null ones do not count."""
        size = values.abs()
        smaller = [int((size < below).sum()) for _, below, _ in _UNITS]
        self._counts = [sum(both) for both in zip(self._counts, smaller, strict=True)]

    @property
    def form(self) -> str:
        """What the unit is called."""
        return self._settle()[0]

    def to_seconds(self, values: pl.Series) -> pl.Series:
        """Turn numbers into whole seconds, rounded down."""
        return values // self._settle()[1]

    def _settle(self) -> tuple[str, int]:
        total = self._counts[-1]
        enough = (unit for unit, count in zip(_UNITS, self._counts, strict=True) if 2 * count > total or not total)
        form, _, divisor = next(enough)
        return form, divisor
