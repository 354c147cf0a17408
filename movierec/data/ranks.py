"""Which of many keys has a given rank, found by counting: nothing is sorted as a whole, and little is held."""

from collections.abc import Callable, Iterable
from functools import partial
from itertools import product
from typing import Any, Final

import numpy as np
import numpy.typing as npt

MOST_HELD: Final = 1 << 20  # keys that are sorted in memory
_BITS: Final = 16  # told by one count
_BINS: Final = 1 << _BITS
_SIGN: Final = 1 << (_BITS - 1)

Keys = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]
Visit = Callable[[Callable[[Keys], Any]], Iterable[Any]]
Digit = tuple[int, int, int]  # column, shift, value


def find_at_rank(visit: Visit, rank: int) -> tuple[int, int]:
    """Find the key that has exactly `rank` smaller ones.

    Parameters
    ----------
    visit : callable
        Applies a function to each piece of the keys, wherever it lies: two arrays of int64, which decide one after the
        other. It is called two or three times for random keys, at most nine times.
    rank : int
        From 0; below the number of keys.

    Returns
    -------
    first, second : int
        The key.

    Examples
    --------
    >>> pieces = [(np.array([5, -3]), np.array([1, 2])), (np.array([5]), np.array([0]))]
    >>> find_at_rank(lambda function: map(function, pieces), 1)
    (5, 0)
    """
    known: tuple[Digit, ...] = ()
    for column, shift in product((0, 1), range(64 - _BITS, -1, -_BITS)):
        counts = np.zeros(_BINS, dtype=np.int64)
        for found in visit(partial(_count_digits, known, column, shift)):
            counts += found
        upto = np.cumsum(counts)
        digit = int(np.searchsorted(upto, rank, side="right"))
        rank -= int(upto[digit] - counts[digit])
        known = (*known, (column, shift, digit))
        if counts[digit] <= MOST_HELD:
            break
    first, second = (np.concatenate(each) for each in zip(*visit(partial(_keep, known)), strict=True))
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


def _count_digits(known: tuple[Digit, ...], column: int, shift: int, keys: Keys) -> npt.NDArray[np.int64]:
    return np.bincount(_digits(_keep(known, keys)[column], shift), minlength=_BINS)


def _keep(known: tuple[Digit, ...], keys: Keys) -> Keys:
    for column, shift, digit in known:
        kept = _digits(keys[column], shift) == digit
        keys = keys[0][kept], keys[1][kept]
    return keys
