"""The rows of the catalogue's changes, and how they are read."""

import json
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

from sqlalchemy import BigInteger, Column, Connection, Integer, Row, Select, String, Table, UniqueConstraint, select

from movierec.columns import GENRES, MOVIE_ID, TIMESTAMP, TITLE, YEAR
from movierec.data.described_movie import DescribedMovie
from movierec.errors import MovierecError
from movierec.ids import OwnId
from movierec.service.storage.database import RATINGS, TABLES
from movierec.service.storage.names import find_key, join_name, read_key

MOST_RATINGS: Final = 1_000  # of a movie, the latest, that move it

MOVIE_CHANGES: Final = Table(
    "movie_changes",
    TABLES,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column(MOVIE_ID, Integer, nullable=False),
    Column("version", Integer, nullable=False),  # 1, 2, ... of each movie
    Column("kind", String, nullable=False),
    Column(TITLE, String, nullable=False),
    Column(YEAR, Integer),
    Column(GENRES, String, nullable=False),  # JSON, as are tags
    Column("tags", String, nullable=False),
    Column("author", String),
    Column(TIMESTAMP, BigInteger, nullable=False),
    Column("key_hash", String(64), unique=True),
    Column("content_hash", String(64)),
    UniqueConstraint(MOVIE_ID, "version"),
)

Kind = Literal["add", "change", "delete"]


@dataclass(frozen=True)
class MovieChange:
    """One row of a movie's history.

    Attributes
    ----------
    movie : DescribedMovie
        As it was from then on; of a deletion, as it was before.
    version : int
        1 for the first change, then one more each time.
    kind : {"add", "change", "delete"}
        What happened.
    author : str or None
        Who did it, as the client said.
    timestamp : int
        Seconds since 1970, UTC.
    """

    movie: DescribedMovie
    version: int
    kind: Kind
    author: str | None
    timestamp: int


class StoredMovie(NamedTuple):
    """The latest change of a movie, and the newest rating of each user who rated it here, latest first."""

    change: MovieChange
    ratings: tuple[tuple[OwnId, float], ...]


class UnknownMovieError(MovierecError):
    """There is no such movie, or no more."""


def select_changes() -> Select[Any]:
    """Return the query of all changes with the movies' names, in the order of storing."""
    named, name = join_name(MOVIE_CHANGES, MOVIE_CHANGES.c.movie_id, "movies")
    return select(MOVIE_CHANGES, name.label("name")).select_from(named).order_by(MOVIE_CHANGES.c.id)


def find_latest(connection: Connection, movie_id: OwnId) -> MovieChange | None:
    """Return a movie's latest change, if there is any."""
    query = select_changes().where(MOVIE_CHANGES.c.movie_id == find_key(connection, movie_id)).order_by(None)
    row = connection.execute(query.order_by(MOVIE_CHANGES.c.version.desc()).limit(1)).one_or_none()
    return read_change(row) if row else None


def read_change(row: Row[Any]) -> MovieChange:
    """Return a row of `select_changes` as what it means."""
    genres, tags = tuple(json.loads(row.genres)), tuple(json.loads(row.tags))
    movie = DescribedMovie(read_key(row.movie_id, row.name), row.title, row.year, genres, tags)
    return MovieChange(movie, row.version, row.kind, row.author, row.timestamp)


def read_ratings(connection: Connection) -> dict[int, dict[OwnId, float]]:
    """Return the stars of each changed movie by user, the latest `MOST_RATINGS` first."""
    named, user = join_name(RATINGS, RATINGS.c.user_id, "users")
    query = select(RATINGS.c.movie_id, RATINGS.c.user_id, user.label("name"), RATINGS.c.rating).select_from(named)
    query = query.where(RATINGS.c.movie_id.in_(select(MOVIE_CHANGES.c.movie_id).distinct()))
    found: dict[int, dict[OwnId, float]] = {}
    for movie_id, user_id, name, stars in connection.execute(
        query.order_by(RATINGS.c.timestamp.desc(), RATINGS.c.id.desc())
    ):
        ratings = found.setdefault(movie_id, {})
        if len(ratings) < MOST_RATINGS:
            ratings.setdefault(read_key(user_id, name), stars)
    return found
