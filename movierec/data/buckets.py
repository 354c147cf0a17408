"""Ratings divided among buckets by ranges of users, in memory or on disk; each bucket can be sorted in memory."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from movierec.columns import MOVIE_ID, RATING, TIMESTAMP, USER_ID

BYTES_PER_ROW: Final = 150  # at the peak, while a bucket is sorted
BINS: Final = 1 << 22
MOST_BUCKETS: Final = 1000
TYPES: Final[Mapping[str, Any]] = {USER_ID: np.int32, MOVIE_ID: np.int32, RATING: np.float32, TIMESTAMP: np.int64}
Column = npt.NDArray[Any]


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
        self._renewed: set[int] = set()

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

    def renew(self, number: int, table: pd.DataFrame) -> None:
        """Put a table beside a bucket, in whose place it is once it is adopted; what is cut short can be done again."""
        for name in self.columns:
            column = table[name].to_numpy()
            if self._folder is None:
                self._held[number, name] = [column]
            else:
                column.astype(TYPES[name], copy=False).tofile(self._folder / f"{_name(number, name)}-renewed")

    def adopt(self, number: int) -> None:
        """Read what a bucket was renewed with from now on, and forget what it held."""
        for name in self.columns if self._folder else ():
            self._path(number, name).unlink(missing_ok=True)
        self._renewed.add(number)

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
                with self._path(number, name).open("ab") as file:
                    column.astype(TYPES[name], copy=False).tofile(file)

    def _read(self, number: int, name: str) -> Column:
        if self._folder is None:
            held = self._held.get((number, name), [])
            return held[0] if len(held) == 1 else np.concatenate([np.empty(0, dtype=TYPES[name]), *held])
        path = self._path(number, name)
        return np.fromfile(path, dtype=TYPES[name]) if path.exists() else np.empty(0, dtype=TYPES[name])

    def _path(self, number: int, name: str) -> Path:
        own = _name(number, name)
        return (self._folder or Path()) / (f"{own}-renewed" if number in self._renewed else own)


def _name(number: int, name: str) -> str:
    return f"bucket-{number:05d}-{name}"
