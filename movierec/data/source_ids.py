"""The ids that the user's own data has, and the int32 codes that stand for them inside; both ways."""

import difflib
from collections.abc import Iterable
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import polars as pl

from movierec.errors import MovierecError

SOURCE_ID: Final = "source_id"
_MAX_CODE: Final = 2**31 - 1

Codes = npt.NDArray[np.int32]


class SourceIds:
    """The codes of some users or movies, and what the user calls them.

    Parameters
    ----------
    codes : array_like of int32, shape (n,)
        Distinct.
    own : sequence of str, shape (n,)
        The ids in the user's data, to the last character; distinct.

    Examples
    --------
    >>> ids = SourceIds([1, 2], ["007", "U12"])
    >>> ids.encode(["U12"]).tolist(), ids.decode([1])
    ([2], ['007'])
    """

    def __init__(self, codes: npt.ArrayLike, own: Iterable[str]) -> None:
        self.codes: Codes = np.asarray(codes, dtype=np.int32)
        self.own = np.array(list(own), dtype=object)
        self._codes, self._own = pd.Index(self.codes), pd.Index(self.own, dtype=object)
        if len(self.codes) != len(self.own) or not (self._codes.is_unique and self._own.is_unique):
            raise ValueError("codes and ids must be distinct and as many")

    @classmethod
    def from_table(cls, table: pd.DataFrame, column: str) -> "SourceIds":
        """Read the ids of a table that the clean stage wrote.

        Parameters
        ----------
        table : DataFrame
            users.parquet or movies.parquet.
        column : str
            Of the codes. Without a column ``source_id`` the codes are the user's own ids.
        """
        own = table[SOURCE_ID] if SOURCE_ID in table else table[column].astype(str)
        return cls(table[column].to_numpy(), own.tolist())

    def __len__(self) -> int:
        """Return the number of ids."""
        return len(self.codes)

    def find(self, own: object) -> int | None:
        """Return the code of one of the user's own ids, given as text or as a number; None if it is unknown."""
        row = self._own.get_indexer([str(own)])[0]
        return int(self.codes[row]) if row >= 0 else None

    def find_all(self, own: Iterable[object]) -> Codes:
        """Return the code of each of the user's own ids, shape (n,); -1 for unknown ones."""
        rows = self._own.get_indexer([str(each) for each in own])
        return np.where(rows >= 0, self.codes[rows], -1).astype(np.int32)

    def encode(self, own: Iterable[object], what: str = "id") -> Codes:
        """Turn the user's own ids into codes.

        Parameters
        ----------
        own : iterable of str or int
            As the data has them.
        what : str
            What they are the ids of, for the error.

        Returns
        -------
        ndarray of int32, shape (n,)
            In the order given.

        Raises
        ------
        MovierecError
            If one is unknown; the message names those most like it.
        """
        asked = [str(each) for each in own]
        rows = self._own.get_indexer(asked)
        if (rows < 0).any():
            unknown = asked[int(np.argmin(rows))]
            near = difflib.get_close_matches(unknown, self.own[:100_000].tolist(), n=3, cutoff=0.5)
            hint = f": did you mean {' or '.join(repr(each) for each in near)}?" if near else ""
            raise MovierecError(f"unknown {what} {unknown!r}{hint}")
        return np.asarray(self.codes[rows], dtype=np.int32)

    def decode(self, codes: npt.ArrayLike) -> list[str]:
        """Turn codes into the user's own ids.

        Raises
        ------
        KeyError
            If a code is unknown: that is a defect of the caller.
        """
        wanted = np.asarray(codes)
        rows = self._codes.get_indexer(pd.Index(wanted))
        if (rows < 0).any():
            raise KeyError(f"unknown code {wanted[np.argmin(rows)]}")
        return [str(each) for each in self.own[rows]]

    def to_table(self, column: str) -> pd.DataFrame:
        """Return the codes under `column` and the own ids under ``source_id``, ascending by code."""
        order = np.argsort(self.codes)
        own = pd.Series(self.own[order], dtype="str")
        return pd.DataFrame({column: self.codes[order], SOURCE_ID: own})


def parse_integers(text: pl.Expr) -> pl.Expr:
    """Turn ids into 64-bit integers where nothing is lost by it: null for ``007``, ``+7``, ``7.0`` and words.

    Blanks around a number do not count.
    """
    bare = text.str.strip_chars()
    padded = (bare.str.starts_with("0") & (bare.str.len_bytes() > 1)) | bare.str.starts_with("-0")
    return pl.when(~(padded | bare.str.starts_with("+"))).then(bare.cast(pl.Int64, strict=False))


def order_ids(ids: pl.Series, others: pl.Series | None = None) -> pl.Series | None:
    """List the distinct ids whose place, from 1, is their code; None where each id is its own code.

    Parameters
    ----------
    ids : Series of Int64 or String
        Without null.
    others : Series, optional
        More ids of the same type that need a code, too.

    Returns
    -------
    Series or None
        Ascending: integers by value, texts by code point. None of integers of 0 to 2,147,483,647.
    """
    both = ids.unique() if others is None else pl.concat([ids.unique(), others.cast(ids.dtype)]).unique()
    if ids.dtype == pl.Int64 and (both.is_empty() or (both.min() >= 0 and both.max() <= _MAX_CODE)):  # type: ignore[operator]
        return None
    return both.sort()


class Encoder:
    """Turns ids into codes.

    Parameters
    ----------
    ordered : Series or None
        From `order_ids`.
    """

    def __init__(self, ordered: pl.Series | None) -> None:
        self._ordered = ordered
        self._enum = pl.Enum(ordered) if ordered is not None and ordered.dtype == pl.String else None

    def encode(self, ids: pl.Series) -> Codes:
        """Return the codes of ids of Int64 or String, all among the ordered ones, shape (n,)."""
        if self._ordered is None:
            return ids.cast(pl.Int32).to_numpy()
        if self._enum is not None:
            return (ids.cast(self._enum).to_physical().cast(pl.Int32) + 1).to_numpy()
        rows, distinct = pd.factorize(ids.to_numpy())
        return (np.searchsorted(self._ordered.to_numpy(), distinct).astype(np.int32) + 1)[rows]
