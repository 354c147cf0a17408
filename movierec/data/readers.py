"""Reader of the ratings of any table into typed rows with int32 ids; judging them is the clean stage's work."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import polars as pl

from movierec.columns import MOVIE_ID, RATING, TIMESTAMP, USER_ID
from movierec.data import guessing
from movierec.data.guessing import ITEM, TITLE, USER
from movierec.data.kinds import Kinds, tell_kinds
from movierec.data.layouts import GUESS_ALL, Source, find_source
from movierec.data.movie_files import Movie, parse_movies
from movierec.data.movies import read_movies
from movierec.data.scans import SURPLUS, collect_quietly, scan_table
from movierec.data.source_ids import encode_ids, order_ids, parse_integers
from movierec.data.tables import Table, count_lines
from movierec.data.times import to_seconds
from movierec.errors import MovierecError
from movierec.settings import AUTO, SourceParams

__all__ = ["BROKEN_REASONS", "RawRatings", "read_movies", "read_ratings"]

BROKEN_REASONS: Final = ("unreadable", "rating_not_finite")
MOST_BROKEN_LINES: Final = 5


@dataclass(frozen=True, eq=False)
class RawRatings:
    """The ratings of a file, in its order, and what of it could not be used.

    Attributes
    ----------
    table : DataFrame
        The readable rows: user_id and movie_id int32 >= 0, rating float32 (finite; of implicit feedback a count, or 1)
        and, where the source has times, timestamp int64 (s). Neither sorted nor freed of duplicates; the scale of the
        ratings is not checked.
    broken : dict of str to int
        Rows left out, by reason: ``unreadable`` (text where a number belongs, a missing or surplus field, no id, a
        blank line amid the data), ``rating_not_finite`` (NaN, infinity). Every reason is there, if with 0.
    first_broken_line : int or None
        Line of the file, from 1, of the first row left out; of a parquet file its row.
    source : Source or None
        The file, and which of its columns are what; None of rows that were not read.
    own_users, own_movies : Series or None
        The source's own ids, whose place from 1 is the code in `table`; None where they are the codes.
    time_form : str or None
        What the times were in the file, such as ``milliseconds``.
    movies : list of Movie
        What the file of movies says; empty without one.
    titles : DataFrame or None
        Own ids and titles, where the ratings' file has them and there is no file of movies.
    broken_lines : list of int
        The first ones of the rows left out, at most `MOST_BROKEN_LINES`.
    """

    table: pd.DataFrame
    broken: dict[str, int]
    first_broken_line: int | None
    source: Source | None = None
    own_users: pl.Series | None = None
    own_movies: pl.Series | None = None
    time_form: str | None = None
    movies: list[Movie] = field(default_factory=list)
    titles: pl.DataFrame | None = None
    broken_lines: list[int] = field(default_factory=list)

    @property
    def is_implicit(self) -> bool:
        """Whether ``rating`` counts events instead of saying how good they were."""
        return self.source is not None and self.source.is_implicit


def read_ratings(folder: Path, params: SourceParams = GUESS_ALL, feedback: str = AUTO) -> RawRatings:
    """Read every rating of a folder.

    Parameters
    ----------
    folder : Path
        Holds a MovieLens data set, or the user's own table.
    params : SourceParams
        What the user says of the files; all else is guessed.
    feedback : str
        ``auto``, ``explicit`` or ``implicit``.

    Returns
    -------
    RawRatings
        The readable rows, and how many were not. Columns may come in any order and others beside them are ignored; so
        is an empty field at a line's end, and blank lines at the end of the file.

    Raises
    ------
    MovierecError
        If no file or column can be told to be what is needed; if the file is empty, holds nothing but its header, or
        opens a quotation mark that its line does not close; if the file of movies cannot be read.
    """
    source = find_source(folder, params, feedback)
    kinds = tell_kinds(source, params)
    rows, time_form = _read_rows(source, kinds)
    rows, broken, places = _sift(rows)
    movies = parse_movies(source)
    listed = pl.Series([movie.parse_id(kinds.types[ITEM]) for movie in movies], dtype=kinds.types[ITEM])
    own_users, own_movies = order_ids(rows[USER]), order_ids(rows[ITEM], listed)
    titles = rows.select(ITEM, TITLE).unique(ITEM, keep="first", maintain_order=True) if TITLE in rows.columns else None
    table = {
        USER_ID: encode_ids(rows.drop_in_place(USER), own_users),
        MOVIE_ID: encode_ids(rows.drop_in_place(ITEM), own_movies),
        RATING: rows.drop_in_place(RATING).to_numpy(),
    }
    if source.has_times:
        table[TIMESTAMP] = rows.drop_in_place(TIMESTAMP).to_numpy()
    lines = [place + 1 + source.ratings.header_lines for place in places]
    first = lines[0] if lines else None
    columns = pd.DataFrame(table)
    return RawRatings(columns, broken, first, source, own_users, own_movies, time_form, movies, titles, lines)


def _read_rows(source: Source, kinds: Kinds) -> tuple[pl.DataFrame, str | None]:
    """Parse the wanted columns of every row, null where a field cannot be, and tell the form of the times."""
    table, wanted = source.ratings, kinds.wanted
    if TITLE in source.roles:
        wanted |= {TITLE: pl.String()}
    rows = collect_quietly(scan_table(table, {n: (source.roles[n], t) for n, t in wanted.items()}), table.path)
    if table.format == "text":
        rows = rows.head(rows.height - _check_lines(table, source, rows.height))
    if rows.is_empty():
        raise MovierecError(f"{table.path} holds no ratings: fetch or make the data again")
    rows = rows.with_columns(parse_integers(pl.col(name)).alias(name) for name in kinds.inexact)
    if guessing.RATING not in source.roles:
        rows = rows.with_columns(pl.lit(1.0, pl.Float32).alias(RATING))
    if not source.has_times:
        return rows, None
    times = to_seconds(rows.drop_in_place(guessing.TIMESTAMP))
    return rows.with_columns(times.seconds.alias(TIMESTAMP)), times.form


def _check_lines(table: Table, source: Source, rows: int) -> int:
    """Refuse a text whose rows are not its lines, but for texts of several lines; return the blank lines at its end."""
    lines, blank = count_lines(table.path)
    missing = lines - table.header_lines - rows
    if missing > 0:
        others = sorted(set(table.columns) - set(source.roles.values()))
        scan = scan_table(table, {f"other_{n}": (name, pl.String()) for n, name in enumerate(others)})
        breaks = pl.all().exclude(SURPLUS).str.count_matches("\n", literal=True).sum()
        missing -= sum(collect_quietly(scan.select(breaks), table.path).row(0)) if others else 0
    if missing != 0:
        raise MovierecError(f"{table.path}: a quotation mark is not closed on its line: correct the file")
    return blank


def _sift(rows: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, int], list[int]]:
    """Part the usable rows from the broken ones; also give the places of the first broken ones, from 0."""
    needed = [name for name in (USER, ITEM, RATING, TIMESTAMP) if name in rows.columns]
    empty = [pl.col(name) == "" for name in (USER, ITEM) if rows.schema[name] == pl.String]
    fault = rows.select(
        pl.when(pl.any_horizontal(pl.col(needed).is_null()) | pl.any_horizontal(*empty, SURPLUS))
        .then(1)
        .when(~pl.col(RATING).is_finite())
        .then(2)
        .otherwise(0)
        .cast(pl.UInt8)
    ).to_series()
    broken = {reason: int((fault == code).sum()) for code, reason in enumerate(BROKEN_REASONS, start=1)}
    if not any(broken.values()):
        return rows, broken, []
    places = np.flatnonzero(fault.to_numpy())[:MOST_BROKEN_LINES]
    return rows.filter(fault == 0), broken, places.tolist()
