"""Work on a table part by part: how it is cut, by the data alone, and what a step does with files."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd

from movierec.columns import USER_ID

PART_ROWS: Final = 1_000_000


class Files(NamedTuple):
    """What one step reads and writes; both may be elsewhere where it is done.

    Attributes
    ----------
    reads : tuple of Path
        All are there.
    writes : tuple of Path
        Not all need be written.
    """

    reads: tuple[Path, ...]
    writes: tuple[Path, ...] = ()


Run = Callable[[Callable[[Files], Any], Iterable[Files]], Iterable[Any]]  # as `map`, perhaps on other machines


def cut_parts(tables: Iterable[pd.DataFrame], rows: int | None = None) -> Iterator[pd.DataFrame]:
    """Cut ratings into parts that do not depend on how they arrive.

    Parameters
    ----------
    tables : iterable of DataFrame
        Sorted by user, with whole users in each; together a table sorted by user.
    rows : int, optional
        Rows of a part, `PART_ROWS` by default. A user belongs to the part (rows of all users before) // `rows`; of
        those numbers only the ones that occur make a part.

    Yields
    ------
    DataFrame
        At least one row; fewer than `rows` and a user more.
    """
    rows = rows or PART_ROWS
    offset = last = 0
    held: list[pd.DataFrame] = []
    for table in tables:
        if table.empty:
            continue
        users = table[USER_ID].to_numpy()
        first = np.flatnonzero(np.append(True, users[1:] != users[:-1]))
        numbers = (offset + first) // rows
        cuts = np.flatnonzero(np.diff(numbers, prepend=-1))
        for cut, end in zip(cuts, [*first[cuts[1:]], len(users)], strict=True):
            if numbers[cut] != last and held:
                yield pd.concat(held, ignore_index=True)
                held = []
            last = int(numbers[cut])
            held.append(table.iloc[first[cut] : end])
        offset += len(users)
    if held:
        yield pd.concat(held, ignore_index=True)
