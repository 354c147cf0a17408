"""Which arm of an experiment a user belongs to, decided by a salted hash; no outcome is looked at here.

Written here because GrowthBook's own library, whose published vectors the tests hold this against, is a client of its
service and hashes one id at a time; whole tables of users are assigned here.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from movierec.errors import MovierecError

BUCKETS: Final = 10_000
NOT_ASSIGNED: Final = -1

_OFFSET_BASIS: Final = 0x811C9DC5
_PRIME: Final = 0x01000193
_MASK: Final = 0xFFFFFFFF


def hash_fnv1a32(text: str) -> int:
    """Hash a text with FNV-1a, 32 bits, over its UTF-8 bytes (Fowler, Noll and Vo).

    Parameters
    ----------
    text : str
        May be empty.

    Returns
    -------
    int
        0 to 2**32 - 1.

    Examples
    --------
    >>> hex(hash_fnv1a32("a"))
    '0xe40c292c'
    """
    value = _OFFSET_BASIS
    for byte in text.encode():
        value = (value ^ byte) * _PRIME & _MASK
    return value


def bucket_of(seed: str, value: str) -> int:
    """Place a value in one of 10,000 buckets by version 2 of GrowthBook's hash.

    The second round of hashing is what makes two experiments independent: after one round, texts that differ
    only in the seed have correlated hashes.

    Parameters
    ----------
    seed : str
        The salt, such as the name of an experiment.
    value : str
        The user's id as text.

    Returns
    -------
    int
        0 to 9,999; GrowthBook divides it by 10,000.

    Examples
    --------
    >>> bucket_of("seed", "a")
    505
    """
    return hash_fnv1a32(str(hash_fnv1a32(seed + value))) % BUCKETS


def buckets_of(seed: str, user_ids: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
    """Place many users in buckets: `bucket_of` of each id's decimal text, at array speed.

    Parameters
    ----------
    seed : str
        The salt.
    user_ids : ndarray of integers, shape (users,)
        Any integers, repeated or negative ones too.

    Returns
    -------
    ndarray of int64, shape (users,)
        0 to 9,999.
    """
    first = _hash_texts(user_ids.astype("S"), hash_fnv1a32(seed))
    return _hash_texts(first.astype("S"), _OFFSET_BASIS).astype(np.int64) % BUCKETS


def _hash_texts(texts: NDArray[np.bytes_], start: int) -> NDArray[np.uint32]:
    characters = np.ascontiguousarray(texts).view(np.uint8).reshape(len(texts), texts.dtype.itemsize)
    hashes = np.full(len(texts), start, dtype=np.uint32)
    for column in characters.T:  # the k-th character of every text
        hashes = np.where(column == 0, hashes, (hashes ^ column) * np.uint32(_PRIME))  # NumPy pads with zero bytes
    return hashes


@dataclass(frozen=True)
class Experiment:
    """A named experiment: its arms, their shares, and how much of the traffic takes part.

    Each arm owns a range of buckets that starts where the arms before it would end at full coverage, as in
    GrowthBook. So coverage only moves the end of each range: ramping up adds users and moves none between arms.

    Parameters
    ----------
    name : str
        Salts the hash: the same user is assigned independently in experiments of different names.
    arms : mapping of str to float
        Positive weight of each arm; divided by their sum. Order matters: it decides who owns which buckets.
    coverage : float
        Share of users in the experiment, 0 to 1.

    Raises
    ------
    MovierecError
        If there is no name, fewer than two arms, a weight that is not positive and finite or too small for one
        bucket of 10,000, or a coverage outside 0 to 1.

    Examples
    --------
    >>> Experiment("als-against-popularity", {"control": 1, "treatment": 1}).assign(42)
    'control'
    """

    name: str
    arms: Mapping[str, float]
    coverage: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what cannot be assigned."""
        if not self.name:
            raise MovierecError("an experiment needs a name: it salts the assignment")
        if len(self.arms) < 2:
            raise MovierecError(f"experiment {self.name!r} has {len(self.arms)} arm(s): name at least two")
        if not 0 <= self.coverage <= 1:
            raise MovierecError(f"coverage is {self.coverage}: it must be between 0 and 1")
        for arm, weight in self.arms.items():
            if not (math.isfinite(weight) and weight > 0):
                raise MovierecError(f"arm {arm!r} has weight {weight}: weights must be positive finite numbers")
        for arm, share in self.shares.items():
            if share * BUCKETS < 1:
                raise MovierecError(f"arm {arm!r} gets {share:.2g} of the users: the least share is {1 / BUCKETS:g}")

    @cached_property
    def shares(self) -> dict[str, float]:
        """Weight of each arm divided by the sum of all, in the order of `arms`."""
        largest = max(self.arms.values())  # first, as the sum of huge weights would overflow
        scaled = {arm: weight / largest for arm, weight in self.arms.items()}
        total = math.fsum(scaled.values())
        return {arm: weight / total for arm, weight in scaled.items()}

    @cached_property
    def _ranges(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        widths = np.array(list(self.shares.values())) * BUCKETS
        starts = np.concatenate([[0.0], np.cumsum(widths)[:-1]])
        # Rounding makes ranges meet exactly at full coverage, whatever the last bits of the sums are.
        return starts.round(6), (starts + widths * self.coverage).round(6)

    def assign(self, user_id: int | str) -> str | None:
        """Return the arm of one user.

        Parameters
        ----------
        user_id : int or str
            42 and ``"42"`` are the same user.

        Returns
        -------
        str or None
            None where coverage leaves the user out.
        """
        bucket = bucket_of(self.name, str(user_id))
        for arm, start, end in zip(self.arms, *self._ranges, strict=True):
            if start <= bucket < end:
                return arm
        return None

    def assign_many(self, user_ids: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
        """Return the arms of many users: `assign` of each, at array speed.

        Parameters
        ----------
        user_ids : ndarray of integers, shape (users,)
            May be empty.

        Returns
        -------
        ndarray of int64, shape (users,)
            Index into the arms, in their order; -1 where coverage leaves the user out.

        Raises
        ------
        TypeError
            If `user_ids` are not integers: ``42.0`` would hash unlike ``42``.
        """
        if not np.issubdtype(user_ids.dtype, np.integer):
            raise TypeError(f"user ids must be integers, not {user_ids.dtype}")
        starts, ends = self._ranges
        buckets = buckets_of(self.name, user_ids)
        arms = np.searchsorted(starts, buckets, side="right") - 1
        return np.where(buckets < ends[arms], arms, NOT_ASSIGNED)
