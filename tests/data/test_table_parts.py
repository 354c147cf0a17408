"""A table in several files is read as one, in the order of their numbers; a missing part is never passed over."""

import gzip
from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd
import pytest

from movierec.data.describe import describe_reading
from movierec.data.inspection import inspect_dataset
from movierec.data.layouts import find_source
from movierec.data.readers import read_movies, read_ratings
from movierec.data.table_parts import join_parts
from movierec.data.tables import Table
from movierec.errors import MovierecError
from tests.data.own import Rows, clean, expected, own_rows, source
from tests.data.shapes import as_json_lines, as_parquet, as_text, make_rows

FolderOf = Callable[[Mapping[str, bytes]], Path]


def cut(rows: Rows) -> list[Rows]:
    return [rows[:130], rows[130:131], rows[131:]]


@pytest.mark.parametrize("kind", ["integers", "texts"])
@pytest.mark.parametrize(("ending", "write"), [("csv", as_text), ("parquet", as_parquet), ("jsonl", as_json_lines)])
def test_parts_are_one_table(folder_of: FolderOf, kind: str, ending: str, write: Callable[[Rows], bytes]) -> None:
    rows = make_rows(kind)
    files = {f"part-{n:05}-c000.{ending}": write(part) for n, part in enumerate(cut(rows))}
    raw = read_ratings(folder_of({**files, "_SUCCESS": b"", f"part-00003-c000.{ending}": b""}))
    assert own_rows(raw, clean(raw)[0]) == expected(rows)
    assert f"; part-00000-c000.{ending} to part-00002-c000.{ending} (3 files); " in describe_reading(
        raw, clean(raw)[1].scale
    )


def test_the_order_is_that_of_the_numbers(folder_of: FolderOf) -> None:
    parts = {f"r-{n}.csv": f"user,item,rating\n1,2,{n}\n".encode() for n in (10, 9, 1)}
    names = [file.path.name for file in find_source(folder_of(parts)).ratings.files]
    assert names == [
        "r-1.csv",
        "r-9.csv",
        "r-10.csv",
    ]
    assert read_ratings(folder_of(parts)).table["rating"].tolist() == [1, 9, 10]


def test_files_of_one_write_share_a_uuid_and_packed_ones_are_read(folder_of: FolderOf) -> None:
    uuid = "1b4e28ba-2fa1-11d2-883f-0016d3cca427"
    rows = make_rows()
    files = {f"part-{n}-{uuid}.csv.gz": gzip.compress(as_text(part)) for n, part in enumerate(cut(rows))}
    raw = read_ratings(folder_of(files))
    assert own_rows(raw, clean(raw)[0]) == expected(rows)


def test_what_differs_is_no_part(folder_of: FolderOf) -> None:
    of_others = {"a1.csv": b"user,item,rating\n1,2,3\n", "a2.csv": b"user,item,stars\n1,2,3\n"}
    with pytest.raises(MovierecError, match=r"a1\.csv and a2\.csv could both be the ratings"):
        find_source(folder_of(of_others))


def test_parts_are_chosen_by_a_pattern(folder_of: FolderOf) -> None:
    one = b"user,item,rating\n1,2,3\n"
    folder = folder_of({"new-1.csv": one, "new-2.csv": one, "old-1.csv": one, "old-2.csv": one})
    with pytest.raises(MovierecError, match=r"new-1\.csv and old-1\.csv could both be the ratings"):
        find_source(folder)
    assert find_source(folder, source(ratings="old-*.csv")).ratings.name == "old-1.csv to old-2.csv (2 files)"
    assert find_source(folder, source(ratings="old-2.csv")).ratings.name == "old-2.csv"
    with pytest.raises(MovierecError, match=r"source\.ratings is '\*\.csv', but the files of the data set are new-1"):
        find_source(folder, source(ratings="*.csv"))


def test_a_damaged_part_is_refused(folder_of: FolderOf) -> None:
    rows = cut(make_rows())
    files = {"p1.parquet": as_parquet(rows[0]), "p2.parquet": as_parquet(rows[2])[:-9]}
    with pytest.raises(MovierecError, match=r"p2\.parquet is damaged"):
        find_source(folder_of(files))


def test_a_damaged_part_of_the_movies_is_refused_too(folder_of: FolderOf) -> None:
    folder = folder_of({"t1.csv": b"item,title\n1,A\n", "t2.csv": b"\xff\n", "r.csv": b"user,item,rating\n1,1,4\n"})
    with pytest.raises(MovierecError, match=r"t2\.csv is not UTF-8"):
        find_source(folder)
    assert find_source(folder, source(movies=None)).movies is None


def test_a_file_by_its_name_needs_no_others(folder_of: FolderOf) -> None:
    folder = folder_of({"p1.csv": b"user,item,rating\n1,2,3\n", "p2.csv": b"\xff\n"})
    with pytest.raises(MovierecError, match=r"p2\.csv is not UTF-8"):
        find_source(folder, source(ratings="p*.csv"))
    assert find_source(folder, source(ratings="p1.csv")).ratings.name == "p1.csv"


def test_broken_rows_are_told_by_file_and_line(
    folder_of: FolderOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOVIEREC_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    good, bad = as_text(make_rows()), as_text(make_rows()) + b"8,x,5,1\n9,,1,1\n\n"
    folder = folder_of({"r1.csv": good + b"\n\n", "r2.csv": bad, "r3.csv": bad})
    raw = read_ratings(folder)
    assert raw.broken == {"unreadable": 4, "rating_not_finite": 0}
    assert raw.broken_in is not None
    assert (raw.broken_in.path.name, raw.first_broken_line, raw.broken_lines) == ("r2.csv", 302, [302, 303])
    problems = inspect_dataset(str(folder)).problems
    assert problems[:3] == ["4 rows are unreadable", "r2.csv, line 302: 8,x,5,1", "r2.csv, line 303: 9,,1,1"]
    with pytest.raises(MovierecError, match=r"the first unreadable one is line 302 of r2\.csv\)"):
        clean(raw, max_bad_fraction=0)


def test_movies_may_lie_in_parts_too(folder_of: FolderOf) -> None:
    files = {f"titles{n}.csv": f"item,title\n{n},Movie {n}\n".encode() for n in (1, 2, 3)}
    folder = folder_of({**files, "r.csv": b"user,item,rating\n1,1,4\n1,3,5\n"})
    assert read_movies(folder)["title"].tolist() == ["Movie 1", "Movie 2", "Movie 3"]


def test_tables_keep_the_order_of_their_first_files() -> None:
    tables = [Table(Path(name), "text", ("user",)) for name in ("z1.csv", "a.csv", "z0.csv")]
    assert [table.name for table in join_parts(tables)] == ["a.csv", "z0.csv to z1.csv (2 files)"]


def test_pieces_are_as_of_one_file(folder_of: FolderOf) -> None:
    rows = make_rows()
    whole = read_ratings(folder_of({"x.csv": as_text(rows)})).table
    (folder_of({}) / "x.csv").unlink()
    parts = read_ratings(folder_of({f"y{n}.csv": as_text(part) for n, part in enumerate(cut(rows))})).table
    pd.testing.assert_frame_equal(parts, whole)
