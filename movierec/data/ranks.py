"""Which of many keys has a given rank, found by counting: nothing is sorted as a whole, and little is held."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import product
from typing import Final

import numpy as np
import numpy.typing as npt

MOST_HELD: Final = 1 << 20  # keys that are sorted in memory
_BITS: Final = 16  # told by one count
_BINS: Final = 1 << _BITS
_SIGN: Final = 1 << (_BITS - 1)

Keys = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]


def find_at_rank(read: Callable[[], Iterable[Keys]], rank: int) -> tuple[int, int]:
    """Find the key that has exactly `rank` smaller ones.

    Parameters
    ----------
    read : callable
        Gives the keys anew each time, in pieces: two arrays of int64, which decide one after the other. It is called
        once or twice for random keys, at most eight times.
    rank : int
        From 0; below the number of keys.

    Returns
    -------
    first, second : int
        The key.

    Examples
    --------
    >>> find_at_rank(lambda: [(np.array([5, -3]), np.array([1, 2])), (np.array([5]), np.array([0]))], 1)
    (5, 0)
    """
    for column, shift in product((0, 1), range(64 - _BITS, -1, -_BITS)):
        counts = np.zeros(_BINS, dtype=np.int64)
        for keys in read():
            counts += np.bincount(_digits(keys[column], shift), minlength=_BINS)
        upto = np.cumsum(counts)
        digit = int(np.searchsorted(upto, rank, side="right"))
        rank -= int(upto[digit] - counts[digit])
        read = partial(_keep, read, column, shift, digit)
        if counts[digit] <= MOST_HELD:
            break
    first, second = (np.concatenate(each) for each in zip(*read(), strict=True))
    row = np.lexsort((second, first))[rank]
    return int(first[row]), int(second[row])


def come_before(keys: Keys, bound: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Mark the keys that are smaller than another one, shape (n,)."""
    first, second = keys
    before: npt.NDArray[np.bool_] = (first < bound[0]) | ((first == bound[0]) & (second < bound[1]))
    return before


def _digits(keys: npt.NDArray[np.int64], shift: int) -> npt.NDArray[np.int64]:
    """Return the 16 bits from `shift` on as numbers in the order of the keys, whose sign is in the highest."""
    digits = (keys >> shift) & (_BINS - 1)
    return digits ^ _SIGN if shift == 64 - _BITS else digits


def _keep(read: Callable[[], Iterable[Keys]], column: int, shift: int, digit: int) -> Iterator[Keys]:
    for first, second in read():
        kept = _digits((first, second)[column], shift) == digit
        yield first[kept], second[kept]
