"""Resamples of users, the same for every metric of every model, so that differences between models are paired."""

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from movierec.metrics.blocks import map_blocks

FloatArray = npt.NDArray[np.float64]
Counts = npt.NDArray[np.uint8]

SAMPLES = 1000
_BLOCK_ELEMENTS = 4_000_000  # counts in a block, 32 MB as float64; two are held
_KEPT_BYTES = 2**31  # of counts that are drawn once: 1,000 resamples of two million users


class UserBootstrap:
    """The same random resamples of users on every call, kept where they are small enough, else drawn again.

    Parameters
    ----------
    n_users : int
        Rows of the arrays to come.
    rng : numpy.random.Generator
        One number is drawn from it, which seeds every pass.
    samples : int, default 1000
        Resamples, at least 1; each draws `n_users` users with replacement.

    Raises
    ------
    ValueError
        If `n_users` is negative or `samples` below 1.
    """

    def __init__(self, n_users: int, rng: np.random.Generator, samples: int = SAMPLES) -> None:
        if n_users < 0 or samples < 1:
            raise ValueError(f"cannot draw {samples} samples of {n_users} users")
        self.n_users = n_users
        self.samples = samples
        self._seed = int(rng.integers(2**63))

    def of(self, rows: npt.NDArray[np.integer[Any]]) -> "UserBootstrap":
        """Return the same resamples as far as they are of some users, whose rows in ascending order become 0, 1, ..."""
        return _PartOfBootstrap(self, rows)

    def count_blocks(self) -> Iterator[Counts]:
        """Yield how often each resample drew each user, arrays of shape (some samples, users), `samples` in all."""
        yield from self._kept if self.samples * self.n_users <= _KEPT_BYTES else self._draw()

    def resample_sums(self, values: FloatArray) -> FloatArray:
        """Return the column sums of `values`, shape (users, columns), in each resample: (samples, columns)."""
        if len(values) != self.n_users:
            raise ValueError(f"values have {len(values)} rows, must have one for each of {self.n_users} users")
        return np.concatenate(list(map_blocks(lambda counts: counts.astype(np.float64) @ values, self.count_blocks())))

    @cached_property
    def _kept(self) -> list[Counts]:
        return list(self._draw())

    def _draw(self) -> Iterator[Counts]:
        """Draw the counts; no chance worth a name draws a user more than 255 times."""
        rng = np.random.default_rng(self._seed)
        step = max(1, _BLOCK_ELEMENTS // max(1, self.n_users))
        for start in range(0, self.samples, step):
            block = np.empty((min(step, self.samples - start), self.n_users), dtype=np.uint8)
            for counts in block:
                drawn = rng.integers(self.n_users, size=self.n_users) if self.n_users else np.empty(0, dtype=np.int64)
                counts[:] = np.bincount(drawn, minlength=self.n_users)
            yield block


class _PartOfBootstrap(UserBootstrap):
    def __init__(self, whole: UserBootstrap, rows: npt.NDArray[np.integer[Any]]) -> None:
        self.n_users, self.samples = len(rows), whole.samples
        self._whole, self._rows = whole, rows

    def count_blocks(self) -> Iterator[Counts]:
        for block in self._whole.count_blocks():
            yield block[:, self._rows]
