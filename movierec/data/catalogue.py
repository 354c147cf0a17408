"""The tables that say what users and movies are called: the user's own ids, titles, years and genres."""

import numpy as np
import numpy.typing as npt
import pandas as pd
import polars as pl

from movierec.columns import MOVIE_ID, USER_ID
from movierec.data.movie_files import Movie
from movierec.data.movies import tabulate_movies
from movierec.data.readers import RawRatings
from movierec.data.source_ids import SOURCE_ID, Codes, Encoder, SourceIds
from movierec.errors import MovierecError


def list_users(raw: RawRatings, rated: npt.ArrayLike) -> pd.DataFrame:
    """List the users and their own ids.

    Parameters
    ----------
    raw : RawRatings
        Knows the own ids.
    rated : array_like of int
        The codes of the users to list, each once or more.

    Returns
    -------
    DataFrame
        ``user_id`` int32, ascending, and ``source_id`` text.
    """
    codes = np.unique(np.asarray(rated))
    return SourceIds(codes, _own_ids(codes, raw.own_users)).to_table(USER_ID)


def list_movies(raw: RawRatings, rated: npt.ArrayLike) -> tuple[pd.DataFrame, int]:
    """List the movies.

    Parameters
    ----------
    raw : RawRatings
        Holds what the file of movies says, if there is one.
    rated : array_like of int
        The codes of the rated movies, each once or more.

    Returns
    -------
    movies : DataFrame
        As `tabulate_movies` returns them, for every movie of the file. Where there is no such file, or ids are not
        their own codes, every other rated movie follows, called by its id; and in the latter case there is a column
        ``source_id`` with the own ids.
    without_title : int
        Rated movies that no file names.

    Raises
    ------
    MovierecError
        If the file names not one of the rated movies.
    """
    rated = np.unique(np.asarray(rated))
    kind = pl.Int64() if raw.own_movies is None else raw.own_movies.dtype
    listed = pl.Series([movie.parse_id(kind) for movie in raw.movies], dtype=kind)
    codes = Encoder(raw.own_movies).encode(listed)
    others = rated[~np.isin(rated, codes)]
    if raw.movies and len(others) == len(rated):
        own = _own_ids(rated[:1], raw.own_movies)[0]
        raise MovierecError(
            f"{raw.movies[0].path} names none of the rated movies: its ids are such as {raw.movies[0].own_id!r}, those "
            f"of the ratings such as {own!r}: get the file that belongs to them, or set source.movies to null"
        )
    movies = tabulate_movies(raw.movies, codes.tolist())
    if raw.own_movies is not None or not raw.movies:
        movies = (
            pd.concat([movies, _name_others(raw, others)], ignore_index=True)
            if raw.movies
            else _name_others(raw, others)
        )
    if raw.own_movies is not None:
        movies[SOURCE_ID] = pd.Series(_own_ids(movies[MOVIE_ID].to_numpy(), raw.own_movies), dtype="str")
    return movies, len(others) if raw.movies or raw.titles is None else 0


def _name_others(raw: RawRatings, codes: Codes) -> pd.DataFrame:
    """Make a table of movies that no file names, with the titles that stand beside ratings, or else the ids."""
    own = _own_ids(codes, raw.own_movies)
    titles = dict.fromkeys(own, "")
    if raw.titles is not None:
        titles |= {str(item): title or "" for item, title in raw.titles.iter_rows()}
    path = raw.source.ratings.path if raw.source else None
    movies = [Movie(path, 0, each, titles[each] or each, []) for each in own]  # type: ignore[arg-type]
    return tabulate_movies(movies, codes.tolist())


def _own_ids(codes: Codes, own: pl.Series | None) -> list[str]:
    if own is None:
        return [str(code) for code in codes.tolist()]
    return own.gather(codes.astype(np.int64) - 1).cast(pl.String).to_list()
