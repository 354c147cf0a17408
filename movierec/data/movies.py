"""The table of movies, made of what a file says of them."""

import re
from pathlib import Path
from typing import Final

import pandas as pd
import polars as pl

from movierec.columns import GENRES, MOVIE_ID, TITLE, YEAR
from movierec.data.layouts import find_source
from movierec.data.movie_files import Movie, parse_movies, refuse_line

_MAX_ID: Final = 2**31 - 1
_NO_GENRES: Final = {"", "unknown", "(no genres listed)"}
# "Heat (1995)", "Friends (1994-2004) ", "Show (2006-)", and ml-100k's "(1995) (V)" for a video
_TITLE_AND_YEAR: Final = re.compile(r"(.*\S)\s*\(((?:18|19|20)\d\d)(?:[-\u2013]\s*\d*\s*)?\)(?:\s*\(T?V\))?", re.DOTALL)
_YEAR: Final = re.compile(r"\b\d{4}\b")


def read_movies(folder: Path) -> pd.DataFrame:
    """Read every movie of a folder whose ids are integers below 2**31.

    Parameters
    ----------
    folder : Path
        Holds ratings and a file of movies.

    Returns
    -------
    DataFrame
        As `tabulate_movies` returns them.

    Raises
    ------
    MovierecError
        As `parse_movies`; or if an id is no such integer.
    """
    movies = parse_movies(find_source(folder))
    ids = [int(movie.parse_id(pl.Int64)) for movie in movies]
    for movie, number in zip(movies, ids, strict=True):
        if not 0 <= number <= _MAX_ID:
            refuse_line(movie.path, movie.line, f"'{number}' is no movie id from 0 to {_MAX_ID}")
    return tabulate_movies(movies, ids)


def tabulate_movies(movies: list[Movie], ids: list[int]) -> pd.DataFrame:
    """Make the table of movies.

    Parameters
    ----------
    movies : list of Movie
        From `parse_movies`.
    ids : list of int
        Of each, as int32.

    Returns
    -------
    DataFrame
        movie_id int32, title str without its year, year Int16 (first year of a range; <NA> where there is none),
        genres list[str] (empty where unknown), in the order given. Of the same id the first is kept.
    """
    parted = [split_title(movie.title) for movie in movies]
    years = [_read_year(movie.year) or year for movie, (_, year) in zip(movies, parted, strict=True)]
    table = pd.DataFrame(
        {
            MOVIE_ID: pd.Series(ids, dtype="int32"),
            TITLE: pd.Series([title for title, _ in parted], dtype="str"),
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


def _read_year(text: str) -> int | None:
    found = _YEAR.search(text)
    return int(found[0]) if found else None
