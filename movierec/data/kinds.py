"""Whether ids are integers or texts, and times numbers or texts: told by looking through all rows of a table."""

from typing import Final, NamedTuple

import polars as pl

from movierec.data.guessing import ITEM, RATING, TIMESTAMP, USER
from movierec.data.layouts import Source
from movierec.data.scans import SURPLUS, Wanted, collect_quietly, scan_table
from movierec.data.source_ids import parse_integers
from movierec.settings import SourceParams

MISTAKEN_SHARE: Final = 0.01
SAMPLE_ROWS: Final = 100_000


class Kinds(NamedTuple):
    """What the columns of a table are parsed into.

    Attributes
    ----------
    types : dict of str to data type
        By what the column is, such as ``user``.
    inexact : tuple of str
        Ids that are integers but for a few which a parser would take for others, such as ``007``; they are read as
        texts first.
    """

    types: dict[str, pl.DataType]
    inexact: tuple[str, ...] = ()

    @property
    def wanted(self) -> dict[str, pl.DataType]:
        """What to read the columns as."""
        return self.types | dict.fromkeys(self.inexact, pl.String())


def tell_kinds(source: Source, params: SourceParams) -> Kinds:
    """Choose what each column is parsed into.

    Parameters
    ----------
    source : Source
        The table and its columns.
    params : SourceParams
        ``ids`` may say that they are texts.

    Returns
    -------
    Kinds
        Ids are integers where all are but one in a hundred (`MISTAKEN_SHARE`), which then are mistakes, of the first
        `SAMPLE_ROWS` and of all; otherwise texts. Times are what most of the first are. Rows that are broken in
        another way do not count.
    """
    types: dict[str, pl.DataType] = {RATING: pl.Float32()} if RATING in source.roles else {}
    if source.ratings.format == "parquet":
        schema = pl.scan_parquet(source.ratings.path, glob=False).collect_schema()
        types |= {n: _parquet_type(schema[source.roles[n]], n) for n in (USER, ITEM, TIMESTAMP) if n in source.roles}
    texts = [
        name for name in (USER, ITEM, TIMESTAMP) if name in source.roles and types.get(name, pl.String()) == pl.String()
    ]
    if not texts:
        return Kinds(types)
    wanted: dict[str, tuple[str, pl.DataType]] = {name: (source.roles[name], pl.String()) for name in texts}
    rows = _usable(source, types, wanted).head(SAMPLE_ROWS)
    queries = [query.alias(f"{name} {what}") for name in texts for what, query in _count_forms(pl.col(name)).items()]
    seen = collect_quietly(rows.select(queries), source.ratings.path).row(0, named=True)
    for name in texts:
        filled, exact, whole, number = (seen[f"{name} {what}"] for what in ("filled", "exact", "whole", "number"))
        if name == TIMESTAMP:
            types[name] = pl.Int64() if whole > filled / 2 else pl.Float64() if number > filled / 2 else pl.String()
        else:
            are_integers = params.ids == "auto" and exact >= (1 - MISTAKEN_SHARE) * filled
            types[name] = pl.Int64() if are_integers else pl.String()
    return _confirm_integers(
        source, types, [name for name in (USER, ITEM) if name in texts and types[name] == pl.Int64()]
    )


def _confirm_integers(source: Source, types: dict[str, pl.DataType], names: list[str]) -> Kinds:
    """Look through all rows whether ids are what the first ones let expect, without parsing texts one by one."""
    if not names:
        return Kinds(types)
    rating = {RATING: types[RATING]} if RATING in types else {}
    as_texts = _usable(source, rating, {name: (source.roles[name], pl.String()) for name in names})
    as_numbers = _usable(source, rating, {name: (source.roles[name], pl.Int64()) for name in names})
    path = source.ratings.path
    queries = [(pl.col(name) != "").sum() for name in names]
    queries += [_look_odd(pl.col(name)).sum().alias(f"{name} odd") for name in names]
    seen = collect_quietly(as_texts.select(queries), path).row(0, named=True)
    exact = collect_quietly(as_numbers.select(pl.col(names).count()), path).row(0, named=True)
    inexact = tuple(name for name in names if seen[f"{name} odd"])
    if inexact:
        texts = as_texts.select(parse_integers(pl.col(name)).count() for name in inexact)
        exact |= collect_quietly(texts, path).row(0, named=True)
    mistaken = [name for name in names if seen[name] - exact[name] > MISTAKEN_SHARE * seen[name]]
    types |= dict.fromkeys(mistaken, pl.String())
    return Kinds(types, tuple(name for name in inexact if name not in mistaken))


def _usable(source: Source, types: dict[str, pl.DataType], wanted: Wanted) -> pl.LazyFrame:
    """Scan the wanted columns of the rows that are not broken in another way."""
    rows = scan_table(source.ratings, {**wanted, **{name: (source.roles[name], types[name]) for name in types}})
    return rows.filter(pl.all_horizontal(pl.col(RATING).is_not_null() if RATING in types else True, ~pl.col(SURPLUS)))


def _look_odd(text: pl.Expr) -> pl.Expr:
    """Mark what a parser takes for a number although something may be lost by it."""
    padded = text.str.starts_with("0") & (text.str.len_bytes() > 1)
    return padded | text.str.starts_with("-0") | text.str.starts_with("+") | text.str.starts_with(" ")


def _parquet_type(dtype: pl.DataType, name: str) -> pl.DataType:
    if name == TIMESTAMP:
        return dtype if dtype.is_temporal() or dtype.is_numeric() else pl.String()
    return pl.Int64() if dtype.is_integer() and dtype != pl.UInt64 else pl.String()


def _count_forms(text: pl.Expr) -> dict[str, pl.Expr]:
    bare = text.str.strip_chars()
    return {
        "filled": (bare != "").sum(),
        "exact": parse_integers(text).count(),
        "whole": bare.cast(pl.Int64, strict=False).count(),
        "number": bare.cast(pl.Float64, strict=False).count(),
    }
