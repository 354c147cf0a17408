"""Bootstrap intervals over users for means and for error rates.

A user's ratings and lists are correlated, so users are resampled, never rows. All intervals of a table cost one
matrix product.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from movierec.metrics.bootstrap import SAMPLES, UserBootstrap
from movierec.metrics.rating import UserErrors
from movierec.metrics.ratios import divide_or_nan

FloatArray = npt.NDArray[np.float64]
Name = TypeVar("Name", bound=Hashable)

CONFIDENCE = 0.95


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
