"""The ratings, events and changes of movies that the service was given, stored durably."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from threading import Lock
from typing import Any, Final

import pandas as pd
from sqlalchemy import Connection, Row, func, select

from movierec.ids import OwnId
from movierec.service.storage.conflicts import (
    ConflictError,
    TimeTakenError,
    claim_key,
    follow_latest,
    require_same_rating,
)
from movierec.service.storage.database import (
    EVENTS,
    RATINGS,
    WAIT_S,
    StoreUnavailableError,
    create_tables,
    open_database,
    tell_failures,
)
from movierec.service.storage.events import list_rows, select_outcomes, tabulate_outcomes
from movierec.service.storage.insertion import insert_new
from movierec.service.storage.movie_changes import MovieChanges
from movierec.service.storage.movie_history import MovieChange, StoredMovie, UnknownMovieError
from movierec.service.storage.names import KeyedRating, find_key, join_name, keep_keys, read_key
from movierec.service.storage.records import LATEST, Event, Receipt, StoredRating

__all__ = [
    "ConflictError", "Event", "MovieChange", "Receipt", "Store", "StoreUnavailableError", "StoredMovie", "StoredRating",
    "UnknownMovieError",
]  # fmt: skip

PAGE_ROWS: Final = 10_000
RACES: Final = 9


class Store(MovieChanges):
    """Ratings, events and changes of movies in SQLite or PostgreSQL.

    Whatever a method stored is on the disk when it returns. Threads and processes may share a database. When it fails,
    every method raises `StoreUnavailableError` within five seconds, and works again as soon as the database does.

    Parameters
    ----------
    url : str
        ``sqlite:///path/of/file`` or ``postgresql://user@host/name``. The database is opened, and its tables are
        created, when it is first used; a database that is not there yet keeps no service from starting.

    Raises
    ------
    MovierecError
        If it is no such URL.
    """

    def __init__(self, url: str) -> None:
        self._engine = open_database(url)
        self._one_writer = Lock() if self._engine.dialect.name == "sqlite" else None  # waiting here, not on the file
        self._created = False

    def add_rating(
        self, rating: StoredRating, key: str | None = None, content: str | None = None, *, newest: bool = False
    ) -> Receipt:
        """Store a rating, once.

        Parameters
        ----------
        rating : StoredRating
            Of one user, movie and time there is one rating.
        key : str, optional
            The client's idempotency key; stored in the same transaction as the rating, and kept for good.
        content : str, optional
            What the client sent under `key`, in any fixed form; by default the rating itself. Give it where a value
            that the service fills in, such as the time of arrival, would make a repeated request look like a new one.
        newest : bool
            The rating's time is that of arrival. If the user gave the movie other stars then or later, these are stored
            a second after the latest, so that they are the ones that count.

        Returns
        -------
        Receipt
            What is stored now: of a repeated request, what the first one stored.

        Raises
        ------
        ConflictError
            If `key` came with other content before, or the user gave the movie another rating at that time, or at the
            latest time that there is.
        StoreUnavailableError
            If the database failed.
        """
        for _ in range(RACES if newest else 0):
            with suppress(TimeTakenError):  # by another process, after it was found free
                return self._add_rating(rating, key, content or repr(rating), newest=True)
        return self._add_rating(rating, key, content or repr(rating), newest=newest)

    def _add_rating(self, rating: StoredRating, key: str | None, content: str, *, newest: bool) -> Receipt:
        with self._write() as connection:
            keys = keep_keys(connection, (rating.user_id, rating.movie_id))
            keyed = KeyedRating(keys[rating.user_id], keys[rating.movie_id], rating.rating, rating.timestamp)
            if newest:
                keyed = follow_latest(connection, keyed)
            if key is not None:
                first = claim_key(connection, key, content, keyed.timestamp)
                if first is not None:
                    return Receipt(replace(rating, timestamp=first), new=False)
            new = bool(insert_new(connection, RATINGS, [keyed._asdict()]))
            if not new:
                require_same_rating(connection, keyed)
            return Receipt(replace(rating, timestamp=keyed.timestamp), new)

    def ratings_of(self, user_id: OwnId, *, counts: bool = False) -> dict[OwnId, float]:
        """Return a user's stars by movie id, the newest of each movie; empty for a user who is not known.

        Where they are `counts` of events, those of a movie are added up.
        """
        named, movie = join_name(RATINGS, RATINGS.c.movie_id, "movies")
        query = select(RATINGS.c.movie_id, movie, RATINGS.c.rating).select_from(named)
        newest_last = (RATINGS.c.timestamp, RATINGS.c.id)
        with self._read() as connection:
            key = find_key(connection, user_id)
            rows = connection.execute(query.where(RATINGS.c.user_id == key).order_by(*newest_last))
            found: dict[OwnId, float] = {}
            for movie_id, name, stars in rows:
                own = read_key(movie_id, name)
                found[own] = stars + (found.get(own, 0.0) if counts else 0.0)
            return found

    def all_ratings(self) -> Iterator[StoredRating]:
        """Yield every rating in the order of storing; one stored meanwhile may or may not be among them."""
        named, user = join_name(RATINGS, RATINGS.c.user_id, "users")
        named, movie = join_name(named, RATINGS.c.movie_id, "movies")
        columns = select(RATINGS, user.label("user"), movie.label("movie")).select_from(named)
        query = columns.order_by(RATINGS.c.id).limit(PAGE_ROWS)  # in pages, so that a slow reader holds no transaction
        last = 0
        while True:
            with self._read() as connection:
                rows = connection.execute(query.where(RATINGS.c.id > last)).all()
            if not rows:
                return
            last = rows[-1].id
            yield from map(_read_rating, rows)

    def last_row(self) -> int:
        """Return the number of the rating that was stored last; 0 if there is none."""
        with self._read() as connection:
            return connection.execute(select(func.max(RATINGS.c.id))).scalar_one() or 0

    def users_after(self, row: int) -> dict[int, OwnId]:
        """Return who gave the ratings with higher numbers than `row`, by number, ascending; at most `PAGE_ROWS`.

        Numbers grow in the order of storing, but a process may come to see a lower one later than a higher one.
        """
        named, user = join_name(RATINGS, RATINGS.c.user_id, "users")
        query = select(RATINGS.c.id, RATINGS.c.user_id, user).select_from(named)
        query = query.where(RATINGS.c.id > row).order_by(RATINGS.c.id).limit(PAGE_ROWS)
        with self._read() as connection:
            return {number: read_key(user_id, name) for number, user_id, name in connection.execute(query)}

    def add_events(self, events: Sequence[Event]) -> int:
        """Store events, all or none, and return how many were new."""
        if not events:
            return 0
        with self._write() as connection:
            keys = keep_keys(connection, (own for each in events for own in (each.user_id, each.movie_id)))
            return insert_new(connection, EVENTS, list_rows(events, keys))

    def outcomes(self, experiment: str) -> pd.DataFrame:
        """Count what each user of an experiment was shown and chose.

        Parameters
        ----------
        experiment : str
            Its name; one without events has no rows.

        Returns
        -------
        DataFrame
            By user id and arm: `user_id` int64, `arm` str, `impressions` int64 >= 1 (movies shown, each once however
            often it was), `clicks` int64 (those of them that were clicked).
        """
        with self._read() as connection:
            rows = connection.execute(select_outcomes(experiment)).all()
        return tabulate_outcomes(rows)

    def check(self) -> None:
        """Return if the database answers (one indexed row is read), else raise `StoreUnavailableError`."""
        with self._read() as connection:
            connection.execute(select(RATINGS.c.id).limit(1)).all()

    def close(self) -> None:
        """Close every connection; a later call opens new ones."""
        self._engine.dispose()

    @contextmanager
    def _read(self) -> Iterator[Connection]:
        try:
            with tell_failures():
                if not self._created:
                    create_tables(self._engine)
                    self._created = True
                with self._engine.begin() as connection:
                    yield connection
        except StoreUnavailableError:
            self._engine.dispose()  # a connection that saw a failure may remember it
            raise

    @contextmanager
    def _write(self) -> Iterator[Connection]:
        if self._one_writer and not self._one_writer.acquire(timeout=WAIT_S):
            raise StoreUnavailableError("the database of ratings is busy: try again")
        try:
            with self._read() as connection:
                yield connection
        finally:
            if self._one_writer:
                self._one_writer.release()


def _read_rating(row: Row[Any]) -> StoredRating:
    timestamp = min(row.timestamp, LATEST)  # once a second more could be stored
    user_id, movie_id = read_key(row.user_id, row.user), read_key(row.movie_id, row.movie)
    return StoredRating(user_id, movie_id, row.rating, timestamp)
