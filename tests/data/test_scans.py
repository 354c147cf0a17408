import warnings
from pathlib import Path

import polars as pl
import pytest

from movierec.data.scans import SURPLUS, collect_quietly, scan_table
from movierec.data.tables import Table, open_table
from movierec.errors import MovierecError


def scan(table: Table, **wanted: tuple[str, pl.DataType]) -> pl.DataFrame:
    return collect_quietly(scan_table(table, wanted), table.path)


def test_columns_are_taken_by_name_and_given_others(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("surplus,beyond,field_0\n1,x,007\n2,,\n3,y,8,9\n4\n")
    rows = scan(open_table(path), user=("field_0", pl.String()), item=("surplus", pl.Int64()))
    assert rows.to_dict(as_series=False) == {
        "user": ["007", "", "8", ""],
        "item": [1, 2, 3, 4],
        SURPLUS: [False, False, True, False],
    }


def test_one_column_may_be_two_things(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a\n1\nx\n")
    rows = scan(open_table(path), item=("a", pl.Int64()), title=("a", pl.String()))
    assert rows.select("item", "title").rows() == [(1, "1"), (None, "x")]


@pytest.mark.parametrize(
    ("text", "users"),
    [
        ('{"u": "007"}\n{"u": 12345678901234567}\n', ["007", "12345678901234567"]),
        ('{"u": "a"}\n\nbroken\n{"x": 1}\n{"u": "b"}\n\n', ["a", None, None, None, "b"]),
        ('{"u": "é\\""}\n', ['é"']),
    ],
)
def test_each_line_of_json_is_a_row(tmp_path: Path, text: str, users: list[str | None]) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(text)
    assert scan(open_table(path), user=("u", pl.String()))["user"].to_list() == users


def test_what_polars_cannot_read_is_refused_and_nothing_warns(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('a,b\n1,"2\n3,4\n')
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert scan(open_table(path), user=("a", pl.Int64())).height < 3
    path = tmp_path / "a.parquet"
    pl.DataFrame({"a": [1, 2, 3]}).write_parquet(path)
    table = open_table(path)
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(MovierecError, match=r"a\.parquet cannot be parsed"):
        scan(table, user=("a", pl.Int64()))
