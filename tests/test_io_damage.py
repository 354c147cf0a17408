"""Missing and damaged files say what to do."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from movierec import io
from movierec.errors import MovierecError
from tests.sample_files import RATINGS

READERS: dict[str, Callable[[Path], Any]] = {"parquet": io.read_parquet, "json": io.read_json}


@contextmanager
def refused(match: str) -> Iterator[None]:
    with pytest.raises(MovierecError, match=match):
        yield


@pytest.mark.parametrize("kind", READERS)
def test_a_missing_file_says_what_to_do(kind: str, tmp_path: Path) -> None:
    with refused(rf"lost\.{kind} is missing: run `dvc repro` to make it"):
        READERS[kind](tmp_path / "folder" / f"lost.{kind}")


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("parquet", b""),
        ("parquet", b"user_id,movie_id\n1,2\n"),
        ("parquet", b"PAR1" + bytes(64) + b"PAR1"),
        ("json", b""),
        ("json", b'{"a": 1'),
        ("json", b'{"a": 1} {'),
        ("json", b"[1]"),
        ("json", b"null"),
        ("json", b"\xff"),
    ],
)
def test_a_damaged_file_says_what_to_do(kind: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / f"table.{kind}"
    path.write_bytes(content)
    problem = "(is damaged|is not valid JSON|holds no JSON object)"
    with refused(rf"table\.{kind} {problem}(.|\n)*: delete it and run `dvc repro`$"):
        READERS[kind](path)


def test_a_flipped_byte_in_parquet_never_passes_for_data(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    table = pd.DataFrame({"user_id": np.arange(500, dtype=np.int32), "rating": np.linspace(0.5, 5, 500)})
    io.write_parquet(table, path)
    whole, rng, refusals = path.read_bytes(), np.random.default_rng(0), 0
    for position in rng.integers(len(whole), size=300):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 0x55]) + whole[position + 1 :])
        try:
            pd.testing.assert_frame_equal(io.read_parquet(path), table)  # a byte that nobody reads may differ
        except MovierecError:
            refusals += 1
    assert refusals > 250


def test_a_truncated_parquet_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    io.write_parquet(RATINGS, path)
    whole = path.read_bytes()
    for length in range(0, len(whole), 97):
        path.write_bytes(whole[:length])
        with refused(r"table\.parquet is damaged"):
            io.read_parquet(path)


def test_a_missing_column_is_refused(tmp_path: Path) -> None:
    io.write_parquet(RATINGS, tmp_path / "table.parquet")
    with refused(r"table\.parquet is damaged \(No match for FieldRef.Name\(stars\)"):
        io.read_parquet(tmp_path / "table.parquet", ["stars"])


@pytest.mark.parametrize("kind", ["json"])
def test_a_folder_is_no_file(kind: str, tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError, match="Is a directory"):
        READERS[kind](tmp_path)
