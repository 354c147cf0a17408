import gzip
from pathlib import Path

import pytest

from movierec.data.tables import Table, count_lines, decode_utf8, find_format, open_table, read_bytes, read_lines
from movierec.errors import MovierecError


def write(folder: Path, name: str, content: bytes) -> Path:
    (folder / name).write_bytes(content)
    return folder / name


def test_utf8_loses_its_byte_order_mark() -> None:
    assert decode_utf8("\ufeffé".encode(), Path("x.csv")) == "é"


def test_other_encodings_are_refused_naming_the_byte() -> None:
    with pytest.raises(MovierecError, match=r"^x\.csv is not UTF-8 \(at byte 3\)"):
        decode_utf8("abé".encode("latin-1"), Path("x.csv"))


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.csv", "text"), ("A.CSV", "text"), ("a.b.tsv.gz", "text"), ("u.data", "text"), ("a.parquet", "parquet"),
        ("a.jsonl.GZ", "jsonl"), ("a.json", "jsonl"), ("a.zip", None), ("a", None), ("a.gz", None), ("csv", None),
    ],
)  # fmt: skip
def test_the_format_is_told_by_the_name(name: str, kind: str | None) -> None:
    assert find_format(name) == kind


@pytest.mark.parametrize(
    ("content", "separator", "decimal", "columns"),
    [
        (b"a,b,c\n1,2,3.5\n", ",", ".", ("a", "b", "c")),
        (b'\xef\xbb\xbf b , a,"a""b","x,y"\r\n1,2,3,4\r\n', ",", ".", ("b", "a", 'a"b', "x,y")),
        (b"a;b\n1;2,5\n", ";", ",", ("a", "b")),
        (b"a;b\n1;x,5\n", ";", ".", ("a", "b")),
        (b"a\tb\n1\t2,5\n", "\t", ",", ("a", "b")),
        (b"a|b\n", "|", ".", ("a", "b")),
        (b"a::b::c\n", "::", ".", ("a", "b", "c")),
        (b"alone\n", ",", ".", ("alone",)),
    ],
)
def test_a_text_is_told_by_its_first_lines(
    tmp_path: Path, content: bytes, separator: str, decimal: str, columns: tuple[str, ...]
) -> None:
    for name, stored in (("a.csv", content), ("a.csv.gz", gzip.compress(content))):
        path = write(tmp_path, name, stored)
        assert open_table(path) == Table(path, "text", columns, 1, separator, decimal)
        assert read_bytes(path) == content


def test_without_a_header_columns_are_numbers(tmp_path: Path) -> None:
    table = open_table(write(tmp_path, "a.csv", b"U1,5,3.5\nU2,6,1\n"))
    assert (table.columns, table.header_lines, table.has_names) == (("1", "2", "3"), 0, False)


def test_json_lines_name_the_columns_of_their_first_lines(tmp_path: Path) -> None:
    table = open_table(write(tmp_path, "a.json", b'{"a": 1}\nbroken\n\n{"b": "x", "a": null}\n'))
    assert (table.format, table.columns, table.has_names) == ("jsonl", ("a", "b"), True)


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("a.csv", b"", "is empty"),
        ("a.csv", b"\n\n", "holds no ratings"),
        ("a.csv", b'"a,b\n', "the first line cannot be parsed"),
        ("a.csv", b"a,b;c\n", "its fields could be separated by ',' or ';': set source.separator"),
        ("a.csv", "a,b\n".encode("utf-16"), r"is not UTF-8 \(at byte 1\)"),
        ("a.csv.gz", b"no gzip", "is damaged"),
        ("a.csv.gz", gzip.compress(b"a,b\n" * 1000, mtime=0)[:-20], "is damaged"),
        ("a.parquet", b"PAR1", "is damaged"),
        ("a.json", b'[{"a": 1}]', "holds no JSON lines: write one object a line"),
        ("a.xls", b"a,b\n", r"is no table: known are \.csv, \.tsv"),
    ],
)
def test_an_unusable_file_is_refused_by_name(tmp_path: Path, name: str, content: bytes, problem: str) -> None:
    with pytest.raises(MovierecError, match=f"{name}:? {problem}"):
        open_table(write(tmp_path, name, content))


@pytest.mark.parametrize(
    ("content", "lines", "blank"),
    [
        (b"", 0, 0), (b"a", 1, 0), (b"a\n", 1, 0), (b"a\n\n", 2, 1), (b"a\r\n\r\n\n", 3, 2), (b"\n\n", 2, 2),
        (b"a\nb", 2, 0), (b"a" * (1 << 17) + b"\n\n", 2, 1), (b"a\n" * 600_000, 600_000, 0),
    ],
)  # fmt: skip
def test_lines_are_counted(tmp_path: Path, content: bytes, lines: int, blank: int) -> None:
    assert count_lines(write(tmp_path, "a.csv", content)) == (lines, blank)
    assert count_lines(write(tmp_path, "a.csv.gz", gzip.compress(content))) == (lines, blank)


def test_lines_are_shown_by_number(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", b"one\r\ntwo\nthree\xff\n" + b"x" * 300)
    assert list(read_lines(path, [1, 3, 4])) == ["one", "three\ufffd", "x" * 200]
    assert list(read_lines(path, [])) == []
