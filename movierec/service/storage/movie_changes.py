"""Movies that are added, changed and deleted through the service: every change is a row, none is overwritten."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict, replace
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, func, select

from movierec.columns import GENRES, MOVIE_ID, TIMESTAMP
from movierec.data.described_movie import DescribedMovie
from movierec.ids import LARGEST_ID, OwnId, read_id
from movierec.service.storage.conflicts import ConflictError
from movierec.service.storage.database import RATINGS
from movierec.service.storage.insertion import hash_text, insert_new
from movierec.service.storage.movie_history import (
    MOVIE_CHANGES,
    MovieChange,
    StoredMovie,
    UnknownMovieError,
    find_latest,
    read_change,
    read_ratings,
    select_changes,
)
from movierec.service.storage.names import find_key, keep_keys

FIRST_ASSIGNED_ID: Final = 1_000_000_000  # above all ids of MovieLens
RACES: Final = 20
_ASSIGNING: Final = 0x6D6F7669  # any number that no other program uses as an advisory lock

Stored = TypeVar("Stored")


class _TakenError(Exception):
    """Another writer stored the version first."""


class MovieChanges:
    """The part of the store that holds changes of movies; see `Store` for what all its methods promise."""

    _read: Callable[[], AbstractContextManager[Connection]]
    _write: Callable[[], AbstractContextManager[Connection]]

    def add_movie(
        self, movie: DescribedMovie | None, describe: Callable[[OwnId], DescribedMovie], *, author: str | None,
        timestamp: int, key: str | None = None, content: str = "", above: int = 0,
    ) -> tuple[MovieChange, bool]:  # fmt: skip
        """Store a new movie, once.

        Parameters
        ----------
        movie : DescribedMovie or None
            None: an id is assigned, above `above`, `FIRST_ASSIGNED_ID` and all that were.
        describe : callable
            Describes the movie by an assigned id.
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
            described = movie or describe(_next_id(connection, above))
            latest = find_latest(connection, described.movie_id)
            if latest and movie is None:  # stored since the largest id was read
                raise _TakenError
            if latest and latest.kind != "delete":
                if latest.movie == movie:
                    return latest, False
                raise ConflictError(f"there is a movie {described.movie_id} already: PATCH changes it")
            change = MovieChange(described, latest.version + 1 if latest else 1, "add", author, timestamp)
            return _insert(connection, change, key, content), True

        return self._retry(add)

    def change_movie(
        self,
        movie_id: OwnId,
        known: DescribedMovie | None,
        changes: dict[str, Any],
        *,
        author: str | None,
        timestamp: int,
    ) -> tuple[MovieChange | None, bool]:
        """Store what is different from now on; see `add_movie`.

        Parameters
        ----------
        movie_id : int or str
            Which movie.
        known : DescribedMovie or None
            What the data says of it, if it is one of the data's.
        changes : dict
            New values by attribute of `DescribedMovie`.

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
        self, movie_id: OwnId, known: DescribedMovie | None, *, author: str | None, timestamp: int
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
            rows = connection.execute(
                select_changes().where(MOVIE_CHANGES.c.movie_id == find_key(connection, movie_id))
            )
            return [read_change(row) for row in rows]

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
            latest = {row.movie_id: read_change(row) for row in connection.execute(select_changes())}
            ratings = read_ratings(connection)
        return [StoredMovie(change, tuple(ratings.get(key, {}).items())) for key, change in latest.items()]

    def _retry(self, work: Callable[[Connection], Stored]) -> Stored:
        for _ in range(RACES):
            try:
                with self._write() as connection:
                    return work(connection)
            except _TakenError:
                continue
        raise ConflictError("others change this movie all the time: try again")


def _find_present(
    connection: Connection, movie_id: OwnId, known: DescribedMovie | None
) -> tuple[MovieChange | None, DescribedMovie]:
    latest = find_latest(connection, movie_id)
    if latest is None and known is not None:
        return None, known
    if latest is None or latest.kind == "delete":
        raise UnknownMovieError(f"there is no movie {movie_id}: search for it at /v1/movies")
    return latest, latest.movie


def _find_by_key(connection: Connection, key: str | None, content: str) -> MovieChange | None:
    if key is None:
        return None
    row = connection.execute(select_changes().where(MOVIE_CHANGES.c.key_hash == hash_text(key))).one_or_none()
    if row is None:
        return None
    if row.content_hash != hash_text(content):
        raise ConflictError("this idempotency key was used for another request: use a new one")
    return read_change(row)


def _next_id(connection: Connection, above: int) -> int:
    if connection.dialect.name == "postgresql":  # one after the other, or many at once would try the same id
        connection.execute(select(func.pg_advisory_xact_lock(_ASSIGNING)))
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
