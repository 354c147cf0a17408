"""Ratings of the training data and of the service as one data set for the pipeline; running it is the user's."""

from pathlib import Path
from typing import Final

import polars as pl

from movierec import paths
from movierec.columns import GENRES, MOVIE_ID, RATING, RATING_COLUMNS, TIMESTAMP, TITLE, USER_ID, YEAR
from movierec.errors import MovierecError
from movierec.io import read_parquet, replace_atomically
from movierec.service.storage.store import Store

_TYPES: Final = {USER_ID: pl.Int32, MOVIE_ID: pl.Int32, RATING: pl.Float32, TIMESTAMP: pl.Int64}
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
    ratings = _keep_newest(_read_stored(store))
    _write_csv(ratings.rename(_CSV_COLUMNS), folder / "ratings.csv")
    return ratings.height


def export_all(store: Store, folder: Path) -> tuple[int, int]:
    """Write the training data overlaid by the service's ratings as ``ratings.csv`` and ``movies.csv``.

    Parameters
    ----------
    store, folder
        As in `export_new`. Of a user and movie rated in both the newest rating stays, the service's among equals.

    Returns
    -------
    ratings, new : int
        Rows written, and how many of them are the service's.

    Raises
    ------
    MovierecError
        As `export_new`, or if the pipeline's clean data is absent or damaged.
    """
    trained = pl.from_pandas(read_parquet(paths.CLEAN_RATINGS, RATING_COLUMNS))
    movies = pl.from_pandas(read_parquet(paths.CLEAN_MOVIES))
    both = pl.concat([trained.with_columns(new=False), _read_stored(store).with_columns(new=True)])
    ratings = _keep_newest(both)
    _write_csv(_format_movies(movies), folder / "movies.csv")
    _write_csv(ratings.drop("new").rename(_CSV_COLUMNS), folder / "ratings.csv")
    return ratings.height, int(ratings["new"].sum())


def _read_stored(store: Store) -> pl.DataFrame:
    rows = [(each.user_id, each.movie_id, each.rating, each.timestamp) for each in store.all_ratings()]
    return pl.DataFrame(rows, schema=_TYPES, orient="row")


def _keep_newest(ratings: pl.DataFrame) -> pl.DataFrame:
    by_time = ratings.sort(USER_ID, MOVIE_ID, TIMESTAMP, maintain_order=True)
    return by_time.unique([USER_ID, MOVIE_ID], keep="last", maintain_order=True)


def _format_movies(movies: pl.DataFrame) -> pl.DataFrame:
    """Write titles and genres as MovieLens does: the year behind the title, bars between genres."""
    year = pl.format(" ({})", YEAR).fill_null("")
    genres = pl.col(GENRES).cast(pl.List(pl.String)).list.join("|")
    listed = pl.when(genres != "").then(genres).otherwise(pl.lit("(no genres listed)"))
    return movies.select(movieId=MOVIE_ID, title=pl.col(TITLE) + year, genres=listed)


def _write_csv(table: pl.DataFrame, path: Path) -> None:
    try:
        with replace_atomically(path) as temporary:
            table.write_csv(temporary)
    except OSError as error:
        raise MovierecError(f"{path} cannot be written: {error.strerror or error}") from error
