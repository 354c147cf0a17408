"""What a new rating may contradict: another request under its key, and the user's other ratings of the movie."""

from sqlalchemy import ColumnElement, Connection, select

from movierec.columns import MOVIE_ID, TIMESTAMP, USER_ID
from movierec.errors import MovierecError
from movierec.service.storage.database import KEYS, RATINGS
from movierec.service.storage.insertion import hash_text, insert_new
from movierec.service.storage.names import KeyedRating
from movierec.service.storage.records import LATEST


class ConflictError(MovierecError):
    """What was stored before under the same idempotency key, or for the same user, movie and time, differs."""


class TimeTakenError(ConflictError):
    """The user gave the movie another rating at that time."""


def claim_key(connection: Connection, key: str, content: str, timestamp: int) -> int | None:
    """Keep a key that is new; of a known one return the time of the rating that came with it.

    Raises
    ------
    ConflictError
        If the key is known for other content.
    """
    row = {"key_hash": hash_text(key), "content_hash": hash_text(content), TIMESTAMP: timestamp}
    if insert_new(connection, KEYS, [row]):
        return None
    known = connection.execute(select(KEYS).where(KEYS.c.key_hash == row["key_hash"])).one()
    if known.content_hash != row["content_hash"]:
        raise ConflictError("this idempotency key was used for another request: use a new one")
    return int(known.timestamp)


def follow_latest(connection: Connection, rating: KeyedRating) -> KeyedRating:
    """Move a rating a second behind the user's latest one of the movie, or to it if it says the same.

    A rating that is the latest already is returned as it is.

    Raises
    ------
    ConflictError
        If it would have to follow the latest time that there is.
    """
    query = select(RATINGS).where(*_match(rating, USER_ID, MOVIE_ID)).order_by(RATINGS.c.timestamp.desc()).limit(1)
    latest = connection.execute(query).one_or_none()
    if latest is None or latest.timestamp < rating.timestamp:
        return rating
    timestamp = latest.timestamp + int(latest.rating != rating.rating)
    if timestamp > LATEST:
        raise ConflictError("the user's rating of this movie bears the latest time there is: none can follow it")
    return rating._replace(timestamp=timestamp)


def require_same_rating(connection: Connection, rating: KeyedRating) -> None:
    """Return if what is stored for the user, movie and time is this rating.

    Raises
    ------
    TimeTakenError
        If it has other stars.
    """
    same = _match(rating, USER_ID, MOVIE_ID, TIMESTAMP)
    known = connection.execute(select(RATINGS.c.rating).where(*same)).scalar_one()
    if known != rating.rating:
        raise TimeTakenError(f"the user rated this movie {known:g} at the same time: give a later timestamp")


def _match(rating: KeyedRating, *names: str) -> list[ColumnElement[bool]]:
    return [getattr(RATINGS.c, name) == getattr(rating, name) for name in names]
