"""The database behind the store: its tables, how it is opened and how its failures are told; no query lives here.

Nothing waits longer than `WAIT_S` for one thing (another writer, a free connection, a lock), so that a caller waits
less than five seconds for an answer or a failure.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from filelock import FileLock
from sqlalchemy import (
    URL,
    BigInteger,
    Column,
    Double,
    Engine,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    create_engine,
    event,
    exc,
    func,
    make_url,
    select,
)
from sqlalchemy.pool import QueuePool

from movierec.columns import MOVIE_ID, RATING, TIMESTAMP, USER_ID
from movierec.errors import MovierecError
from movierec.paths import project_root

WAIT_S: Final = 1.5
CONNECTIONS: Final = 40  # as many as a server's thread pool has threads

_POSTGRESQL_OPTIONS: Final = "-c statement_timeout=3000 -c lock_timeout=1500 -c synchronous_commit=on"
_CREATION_LOCK: Final = 0x6D6F766965  # any number that no other program uses as an advisory lock
TABLES: Final = MetaData()


def _make_id() -> Column[int]:
    return Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True)  # grows in order of storing


RATINGS: Final = Table(
    "ratings",
    TABLES,
    _make_id(),
    Column(USER_ID, Integer, nullable=False),
    Column(MOVIE_ID, Integer, nullable=False),
    Column(RATING, Double, nullable=False),
    Column(TIMESTAMP, BigInteger, nullable=False),
    UniqueConstraint(USER_ID, MOVIE_ID, TIMESTAMP),  # its index finds a user's ratings, too
    Index("ratings_of_movie", MOVIE_ID),  # a database made before it was thought of is searched through
)
KEYS: Final = Table(
    "idempotency_keys",
    TABLES,
    Column("key_hash", String(64), primary_key=True),
    Column("content_hash", String(64), nullable=False),
    Column(TIMESTAMP, BigInteger, nullable=False),  # of the rating that came with it
)
EVENTS: Final = Table(
    "events",
    TABLES,
    _make_id(),
    Column("key_hash", String(64), unique=True),
    Column("experiment", String, nullable=False),
    Column("arm", String, nullable=False),
    Column(USER_ID, Integer, nullable=False),
    Column(MOVIE_ID, Integer, nullable=False),
    Column("kind", String, nullable=False),
    Column(TIMESTAMP, BigInteger, nullable=False),
    Index("events_of_experiment", "experiment", USER_ID, "arm", MOVIE_ID, "kind"),  # covers the outcomes' query
)


class StoreUnavailableError(MovierecError):
    """The database is locked, full, read-only, damaged or not there; nothing of the request was stored for certain."""


def default_url() -> str:
    """Return `MOVIEREC_DATABASE_URL`, or else the URL of the project's own SQLite file."""
    return os.environ.get("MOVIEREC_DATABASE_URL") or locate_file(project_root())


def locate_file(root: Path) -> str:
    """Return the URL of the SQLite file in the git-ignored state folder under `root`."""
    return f"sqlite:///{root.resolve() / '.movierec' / 'service.db'}"


def open_database(url: str) -> Engine:
    """Make an engine for a database; nothing is connected yet.

    Parameters
    ----------
    url : str
        ``sqlite:///path/of/file`` or ``postgresql://user@host/name`` (``postgresql+psycopg://`` is the same).

    Raises
    ------
    MovierecError
        If it is no such URL.
    """
    try:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
    except (exc.ArgumentError, ValueError) as error:
        raise MovierecError("the database's URL cannot be parsed: give sqlite:///FILE or postgresql://...") from error
    if backend in {"postgresql", "postgres"}:
        arguments = {"connect_timeout": 2, "tcp_user_timeout": 2000, "options": _POSTGRESQL_OPTIONS}
        parsed = parsed.set(drivername="postgresql+psycopg")
        return create_engine(parsed, connect_args=arguments, pool_pre_ping=True, **_pool())
    if backend == "sqlite" and parsed.database not in {None, "", ":memory:"} and not parsed.query:
        return _open_sqlite(Path(str(parsed.database)).resolve())
    raise MovierecError(f"such a URL of {backend!r} names no database file: give sqlite:///FILE or postgresql://...")


def create_tables(engine: Engine) -> None:
    """Create what is absent; several processes and threads may do so at once."""
    if engine.dialect.name == "postgresql":
        with engine.begin() as connection:
            connection.execute(select(func.pg_advisory_xact_lock(_CREATION_LOCK)))
            TABLES.create_all(connection)
        return
    path = Path(str(engine.url.database))
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{path}.lock", timeout=WAIT_S):
        with closing(_connect_sqlite(path, "rwc")) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
        TABLES.create_all(engine)


@contextmanager
def tell_failures() -> Iterator[None]:
    """Turn what the database or the file system raises in the block into an error of one line.

    Raises
    ------
    StoreUnavailableError
        If the database failed.
    MovierecError
        If a value cannot be stored: text with half a surrogate pair or, in PostgreSQL, a zero byte.
    """
    try:
        yield
    except (exc.DataError, UnicodeError) as error:
        raise MovierecError(f"the database refuses a value ({_first_line(error)}): correct the request") from error
    except (exc.DBAPIError, exc.TimeoutError, sqlite3.Error, OSError) as error:
        problem = f"the database of ratings cannot be used ({_first_line(error)})"
        raise StoreUnavailableError(f"{problem}: once that is mended it works again, without a restart") from error


def _first_line(error: BaseException) -> str:
    return str(getattr(error, "orig", None) or error).strip().partition("\n")[0]


def _pool() -> dict[str, Any]:
    return {"poolclass": QueuePool, "pool_size": 8, "max_overflow": CONNECTIONS - 8, "pool_timeout": WAIT_S}


def _connect_sqlite(path: Path, mode: str) -> sqlite3.Connection:
    """Connect; a transaction takes the write lock where it begins, and a commit is on the disk when it returns."""
    address = f"file:{quote(str(path))}?mode={mode}"
    connection = sqlite3.connect(
        address, uri=True, timeout=WAIT_S, isolation_level="IMMEDIATE", check_same_thread=False
    )
    connection.execute("PRAGMA synchronous=FULL")
    return connection


def _open_sqlite(path: Path) -> Engine:
    def connect() -> sqlite3.Connection:
        return _connect_sqlite(path, "rw")  # an absent file is a failure: an empty one in its place would hide it

    def remember_file(_: object, record: Any) -> None:  # noqa: ANN401  # SQLAlchemy's _ConnectionRecord is private
        record.info["file"] = _identify(path)

    def require_same_file(_: object, record: Any, __: object) -> None:  # noqa: ANN401  # as above
        if record.info["file"] != _identify(path):  # deleted or replaced: what is written there would be lost
            raise exc.DisconnectionError

    engine = create_engine(URL.create("sqlite", database=str(path)), creator=connect, **_pool())
    event.listen(engine, "connect", remember_file)
    event.listen(engine, "checkout", require_same_file)
    return engine


def _identify(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino
