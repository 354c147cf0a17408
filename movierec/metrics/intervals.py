"""Bootstrap intervals over users for means and for error rates.

A user's ratings and lists are correlated, so users are resampled, never rows. One set of resamples serves every
metric of every model: intervals cost one matrix product, and differences between models are paired.
"""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from movierec.metrics.rating import UserErrors
from movierec.metrics.ratios import divide_or_nan

FloatArray = npt.NDArray[np.float64]
Name = TypeVar("Name", bound=Hashable)

SAMPLES = 1000
CONFIDENCE = 0.95
_BLOCK_ELEMENTS = 4_000_000  # weights in a block, 32 MB; two are held


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
    """The same random resamples of users, again on every call.

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

    def weight_blocks(self) -> Iterator[FloatArray]:
        """Yield how often each resample drew each user, arrays of shape (some samples, users), `samples` in all."""
        rng = np.random.default_rng(self._seed)
        step = max(1, _BLOCK_ELEMENTS // max(1, self.n_users))
        for start in range(0, self.samples, step):
            block = np.empty((min(step, self.samples - start), self.n_users))
            for weights in block:
                drawn = rng.integers(self.n_users, size=self.n_users) if self.n_users else np.empty(0, dtype=np.int64)
                weights[:] = np.bincount(drawn, minlength=self.n_users)
            yield block

    def resample_sums(self, values: FloatArray) -> FloatArray:
        """Return the column sums of `values`, shape (users, columns), in each resample: (samples, columns)."""
        if len(values) != self.n_users:
            raise ValueError(f"values have {len(values)} rows, must have one for each of {self.n_users} users")
        products: list[Future[FloatArray]] = []
        with ThreadPoolExecutor(1) as pool:  # multiplies while the next block is drawn
            for weights in self.weight_blocks():
                if products:
                    products[-1].result()  # so that no more than two blocks are held
                products.append(pool.submit(np.matmul, weights, values))
        return np.concatenate([product.result() for product in products])


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
    Efron & Tibshirani (1993), An Introduction to the Bootstrap, chapter 13. Memory is about 20 bytes for each
    user and metric, and 64 MB for weights. For the bias-corrected and accelerated interval of one metric use
    ``scipy.stats.bootstrap(method="BCa")``.

    Examples
    --------
    >>> scores = {"ndcg@10": np.array([0.0, 0.5, 1.0, np.nan])}
    >>> bootstrap_means(scores, UserBootstrap(4, np.random.default_rng(0)))["ndcg@10"]
    Interval(estimate=0.5, low=0.0, high=1.0, n=3)
    """
    table = _stack(list(values.values()))  # (users, metrics)
    valid = np.isfinite(table)
    if np.any(np.isinf(table)):
        raise ValueError("values must be finite, or NaN for a user to leave out")
    # Metrics share a few patterns of missing users; each pattern needs its users counted once.
    patterns, pattern_of = _find_distinct(valid)
    table[~valid] = 0
    columns = np.hstack([table, patterns])
    metrics = table.shape[1]

    def means(sums: FloatArray) -> FloatArray:
        return divide_or_nan(sums[:, :metrics], sums[:, metrics:][:, pattern_of])

    estimates = means(columns.sum(axis=0, keepdims=True))[0]
    resampled = means(bootstrap.resample_sums(columns))
    return _intervals(list(values), estimates, resampled, valid.sum(axis=0), confidence)


def bootstrap_errors(
    errors: Mapping[Name, UserErrors],
    bootstrap: UserBootstrap,
    confidence: float = CONFIDENCE,
    rates: Sequence[str] = ("rmse", "mae"),
) -> dict[Name, dict[str, Interval]]:
    """Return RMSE and MAE over ratings of each model, with intervals from resampling users.

    A resample's RMSE is the root of its users' summed squared errors divided by their number of ratings.

    Parameters
    ----------
    errors : mapping of any key to UserErrors
        By model, the same users in each. A user without ratings has no part in the model's figures.
    bootstrap, confidence
        As `bootstrap_means`.
    rates : sequence of str
        ``"rmse"``, ``"mae"`` or both.

    Returns
    -------
    dict of key to dict of str to Interval
        By model, then rate; `n` counts users with ratings.

    Raises
    ------
    ValueError
        As `bootstrap_means`.
    """
    count = _stack([model.count for model in errors.values()])
    counts, count_of = _find_distinct(count)  # models share them
    sums = {"rmse": "squared", "mae": "absolute"}
    tables = [_stack([getattr(model, sums[rate]) for model in errors.values()]) for rate in rates]
    columns = np.hstack([*tables, counts])
    if not np.all(np.isfinite(columns)):
        raise ValueError("error sums must be finite")

    def divide(sums: FloatArray) -> list[FloatArray]:
        *totals, ratings = np.split(sums, np.arange(1, len(rates) + 1) * len(errors), axis=1)
        means = [divide_or_nan(total, ratings[:, count_of]) for total in totals]
        return [np.sqrt(mean) if rate == "rmse" else mean for rate, mean in zip(rates, means, strict=True)]

    n = np.count_nonzero(count, axis=0)
    estimates, resampled = divide(columns.sum(axis=0, keepdims=True)), divide(bootstrap.resample_sums(columns))
    found: dict[Name, dict[str, Interval]] = {name: {} for name in errors}
    for rate, (estimate,), samples in zip(rates, estimates, resampled, strict=True):
        for name, interval in _intervals(list(errors), estimate, samples, n, confidence).items():
            found[name][rate] = interval
    return found


def bootstrap_mean(
    values: FloatArray, rng: np.random.Generator, samples: int = SAMPLES, confidence: float = CONFIDENCE
) -> Interval:
    """Return the mean of one metric over users with its interval, as `bootstrap_means` does for many."""
    return bootstrap_means({"": values}, UserBootstrap(len(values), rng, samples), confidence)[""]


def _stack(vectors: list[npt.NDArray[np.float64]] | list[npt.NDArray[np.int64]]) -> FloatArray:
    if len({vector.shape for vector in vectors}) != 1 or vectors[0].ndim != 1:
        raise ValueError("give at least one vector, all over the same users")
    return np.column_stack(vectors).astype(np.float64, copy=False)


def _find_distinct(table: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], npt.NDArray[np.int64]]:
    """Return the distinct columns of a table, and which of them each column is."""
    place: dict[bytes, int] = {}
    which = np.array([place.setdefault(column.tobytes(), len(place)) for column in table.T])
    return table[:, np.unique(which, return_index=True)[1]], which


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
