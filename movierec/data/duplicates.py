"""Several ratings of one pair of user and movie: one of each bucket's pairs is kept or made."""

from functools import partial

import numpy as np
import numpy.typing as npt
import pandas as pd

from movierec.columns import MOVIE_ID, RATING, TIMESTAMP, USER_ID
from movierec.data.buckets import Buckets
from movierec.data.limits import CleanReport
from movierec.data.parts import Run


def pair_keys(ratings: pd.DataFrame) -> npt.NDArray[np.int64]:
    """Return one integer for each (user, movie) pair, ordered as the pairs are, shape (rows,)."""
    keys: npt.NDArray[np.int64] = (ratings[USER_ID].to_numpy(dtype=np.int64) << 32) + ratings[MOVIE_ID].to_numpy()
    return keys


def merge_duplicates(buckets: Buckets, report: CleanReport, kind: str, run: Run) -> int:
    """Sort each bucket by pair, and keep or make one rating of each; return how many there are."""
    sizes = list(buckets.change(partial(_merge_pairs, kind), run))
    left = sum(after for _, after in sizes)
    report.dropped["duplicate"] = sum(before for before, _ in sizes) - left
    return left


def _merge_pairs(kind: str, ratings: pd.DataFrame) -> pd.DataFrame:
    key = pair_keys(ratings)
    if (np.diff(key) > 0).all():
        return ratings
    times = [ratings[TIMESTAMP].to_numpy()] if TIMESTAMP in ratings else []
    order = np.lexsort((*times, key))
    ratings, key = ratings.iloc[order].reset_index(drop=True), key[order]
    is_first = np.append(True, key[1:] != key[:-1])
    is_last = np.append(key[1:] != key[:-1], True)
    kept = ratings.loc[is_first if kind == "first" else is_last].reset_index(drop=True)
    if kind in {"mean", "sum"}:
        start = np.flatnonzero(is_first)
        total = np.add.reduceat(ratings[RATING].to_numpy(dtype=np.float64), start)
        size = np.diff(np.append(start, len(key)))
        kept[RATING] = (total / size if kind == "mean" else total).astype(np.float32)
    return kept
