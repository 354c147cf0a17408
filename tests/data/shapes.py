"""The same made-up ratings in every shape that a user's own data may have."""

import gzip
import io
import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import polars as pl

USERS, ITEMS = 60, 12
NAMES: dict[str, tuple[Callable[[int], Any], Callable[[int], Any]]] = {
    "integers": (lambda u: u + 1, lambda i: i + 101),
    "texts": (lambda u: f"U{u + 1:04d}", lambda i: f"B{i + 34:09d}"),
    "zeros": (lambda u: f"{u + 1:06d}", lambda i: f"{i:03d}"),
    "long": (lambda u: 76561198000000001 + u, lambda i: 2**40 + i),
}
FIRST_TIME = 1_600_000_000


def make_rows(kind: str = "integers") -> list[dict[str, Any]]:
    """Make 60 users' ratings from 1 to 10 of 5 of 12 items each, a minute after one another."""
    user_of, item_of = NAMES[kind]
    return [
        {
            "user_id": user_of(user),
            "item_id": item_of((user * 5 + place) % ITEMS),
            "rating": (user + 3 * place) % 10 + 1,
            "timestamp": FIRST_TIME + 60 * (5 * user + place),
        }
        for user in range(USERS)
        for place in range(5)
    ]


def as_text(rows: list[dict[str, Any]], separator: str = ",", decimal: str = ".") -> bytes:
    lines = [separator.join(rows[0])]
    lines += [
        separator.join(str(v).replace(".", decimal) if isinstance(v, float) else str(v) for v in row.values())
        for row in rows
    ]
    return ("\n".join(lines) + "\n").encode()


def as_parquet(rows: list[dict[str, Any]]) -> bytes:
    buffer = io.BytesIO()
    pl.DataFrame(rows).write_parquet(buffer)
    return buffer.getvalue()


def as_json_lines(rows: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def files_of_every_format(rows: list[dict[str, Any]]) -> Mapping[str, bytes]:
    """Give one file by name for each format, and each text gzipped, too."""
    plain = {
        "own.csv": as_text(rows),
        "own.tsv": as_text(rows, "\t"),
        "own_semicolons.csv": as_text([{**row, "rating": float(row["rating"])} for row in rows], ";", ","),
        "own_bars.txt": as_text(rows, "|"),
        "own_colons.txt": as_text(rows, "::"),
        "own.jsonl": as_json_lines(rows),
    }
    zipped = {f"{name}.gz": gzip.compress(content, mtime=0) for name, content in plain.items()}
    return {**plain, **zipped, "own.parquet": as_parquet(rows)}


def without(rows: list[dict[str, Any]], *columns: str) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if name not in columns} for row in rows]


def renamed(rows: list[dict[str, Any]], **names: str) -> list[dict[str, Any]]:
    return [{names.get(name, name): value for name, value in row.items()} for row in rows]


def with_ratings(rows: list[dict[str, Any]], values: list[Any]) -> list[dict[str, Any]]:
    """Give the rows these ratings in turn."""
    return [{**row, "rating": values[place % len(values)]} for place, row in enumerate(rows)]


def mean_of(rows: list[dict[str, Any]]) -> float:
    return float(np.mean([row["rating"] for row in rows]))
