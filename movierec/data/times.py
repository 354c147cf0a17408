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


class Times(NamedTuple):
    """Times in seconds, and what they were in the file.

    Attributes
    ----------
    seconds : Series of Int64
        Since 1970 in UTC, null where the field holds no time.
    form : str
        Such as ``milliseconds`` or ``ISO 8601``.
    """

    seconds: pl.Series
    form: str


def to_seconds(values: pl.Series) -> Times:
    """Turn times into whole seconds, rounded down.

    Parameters
    ----------
    values : Series
        Numbers, whose unit is told by the size of their median; texts in ISO 8601 (a date, or date and time with a
        blank or ``T`` between, with or without zone, which is UTC by default); or dates and times.

    Returns
    -------
    Times
        Null stays null.

    Examples
    --------
    >>> times = to_seconds(pl.Series([1577836800500, 1577836801000]))
    >>> times.seconds.to_list(), times.form
    ([1577836800, 1577836801], 'milliseconds')
    """
    if values.dtype.is_temporal():
        return Times(values.cast(pl.Datetime("us")).dt.epoch("s"), "dates and times")
    if values.dtype.is_numeric():
        middle = values.cast(pl.Float64).fill_nan(None).median()
        median = abs(middle) if isinstance(middle, float) else 0.0
        form, divisor = next((name, divisor) for name, below, divisor in _UNITS if median < below)
        whole = values if values.dtype.is_integer() else values.floor()
        return Times((whole // divisor if divisor > 1 else whole).cast(pl.Int64, strict=False), form)
    text = values.str.strip_chars().str.replace(r"^(\d{4}-\d\d-\d\d) ", "${1}T").str.replace(r" ?(UTC|GMT|Z)$", "Z")
    frame = text.alias("text").to_frame()
    parsed = [pl.col("text").str.to_datetime(each, strict=False, time_zone="UTC", time_unit="us") for each in _FORMATS]
    return Times(frame.select(pl.coalesce(parsed).dt.epoch("s").alias("seconds")).to_series(), "ISO 8601")
