import math
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from movierec.data.readers import BROKEN_REASONS, read_ratings
from movierec.errors import MovierecError

FolderOf = Callable[[Mapping[str, bytes]], Path]
LayoutFiles = Mapping[str, Mapping[str, bytes]]

HEADER = b"userId,movieId,rating,timestamp\n"
MANY = [b"9,9,1,9"] * 100  # so that one id which is no integer is a mistake
EXPECTED = [(1, 10, 4.0, 964982703), (1, 20, 3.5, 964982704), (2, 10, 0.5, 1537799250), (7, 30, 5.0, 789652009)]


def rows_of(table: pd.DataFrame) -> list[tuple[int | float, ...]]:
    return list(table.itertuples(index=False, name=None))


@pytest.fixture
def csv_of(folder_of: FolderOf) -> Callable[[bytes], Path]:
    return lambda content: folder_of({"ratings.csv": content, "movies.csv": b"movieId,title,genres\n2,A,War\n"})


@pytest.fixture
def dat_of(folder_of: FolderOf) -> Callable[[bytes], Path]:
    return lambda content: folder_of({"ratings.dat": content, "movies.dat": b"2::A::War\n"})


@pytest.mark.parametrize("layout", ["csv", "dat", "tab"])
def test_every_layout_gives_the_same_typed_rows(layout_files: LayoutFiles, folder_of: FolderOf, layout: str) -> None:
    raw = read_ratings(folder_of(layout_files[layout]))
    assert rows_of(raw.table) == EXPECTED
    assert [(name, str(dtype)) for name, dtype in raw.table.dtypes.items()] == [
        ("user_id", "int32"),
        ("movie_id", "int32"),
        ("rating", "float32"),
        ("timestamp", "int64"),
    ]
    assert raw.broken == dict.fromkeys(BROKEN_REASONS, 0)
    assert raw.first_broken_line is None


def parse_real(archive: Path, member: str, separator: str) -> list[tuple[int, int, float, int]]:
    with zipfile.ZipFile(archive) as opened:
        lines = opened.read(member).decode("ascii").splitlines()
    rows = [line.split(separator) for line in lines if line[0].isdigit()]
    return [(int(user), int(movie), float(rating), int(time)) for user, movie, rating, time in rows]


@pytest.mark.parametrize(
    ("name", "ratings", "movies", "separator", "counts"),
    [
        ("ml-latest-small", "ratings.csv", "movies.csv", ",", (100_836, 610, 9_724)),
        ("ml-100k", "u.data", "u.item", "\t", (100_000, 943, 1_682)),
    ],
)
def test_real_ratings_equal_those_of_the_files(
    mirror: Path, tmp_path: Path, name: str, ratings: str, movies: str, separator: str, counts: tuple[int, int, int]
) -> None:
    with zipfile.ZipFile(mirror / f"{name}.zip") as archive:
        archive.extractall(tmp_path, [f"{name}/{ratings}", f"{name}/{movies}"])
    raw = read_ratings(tmp_path / name)
    assert (len(raw.table), raw.table["user_id"].nunique(), raw.table["movie_id"].nunique()) == counts
    assert rows_of(raw.table) == parse_real(mirror / f"{name}.zip", f"{name}/{ratings}", separator)
    assert raw.broken == dict.fromkeys(BROKEN_REASONS, 0)


@pytest.mark.parametrize(
    "content",
    [
        HEADER + b"1,2,3.5,4\n5,6,7,8",
        HEADER + b"1,2,3.5,4\n5,6,7,8\n\n\n\n",
        (HEADER + b"1,2,3.5,4\n5,6,7,8\n").replace(b"\n", b"\r\n"),
        (HEADER + b"1,2,3.5,4\n5,6,7,8\n\n").replace(b"\n", b"\r\n"),
        b"\xef\xbb\xbf" + HEADER + b"1,2,3.5,4\n5,6,7,8\n",
        b'"userId","movieId","rating","timestamp"\n"1","2","3.5","4"\n5,6,"7",8\n',
        b"timestamp,rating,movieId,userId\n4,3.5,2,1\n8,7,6,5\n",
        b'note,userId,movieId,note,rating,timestamp,end\n"a, ""b""",1,2,,3.5,4,x\n\xff,5,6,nan,7,8\n',
        HEADER + b"1,2,3.5,4,\n5,6,7,8,\n",
        HEADER + b" 1, 2, 3.5, 4\n5,6,7e0,+8\n",
    ],
    ids=[
        "no-newline",
        "blank-end",
        "crlf",
        "crlf-blank-end",
        "bom",
        "quotes",
        "order",
        "extra",
        "empty-field",
        "blanks",
    ],
)
def test_harmless_variants_of_a_csv_are_read(csv_of: Callable[[bytes], Path], content: bytes) -> None:
    raw = read_ratings(csv_of(content))
    assert rows_of(raw.table) == [(1, 2, 3.5, 4), (5, 6, 7.0, 8)]
    assert sum(raw.broken.values()) == 0


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"one,2,3.5,4", "unreadable"),
        (b"1,2,good,4", "unreadable"),
        (b"1,2,3.5,soon", "unreadable"),
        (b"1,2,,4", "unreadable"),
        (b"1,2,3.5", "unreadable"),
        (b"1", "unreadable"),
        (b"", "unreadable"),
        (b",,,", "unreadable"),
        (b"1,2,3.5,4,5", "unreadable"),
        (b"1,2,3.5,4,5,6,7,8,9", "unreadable"),
        (b"1.5,2,3.5,4", "unreadable"),
        (b"01,2,3.5,4", "unreadable"),
        (b"1,+2,3.5,4", "unreadable"),
        (b"99999999999999999999,2,3.5,4", "unreadable"),
        (b"1,2,3.5,99999999999999999999", "unreadable"),
        (b'1,2,"3.5"x,4', "unreadable"),
        (b"1,2,3.5\xff,4", "unreadable"),
        (b"1\x00,2,3.5,4", "unreadable"),
        (b"userId,movieId,rating,timestamp", "unreadable"),
        (b"1,2,nan,4", "rating_not_finite"),
        (b"1,2,inf,4", "rating_not_finite"),
        (b"1,2,-inf,4", "rating_not_finite"),
        (b"1,2,1e39,4", "rating_not_finite"),
    ],
)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_broken_row_is_left_out_and_counted(
    csv_of: Callable[[bytes], Path], line: bytes, reason: str, place: int
) -> None:
    lines = [b"1,2,3.5,4", b"5,6,7.0,8"]
    lines.insert(place, line)
    raw = read_ratings(csv_of(HEADER + b"\n".join([*lines, *MANY, b""])))
    assert rows_of(raw.table) == [(1, 2, 3.5, 4), (5, 6, 7.0, 8), *[(9, 9, 1.0, 9)] * len(MANY)]
    assert raw.broken == {**dict.fromkeys(BROKEN_REASONS, 0), reason: 1}
    assert raw.first_broken_line == place + 2  # lines count from 1, and the header is one


@pytest.mark.parametrize(
    "line",
    [b"1:2::3::4", b"1:::2::3::4", b"1::2:::3::4", b"1::2:9::3::4", b"1::2::3::4:5", b"1::2::3::4::5", b"1::2::3",
     b"1::2::3::", b"::2::3::4", b":1::2::3::4", b"1,2,3,4", b"1::2::3:4", b"1: :2::3::4", b'"1"::2::3::4'],
)  # fmt: skip
def test_a_stray_colon_breaks_a_dat_row(dat_of: Callable[[bytes], Path], line: bytes) -> None:
    raw = read_ratings(dat_of(b"5::6::7.5::8\n" + line + b"\n9::9::1::9" * 100))
    assert rows_of(raw.table) == [(5, 6, 7.5, 8), *[(9, 9, 1.0, 9)] * 100]
    assert raw.broken["unreadable"] == 1
    assert raw.first_broken_line == 2


def test_a_byte_order_mark_or_header_costs_a_dat_no_other_row(dat_of: Callable[[bytes], Path]) -> None:
    raw = read_ratings(dat_of(b"UserID::MovieID::Rating::Timestamp\n5::6::7.5::8\n"))
    assert rows_of(raw.table) == [(5, 6, 7.5, 8)]
    assert raw.first_broken_line == 1
    assert rows_of(read_ratings(dat_of(b"\xef\xbb\xbf1::2::3::4\n5::6::7.5::8\n")).table) == [
        (1, 2, 3, 4),
        (5, 6, 7.5, 8),
    ]


def test_all_rows_broken_leaves_a_typed_empty_table(csv_of: Callable[[bytes], Path]) -> None:
    raw = read_ratings(csv_of(HEADER + b"a,b,c,d\n" * 3))
    assert len(raw.table) == 0
    assert [str(dtype) for dtype in raw.table.dtypes] == ["int32", "int32", "float32", "int64"]
    assert raw.broken["unreadable"] == 3


def test_the_table_may_be_changed(csv_of: Callable[[bytes], Path]) -> None:
    table = read_ratings(csv_of(HEADER + b"1,2,3.5,4\n")).table
    table.loc[0, "rating"] = np.float32(1.0)
    assert rows_of(table) == [(1, 2, 1.0, 4)]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "is empty"),
        (HEADER, "holds no ratings"),
        (HEADER.strip(), "holds no ratings"),
        (HEADER + b"\n\r\n\n", "holds no ratings"),
        (
            b"movieId,rating,timestamp\n2,3,4\n",
            r"no column is called like the user \(there are movieId, rating, timestamp\): set source.columns.user",
        ),
        (b"userId,user,movieId\n1,2,3\n", "column 'userId' and 'user' could both be the user: set source.columns.user"),
        (b"userId,movieId,rating,rating,timestamp\n1,2,3,3,4\n", "column 'rating' appears twice"),
        (b"1,2,3.5,4\n5,6,7,8\n", "the first line holds no names, only values of 4 columns: set source.columns.user"),
        (HEADER.decode().encode("utf-16") + b"\n1", r"is not UTF-8 \(at byte 1\)"),
        (HEADER + b'1,2,"3.5,4\n5,6,7,8\n5,6,7,8\n', "a quotation mark is not closed on its line"),
        (HEADER + b'1,2,"3.5,4\n5,6,7",8\n5,6,7,8\n', "a quotation mark is not closed on its line"),
    ],
)
def test_an_unusable_file_is_refused_by_name(csv_of: Callable[[bytes], Path], content: bytes, problem: str) -> None:
    with pytest.raises(MovierecError, match=rf"ratings\.csv:? {problem}"):
        read_ratings(csv_of(content))


def test_empty_files_of_the_other_layouts_are_refused(folder_of: FolderOf) -> None:
    for content in (b"", b"\n\n"):
        with pytest.raises(MovierecError, match=r"u\.data (is empty|holds no ratings)"):
            read_ratings(folder_of({"u.data": content, "u.item": b"2|A|||" + b"|0" * 19}))


def parse_field(text: str, kind: type[int] | type[float]) -> int | float | None:
    try:
        return kind(text)
    except ValueError:
        return None


def parse_slowly(rows: list[list[str]]) -> tuple[list[tuple[int | float, ...]], dict[str, int], int | None]:
    """Apply the documented rules row by row with Python's number types."""
    good: list[tuple[int | float, ...]] = []
    broken, first = dict.fromkeys(BROKEN_REASONS, 0), None
    for number, row in enumerate(rows, start=2):
        kinds = (int, int, float, int)
        values = [parse_field(cell, kind) for cell, kind in zip(row, kinds, strict=False)]
        numbers = [value for value in values if value is not None]
        if len(row) != 4 or len(numbers) != 4:
            reason = "unreadable"
        elif not math.isfinite(numbers[2]):
            reason = "rating_not_finite"
        else:
            good.append((*numbers[:2], float(np.float32(numbers[2])), numbers[3]))
            continue
        broken[reason] += 1
        first = first or number
    return good, broken, first


CELL = st.sampled_from(["1", "2", "7", "12", "2147483647", "0", "4.5", "0.5", "x", "", "nan", "inf"])


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(st.lists(CELL, min_size=2, max_size=6).filter(lambda row: row[4:5] != [""]), min_size=1, max_size=12))
def test_any_mixture_of_rows_is_read_as_a_plain_parser_reads_it(
    csv_of: Callable[[bytes], Path], rows: list[list[str]]
) -> None:
    rows = [*rows, *[["9", "9", "1", "9"]] * 100 * len(rows)]  # so that ids which are no integers are mistakes
    raw = read_ratings(csv_of(HEADER + "".join(",".join(row) + "\n" for row in rows).encode()))
    assert (rows_of(raw.table), raw.broken, raw.first_broken_line) == parse_slowly(rows)


def test_many_rows_in_many_chunks_keep_their_order(csv_of: Callable[[bytes], Path]) -> None:
    lines = [f"{i},{2 * i},{i % 10 / 2 + 0.5},{10**9 + i}" for i in range(1, 200_001)]
    lines[150_000] = "broken"
    raw = read_ratings(csv_of(HEADER + "\n".join(lines).encode()))
    expected = np.delete(np.arange(1, 200_001), 150_000)
    np.testing.assert_array_equal(raw.table["user_id"], expected)
    np.testing.assert_array_equal(raw.table["movie_id"], 2 * expected)
    np.testing.assert_array_equal(raw.table["rating"], expected % 10 / 2 + 0.5)
    np.testing.assert_array_equal(raw.table["timestamp"], 10**9 + expected)
    assert raw.first_broken_line == 150_002
