from collections.abc import Callable, Mapping
from pathlib import Path

import polars as pl
import pytest

from movierec.data import kinds
from movierec.data.kinds import tell_kinds
from movierec.data.layouts import GUESS_ALL, find_source

FolderOf = Callable[[Mapping[str, bytes]], Path]


def kinds_of(folder: Path) -> tuple[object, ...]:
    found = tell_kinds(find_source(folder), GUESS_ALL)
    return (*(found.types.get(name) for name in ("user", "item", "timestamp")), found.inexact)


@pytest.mark.parametrize(
    ("odd", "count", "found"),
    [
        ("", 0, (pl.Int64, ())),
        ("x", 1, (pl.Int64, ())),  # one in 101 is a mistake
        ("x", 2, (pl.String, ())),
        ("007", 1, (pl.Int64, ("user",))),  # and must not become 7
        ("007", 2, (pl.String, ())),
    ],
)
def test_few_ids_that_are_no_integers_are_mistakes(
    folder_of: FolderOf, odd: str, count: int, found: tuple[object, ...]
) -> None:
    rows = "5,1,3\n" * 100 + f"{odd},1,3\n" * count + "y,1\n,1,3\nz,1,good\n" * 50
    folder = folder_of({"x.csv": b"user,item,rating\n" + rows.encode()})
    kind, _, _, inexact = kinds_of(folder)
    assert (kind, inexact) == found


@pytest.mark.parametrize(
    ("times", "kind"),
    [(["1", "2", "x"], pl.Int64), (["1.5", "2"], pl.Float64), (["2020-01-01", "1"], pl.String), (["", ""], pl.String)],
)
def test_times_are_what_most_of_them_are(folder_of: FolderOf, times: list[str], kind: object) -> None:
    rows = "".join(f"a,1,{time}\n" for time in times)
    assert kinds_of(folder_of({"x.csv": b"user,item,time\n" + rows.encode()}))[:3] == (pl.String, pl.Int64, kind)


def test_parquet_says_its_types(folder_of: FolderOf) -> None:
    folder = folder_of({})
    frame = pl.DataFrame({"user": pl.Series([1, 2], dtype=pl.UInt8), "item": ["1", "2"], "time": [1.5, 2]})
    frame.write_parquet(folder / "x.parquet")
    assert kinds_of(folder) == (pl.Int64, pl.Int64, pl.Float64, ())


def test_all_rows_are_looked_at(folder_of: FolderOf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kinds, "SAMPLE_ROWS", 10)
    for odd, kind in (("x", pl.String), ("007", pl.String), (" 7", pl.Int64), ("8", pl.Int64)):
        rows = "5,1\n" * 100 + f"{odd},1\n" * 2
        assert kinds_of(folder_of({"x.csv": b"user,item\n" + rows.encode()}))[0] == kind
