"""Reader of the ratings of any table into typed rows with int32 ids; judging them is the clean stage's work."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
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
from movierec.data.scans import SURPLUS, collect_quietly, read_pieces, scan_table
from movierec.data.source_ids import Encoder, order_ids, parse_integers
from movierec.data.spool import Spool
from movierec.data.tables import Table, count_lines
from movierec.data.times import TimeUnit, parse_times
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
    pieces : iterable of DataFrame
        The readable rows, as often as they are asked for: user_id and movie_id int32 >= 0, rating float32 (finite; of
        implicit feedback a count, or 1) and, where the source has times, timestamp int64 (s). Neither sorted nor freed
        of duplicates; the scale of the ratings is not checked.
    broken : dict of str to int
        Rows left out, by reason: ``unreadable`` (text where a number belongs, a missing or surplus field, no id, a
        blank line amid the data), ``rating_not_finite`` (NaN, infinity). Every reason is there, if with 0.
    first_broken_line : int or None
        Line of `broken_in`, from 1, of the first row left out; of a parquet file its row.
    source : Source or None
        The file, and which of its columns are what; None of rows that were not read.
    own_users, own_movies : Series or None
        The source's own ids, whose place from 1 is the code in `pieces`; None where they are the codes.
    time_form : str or None
        What the times were in the file, such as ``milliseconds``.
    movies : list of Movie
        What the file of movies says; empty without one.
    titles : DataFrame or None
        Own ids and titles, where the ratings' file has them and there is no file of movies.
    broken_lines : list of int
        The first ones of the rows left out of `broken_in`, at most `MOST_BROKEN_LINES`.
    broken_in : Table or None
        The first of the ratings' files from which rows were left out.
    """

    pieces: Iterable[pd.DataFrame]
    broken: dict[str, int]
    first_broken_line: int | None
    source: Source | None = None
    own_users: pl.Series | None = None
    own_movies: pl.Series | None = None
    time_form: str | None = None
    movies: list[Movie] = field(default_factory=list)
    titles: pl.DataFrame | None = None
    broken_lines: list[int] = field(default_factory=list)
    broken_in: Table | None = None

    @cached_property
    def table(self) -> pd.DataFrame:
        """All rows in memory."""
        return pd.concat(list(self.pieces), ignore_index=True)

    @property
    def has_parts(self) -> bool:
        """Whether they were in several files."""
        return self.source is not None and bool(self.source.ratings.further)

    @property
    def is_implicit(self) -> bool:
        """Whether ``rating`` counts events instead of saying how good they were."""
        return self.source is not None and self.source.is_implicit


def read_ratings(
    folder: Path, params: SourceParams = GUESS_ALL, feedback: str = AUTO, scratch: Path | None = None
) -> RawRatings:
    """Read every rating of a folder.

    Parameters
    ----------
    folder : Path
        Holds a MovieLens data set, or the user's own table.
    params : SourceParams
        What the user says of the files; all else is guessed.
    feedback : str
        ``auto``, ``explicit`` or ``implicit``.
    scratch : Path, optional
        An empty folder where the rows are kept, as long as they are needed; by default they are kept in memory.

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
    rows = _Rows(source, kinds, Spool(scratch))
    rows.read()
    movies = parse_movies(source)
    listed = pl.Series([movie.parse_id(kinds.types[ITEM]) for movie in movies], dtype=kinds.types[ITEM])
    own_users, own_movies = rows.order_ids(USER), rows.order_ids(ITEM, listed)
    lines = [place + 1 + source.ratings.header_lines for place in rows.places]
    return RawRatings(
        _Pieces(rows, Encoder(own_users), Encoder(own_movies)),
        rows.broken,
        lines[0] if lines else None,
        source,
        own_users,
        own_movies,
        rows.time_form,
        movies,
        rows.titles,
        lines,
        rows.broken_in,
    )


class _Rows:
    """The usable rows of a source, as they come, and what is learnt of them on the way."""

    def __init__(self, source: Source, kinds: Kinds, spool: Spool) -> None:
        self.source, self.kinds, self.spool = source, kinds, spool
        self.broken = dict.fromkeys(BROKEN_REASONS, 0)
        self.broken_in: Table | None = None
        self.places: list[int] = []  # of the first broken ones in that file, from 0
        self.titles: pl.DataFrame | None = None
        self.unit: TimeUnit | None = None
        self.time_form: str | None = None
        self._ends: dict[str, list[pl.Series]] = {USER: [], ITEM: []}
        self._height = 0  # of the file that is read

    def read(self) -> None:
        """Read all, and settle what depends on all."""
        wanted = self.kinds.wanted | ({TITLE: pl.String()} if TITLE in self.source.roles else {})
        if not sum(self._read_file(file, wanted) for file in self.source.ratings.files):
            raise MovierecError(f"{self.source.ratings.path} holds no ratings: fetch or make the data again")
        if self.unit:
            self.time_form = self.unit.form

    def _read_file(self, table: Table, wanted: Mapping[str, pl.DataType]) -> int:
        """Return the number of rows."""
        self._height = 0
        scan = scan_table(table, {n: (self.source.roles[n], t) for n, t in wanted.items()})
        for piece in read_pieces(scan, table.path):
            self._take(piece, table)
        if table.format == "text":
            blank = _check_lines(table, self.source, self._height)
            self._height -= blank
            self.broken["unreadable"] -= blank
            if self.broken_in == table:
                self.places = [place for place in self.places if place < self._height]
                self.broken_in = table if self.places else None
        return self._height

    def order_ids(self, name: str, others: pl.Series | None = None) -> pl.Series | None:
        """List the distinct ids as `movierec.data.source_ids.order_ids` does."""
        dtype = self.kinds.types[name]
        ends = pl.concat([pl.Series([], dtype=dtype), *self._ends[name]])
        if order_ids(ends, others) is None:
            return None
        distinct = pl.Series([], dtype=dtype)
        for piece in self.spool:
            distinct = pl.concat([distinct, piece[name].unique()]).unique()
        return order_ids(distinct, others)

    def _take(self, rows: pl.DataFrame, table: Table) -> None:
        rows = rows.with_columns(parse_integers(pl.col(name)).alias(name) for name in self.kinds.inexact)
        if guessing.RATING not in self.source.roles:
            rows = rows.with_columns(pl.lit(1.0, pl.Float32).alias(RATING))
        if self.source.has_times:
            rows = self._parse_times(rows)
        usable = self._sift(rows, table)
        self._height += rows.height
        if TITLE in usable.columns:
            seen = [usable.select(ITEM, TITLE)] if self.titles is None else [self.titles, usable.select(ITEM, TITLE)]
            self.titles = pl.concat(seen).unique(ITEM, keep="first", maintain_order=True)
        for name, ends in self._ends.items():
            if usable.schema[name] == pl.Int64 and usable.height:
                ends.append(pl.Series([usable[name].min(), usable[name].max()]))
        names = [USER, ITEM, RATING, *([TIMESTAMP] if self.source.has_times else [])]
        self.spool.append(usable.select(names))

    def _parse_times(self, rows: pl.DataFrame) -> pl.DataFrame:
        times = parse_times(rows.drop_in_place(guessing.TIMESTAMP))
        self.time_form = times.form
        if times.form is None:
            self.unit = self.unit or TimeUnit()
            self.unit.add(times.numbers)
        return rows.with_columns(times.numbers.alias(TIMESTAMP))

    def _sift(self, rows: pl.DataFrame, table: Table) -> pl.DataFrame:
        """Part the usable rows from the broken ones."""
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
        places = np.flatnonzero(fault.to_numpy())
        if not len(places):
            return rows
        for code, reason in enumerate(BROKEN_REASONS, start=1):
            self.broken[reason] += int((fault == code).sum())
        self.broken_in = self.broken_in or table
        if self.broken_in == table:
            self.places += (places[: MOST_BROKEN_LINES - len(self.places)] + self._height).tolist()
        return rows.filter(fault == 0)


@dataclass(frozen=True)
class _Pieces:
    """The usable rows with codes and seconds."""

    rows: _Rows
    users: Encoder
    movies: Encoder

    def __iter__(self) -> Iterator[pd.DataFrame]:
        for piece in self.rows.spool:
            table = {
                USER_ID: self.users.encode(piece[USER]),
                MOVIE_ID: self.movies.encode(piece[ITEM]),
                RATING: piece[RATING].to_numpy(),
            }
            if self.rows.source.has_times:
                times, unit = piece[TIMESTAMP], self.rows.unit
                table[TIMESTAMP] = (unit.to_seconds(times) if unit else times).to_numpy()
            yield pd.DataFrame(table)


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
