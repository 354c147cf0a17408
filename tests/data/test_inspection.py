import gzip
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from movierec.data import inspection
from movierec.data.download import fetch_dataset, open_dataset
from movierec.data.inspection import format_inspection, inspect_dataset
from movierec.data.readers import read_ratings
from movierec.errors import MovierecError
from movierec.scales import Scale
from tests.data.own import source
from tests.data.shapes import as_text, make_rows, renamed, with_ratings, without

FolderOf = Callable[[Mapping[str, bytes]], Path]


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOVIEREC_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))


def test_a_good_file_by_hand(folder_of: FolderOf) -> None:
    path = folder_of({"own.csv": as_text(make_rows("texts")), "other.csv": b"user,item\n1,1\n"}) / "own.csv"
    found = inspect_dataset(str(path))
    assert found.file == "own.csv: text, fields separated by ','; no file of movies"
    assert found.reading == (
        "read user_id as the user, item_id as the item, timestamp as the time in seconds; "
        "ratings from 1 to 10 in steps of 1"
    )
    assert found.counts == {"rows": 300, "broken": 0, "users": 60, "movies": 12, "duplicates": 0}
    assert (found.scale, found.problems) == (Scale(1, 10, 1), [])
    assert found.span == ("2020-09-13", "2020-09-13")
    columns = {"user": "user_id", "item": "item_id", "rating": "rating", "timestamp": "timestamp"}
    assert found.options == {f"source.columns.{role}": name for role, name in columns.items()}


def test_every_problem_is_told(folder_of: FolderOf) -> None:
    rows = [{**row, "rating": 0 if place % 3 == 0 else row["rating"] % 5 + 1} for place, row in enumerate(make_rows())]
    rows = [
        *rows * 20,
        *with_ratings(rows[:2], [99]),
        {**rows[5], "timestamp": -5},
        {**rows[6], "timestamp": 5 * 10**9},
    ]
    lines = as_text(rows).splitlines()
    lines[7:7] = [b"", b"1,2", b"x,y,good,1", b"1,2,nan,1"]
    found = inspect_dataset(str(folder_of({"own.csv": b"\n".join(lines)}) / "own.csv"))
    assert found.counts == {"rows": 6008, "broken": 4, "users": 60, "movies": 12, "duplicates": 5704}
    assert found.problems == [
        "3 rows are unreadable",
        "1 rows are rating not finite",
        "line 8: ",
        "line 9: 1,2",
        "line 10: x,y,good,1",
        "line 11: 1,2,nan,1",
        "2 ratings lie far outside the scale and would be dropped: rating_scale settles it",
        "33% of the ratings are 0: if that means 'not rated', set clean.unrated to 0",
        "1 times lie before 1970 and their rows would be dropped",
        "some times lie after the year 2100",
    ]


def test_rows_of_a_parquet_have_numbers_too(folder_of: FolderOf) -> None:
    folder = folder_of({})
    frame = pl.DataFrame({"user": [1, None, 3], "item": [1, 2, None], "played_at": [2**60, 2**60, 2**60]})
    frame.write_parquet(folder / "own.parquet")
    found = inspect_dataset(str(folder))
    assert found.problems == ["2 rows are unreadable", "row 2: ", "row 3: "]
    assert found.options["feedback"] == "implicit"


def test_the_lines_of_params_yaml_read_the_file_alike(folder_of: FolderOf) -> None:
    rows = [{**row, "rating": row["rating"] / 2} for row in renamed(make_rows("zeros"), user_id="customer")]
    folder = folder_of({"o w n.csv.gz": gzip.compress(as_text(rows, ";", ",")), "m.csv": b"item_id;title\n001;A\n"})
    found = inspect_dataset(str(folder))
    text = format_inspection(found, str(folder))
    told = yaml.safe_load(text.partition("In params.yaml:\n")[2].partition("\nOr: ")[0])
    assert told["dataset"] == str(folder)
    section = told["source"]
    columns = section.pop("columns")
    assert columns == {
        "user": "customer", "item": "item_id", "rating": "rating", "timestamp": "timestamp", "title": "title",
    }  # fmt: skip
    assert section == {"separator": ";", "decimal": ","}
    again = read_ratings(folder, source(**section, **columns))
    assert len(again.table) == found.counts["rows"] == 300
    assert "Or: dvc exp run -S " in text
    assert found.file.startswith("o w n.csv.gz: gzipped text, fields separated by ';', decimal commas; movies in m.csv")


@pytest.mark.parametrize("layout", ["csv", "dat", "tab"])
def test_movielens_needs_no_options(layout_files: Mapping[str, Any], folder_of: FolderOf, layout: str) -> None:
    found = inspect_dataset(str(folder_of(layout_files[layout])))
    assert found.options == {}
    assert f"of MovieLens's {layout} layout" in found.file
    assert found.span == ("1995-01-09", "2018-09-24")


def test_what_the_pipeline_refuses_is_refused_by_the_users_own_path(folder_of: FolderOf) -> None:
    path = folder_of({"own.csv": b"who,what\n1,2\n"}) / "own.csv"
    with pytest.raises(MovierecError, match="no column is called like the user") as caught:
        inspect_dataset(str(path))
    assert str(caught.value).startswith(f"{path}: no column is called like the user (there are who, what)")


def test_a_change_since_it_was_fetched_is_told(folder_of: FolderOf, tmp_path: Path) -> None:
    folder = folder_of({"own.csv": as_text(without(make_rows(), "timestamp"))})
    for dataset in (str(folder), str(folder / "own.csv")):
        fetched = fetch_dataset(dataset, tmp_path / "raw").sha256
        assert inspect_dataset(dataset, fetched_sha256=fetched).problems == []
    (folder / "own.csv").write_bytes((folder / "own.csv").read_bytes() + b"1,1,1\n")
    problems = inspect_dataset(str(folder / "own.csv"), fetched_sha256=fetched).problems
    assert problems == ["it has changed since it was fetched: `dvc repro --force fetch` reads it again"]


def test_nothing_is_copied_and_nothing_left_behind(folder_of: FolderOf, tmp_path: Path) -> None:
    folder = folder_of({"own.csv": b"user,item\n1,2\n"})
    with open_dataset(str(folder)) as (content, label):
        assert (content / "own.csv").is_symlink()
        assert label == str(folder)
    assert list((tmp_path / "cache").iterdir()) == []


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("user_id", "user_id"), ("../own.csv", "../own.csv"), ("User ID", "'User ID'"), (";", "';'"),
        ("null", "'null'"), ("1", "'1'"), ("it's", '"it\'s"'), ("über", "'über'"),
    ],
)  # fmt: skip
def test_values_are_quoted_where_yaml_would_take_them_for_something_else(value: str, written: str) -> None:
    assert inspection._write(value) == written
    assert yaml.safe_load(written) == value
