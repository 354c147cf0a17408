"""Rows of ids in an ascending array, found in microseconds where `IdIndex` takes a fraction of a millisecond."""

import numpy as np
import numpy.typing as npt


def find_rows(ids: npt.NDArray[np.int32], wanted: npt.ArrayLike) -> npt.NDArray[np.int32]:
    """Return the row of each wanted id.

    Parameters
    ----------
    ids : ndarray of int32, shape (rows,)
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
