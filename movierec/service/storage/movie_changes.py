"""Movies that were added, changed and deleted through the service: every change is a row, none is overwritten."""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, Literal, NamedTuple

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Integer,
    Row,
    Select,
    String,
    Table,
    UniqueConstraint,
    func,
    select,
)

from movierec.columns import GENRES, MOVIE_ID, TIMESTAMP, TITLE, YEAR
from movierec.errors import MovierecError
from movierec.ids import LARGEST_ID, OwnId, read_id
from movierec.service.storage.conflicts import ConflictError
from movierec.service.storage.database import RATINGS, TABLES
from movierec.service.storage.insertion import hash_text, insert_new
from movierec.service.storage.names import find_key, join_name, keep_keys, read_key

FIRST_ASSIGNED_ID: Final = 1_000_000_000  # above all ids of MovieLens
RACES: Final = 20
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
class MovieRecord:
    """What is said of a movie.

    Attributes
    ----------
    movie_id : int or str
        The own id.
    title : str
        Without the year.
    year : int or None
        Of its release.
    genres, tags : tuple of str
        Distinct.
    """

    movie_id: OwnId
    title: str
    year: int | None
    genres: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class MovieChange:
    """One row of a movie's history.

    Attributes
    ----------
    movie : MovieRecord
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

    movie: MovieRecord
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


class _TakenError(Exception):
    """Another writer stored the version first."""


class MovieChanges:
    """The part of the store that holds changes of movies; see `Store` for what all its methods promise."""

    _read: Callable[[], AbstractContextManager[Connection]]
    _write: Callable[[], AbstractContextManager[Connection]]

    def add_movie(
        self, movie: MovieRecord | None, describe: Callable[[OwnId], MovieRecord], *, author: str | None,
        timestamp: int, key: str | None = None, content: str = "", above: int = 0,
    ) -> tuple[MovieChange, bool]:  # fmt: skip
        """Store a new movie, once.

        Parameters
        ----------
        movie : MovieRecord or None
            None: an id is assigned, above `above`, `FIRST_ASSIGNED_ID` and all that were.
        describe : callable
            Makes the record of an assigned id.
        author, timestamp
            As in `MovieChange`.
        key, content : str
            The client's idempotency key, and what it sent under it.
        above : int
            The largest integer id in use.

        Returns
        -------
        change : MovieChange
            As it is stored; of a repeated request, what the first one stored.
        new : bool
            Whether it was stored now.

        Raises
        ------
        ConflictError
            If there is another movie with this id, or the key came with other content.
        """

        def add(connection: Connection) -> tuple[MovieChange, bool]:
            known = _find_by_key(connection, key, content)
            if known:
                return known, False
            record = movie or describe(_next_id(connection, above))
            latest = _latest(connection, record.movie_id)
            if latest and latest.kind != "delete":
                if movie and latest.movie == movie:
                    return latest, False
                raise ConflictError(f"there is a movie {record.movie_id} already: PATCH changes it")
            change = MovieChange(record, latest.version + 1 if latest else 1, "add", author, timestamp)
            return _insert(connection, change, key, content), True

        return self._retry(add)

    def change_movie(
        self, movie_id: OwnId, known: MovieRecord | None, changes: dict[str, Any], *, author: str | None, timestamp: int
    ) -> tuple[MovieChange | None, bool]:
        """Store what is different from now on; see `add_movie`.

        Parameters
        ----------
        movie_id : int or str
            Which movie.
        known : MovieRecord or None
            What the data says of it, if it is one of the data's.
        changes : dict
            New values by attribute of `MovieRecord`.

        Returns
        -------
        change : MovieChange or None
            The latest; None of a movie of the data that was never changed and is not now.
        new : bool
            False if nothing is different.

        Raises
        ------
        UnknownMovieError
            If there is no such movie.
        """

        def change(connection: Connection) -> tuple[MovieChange | None, bool]:
            latest, before = _find_present(connection, movie_id, known)
            after = replace(before, **changes)
            if after == before:
                return latest, False
            version = latest.version + 1 if latest else 1
            return _insert(connection, MovieChange(after, version, "change", author, timestamp)), True

        return self._retry(change)

    def delete_movie(
        self, movie_id: OwnId, known: MovieRecord | None, *, author: str | None, timestamp: int
    ) -> MovieChange:
        """Store that a movie is to be shown no more; its ratings and history stay. See `change_movie`."""

        def delete(connection: Connection) -> MovieChange:
            latest, before = _find_present(connection, movie_id, known)
            version = latest.version + 1 if latest else 1
            return _insert(connection, MovieChange(before, version, "delete", author, timestamp))

        return self._retry(delete)

    def movie_history(self, movie_id: OwnId) -> list[MovieChange]:
        """Return all changes of a movie, the first one first."""
        with self._read() as connection:
            rows = connection.execute(_select_changes().where(MOVIE_CHANGES.c.movie_id == find_key(connection, movie_id)))
            return [_read_change(row) for row in rows]

    def movies_mark(self) -> tuple[int, ...]:
        """Return numbers that differ whenever `changed_movies` would: takes as long as two look-ups in an index.

        Counts are among them, as a process may come to see a row later than another one with a higher number.
        """
        rated = select(func.count(), func.max(RATINGS.c.id)).where(
            RATINGS.c.movie_id.in_(select(MOVIE_CHANGES.c.movie_id).distinct())
        )
        with self._read() as connection:
            changes, last = connection.execute(select(func.count(), func.max(MOVIE_CHANGES.c.id))).one()
            if not changes:
                return (0, 0, 0, 0)
            ratings, last_rating = connection.execute(rated).one()
        return changes, last, ratings, last_rating or 0

    def changed_movies(self) -> list[StoredMovie]:
        """Return every movie that was ever changed with its latest change and ratings, in order of the first change."""
        with self._read() as connection:
            latest = {row.movie_id: _read_change(row) for row in connection.execute(_select_changes())}
            ratings = _read_ratings(connection)
        return [StoredMovie(change, tuple(ratings.get(key, {}).items())) for key, change in latest.items()]

    def _retry(self, work: Callable[[Connection], Any]) -> Any:  # noqa: ANN401  # what the work returns
        for _ in range(RACES):
            try:
                with self._write() as connection:
                    return work(connection)
            except _TakenError:
                continue
        raise ConflictError("others change this movie all the time: try again")


def _select_changes() -> Select[Any]:
    named, name = join_name(MOVIE_CHANGES, MOVIE_CHANGES.c.movie_id, "movies")
    return select(MOVIE_CHANGES, name.label("name")).select_from(named).order_by(MOVIE_CHANGES.c.id)


def _latest(connection: Connection, movie_id: OwnId) -> MovieChange | None:
    query = _select_changes().where(MOVIE_CHANGES.c.movie_id == find_key(connection, movie_id)).order_by(None)
    row = connection.execute(query.order_by(MOVIE_CHANGES.c.version.desc()).limit(1)).one_or_none()
    return _read_change(row) if row else None


def _find_present(
    connection: Connection, movie_id: OwnId, known: MovieRecord | None
) -> tuple[MovieChange | None, MovieRecord]:
    latest = _latest(connection, movie_id)
    if latest is None and known is not None:
        return None, known
    if latest is None or latest.kind == "delete":
        raise UnknownMovieError(f"there is no movie {movie_id}: search for it at /v1/movies")
    return latest, latest.movie


def _find_by_key(connection: Connection, key: str | None, content: str) -> MovieChange | None:
    if key is None:
        return None
    row = connection.execute(_select_changes().where(MOVIE_CHANGES.c.key_hash == hash_text(key))).one_or_none()
    if row is None:
        return None
    if row.content_hash != hash_text(content):
        raise ConflictError("this idempotency key was used for another request: use a new one")
    return _read_change(row)


def _next_id(connection: Connection, above: int) -> int:
    taken = connection.execute(select(func.max(MOVIE_CHANGES.c.movie_id))).scalar_one()
    following = max(FIRST_ASSIGNED_ID, above + 1, (taken or 0) + 1)
    if following > LARGEST_ID:
        raise ConflictError(f"no id above {LARGEST_ID - 1} can be assigned: give a movie_id")
    return following


def _insert(connection: Connection, change: MovieChange, key: str | None = None, content: str = "") -> MovieChange:
    movie_id = read_id(change.movie.movie_id)
    row = asdict(change.movie) | {
        MOVIE_ID: keep_keys(connection, [movie_id])[movie_id],
        GENRES: json.dumps(change.movie.genres),
        "tags": json.dumps(change.movie.tags),
        "version": change.version,
        "kind": change.kind,
        "author": change.author,
        TIMESTAMP: change.timestamp,
        "key_hash": None if key is None else hash_text(key),
        "content_hash": None if key is None else hash_text(content),
    }
    if not insert_new(connection, MOVIE_CHANGES, [row]):
        raise _TakenError
    return change


def _read_change(row: Row[Any]) -> MovieChange:
    genres, tags = tuple(json.loads(row.genres)), tuple(json.loads(row.tags))
    movie = MovieRecord(read_key(row.movie_id, row.name), row.title, row.year, genres, tags)
    return MovieChange(movie, row.version, row.kind, row.author, row.timestamp)


def _read_ratings(connection: Connection) -> dict[int, dict[OwnId, float]]:
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


def describe_present(changes: Iterable[StoredMovie]) -> Iterator[MovieRecord]:
    """Yield the movies that are not deleted."""
    yield from (each.change.movie for each in changes if each.change.kind != "delete")
