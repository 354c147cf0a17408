"""What is counted while ratings pass by, so that nobody needs all of them at once."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import polars as pl

from movierec.columns import MOVIE_ID, RATING, USER_ID


class Counts:
    """How often each value occurs.

    Examples
    --------
    >>> counts = Counts()
    >>> counts.add(np.array([2, 1, 2]))
    >>> counts.distinct.tolist(), counts.numbers.tolist()
    ([1, 2], [1, 2])
    """

    def __init__(self) -> None:
        self._table: pl.DataFrame | None = None

    def add(self, values: npt.NDArray[Any]) -> None:
        """Count more values, of one type always."""
        table = pl.Series("value", values).value_counts(name="number").cast({"number": pl.Int64})
        if self._table is not None:
            table = pl.concat([self._table, table]).group_by("value").agg(pl.col("number").sum())
        self._table = table

    @property
    def distinct(self) -> npt.NDArray[Any]:
        """The distinct values, ascending."""
        return self._sorted("value")

    @property
    def numbers(self) -> npt.NDArray[np.int64]:
        """How often each of `distinct` occurs."""
        return self._sorted("number")

    def __len__(self) -> int:
        """Return the number of distinct values."""
        return 0 if self._table is None else self._table.height

    def _sorted(self, name: str) -> npt.NDArray[Any]:
        if self._table is None:
            return np.empty(0, dtype=np.int64)
        self._table = self._table.sort("value")
        return self._table[name].to_numpy()


@dataclass
class Tally:
    """What the tables of ratings hold that passed by.

    Attributes
    ----------
    ratings : int
        Rows.
    stars, movies : Counts
        Ratings by their value and by movie.
    """

    ratings: int = 0
    stars: Counts = field(default_factory=Counts)
    movies: Counts = field(default_factory=Counts)
    _users: list[npt.NDArray[np.int32]] = field(default_factory=list)

    def count(self, tables: Iterable[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        """Pass tables on, counting each; they hold whole users, in the order of users."""
        for table in tables:
            self.ratings += len(table)
            self.stars.add(table[RATING].to_numpy())
            self.movies.add(table[MOVIE_ID].to_numpy())
            self._users.append(np.unique(table[USER_ID].to_numpy()))
            yield table

    @property
    def users(self) -> npt.NDArray[np.int32]:
        """The users, ascending."""
        return np.concatenate([np.empty(0, dtype=np.int32), *self._users])


def tally_ratings(tables: Iterable[pd.DataFrame]) -> Tally:
    """Count all tables; see `Tally.count`."""
    tally = Tally()
    for _ in tally.count(tables):
        pass
    return tally
