"""Insertion that may be repeated: a row that is there already stays as it is; keys are compared by their hashes."""

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def insert_new(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> int:
    """Insert the rows that meet no unique constraint and return how many there were.

    Parameters
    ----------
    connection : Connection
        In a transaction, of SQLite or PostgreSQL.
    table : Table
        With a primary key.
    rows : sequence of dict
        At least one, each a value by column; all with the same columns.
    """
    insert: Callable[[Table], sqlite.Insert | postgresql.Insert] = (
        sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    )
    inserted = insert(table).on_conflict_do_nothing().returning(*table.primary_key)
    return len(connection.execute(inserted, rows).all())


def hash_text(text: str) -> str:
    """Return the SHA-256 of any text in hexadecimal, even of one that is no Unicode (half a surrogate pair)."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
