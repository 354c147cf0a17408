"""Tables that lie in several files, as clusters and databases write them: which files belong together."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from movierec.data.tables import Table

_NUMBER: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d+")


def join_parts(tables: Sequence[Table]) -> list[Table]:
    """Put tables together whose files are called alike but for numbers, and that are read alike.

    Parameters
    ----------
    tables : sequence of Table
        Of one file each.

    Returns
    -------
    list of Table
        In the order of each one's first file; the files of one are in the order of their numbers.

    Examples
    --------
    >>> names = ["part-10.csv", "part-9.csv", "movies.csv"]
    >>> found = join_parts([Table(Path(name), "text", ("user", "item")) for name in names])
    >>> [[file.path.name for file in table.files] for table in found]
    [['part-9.csv', 'part-10.csv'], ['movies.csv']]
    """
    groups: dict[tuple[Path, Table], list[Table]] = {}
    for table in sorted(tables, key=lambda each: _read_numbers(each.path)):
        groups.setdefault((blank_numbers(table.path), replace(table, path=Path())), []).append(table)
    joined = [replace(first, further=tuple(each.path for each in others)) for first, *others in groups.values()]
    return sorted(joined, key=lambda each: tables.index(replace(each, further=())))


def blank_numbers(path: Path) -> Path:
    """Return a path with a sign for each number or UUID of the file's name: the same for all parts of a table."""
    return path.with_name(_NUMBER.sub("#", path.name))


def _read_numbers(path: Path) -> list[tuple[str, int]]:
    texts, numbers = _NUMBER.split(path.name), _NUMBER.findall(path.name)
    return [(text, int(number.partition("-")[0], 16)) for text, number in zip(texts, [*numbers, "0"], strict=True)]
