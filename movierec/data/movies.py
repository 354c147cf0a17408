"""Reader of the movies of any MovieLens layout, and of nothing else."""

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple, NoReturn

import pandas as pd

from movierec.columns import GENRES, MOVIE_ID, TITLE, YEAR
from movierec.data.layouts import decode_utf8, detect_layout, parse_header
from movierec.errors import MovierecError

_CSV_COLUMNS: Final = ("movieId", "title", "genres")
_MAX_ID: Final = 2**31 - 1
_NO_GENRES: Final = {"", "unknown", "(no genres listed)"}
_ML_100K_GENRES: Final = [
    "unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime", "Documentary", "Drama", "Fantasy",
    "Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller", "War", "Western",
]  # fmt: skip
_FIELDS_BEFORE_FLAGS: Final = 5  # of a line of u.item: id, title, two dates, address
# "Heat (1995)", "Friends (1994-2004) ", "Show (2006-)", and ml-100k's "(1995) (V)" for a video
_TITLE_AND_YEAR: Final = re.compile(r"(.*\S)\s*\(((?:18|19|20)\d\d)(?:[-\u2013]\s*\d*\s*)?\)(?:\s*\(T?V\))?", re.DOTALL)


class _Movie(NamedTuple):
    line: int
    movie_id: str
    title: str
    genres: list[str]


def read_movies(folder: Path) -> pd.DataFrame:
    """Read every movie of a folder in any layout.

    Parameters
    ----------
    folder : Path
        Holds the files of one layout.

    Returns
    -------
    DataFrame
        movie_id int32, title str without its year, year Int16 (first year of a range; <NA> where the title
        has none), genres list[str] (empty where unknown), in the file's order. Of lines with the same id the
        first is kept. A csv is UTF-8; the other layouts are UTF-8 (as ml-10m is) or else latin-1.

    Raises
    ------
    MovierecError
        If the folder has no layout; if the file holds no movies, lacks a column, is a csv that is not UTF-8,
        or has a line without the expected fields (the message names it).
    """
    layout = detect_layout(folder)
    path = folder / layout.movies_file
    parse = {"csv": _parse_csv, "dat": _parse_dat, "tab": _parse_tab}[layout.name]
    movies = list(parse(path))
    if not movies:
        raise MovierecError(f"{path} holds no movies: fetch or make the data again")
    titles, years = zip(*(split_title(movie.title) for movie in movies), strict=True)
    table = pd.DataFrame(
        {
            MOVIE_ID: pd.Series([_parse_id(movie, path) for movie in movies], dtype="int32"),
            TITLE: pd.Series(titles, dtype="str"),
            YEAR: pd.Series(years, dtype="Int16"),
            GENRES: pd.Series([[g for g in movie.genres if g not in _NO_GENRES] for movie in movies], dtype="object"),
        }
    )
    return table.drop_duplicates(MOVIE_ID, ignore_index=True)


def split_title(text: str) -> tuple[str, int | None]:
    """Part a title as MovieLens writes it from the year at its end.

    Parameters
    ----------
    text : str
        Such as ``Heat (1995)``, blanks around it allowed.

    Returns
    -------
    title : str
        Without the year; the whole text where there is none.
    year : int or None
        1800 to 2099; the first one of a range.

    Examples
    --------
    >>> split_title("Les Misérables (1995-1996) ")
    ('Les Misérables', 1995)
    >>> split_title("Babylon 5")
    ('Babylon 5', None)
    """
    found = _TITLE_AND_YEAR.fullmatch(text.strip())
    return (found[1], int(found[2])) if found else (text.strip(), None)


def _parse_csv(path: Path) -> Iterator[_Movie]:
    text = decode_utf8(path.read_bytes(), path)
    header = parse_header(text.partition("\n")[0].rstrip("\r"), _CSV_COLUMNS, path)
    at_id, at_title, at_genres = (header.index(name) for name in _CSV_COLUMNS)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    next(reader)
    try:
        for row in reader:
            if not row:
                continue
            if len(row) != len(header):
                _refuse(path, reader.line_num, f"{len(row)} fields instead of {len(header)}; quote a title with commas")
            yield _Movie(reader.line_num, row[at_id], row[at_title], row[at_genres].split("|"))
    except csv.Error as error:
        _refuse(path, reader.line_num, str(error))


def _parse_dat(path: Path) -> Iterator[_Movie]:
    for line, text in _numbered_lines(path):
        fields = text.split("::")
        if len(fields) < 3:
            _refuse(path, line, f"{len(fields)} fields instead of 3")
        yield _Movie(line, fields[0], "::".join(fields[1:-1]), fields[-1].split("|"))


def _parse_tab(path: Path) -> Iterator[_Movie]:
    genres = _read_genre_names(path.with_name("u.genre"))
    for line, text in _numbered_lines(path):
        fields = text.split("|")
        flags = fields[_FIELDS_BEFORE_FLAGS:]
        if len(flags) != len(genres) or set(flags) - {"0", "1"}:
            _refuse(path, line, f"not {_FIELDS_BEFORE_FLAGS} fields and {len(genres)} genre flags of 0 or 1")
        yield _Movie(line, fields[0], fields[1], [g for g, flag in zip(genres, flags, strict=True) if flag == "1"])


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


def _parse_id(movie: _Movie, path: Path) -> int:
    text = movie.movie_id.strip()
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and 1 <= int(text) <= _MAX_ID):
        _refuse(path, movie.line, f"{text[:40]!r} is no movie id")
    return int(text)


def _refuse(path: Path, line: int, problem: str) -> NoReturn:
    raise MovierecError(f"{path}, line {line}: {problem}: correct the file")
