"""Mapping between the data set's ids and the rows of a matrix."""

import re
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

UNKNOWN = -1
LARGEST_ID: Final = 2**31 - 1
LONGEST_ID: Final = 200  # characters

OwnId = int | str  # of a user or movie, as the data has it
_INTEGER: Final = re.compile("0|[1-9][0-9]{0,9}")


class IdIndex:
    """A fixed list of distinct ids and the row of each.

    Parameters
    ----------
    ids : array_like of int, shape (n,)
        Distinct ids; row ``j`` belongs to ``ids[j]``.

    Raises
    ------
    ValueError
        If an id occurs twice or is no 32-bit integer.

    Examples
    --------
    >>> index = IdIndex([30, 10, 20])
    >>> index.rows([10, 99]).tolist()
    [1, -1]
    """

    def __init__(self, ids: npt.ArrayLike) -> None:
        given = np.asarray(ids)
        self.ids = given.astype(np.int32)
        if not np.array_equal(self.ids, given):  # the cast wraps and truncates without a word
            raise ValueError("ids must be 32-bit integers")
        self._index = pd.Index(self.ids)
        if not self._index.is_unique:
            raise ValueError("ids must be distinct")

    def __len__(self) -> int:
        """Return the number of ids."""
        return len(self.ids)

    def rows(self, ids: npt.ArrayLike) -> npt.NDArray[np.int32]:
        """Return the row of each id, in the shape of `ids`; `UNKNOWN` (-1) where the id is not in the index."""
        wanted = np.asarray(ids)
        return self._index.get_indexer(pd.Index(wanted.ravel())).astype(np.int32).reshape(wanted.shape)


def read_id(own: OwnId) -> OwnId:
    """Return an id in the one form that ids are compared and stored in.

    Parameters
    ----------
    own : int or str
        As someone wrote it.

    Returns
    -------
    int or str
        An integer where it is one from 0 to `LARGEST_ID`, otherwise text.

    Examples
    --------
    >>> read_id("42"), read_id("007"), read_id(76561198000000001)
    (42, '007', '76561198000000001')
    """
    text = str(own)
    return int(text) if _INTEGER.fullmatch(text) and int(text) <= LARGEST_ID else text


def find_rows(ids: npt.NDArray[np.integer[Any]], wanted: npt.ArrayLike) -> npt.NDArray[np.int32]:
    """Return the row of each wanted id, in microseconds where `IdIndex` takes a fraction of a millisecond.

    Parameters
    ----------
    ids : ndarray of int, shape (rows,)
        Ascending and distinct; at least one.
    wanted : array_like of int, shape (n,)
        Any ids.

    Returns
    -------
    ndarray of int32, shape (n,)
        -1 where the id is not among `ids`.

    Examples
    --------
    >>> find_rows(np.array([10, 20, 30], dtype=np.int32), [30, 99, 10]).tolist()
    [2, -1, 0]
    """
    asked = np.asarray(wanted, dtype=np.int64)
    rows = np.minimum(np.searchsorted(ids, asked), len(ids) - 1)
    return np.where(ids[rows] == asked, rows, -1).astype(np.int32)
