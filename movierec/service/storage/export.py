"""Ratings of the training data and of the service as one data set for the pipeline; running it is the user's."""

from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import polars as pl

from movierec import paths
from movierec.columns import GENRES, MOVIE_ID, RATING, RATING_COLUMNS, TIMESTAMP, TITLE, USER_ID, YEAR
from movierec.data.source_ids import SOURCE_ID, SourceIds
from movierec.errors import MovierecError
from movierec.io import read_json, read_parquet, replace_atomically
from movierec.service.storage.store import MovieChange, Store

_TYPES: Final = {USER_ID: pl.String, MOVIE_ID: pl.String, RATING: pl.Float32, TIMESTAMP: pl.Int64}
_MOVIE_TYPES: Final = {MOVIE_ID: pl.String(), TITLE: pl.String(), YEAR: pl.Int16(), GENRES: pl.List(pl.String)}
_IDS: Final = (USER_ID, MOVIE_ID)
_CSV_COLUMNS: Final = {USER_ID: "userId", MOVIE_ID: "movieId", RATING: "rating", TIMESTAMP: "timestamp"}


def export_new(store: Store, folder: Path) -> int:
    """Write the service's own ratings as ``ratings.csv``, and return how many there are.

    Parameters
    ----------
    store : Store
        May be empty; then there is a header only.
    folder : Path
        Made if absent. The file is in MovieLens's csv layout, one row a user and movie, sorted by both: the newest
        rating. A file that was there is replaced as a whole.

    Raises
    ------
    MovierecError
        If the store does not answer or the file cannot be written.
    """
    counts, stored = _has_counts(), _read_stored(store)
    ratings = _add_up(stored.with_columns(new=True)).drop("new") if counts else _keep_newest(stored)
    _write_csv(_name_columns(ratings, counts=counts), folder / "ratings.csv")
    return ratings.height


def export_all(store: Store, folder: Path) -> tuple[int, int]:
    """Write the training data overlaid by the service's ratings as ``ratings.csv`` and ``movies.csv``.

    Parameters
    ----------
    store, folder
        As in `export_new`. Of a user and movie rated in both the newest rating stays, the service's among equals.
        Movies are as people described them last, new ones among them; deleted ones and their ratings are left out.

    Returns
    -------
    ratings, new : int
        Rows written, and how many of them are the service's.

    Raises
    ------
    MovierecError
        As `export_new`, or if the pipeline's clean data is absent or damaged.

    Notes
    -----
    Of data without ratings the events of a pair are counted: those of the data, and the service's that are newer.
    """
    table = read_parquet(paths.CLEAN_RATINGS)
    movies = read_parquet(paths.CLEAN_MOVIES)
    users = read_parquet(paths.CLEAN_USERS)
    trained = pl.from_pandas(table[[name for name in RATING_COLUMNS if name in table]]).with_columns(
        _decode(USER_ID, SourceIds.from_table(users, USER_ID)), _decode(MOVIE_ID, _name_movies(movies, table))
    )
    if TIMESTAMP not in table:
        trained = trained.with_columns(pl.lit(0, pl.Int64).alias(TIMESTAMP))  # before everything that was given here
    changes = [each.change for each in store.changed_movies()]
    deleted = [str(each.movie.movie_id) for each in changes if each.kind == "delete"]
    both = pl.concat([trained.with_columns(new=False), _read_stored(store).with_columns(new=True)])
    left = both.filter(~pl.col(MOVIE_ID).is_in(deleted))
    counts = _has_counts()
    ratings = _add_up(left) if counts else _keep_newest(left)
    _write_csv(_overlay_movies(_format_movies(pl.from_pandas(movies)), changes), folder / "movies.csv")
    left_out = ["new"] if TIMESTAMP in table else ["new", TIMESTAMP]
    _write_csv(_name_columns(ratings.drop(left_out), counts=counts), folder / "ratings.csv")
    return ratings.height, int(ratings["new"].sum())


def _name_movies(movies: pd.DataFrame, ratings: pd.DataFrame) -> SourceIds:
    """Return the ids of the listed movies and of those that are rated alone, which are their own codes."""
    listed = SourceIds.from_table(movies, MOVIE_ID)
    others = np.setdiff1d(ratings[MOVIE_ID], listed.codes)
    return SourceIds([*listed.codes, *others], [*listed.own, *map(str, others.tolist())])


def _decode(column: str, ids: SourceIds) -> pl.Expr:
    return pl.col(column).replace_strict(ids.codes, pl.Series(ids.own.tolist(), dtype=pl.String))


def _read_stored(store: Store) -> pl.DataFrame:
    rows = [(str(each.user_id), str(each.movie_id), each.rating, each.timestamp) for each in store.all_ratings()]
    return pl.DataFrame(rows, schema=_TYPES, orient="row")


def _keep_newest(ratings: pl.DataFrame) -> pl.DataFrame:
    numbers = [pl.col(name).cast(pl.Int64, strict=False) for name in _IDS]  # null for text, which comes first
    by_time = ratings.sort(*numbers, *_IDS, TIMESTAMP, maintain_order=True)
    return by_time.unique([USER_ID, MOVIE_ID], keep="last", maintain_order=True)


def _add_up(ratings: pl.DataFrame) -> pl.DataFrame:
    """Count each pair's events; of those here only newer ones than the data's, which may have taken in the others."""
    known = pl.col(TIMESTAMP).filter(~pl.col("new")).max().over(_IDS).fill_null(-1)
    newer = ratings.filter(~pl.col("new") | (pl.col(TIMESTAMP) > known))
    counted = newer.group_by(_IDS).agg(pl.col(RATING).sum(), pl.col(TIMESTAMP).max(), pl.col("new").any())
    return _keep_newest(counted)


def _has_counts() -> bool:
    """Tell whether the pipeline's data has events instead of ratings; without data it is taken to have ratings."""
    path = paths.DETAILS / "clean.json"
    return path.is_file() and bool(read_json(path)["implicit"])


def _name_columns(ratings: pl.DataFrame, *, counts: bool) -> pl.DataFrame:
    return ratings.rename(_CSV_COLUMNS | ({RATING: "count"} if counts else {}), strict=False)


def _format_movies(movies: pl.DataFrame) -> pl.DataFrame:
    """Write titles and genres as MovieLens does: the year behind the title, bars between genres."""
    year = pl.format(" ({})", YEAR).fill_null("")
    genres = pl.col(GENRES).cast(pl.List(pl.String)).list.join("|")
    listed = pl.when(genres != "").then(genres).otherwise(pl.lit("(no genres listed)"))
    own = pl.col(SOURCE_ID) if SOURCE_ID in movies.columns else pl.col(MOVIE_ID)
    return movies.select(movieId=own.cast(pl.String), title=pl.col(TITLE) + year, genres=listed)


def _overlay_movies(listed: pl.DataFrame, changes: list[MovieChange]) -> pl.DataFrame:
    """Leave out the movies that were changed and put those that are not deleted behind the others."""
    kept = listed.filter(~pl.col("movieId").is_in([str(each.movie.movie_id) for each in changes]))
    rows = [
        (str(each.movie.movie_id), each.movie.title, each.movie.year, list(each.movie.genres))
        for each in changes
        if each.kind != "delete"
    ]
    return pl.concat([kept, _format_movies(pl.DataFrame(rows, schema=_MOVIE_TYPES, orient="row"))])


def _write_csv(table: pl.DataFrame, path: Path) -> None:
    try:
        with replace_atomically(path) as temporary:
            table.write_csv(temporary)
    except OSError as error:
        raise MovierecError(f"{path} cannot be written: {error.strerror or error}") from error
