"""Reader of the ratings of any MovieLens layout into typed rows; judging them is the clean stage's work."""

import os
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import polars as pl

from movierec.columns import MOVIE_ID, RATING, RATING_COLUMNS, TIMESTAMP, USER_ID
from movierec.data.layouts import Layout, decode_utf8, detect_layout, parse_header
from movierec.data.movies import read_movies
from movierec.errors import MovierecError

__all__ = ["BROKEN_REASONS", "RawRatings", "detect_layout", "read_movies", "read_ratings"]

BROKEN_REASONS: Final = ("unreadable", "id_not_positive", "rating_not_finite")

_TYPES: Final = {USER_ID: pl.Int32, MOVIE_ID: pl.Int32, RATING: pl.Float32, TIMESTAMP: pl.Int64}
_CSV_COLUMNS: Final = {"userId": USER_ID, "movieId": MOVIE_ID, "rating": RATING, "timestamp": TIMESTAMP}


@dataclass(frozen=True, eq=False)
class RawRatings:
    """The ratings of a file, in its order, and what of it could not be used.

    Attributes
    ----------
    table : DataFrame
        The readable rows: user_id int32 >= 1, movie_id int32 >= 1, rating float32 (finite), timestamp int64 (s).
        Neither sorted nor freed of duplicates; the scale of the ratings is not checked.
    broken : dict of str to int
        Rows left out, by reason: ``unreadable`` (text where a number belongs, a missing or surplus field, an
        id beyond 32 bits, a blank line amid the data), ``id_not_positive``, ``rating_not_finite`` (NaN,
        infinity). Every reason is there, if with 0.
    first_broken_line : int or None
        Line of the file, from 1, of the first row left out.
    """

    table: pd.DataFrame
    broken: dict[str, int]
    first_broken_line: int | None


def read_ratings(folder: Path) -> RawRatings:
    """Read every rating of a folder in any layout.

    Parameters
    ----------
    folder : Path
        Holds the files of one layout.

    Returns
    -------
    RawRatings
        The readable rows, and how many were not. Columns of a csv may come in any order and others beside
        them are ignored; so is an empty field at a line's end, and blank lines at the end of the file.

    Raises
    ------
    MovierecError
        If the folder has no layout; if the file is empty, holds nothing but its header, lacks a column, or
        opens a quotation mark that its line does not close.
    """
    layout = detect_layout(folder)
    path = folder / layout.ratings_file
    header_lines = 1 if layout.name == "csv" else 0
    lines, blank_lines = _count_lines(path)
    if lines - blank_lines <= header_lines:
        raise MovierecError(f"{path} {'holds no ratings' if lines else 'is empty'}: fetch or make the data again")
    rows = _scan_ratings(path, layout, header_lines)
    if rows.height != lines - header_lines:
        raise MovierecError(f"{path}: a quotation mark is not closed on its line: correct the file")
    return _sift(rows.head(rows.height - blank_lines), first_line=header_lines + 1)


def _count_lines(path: Path) -> tuple[int, int]:
    """Count all lines, and the blank ones at the end."""
    with path.open("rb") as file:
        lines = sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))
        file.seek(-min(file.tell(), 1 << 16), os.SEEK_END)
        tail = file.read()
    content = tail.rstrip(b"\r\n")
    blank = tail[len(content) :].count(b"\n") - bool(content)  # the first one ends the last line
    return lines + (not tail.endswith(b"\n") and bool(tail)), max(blank, 0)


def _scan_ratings(path: Path, layout: Layout, header_lines: int) -> pl.DataFrame:
    """Parse into the rating columns (null where a field is no number) and `surplus`, true for too many fields."""
    fields = _csv_fields(path) if layout.name == "csv" else list(RATING_COLUMNS)
    gaps = []
    if layout.name == "dat":  # a one-byte separator sees an empty field inside each "::"
        gaps = [f"gap_{i}" for i in range(len(fields))]
        fields = [name for pair in zip(fields, gaps, strict=True) for name in pair]
    empty = [*gaps, "beyond"]
    try:
        with warnings.catch_warnings():  # read_ratings tells it better than polars' warning of lost rows
            warnings.filterwarnings("ignore", message="CSV malformed", category=UserWarning)
            return (
                pl.scan_csv(
                    path,
                    has_header=False,
                    skip_lines=header_lines,
                    separator=layout.separator,
                    quote_char='"' if layout.name == "csv" else None,
                    schema={name: _TYPES.get(name, pl.String) for name in [*fields, "beyond"]},
                    empty_string_is_null=False,
                    ignore_errors=True,
                    truncate_ragged_lines=True,
                    extra_columns="ignore",
                    missing_columns="insert",
                    encoding="utf8-lossy",
                    glob=False,
                )
                .select(*RATING_COLUMNS, surplus=pl.any_horizontal(pl.col(empty) != "").fill_null(value=False))
                .collect()
            )
    except pl.exceptions.PolarsError as error:
        raise MovierecError(f"{path} cannot be parsed ({error}): correct the file") from error


def _csv_fields(path: Path) -> list[str]:
    """Name the fields of a ratings.csv by its header; the names of columns to ignore are unique, too."""
    with path.open("rb") as file:
        line = decode_utf8(file.readline(1 << 16), path).rstrip("\r\n")
    header = parse_header(line, list(_CSV_COLUMNS), path)
    return [_CSV_COLUMNS.get(name, f"ignored_{i}") for i, name in enumerate(header)]


def _sift(rows: pl.DataFrame, first_line: int) -> RawRatings:
    fault = rows.select(
        pl.when(pl.any_horizontal(pl.col(RATING_COLUMNS).is_null()) | pl.col("surplus"))
        .then(1)
        .when((pl.col(USER_ID) < 1) | (pl.col(MOVIE_ID) < 1))
        .then(2)
        .when(~pl.col(RATING).is_finite())
        .then(3)
        .otherwise(0)
        .cast(pl.UInt8)
    ).to_series()
    broken = {reason: int((fault == code).sum()) for code, reason in enumerate(BROKEN_REASONS, start=1)}
    first_broken_line = None
    if any(broken.values()):
        first_broken_line = first_line + int(np.argmax(fault.to_numpy() != 0))
        rows = rows.filter(fault == 0)
    table = pd.DataFrame({name: rows.drop_in_place(name).to_numpy() for name in RATING_COLUMNS})
    return RawRatings(table, broken, first_broken_line)
