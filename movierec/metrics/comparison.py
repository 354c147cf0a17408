"""Paired comparison of every two models on the same users."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from statsmodels.stats.multitest import multipletests

from movierec.metrics.blocks import map_blocks
from movierec.metrics.bootstrap import UserBootstrap
from movierec.metrics.intervals import CONFIDENCE, Interval
from movierec.metrics.rating import UserErrors
from movierec.metrics.ratios import divide_or_nan

FloatArray = npt.NDArray[np.float64]
Counts = npt.NDArray[np.integer[Any]]
Columns = npt.NDArray[np.integer[Any]]

FLIPS: Final = 10_000  # the least p-value, 1 / 10,001, stays below 0.05 for tables of up to 500 comparisons
SIGNIFICANCE: Final = 0.05
_BLOCK_ELEMENTS = 4_000_000  # signs in a block, 32 MB; two are held
_ROUNDING = 1e-12  # of the sum of all values: flipped sums so near the observed one are equal to it


@dataclass(frozen=True)
class PairedMetric:
    """A metric of several models on the same users, as sums over users: their ratio is the metric or its square.

    Attributes
    ----------
    sums : ndarray of float64, shape (users, models)
        Numerators.
    weights : ndarray of float64, shape (users,)
        The denominator, the same for all models; 0 for a user to leave out, whose sums are 0 too.
    is_root : bool
        Whether the metric is the square root of the ratio.
    """

    sums: FloatArray
    weights: FloatArray
    is_root: bool = False

    def evaluate(self, sums: FloatArray, weights: FloatArray) -> FloatArray:
        """Return the metric, shape (n, models), from totals of shape (n, models) and (n,); NaN without weight."""
        ratios = divide_or_nan(sums, weights[:, np.newaxis])
        return np.sqrt(ratios) if self.is_root else ratios


@dataclass(frozen=True)
class Comparison:
    """How two models differ in one metric.

    Attributes
    ----------
    metric, first, second : str
        Names of the metric and of the models.
    difference : Interval
        First less second, in the unit of the metric, with its 95 % bootstrap interval (not adjusted for the number of
        comparisons); `n` counts the users.
    p_value : float
        Of no difference, two-sided, by sign flips; in (0, 1].
    p_adjusted : float
        The same, adjusted for the size of the table (Holm).
    """

    metric: str
    first: str
    second: str
    difference: Interval
    p_value: float
    p_adjusted: float

    @property
    def is_real(self) -> bool:
        """Whether chance is ruled out: the adjusted p-value is below 0.05."""
        return self.p_adjusted < SIGNIFICANCE


def pair_means(values: Mapping[str, FloatArray]) -> PairedMetric:
    """Prepare a metric that is a mean over users.

    Parameters
    ----------
    values : mapping of str to ndarray of float64, shape (users,)
        By model. A user with a NaN for any model is left out.

    Returns
    -------
    PairedMetric
        Models in the order given.
    """
    table = np.column_stack(list(values.values()))
    valid = np.all(np.isfinite(table), axis=1).astype(np.float64)
    return PairedMetric(np.where(valid[:, np.newaxis] > 0, table, 0.0), valid)


def pair_errors(errors: Mapping[str, UserErrors]) -> dict[str, PairedMetric]:
    """Prepare ``"rmse"`` and ``"mae"``, which weigh each rating the same.

    Parameters
    ----------
    errors : mapping of str to UserErrors
        By model, of the same ratings.

    Returns
    -------
    dict of str to PairedMetric
        Models in the order given.

    Raises
    ------
    ValueError
        If the models' counts differ.
    """
    counts = [model.count for model in errors.values()]
    if any(not np.array_equal(count, counts[0]) for count in counts):
        raise ValueError("models must be compared on the same ratings")
    weights = counts[0].astype(np.float64)
    squared = np.column_stack([model.squared for model in errors.values()])
    absolute = np.column_stack([model.absolute for model in errors.values()])
    return {"rmse": PairedMetric(squared, weights, is_root=True), "mae": PairedMetric(absolute, weights)}


def compare_models(
    models: Sequence[str],
    metrics: Mapping[str, PairedMetric],
    bootstrap: UserBootstrap,
    rng: np.random.Generator,
    flips: int = FLIPS,
) -> list[Comparison]:
    """Compare every two models in every metric.

    The interval comes from resampling users. The p-value comes from flipping signs: if two models are alike,
    swapping them for a user is as likely as not, and each user's difference as likely positive as negative. For
    RMSE, too: a swap leaves the two models' summed squared errors with the same total, so the difference of the
    RMSEs rises with the difference of the sums, which is what is flipped.

    Parameters
    ----------
    models : sequence of str
        Names, in the order of the columns of `metrics`.
    metrics : mapping of str to PairedMetric
        All on the same users; one in which no user counts is left out of the table.
    bootstrap : UserBootstrap
        The resamples of these users.
    rng : numpy.random.Generator
        Draws signs.
    flips : int
        Random sign vectors.

    Returns
    -------
    list of Comparison
        By metric, then pair, in the orders given; p-values adjusted over all of them.

    Notes
    -----
    p = (1 + flips at least as extreme) / (1 + flips), never 0 (Phipson & Smyth 2010). Holm (1979) bounds the chance of
    any false finding in the table, however the comparisons are correlated. SciPy's ``permutation_test`` does the same
    for one vector, too slowly for tens of thousands of users.

    Examples
    --------
    >>> scores = pair_means({"als": np.full(20, 0.5), "svd": np.full(20, 0.2)})
    >>> rng = np.random.default_rng(0)
    >>> (found,) = compare_models(["als", "svd"], {"ndcg@10": scores}, UserBootstrap(20, rng), rng)
    >>> found.is_real, round(found.difference.low, 6), round(found.difference.high, 6)
    (True, 0.3, 0.3)
    """
    used = {name: metric for name, metric in metrics.items() if metric.weights.any()}
    pairs = list(combinations(range(len(models)), 2))
    if not used or not pairs:
        return []
    intervals = [interval for metric in _resample(used, bootstrap) for interval in _subtract(metric, pairs)]
    first, second = (np.array(side) for side in zip(*pairs, strict=True))
    column = len(models) * np.arange(len(used))[:, np.newaxis]
    sums = np.hstack([metric.sums for metric in used.values()])
    p_values = _flip_signs(sums, (column + first).ravel(), (column + second).ravel(), rng, flips)
    p_adjusted = multipletests(p_values, method="holm")[1]
    names = [(name, models[a], models[b]) for name in used for a, b in pairs]
    n = [int(np.count_nonzero(metric.weights)) for metric in used.values() for _ in pairs]
    return [
        Comparison(*name, replace(interval, n=users), float(p_value), float(adjusted))
        for name, interval, users, p_value, adjusted in zip(names, intervals, n, p_values, p_adjusted, strict=True)
    ]


def _resample(metrics: Mapping[str, PairedMetric], bootstrap: UserBootstrap) -> Iterator[tuple[FloatArray, FloatArray]]:
    """Yield each metric on all users, shape (models,), and in every resample, shape (samples, models)."""
    columns = [np.column_stack([metric.sums, metric.weights]) for metric in metrics.values()]
    resampled = bootstrap.resample_sums(np.hstack(columns))
    ends = np.cumsum([column.shape[1] for column in columns])[:-1]
    for metric, sums in zip(metrics.values(), np.split(resampled, ends, axis=1), strict=True):
        total = metric.evaluate(metric.sums.sum(axis=0, keepdims=True), metric.weights.sum(keepdims=True))
        yield total[0], metric.evaluate(sums[:, :-1], sums[:, -1])


def _subtract(metric: tuple[FloatArray, FloatArray], pairs: Sequence[tuple[int, int]]) -> Iterator[Interval]:
    estimate, resampled = metric
    usable = resampled[np.isfinite(resampled).all(axis=1)]
    tail = (1 - CONFIDENCE) / 2
    for a, b in pairs:
        resampled_difference = usable[:, a] - usable[:, b]
        low, high = np.quantile(resampled_difference, [tail, 1 - tail]) if len(usable) else (np.nan, np.nan)
        yield Interval(float(estimate[a] - estimate[b]), float(low), float(high), n=0)


def _flip_signs(sums: FloatArray, first: Columns, second: Columns, rng: np.random.Generator, flips: int) -> FloatArray:
    """Return the p-value of each difference ``sums[:, first] - sums[:, second]``; `sums` has a row for each user.

    Flipping is linear: the columns are added up for the users who keep their sign, and then subtracted.
    """
    users = len(sums)
    total = sums.sum(axis=0)
    observed = total[first] - total[second]
    size = np.abs(sums).sum(axis=0)
    least = np.abs(observed) - _ROUNDING * (size[first] + size[second])
    width = 4 * -(-users // 32)  # bytes a row; the generator draws four at a time
    step = max(1, _BLOCK_ELEMENTS // users)
    blocks = (rng.bytes(min(step, flips - start) * width) for start in range(0, flips, step))

    def count_extreme(block: bytes) -> Counts:
        drawn = np.frombuffer(block, dtype=np.uint8).reshape(-1, width)
        kept = np.unpackbits(drawn, axis=1, count=users).astype(np.float64) @ sums
        flipped = 2 * (kept[:, first] - kept[:, second]) - observed  # the users not kept have the other sign
        counts: Counts = np.count_nonzero(np.abs(flipped) >= least, axis=0)
        return counts

    extreme: FloatArray = np.sum(list(map_blocks(count_extreme, blocks)), axis=0, dtype=np.float64)
    return (1 + extreme) / (1 + flips)
