"""Readers of the file of movies as it is written, in any format; the table of movies is made elsewhere."""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final, NamedTuple, NoReturn

import polars as pl

from movierec.data import guessing
from movierec.data.layouts import Source
from movierec.data.tables import decode_utf8, read_bytes
from movierec.errors import MovierecError

_ML_100K_GENRES: Final = [
    "unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime", "Documentary", "Drama", "Fantasy",
    "Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller", "War", "Western",
]  # fmt: skip
_FIELDS_BEFORE_FLAGS: Final = 5  # of a line of u.item: id, title, two dates, address


class Movie(NamedTuple):
    """A movie as its file has it.

    Attributes
    ----------
    path : Path
        The file.
    line : int
        Of the file, from 1.
    own_id : str
        As it is written.
    title : str
        Perhaps with the year.
    genres : list of str
        Perhaps with words for none.
    year : str
        Of a column of its own; empty without one.
    """

    path: Path
    line: int
    own_id: str
    title: str
    genres: list[str]
    year: str = ""

    def parse_id(self, kind: pl.DataType | type[pl.DataType]) -> int | str:
        """Return the id as a 64-bit integer, blanks around it allowed, or as it is where `kind` is String.

        Raises
        ------
        MovierecError
            If it is empty, or to be an integer and none, or one with leading zeros.
        """
        if kind == pl.String:
            return self.own_id or refuse_line(self.path, self.line, "the id is empty")
        text = self.own_id.strip()
        if not re.fullmatch(r"0|-?[1-9][0-9]{0,18}", text) or not -(2**63) <= int(text) < 2**63:
            refuse_line(self.path, self.line, f"{text[:40]!r} is no movie id, as ids of the ratings are integers")
        return int(text)


def parse_movies(source: Source) -> list[Movie]:
    """Read the movies of a source as they are written.

    Parameters
    ----------
    source : Source
        Names the file and its columns.

    Returns
    -------
    list of Movie
        In the file's order; empty where there is no file. A csv is UTF-8; MovieLens's older layouts are UTF-8 (as
        ml-10m is) or else latin-1.

    Raises
    ------
    MovierecError
        If the file holds no movies, is a csv that is not UTF-8, or has a line without the expected fields (the message
        names it).
    """
    if source.movies is None:
        return []
    if source.layout in {"dat", "tab"}:
        movies = list((_parse_dat if source.layout == "dat" else _parse_tab)(source.movies.path))
    else:
        parse = _parse_text if source.movies.format == "text" else _parse_frame
        movies = [movie for table in source.movies.files for movie in parse(replace(source, movies=table))]
    if not movies:
        raise MovierecError(f"{source.movies.path} holds no movies: fetch or make the data again")
    return movies


def _split_genres(text: str) -> list[str]:
    """Part genres at bars or, where there is none, at semicolons or commas; brackets and quotes do not count."""
    separator = next((each for each in "|;," if each in text), "|")
    return [part.strip(" '\"") for part in text.strip("[] ").split(separator)]


def _parse_text(source: Source) -> Iterator[Movie]:
    table = source.movies
    assert table is not None  # noqa: S101  # for the type checker
    text = decode_utf8(read_bytes(table.path), table.path)
    places = {role: table.columns.index(column) for role, column in source.movie_roles.items()}
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=table.separator[0], strict=True)
    try:
        for _ in range(table.header_lines):
            next(reader)
        for row in reader:
            if not row:
                continue
            if len(row) != len(table.columns):
                problem = f"{len(row)} fields instead of {len(table.columns)}; quote a title with {table.separator!r}"
                refuse_line(table.path, reader.line_num, problem)
            field = {role: row[place] for role, place in places.items()}
            genres = field.get(guessing.GENRES, "")
            genres_list = genres.split("|") if source.layout == "csv" else _split_genres(genres)
            year = field.get(guessing.YEAR, "")
            yield Movie(table.path, reader.line_num, field[guessing.ITEM], field[guessing.TITLE], genres_list, year)
    except csv.Error as error:
        refuse_line(table.path, reader.line_num, str(error))


def _parse_frame(source: Source) -> Iterator[Movie]:
    table = source.movies
    assert table is not None  # noqa: S101  # for the type checker
    try:
        if table.format == "parquet":
            frame = pl.read_parquet(table.path, columns=sorted(set(source.movie_roles.values())), glob=False)
        else:
            frame = pl.read_ndjson(read_bytes(table.path), infer_schema_length=None)
    except pl.exceptions.PolarsError as error:
        raise MovierecError(f"{table.path} cannot be parsed ({error}): correct the file") from error
    for line, row in enumerate(frame.iter_rows(named=True), start=1):
        field = {role: row[column] for role, column in source.movie_roles.items()}
        genres = field.get(guessing.GENRES)
        text = {role: "" if value is None else str(value) for role, value in field.items()}
        yield Movie(
            table.path,
            line,
            text[guessing.ITEM],
            text[guessing.TITLE],
            [str(genre) for genre in genres] if isinstance(genres, list) else _split_genres(str(genres or "")),
            text.get(guessing.YEAR, ""),
        )


def _parse_dat(path: Path) -> Iterator[Movie]:
    for line, text in _numbered_lines(path):
        fields = text.split("::")
        if len(fields) < 3:
            refuse_line(path, line, f"{len(fields)} fields instead of 3")
        yield Movie(path, line, fields[0], "::".join(fields[1:-1]), fields[-1].split("|"))


def _parse_tab(path: Path) -> Iterator[Movie]:
    genres = _read_genre_names(path.with_name("u.genre"))
    for line, text in _numbered_lines(path):
        fields = text.split("|")
        flags = fields[_FIELDS_BEFORE_FLAGS:]
        if len(flags) != len(genres) or set(flags) - {"0", "1"}:
            refuse_line(path, line, f"not {_FIELDS_BEFORE_FLAGS} fields and {len(genres)} genre flags of 0 or 1")
        yield Movie(path, line, fields[0], fields[1], [g for g, flag in zip(genres, flags, strict=True) if flag == "1"])


def _read_genre_names(path: Path) -> list[str]:
    if not path.is_file():
        return _ML_100K_GENRES
    return [text.partition("|")[0] for _, text in _numbered_lines(path)]


def _numbered_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the lines that are not blank; only line feeds end one, as latin-1 has other separators inside titles."""
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield number, line.rstrip("\r")


def refuse_line(path: Path, line: int, problem: str) -> NoReturn:
    """Raise the error that names a line of a file and what is wrong with it."""
    raise MovierecError(f"{path}, line {line}: {problem}: correct the file")
