"""Bootstrap intervals over users for means and for error rates.

A user's ratings and lists are correlated, so users are resampled, never rows. One set of resamples serves every
metric of every model: intervals cost one matrix product, and differences between models are paired.
"""

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from movierec.metrics.blocks import map_blocks
from movierec.metrics.rating import UserErrors
from movierec.metrics.ratios import divide_or_nan

FloatArray = npt.NDArray[np.float64]
Counts = npt.NDArray[np.uint8]
Name = TypeVar("Name", bound=Hashable)

SAMPLES = 1000
CONFIDENCE = 0.95
_BLOCK_ELEMENTS = 4_000_000  # counts in a block, 32 MB as float64; two are held
_KEPT_BYTES = 2**31  # of counts that are drawn once: 1,000 resamples of two million users


@dataclass(frozen=True)
class Interval:
    """An estimate with its uncertainty.

    Attributes
    ----------
    estimate : float
        The figure on all users; NaN if n is 0.
    low, high : float
        Ends of the interval, in the unit of the estimate; both equal it if n is 1, both NaN if n is 0.
    n : int
        Users behind the figure.
    """

    estimate: float
    low: float
    high: float
    n: int


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


def bootstrap_means(
    values: Mapping[Name, FloatArray], bootstrap: UserBootstrap, confidence: float = CONFIDENCE
) -> dict[Name, Interval]:
    """Return the mean over users of each metric, with its percentile bootstrap interval.

    Give the metrics of all models at once. A paired comparison is the interval of a vector of differences.

    Parameters
    ----------
    values : mapping of any key to ndarray of float64, shape (users,)
        A value for each user, the same users in each vector. A NaN leaves the user out of that metric,
        both in the estimate and in every resample; a resample left with nobody is not used.
    bootstrap : UserBootstrap
        The resamples of these users.
    confidence : float, default 0.95
        Coverage aimed at, in (0, 1).

    Returns
    -------
    dict of key to Interval
        In the order given.

    Raises
    ------
    ValueError
        If the vectors differ in length or have another one than `bootstrap`, a value is infinite, or `confidence` is
        out of range.

    Notes
    -----
    Efron & Tibshirani (1993), An Introduction to the Bootstrap, chapter 13. Memory is about 30 bytes for each
    user and metric, up to 2 GB for the counts kept, and 64 MB for those in use. For the bias-corrected and
    accelerated interval of one metric use ``scipy.stats.bootstrap(method="BCa")``.

    Examples
    --------
    >>> scores = {"ndcg@10": np.array([0.0, 0.5, 1.0, np.nan])}
    >>> bootstrap_means(scores, UserBootstrap(4, np.random.default_rng(0)))["ndcg@10"]
    Interval(estimate=0.5, low=0.0, high=1.0, n=3)
    """
    if any(np.any(np.isinf(vector)) for vector in values.values()):
        raise ValueError("values must be finite, or NaN for a user to leave out")
    sums = {name: np.nan_to_num(vector) for name, vector in values.items()}
    weights = {name: ~np.isnan(vector) for name, vector in values.items()}
    return bootstrap_ratios(sums, weights, bootstrap, confidence)


def bootstrap_errors(
    errors: Mapping[Name, UserErrors], bootstrap: UserBootstrap, confidence: float = CONFIDENCE
) -> dict[Name, dict[str, Interval]]:
    """Return RMSE and MAE over ratings of each model, with intervals from resampling users.

    A resample's RMSE is the root of its users' summed squared errors divided by their number of ratings.

    Parameters
    ----------
    errors : mapping of any key to UserErrors
        By model, the same users in each. A user without ratings has no part in the model's figures.
    bootstrap, confidence
        As `bootstrap_means`.

    Returns
    -------
    dict of key to dict of str to Interval
        By model, then ``"rmse"`` and ``"mae"``; `n` counts users with ratings.

    Raises
    ------
    ValueError
        As `bootstrap_means`.
    """
    counts = {name: each.count for name, each in errors.items()}
    squared = {name: each.squared for name, each in errors.items()}
    absolute = {name: each.absolute for name, each in errors.items()}
    rmse = bootstrap_ratios(squared, counts, bootstrap, confidence, is_root=True)
    mae = bootstrap_ratios(absolute, counts, bootstrap, confidence)
    return {name: {"rmse": rmse[name], "mae": mae[name]} for name in errors}


def bootstrap_ratios(
    sums: Mapping[Name, FloatArray],
    weights: Mapping[Name, npt.NDArray[Any]],
    bootstrap: UserBootstrap,
    confidence: float = CONFIDENCE,
    *,
    is_root: bool = False,
) -> dict[Name, Interval]:
    """Return ratios of sums over users, or their roots, with percentile bootstrap intervals.

    Parameters
    ----------
    sums : mapping of any key to ndarray of float64, shape (users,)
        Numerators, the same users in each.
    weights : mapping of any key to ndarray of numbers, shape (users,)
        Denominators under the same keys, 0 for a user who has no part in the ratio.
    bootstrap, confidence
        As `bootstrap_means`.
    is_root : bool
        Whether the figure is the square root of the ratio.

    Returns
    -------
    dict of key to Interval
        In the order given; `n` counts the users whose weight is not 0.

    Raises
    ------
    ValueError
        As `bootstrap_means`.
    """
    vectors = [*sums.values(), *weights.values()]
    if len({vector.shape for vector in vectors}) != 1 or vectors[0].ndim != 1:
        raise ValueError("give at least one vector, all over the same users")
    if not all(np.isfinite(vector).all() for vector in vectors):
        raise ValueError("sums and weights must be finite")
    # Figures share a few vectors of weights; each is resampled once.
    keys = [sha256(np.ascontiguousarray(vector).data).digest() for vector in weights.values()]
    distinct = dict(zip(keys, weights.values(), strict=True))
    which = [list(distinct).index(key) for key in keys]
    columns = np.column_stack([*sums.values(), *distinct.values()]).astype(np.float64, copy=False)

    def divide(totals: FloatArray) -> FloatArray:
        ratios = divide_or_nan(totals[:, : len(sums)], totals[:, len(sums) :][:, which])
        return np.sqrt(ratios) if is_root else ratios

    estimates, resampled = divide(columns.sum(axis=0, keepdims=True))[0], divide(bootstrap.resample_sums(columns))
    n = np.count_nonzero(columns[:, len(sums) :], axis=0)[which]
    return _intervals(list(sums), estimates, resampled, n, confidence)


def bootstrap_mean(
    values: FloatArray, rng: np.random.Generator, samples: int = SAMPLES, confidence: float = CONFIDENCE
) -> Interval:
    """Return the mean of one metric over users with its interval, as `bootstrap_means` does for many."""
    return bootstrap_means({"": values}, UserBootstrap(len(values), rng, samples), confidence)[""]


def _intervals(
    names: list[Name],
    estimates: FloatArray,
    resampled: FloatArray,
    n: npt.NDArray[np.integer],
    confidence: float,
) -> dict[Name, Interval]:
    if not 0 < confidence < 1:
        raise ValueError(f"confidence is {confidence}, must be between 0 and 1")
    tail = (1 - confidence) / 2
    found = {}
    for name, estimate, column, users in zip(names, estimates, resampled.T, n, strict=True):
        usable = column[np.isfinite(column)]
        low, high = np.quantile(usable, [tail, 1 - tail]) if usable.size else (np.nan, np.nan)
        found[name] = Interval(float(estimate), float(low), float(high), int(users))
    return found
