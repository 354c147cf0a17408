"""Ten groups of users or movies by their number of ratings."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

DECILES: Final = 10


def find_deciles(train_ratings: npt.NDArray[np.integer[Any]]) -> npt.NDArray[np.int64]:
    """Cut users or movies into ten groups of equal size by their number of train ratings.

    Parameters
    ----------
    train_ratings : ndarray of int, shape (n,)
        In ascending order of id; equal numbers are ordered by it.

    Returns
    -------
    ndarray of int64, shape (n,)
        From 1, the fewest ratings, to 10; 0 for those without a train rating, which are in no decile. With fewer
        than ten to cut, some deciles are empty.

    Examples
    --------
    >>> find_deciles(np.array([0, 7, 90, 7])).tolist()
    [0, 1, 7, 4]
    """
    decile = np.zeros(len(train_ratings), dtype=np.int64)
    rated = np.flatnonzero(train_ratings)
    order = rated[np.argsort(train_ratings[rated], kind="stable")]
    decile[order] = 1 + np.arange(len(order)) * DECILES // max(1, len(order))
    return decile
