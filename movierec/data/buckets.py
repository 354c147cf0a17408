"""Ratings divided among buckets by ranges of users, in memory or on disk; each bucket can be sorted in memory."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from movierec.columns import MOVIE_ID, RATING, TIMESTAMP, USER_ID
from movierec.data.parts import Files, Run

BYTES_PER_ROW: Final = 150  # at the peak, while a bucket is sorted
BINS: Final = 1 << 22
MOST_BUCKETS: Final = 1000
TYPES: Final[Mapping[str, Any]] = {USER_ID: np.int32, MOVIE_ID: np.int32, RATING: np.float32, TIMESTAMP: np.int64}
Column = npt.NDArray[Any]
Change = Callable[[pd.DataFrame], pd.DataFrame]


class Workspace(NamedTuple):
    """Where rows are kept meanwhile.

    Attributes
    ----------
    folder : Path or None
        An empty folder; None keeps them in memory.
    bucket_rows : int or None
        How many rows may be in memory; None: any number.
    """

    folder: Path | None = None
    bucket_rows: int | None = None


class UserHistogram:
    """Rows by user, or by a few neighbouring users where their codes are large; the memory is bounded."""

    def __init__(self) -> None:
        self.rows = 0
        self._shift = 0
        self._counts = np.zeros(BINS, dtype=np.int64)

    def add(self, users: npt.NDArray[np.int32]) -> None:
        """Count the users of more rows."""
        self.rows += len(users)
        while users.max(initial=0) >> self._shift >= BINS:
            self._shift += 1
            pairs = self._counts.reshape(-1, 2).sum(axis=1)
            self._counts = np.concatenate([pairs, np.zeros(BINS // 2, dtype=np.int64)])
        self._counts += np.bincount(self._bin(users), minlength=BINS)

    def divide(self, buckets: int) -> "UserRanges":
        """Cut the users into ranges with about equally many rows."""
        before = np.cumsum(self._counts) - self._counts
        return UserRanges(self._shift, (before * buckets // max(1, self.rows)).astype(np.int16))

    def _bin(self, users: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
        return np.maximum(users, 0) >> self._shift


class UserRanges(NamedTuple):
    """Which bucket a user belongs to: ``buckets[user >> shift]``, not descending."""

    shift: int
    buckets: npt.NDArray[np.int16]

    def find(self, users: npt.NDArray[np.int32]) -> npt.NDArray[np.int16]:
        """Return the bucket of each user, shape (n,)."""
        found: npt.NDArray[np.int16] = self.buckets[np.maximum(users, 0) >> self.shift]
        return found


class Buckets:
    """Rows by bucket, in the order in which they came.

    Parameters
    ----------
    workspace : Workspace
        Where they are kept: each column of a bucket in a file, or all in memory.
    histogram : UserHistogram
        Of the rows that will come.
    columns : iterable of str
        Names of `TYPES`.
    """

    def __init__(self, workspace: Workspace, histogram: UserHistogram, columns: Iterable[str]) -> None:
        needed = -(-histogram.rows // (workspace.bucket_rows or max(1, histogram.rows)))
        self.number = min(max(1, needed), MOST_BUCKETS)
        self.columns = tuple(columns)
        self._ranges = histogram.divide(self.number)
        self._folder = workspace.folder
        self._held: dict[tuple[int, str], list[Column]] = {}
        self._suffixes: dict[int, str] = {}

    def add(self, table: pd.DataFrame) -> None:
        """Put each row into its bucket, behind those that are there."""
        columns = {name: table[name].to_numpy() for name in self.columns}
        if self.number == 1:
            self._append(0, columns)
            return
        bucket = self._ranges.find(columns[USER_ID])
        order = np.argsort(bucket, kind="stable")
        cuts = np.searchsorted(bucket[order], np.arange(self.number + 1))
        for number, (start, end) in enumerate(pairwise(cuts)):
            if end > start:
                self._append(number, {name: column[order[start:end]] for name, column in columns.items()})

    def change(self, change: Change, run: Run) -> Iterator[tuple[int, int]]:
        """Put what a function makes of each bucket in its place; yield how many rows it had and has, if it had any.

        A changed bucket is written beside the old one, so that a step that is cut short can be done again.

        Parameters
        ----------
        change : callable
            May return the very table that it is given.
        run : callable
            Does it, where rows are on disk.
        """
        if self._folder is None:
            yield from map(partial(self._change_held, change), range(self.number))
            return
        numbers = [number for number in range(self.number) if self._locate(number, USER_ID).exists()]
        steps = [Files(self._paths(number), self._paths(number, "-changed")) for number in numbers]
        found = run(partial(_change_files, self.columns, change), steps)
        for number, (before, after, is_changed) in zip(numbers, found, strict=True):
            if is_changed:
                for path in self._paths(number):
                    path.unlink()
                self._suffixes[number] = "-changed"
            yield before, after

    def read(self, number: int, columns: Iterable[str] | None = None) -> pd.DataFrame:
        """Return the rows of a bucket, or some columns of them."""
        return pd.DataFrame({name: self._read(number, name) for name in columns or self.columns}, copy=False)

    def read_all(self, columns: Iterable[str] | None = None) -> Iterator[pd.DataFrame]:
        """Yield bucket after bucket, in the order of their users."""
        return (self.read(number, columns) for number in range(self.number))

    def _append(self, number: int, columns: Mapping[str, Column]) -> None:
        for name, column in columns.items():
            if self._folder is None:
                self._held.setdefault((number, name), []).append(column)
            else:
                with self._locate(number, name).open("ab") as file:
                    column.astype(TYPES[name], copy=False).tofile(file)

    def _change_held(self, change: Change, number: int) -> tuple[int, int]:
        table = self.read(number)
        changed = change(table)
        self._held |= {(number, name): [changed[name].to_numpy()] for name in self.columns}
        return len(table), len(changed)

    def _read(self, number: int, name: str) -> Column:
        if self._folder is None:
            held = self._held.get((number, name), [])
            return held[0] if len(held) == 1 else np.concatenate([np.empty(0, dtype=TYPES[name]), *held])
        path = self._locate(number, name, self._suffixes.get(number, ""))
        return np.fromfile(path, dtype=TYPES[name]) if path.exists() else np.empty(0, dtype=TYPES[name])

    def _paths(self, number: int, suffix: str = "") -> tuple[Path, ...]:
        return tuple(self._locate(number, name, suffix) for name in self.columns)

    def _locate(self, number: int, name: str, suffix: str = "") -> Path:
        return (self._folder or Path()) / f"bucket-{number:05d}-{name}{suffix}"


def _change_files(columns: Sequence[str], change: Change, files: Files) -> tuple[int, int, bool]:
    """Return how many rows a bucket's files had and have, and whether they were changed."""
    read = {name: np.fromfile(path, dtype=TYPES[name]) for name, path in zip(columns, files.reads, strict=True)}
    table = pd.DataFrame(read, copy=False)
    changed = change(table)
    if changed is not table:
        for name, path in zip(columns, files.writes, strict=True):
            changed[name].to_numpy().astype(TYPES[name], copy=False).tofile(path)
    return len(table), len(changed), changed is not table
