"""The three MovieLens layouts: their files, headers and encoding; parsing the rows is the readers' work."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from movierec.errors import MovierecError


@dataclass(frozen=True)
class Layout:
    """How a MovieLens release lays out its files.

    Attributes
    ----------
    name : str
        ``csv`` (with a header), ``dat`` (separated by ``::``) or ``tab`` (ml-100k).
    ratings_file, movies_file : str
        Both must be in the folder.
    separator : str
        One byte, between the fields of the ratings file.
    """

    name: str
    ratings_file: str
    movies_file: str
    separator: str


LAYOUTS: Final = (
    Layout("csv", "ratings.csv", "movies.csv", ","),
    Layout("dat", "ratings.dat", "movies.dat", ":"),
    Layout("tab", "u.data", "u.item", "\t"),
)


def detect_layout(folder: Path, label: str | None = None) -> Layout:
    """Tell a folder's layout from the names of its files.

    Parameters
    ----------
    folder : Path
        Holds the files directly.
    label : str, optional
        What to call the folder in an error; its path by default.

    Returns
    -------
    Layout
        One of `LAYOUTS`.

    Raises
    ------
    MovierecError
        If the files of no layout are there, or of more than one.
    """
    found = [each for each in LAYOUTS if all((folder / n).is_file() for n in (each.ratings_file, each.movies_file))]
    if len(found) == 1:
        return found[0]
    known = ", or ".join(f"{each.ratings_file} and {each.movies_file}" for each in LAYOUTS)
    problem = "more than one MovieLens layout" if found else "no MovieLens layout"
    raise MovierecError(f"{label or folder} holds {problem}: expected {known}")


def decode_utf8(content: bytes, path: Path) -> str:
    """Decode text, without the byte-order mark that some programs put first.

    Parameters
    ----------
    content : bytes
        The file or its beginning.
    path : Path
        Its name, for the error.

    Raises
    ------
    MovierecError
        If it is not UTF-8.
    """
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise MovierecError(f"{path} is not UTF-8 (at byte {error.start + 1}): save it as UTF-8") from error


def parse_header(line: str, required: Sequence[str], path: Path) -> list[str]:
    """Name the columns of a csv by its first line.

    Parameters
    ----------
    line : str
        The first line.
    required : sequence of str
        Columns that must be there once, in any order; others may be, too.
    path : Path
        The file, for the error.

    Returns
    -------
    list of str
        Every column, in the file's order, without surrounding blanks.

    Raises
    ------
    MovierecError
        If a required column is absent or there twice, or the line is no csv.
    """
    try:
        names = [name.strip() for name in next(csv.reader([line], strict=True), [])]
    except csv.Error as error:
        raise MovierecError(f"{path}: the first line cannot be parsed ({error}): correct the file") from error
    for name in required:
        if names.count(name) != 1:
            problem = "appears twice" if name in names else "is missing"
            raise MovierecError(f"{path}: column {name!r} {problem}: the first line must name {', '.join(required)}")
    return names
