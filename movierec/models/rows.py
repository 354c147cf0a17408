"""Rows of a matrix for a column of ids, in compiled passes; a fixed list of ids and look-ups in it are `ids`'."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from movierec.compiled import njit

SPREAD = 4  # widest range of ids for which a table is kept, in ids given
FEW = 1_000_000  # or so wide

Rows = npt.NDArray[np.int32]


def rank_ids(ids: npt.NDArray[np.integer[Any]]) -> tuple[Rows, npt.NDArray[np.integer[Any]]]:
    """Return the place of each id among the distinct ones in ascending order.

    Parameters
    ----------
    ids : ndarray of int, shape (n,)
        At least one, in any order.

    Returns
    -------
    rows : ndarray of int32, shape (n,)
        From 0.
    distinct : ndarray of int
        The ids in ascending order, in their type.

    Raises
    ------
    ValueError
        If there is no id.

    Examples
    --------
    >>> rows, distinct = rank_ids(np.array([30, 10, 30]))
    >>> rows.tolist(), distinct.tolist()
    ([1, 0, 1], [10, 30])
    """
    low, high = int(ids.min()), int(ids.max())
    if high - low < max(SPREAD * len(ids), FEW):
        rows, present = _rank(ids, low, high)
        return rows, (np.flatnonzero(present) + low).astype(ids.dtype)
    found, distinct = pd.factorize(ids, sort=True)
    return found.astype(np.int32), distinct


@njit()
def _rank(ids, low, high):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    present = np.zeros(high - low + 1, dtype=np.bool_)
    for n in range(len(ids)):
        present[ids[n] - low] = True
    rank = np.empty(len(present), dtype=np.int32)
    count = 0
    for place in range(len(present)):
        rank[place] = count
        count += present[place]
    rows = np.empty(len(ids), dtype=np.int32)
    for n in range(len(ids)):
        rows[n] = rank[ids[n] - low]
    return rows, present
