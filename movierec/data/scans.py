"""Scans of some columns of a table in any format by polars; a table is opened and its columns are chosen elsewhere."""

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import polars as pl

from movierec.data.tables import Table, count_lines
from movierec.errors import MovierecError

SURPLUS: Final = "surplus"
PIECE_ROWS: Final = 1_000_000
Wanted = Mapping[str, tuple[str, pl.DataType]]


def scan_table(table: Table, wanted: Wanted) -> pl.LazyFrame:
    """Scan some columns of a table.

    Parameters
    ----------
    table : Table
        As `open_table` gave it.
    wanted : mapping of str to (str, data type)
        By the name to give it: a column, and what to parse it into.

    Returns
    -------
    LazyFrame
        The wanted columns, null where a field cannot be parsed or is absent, and `SURPLUS`: whether the row has too
        many fields. In a text an empty field is an empty string, and a blank line a row.
    """
    if table.further:
        return pl.concat([scan_table(each, wanted) for each in table.files])
    if table.format == "parquet":
        rows, surplus = pl.scan_parquet(table.path, glob=False), pl.lit(value=False)
        place = {name: column for name, (column, _) in wanted.items()}
    elif table.format == "jsonl":
        rows, surplus = _scan_json(table, {column for column, _ in wanted.values()}), pl.lit(value=False)
        place = {name: column for name, (column, _) in wanted.items()}
    else:
        place = {name: f"field_{table.columns.index(column)}" for name, (column, _) in wanted.items()}
        types = {place[name]: dtype for name, (_, dtype) in wanted.items()}
        clashing = {place[name] for name, (_, dtype) in wanted.items() if types[place[name]] != dtype}
        rows = _scan_text(table, types | dict.fromkeys(clashing, pl.String()))
        surplus = pl.col(SURPLUS)
    columns = [pl.col(place[name]).cast(dtype, strict=False).alias(name) for name, (_, dtype) in wanted.items()]
    return rows.select(*columns, surplus.alias(SURPLUS))


def collect_quietly(rows: pl.LazyFrame, path: Path) -> pl.DataFrame:
    """Collect a scan of a file in one line of trouble at most.

    Parameters
    ----------
    rows : LazyFrame
        From `scan_table`.
    path : Path
        The file, for the error.

    Raises
    ------
    MovierecError
        If polars cannot read the file.
    """
    with _quietly(path):
        return rows.collect(engine="streaming")


def read_pieces(rows: pl.LazyFrame, path: Path) -> Iterator[pl.DataFrame]:
    """Yield the rows of a scan in their order, at most `PIECE_ROWS` at a time; see `collect_quietly`."""
    with _quietly(path):
        pieces = iter(rows.collect_batches(chunk_size=PIECE_ROWS, maintain_order=True, engine="streaming"))
    while True:
        with _quietly(path):
            piece = next(pieces, None)
        if piece is None:
            return
        yield piece


@contextmanager
def _quietly(path: Path) -> Iterator[None]:
    try:
        with warnings.catch_warnings():  # the reader of ratings tells it better than polars' warning of lost rows
            warnings.filterwarnings("ignore", message="CSV malformed", category=UserWarning)
            yield
    except pl.exceptions.PolarsError as error:
        raise MovierecError(f"{path} cannot be parsed ({error}): correct the file") from error


def _scan_text(table: Table, types: Mapping[str, pl.DataType]) -> pl.LazyFrame:
    """Scan all fields under the names ``field_0`` and so on, the ones not in `types` as text, and `SURPLUS`."""
    fields = [f"field_{number}" for number in range(len(table.columns))]
    gaps = []
    if len(table.separator) > 1:  # a one-byte separator sees an empty field inside each "::"
        gaps = [f"gap_{number}" for number in range(len(fields))]
        fields = [name for pair in zip(fields, gaps, strict=True) for name in pair]
    empty = [*gaps, "beyond"]
    return pl.scan_csv(
        table.path,
        has_header=False,
        skip_lines=table.header_lines,
        separator=table.separator[0],
        quote_char=table.quote,
        schema={name: types.get(name, pl.String()) for name in [*fields, "beyond"]},
        empty_string_is_null=False,
        decimal_comma=table.decimal == ",",
        ignore_errors=True,
        truncate_ragged_lines=True,
        extra_columns="ignore",
        missing_columns="insert",
        encoding="utf8-lossy",
        glob=False,
    ).with_columns(pl.any_horizontal(pl.col(empty) != "").fill_null(value=False).alias(SURPLUS))


def _scan_json(table: Table, columns: set[str]) -> pl.LazyFrame:
    """Scan texts by polars's reader of whole files, which a broken line ends; or line by line, five times as long."""
    try:
        rows = pl.scan_ndjson(table.path, schema=dict.fromkeys(sorted(columns), pl.String), ignore_errors=True)
        count = rows.select(pl.len()).collect(engine="streaming").item()
    except pl.exceptions.PolarsError:
        count = None
    lines, blank = count_lines(table.path)
    if count == lines - blank:
        return rows
    whole = Table(table.path, "text", ("line",), 0, "\x01", quote=None)
    matches = {name: pl.col("field_0").str.json_path_match(f"$['{name}']") for name in columns}
    return _scan_text(whole, {}).head(lines - blank).select(**matches)
