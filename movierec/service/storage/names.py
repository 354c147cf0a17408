"""Ids that are text, in tables whose columns hold integers: each has a number of its own, stored below 0."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from sqlalchemy import BigInteger, Column, Connection, FromClause, Integer, String, Table, select

from movierec.ids import OwnId, read_id
from movierec.service.storage.database import TABLES
from movierec.service.storage.insertion import insert_new

NAMES: Final = Table(
    "names",
    TABLES,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("name", String, nullable=False, unique=True),
)


class KeyedRating(NamedTuple):
    """A rating with keys for ids, as its row holds it."""

    user_id: int
    movie_id: int
    rating: float
    timestamp: int


def find_key(connection: Connection, own: OwnId) -> int | None:
    """Return what stands for an id in the tables: an integer itself, a text's number below 0; None if it has none."""
    own = read_id(own)
    if isinstance(own, int):
        return own
    number = connection.execute(select(NAMES.c.id).where(NAMES.c.name == own)).scalar_one_or_none()
    return None if number is None else -int(number)


def keep_keys(connection: Connection, ids: Iterable[OwnId]) -> dict[OwnId, int]:
    """Return what stands for each of some ids, after giving a number to every text that has none."""
    keys: dict[OwnId, int] = {}
    for own in sorted(set(ids), key=str):  # in one order for all, or two writers might wait for each other
        key = find_key(connection, own)
        if key is None:
            insert_new(connection, NAMES, [{"name": read_id(own)}])
            key = find_key(connection, own)
        assert key is not None  # noqa: S101  # it was inserted, here or by another writer
        keys[own] = key
    return keys


def join_name(table: FromClause, key: Column[int], label: str) -> tuple[FromClause, Column[str]]:
    """Join the names of a column of keys to a table; return both and the column of names, null for integers."""
    names = NAMES.alias(label)
    return table.outerjoin(names, names.c.id == -key), names.c.name


def read_key(key: int, name: str | None) -> OwnId:
    """Return the id that a key stands for."""
    return key if name is None else name
