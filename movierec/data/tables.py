"""A table of rows in any format: how it is read and what its columns are called; what they mean is told elsewhere."""

import csv
import gzip
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import IO, Final, Literal

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from movierec.errors import MovierecError

Format = Literal["text", "parquet", "jsonl"]

FORMATS: Final[Mapping[str, Format]] = {
    ".csv": "text",
    ".tsv": "text",
    ".txt": "text",
    ".dat": "text",
    ".data": "text",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
}
SEPARATORS: Final = (",", ";", "\t", "|", "::")
_SAMPLE_BYTES: Final = 1 << 20
_SAMPLE_LINES: Final = 100
_BLOCK: Final = 1 << 20


@dataclass(frozen=True)
class Table:
    """Rows in a file, or in several, and how to read them.

    Attributes
    ----------
    path : Path
        The file, perhaps gzipped.
    format : {"text", "parquet", "jsonl"}
        ``text`` has lines of separated fields.
    columns : tuple of str
        Names in the file's order; ``"1"``, ``"2"`` and so on where no header line names them.
    header_lines : int
        Lines before the first row, 0 or 1.
    separator, decimal : str
        Of a text: between fields, and in numbers.
    quote : str or None
        Of a text: what a field that holds the separator is put in.
    further : tuple of Path
        Files that go on where this one ends, and are read as it is.
    """

    path: Path
    format: Format
    columns: tuple[str, ...]
    header_lines: int = 0
    separator: str = ","
    decimal: str = "."
    quote: str | None = '"'
    further: tuple[Path, ...] = ()

    @property
    def files(self) -> "list[Table]":
        """The table as tables of one file each."""
        return [replace(self, path=path, further=()) for path in (self.path, *self.further)]

    @property
    def name(self) -> str:
        """The name of its file, or of the first and the last one and their number."""
        if not self.further:
            return self.path.name
        return f"{self.path.name} to {self.further[-1].name} ({len(self.files)} files)"

    @property
    def has_names(self) -> bool:
        """Whether the file itself names its columns."""
        return self.format != "text" or self.header_lines > 0


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


def find_format(name: str) -> Format | None:
    """Tell a file's format by its name; None where it is no table.

    Examples
    --------
    >>> find_format("plays.tsv.gz"), find_format("archive.zip")
    ('text', None)
    """
    return FORMATS.get(PurePath(name.lower().removesuffix(".gz")).suffix)


def open_table(path: Path, separator: str = "auto", decimal: str = "auto") -> Table:
    """Look at the beginning of a file to tell how it is read.

    Parameters
    ----------
    path : Path
        Its name tells the format.
    separator : str
        Between the fields of a text; by default the one that parts the first line into most fields.
    decimal : str
        By default a comma where a field of the first lines is a number with one, and commas do not separate fields.

    Raises
    ------
    MovierecError
        If the file is empty, damaged, not UTF-8 or of no known format, or two separators would do as well.
    """
    kind = find_format(path.name)
    try:
        if kind == "parquet":
            return Table(path, kind, tuple(pq.read_schema(path).names))
        start = _read_start(path)
    except (pa.ArrowInvalid, gzip.BadGzipFile, EOFError) as error:
        raise MovierecError(f"{path} is damaged ({error}): get it again") from error
    if kind is None:
        raise MovierecError(f"{path} is no table: known are {', '.join(FORMATS)}, each also with .gz")
    if not start.strip():
        raise MovierecError(f"{path} {'holds no ratings' if start else 'is empty'}: fetch or make the data again")
    first, _, rest = start.partition(b"\n")
    line = decode_utf8(first, path).rstrip("\r")
    if kind == "jsonl":
        return _open_json(path, start)
    if separator == "auto":
        separator = "\t" if ".tsv" in path.suffixes else _guess_separator(line, path)
    separator = "\t" if separator == "tab" else separator
    names = tuple(name.strip() for name in _part(line, separator, path))
    has_header = not any(_is_number(name) for name in names)
    sample = [line, *rest.decode("utf-8", "replace").splitlines()[:_SAMPLE_LINES]]
    if decimal == "auto":
        decimal = "," if separator != "," and _has_decimal_comma(sample[has_header:], separator) else "."
    columns = names if has_header else tuple(str(number) for number in range(1, len(names) + 1))
    return Table(path, kind, columns, int(has_header), separator, decimal)


def count_lines(path: Path) -> tuple[int, int]:
    """Count all lines of a text, and the blank ones at its end."""
    lines, tail = 0, b""
    with _open_bytes(path) as file:
        while block := file.read(_BLOCK):
            lines += block.count(b"\n")
            tail = (tail + block)[-(1 << 16) :] if len(block) < 1 << 16 else block[-(1 << 16) :]
    content = tail.rstrip(b"\r\n")
    blank = tail[len(content) :].count(b"\n") - bool(content)  # the first one ends the last line
    return lines + (not tail.endswith(b"\n") and bool(tail)), max(blank, 0)


def read_bytes(path: Path) -> bytes:
    """Read a whole file, unpacked if it is gzipped."""
    with _open_bytes(path) as file:
        return file.read()


def read_lines(path: Path, numbers: list[int]) -> Iterator[str]:
    """Yield some lines of a text by their numbers, ascending from 1, each cut to 200 characters."""
    wanted = set(numbers)
    with _open_bytes(path) as file:
        for number, line in enumerate(file, start=1):
            if number in wanted:
                yield line.decode("utf-8", "replace").rstrip("\r\n")[:200]
            if number >= max(numbers, default=0):
                return


def _open_bytes(path: Path) -> IO[bytes]:
    return gzip.open(path) if path.name.lower().endswith(".gz") else path.open("rb")  # type: ignore[return-value]


def _read_start(path: Path) -> bytes:
    with _open_bytes(path) as file:
        return file.read(_SAMPLE_BYTES)


def _open_json(path: Path, start: bytes) -> Table:
    if start.lstrip()[:1] != b"{":
        raise MovierecError(f'{path} holds no JSON lines: write one object a line, like {{"user": 1, "item": 2}}')
    lines = start.split(b"\n")[:_SAMPLE_LINES]
    whole = b"\n".join(lines if len(lines) == 1 or len(start) < _SAMPLE_BYTES else lines[:-1])
    names: dict[str, None] = {}
    for line in whole.splitlines():
        try:
            names |= dict.fromkeys(pl.read_ndjson(line).columns)
        except pl.exceptions.PolarsError:  # a broken line is counted later
            continue
    return Table(path, "jsonl", tuple(names))


def _guess_separator(line: str, path: Path) -> str:
    counts = {each: line.count(each) for each in SEPARATORS}
    most = max(counts.values())
    best = [each for each, count in counts.items() if count == most]
    if most == 0:
        return ","
    if len(best) > 1:
        names = " or ".join(repr(each) for each in best)
        raise MovierecError(f"{path}: its fields could be separated by {names}: set source.separator")
    return best[0]


def _part(line: str, separator: str, path: Path) -> list[str]:
    if len(separator) > 1:
        return line.split(separator)
    try:
        return next(csv.reader([line], delimiter=separator, strict=True), [])
    except csv.Error as error:
        raise MovierecError(f"{path}: the first line cannot be parsed ({error}): correct the file") from error


def _is_number(text: str) -> bool:
    try:
        float(text.replace(",", "."))
    except ValueError:
        return False
    return True


def _has_decimal_comma(lines: list[str], separator: str) -> bool:
    fields = (field for line in lines for field in line.split(separator[0]))
    return any("," in field and _is_number(field.strip('"')) for field in fields)
