from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from movierec.data.layouts import LAYOUTS, decode_utf8, detect_layout, parse_header
from movierec.errors import MovierecError

FolderOf = Callable[[Mapping[str, bytes]], Path]


@pytest.mark.parametrize("name", ["csv", "dat", "tab"])
def test_layout_is_told_by_the_files(
    layout_files: Mapping[str, dict[str, bytes]], folder_of: FolderOf, name: str
) -> None:
    folder = folder_of({**layout_files[name], "README": b"", "tags.csv": b""})
    assert detect_layout(folder).name == name


@pytest.mark.parametrize(
    "files", [[], ["ratings.csv"], ["movies.csv"], ["ratings.csv", "movies.dat"], ["u.data", "u.items"]]
)
def test_folder_without_a_layout_is_refused_naming_all_three(folder_of: FolderOf, files: list[str]) -> None:
    folder = folder_of(dict.fromkeys(files, b""))
    expected = r"no MovieLens layout: expected ratings\.csv and movies\.csv, or ratings\.dat.*, or u\.data and u\.item"
    with pytest.raises(MovierecError, match=expected):
        detect_layout(folder)


def test_folder_with_two_layouts_is_refused_under_the_name_given(folder_of: FolderOf) -> None:
    folder = folder_of(dict.fromkeys([LAYOUTS[0].ratings_file, LAYOUTS[0].movies_file, "u.data", "u.item"], b""))
    with pytest.raises(MovierecError, match=r"^my\.zip holds more than one MovieLens layout"):
        detect_layout(folder, label="my.zip")


def test_a_folder_named_like_a_file_makes_no_layout(folder_of: FolderOf) -> None:
    folder = folder_of({"movies.csv": b""})
    (folder / "ratings.csv").mkdir()
    with pytest.raises(MovierecError, match="no MovieLens layout"):
        detect_layout(folder)


def test_utf8_loses_its_byte_order_mark() -> None:
    assert decode_utf8("\ufeffé".encode(), Path("x.csv")) == "é"


def test_other_encodings_are_refused_naming_the_byte() -> None:
    with pytest.raises(MovierecError, match=r"^x\.csv is not UTF-8 \(at byte 3\)"):
        decode_utf8("abé".encode("latin-1"), Path("x.csv"))


def test_header_may_have_any_order_quotes_blanks_and_more_columns() -> None:
    assert parse_header('b , a,"a""b","x,y"', ["a", "b"], Path("x.csv")) == ["b", "a", 'a"b', "x,y"]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("", "column 'a' is missing"),
        ("a;b", "column 'a' is missing"),
        ("a", "column 'b' is missing: the first line must name a, b"),
        ("A,b", "column 'a' is missing"),
        ("b,a,b", "column 'b' appears twice"),
        ('"a,b', "the first line cannot be parsed"),
    ],
)
def test_unusable_header_is_refused_naming_file_and_column(line: str, problem: str) -> None:
    with pytest.raises(MovierecError, match=rf"^x\.csv: {problem}"):
        parse_header(line, ["a", "b"], Path("x.csv"))
