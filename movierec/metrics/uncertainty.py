"""How honest stated uncertainty is: coverage and width of intervals, and error by stated deviation."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class DeviationTable:
    """Errors by stated standard deviation, in groups of equal size, the surest first.

    Attributes
    ----------
    count : ndarray of int64, shape (groups,)
        Ratings in the group.
    stated, observed : ndarray of float64, shape (groups,)
        Root mean square of the stated deviations and of the errors, in stars; equal where the model is honest.
    """

    count: npt.NDArray[np.int64]
    stated: FloatArray
    observed: FloatArray


def interval_coverage(actual: npt.ArrayLike, low: npt.ArrayLike, high: npt.ArrayLike) -> float:
    """Return the share of ratings within their intervals, ends included.

    Parameters
    ----------
    actual, low, high : array_like of float, shape (n,)
        Ratings and the ends of their intervals in stars, at least one.

    Returns
    -------
    float
        In [0, 1]. On a scale of half stars it moves in steps as an end passes a half star, all the more for a narrow
        interval.

    Raises
    ------
    ValueError
        If the shapes differ, there is no rating, a value is not finite, or an interval ends before it begins.

    Examples
    --------
    >>> interval_coverage([3, 5, 1], low=[2, 2, 2], high=[4, 5, 5])  # the last one is outside
    0.6666666666666666
    """
    stars, lower, upper = _check(actual, low, high)
    _check_order(lower, upper)
    return float(np.mean((lower <= stars) & (stars <= upper)))


def interval_width(low: npt.ArrayLike, high: npt.ArrayLike) -> float:
    """Return the mean width of intervals in stars: of two honest models the narrower one knows more.

    Parameters and errors are those of `interval_coverage`.

    Examples
    --------
    >>> interval_width([2, 3], [3, 5])
    1.5
    """
    lower, upper = _check(low, high)
    _check_order(lower, upper)
    return float(np.mean(upper - lower))


def tabulate_deviations(
    actual: npt.ArrayLike, predicted: npt.ArrayLike, deviation: npt.ArrayLike, groups: int = 10
) -> DeviationTable:
    """Compare stated deviations with errors, by quantile of the stated deviation.

    Parameters
    ----------
    actual, predicted, deviation : array_like of float, shape (n,)
        In stars; deviations at least 0.
    groups : int, default 10
        At most n. Sizes differ by one at most; equal deviations are parted in the order given.

    Returns
    -------
    DeviationTable
        One entry a group.

    Raises
    ------
    ValueError
        As `interval_coverage`; also if a deviation is negative or there are more groups than ratings.

    Examples
    --------
    >>> table = tabulate_deviations([3, 3, 3, 3], [3, 4, 5, 1], [0.5, 0.5, 2.0, 2.0], groups=2)
    >>> table.stated.tolist(), table.observed.round(3).tolist()  # sqrt((0 + 1) / 2), sqrt((4 + 4) / 2)
    ([0.5, 2.0], [0.707, 2.0])
    """
    stars, guess, stated = _check(actual, predicted, deviation)
    if stated.min() < 0:
        raise ValueError("deviations must not be negative")
    if not 1 <= groups <= len(stars):
        raise ValueError(f"cannot divide {len(stars)} ratings into {groups} groups")
    order = np.argsort(stated, kind="stable")
    parts = np.array_split(order, groups)
    return DeviationTable(
        count=np.array([len(part) for part in parts], dtype=np.int64),
        stated=np.array([_root_mean_square(stated[part]) for part in parts]),
        observed=np.array([_root_mean_square(guess[part] - stars[part]) for part in parts]),
    )


def _root_mean_square(values: FloatArray) -> float:
    return float(np.sqrt(np.mean(np.square(values))))


def _check(*vectors: npt.ArrayLike) -> list[FloatArray]:
    arrays = [np.asarray(vector, dtype=np.float64) for vector in vectors]
    shapes = [array.shape for array in arrays]
    if len(set(shapes)) != 1 or arrays[0].ndim != 1:
        raise ValueError(f"shapes are {shapes}: all must be (n,)")
    if arrays[0].size == 0:
        raise ValueError("no ratings to judge")
    if not all(np.isfinite(array).all() for array in arrays):
        raise ValueError("values must be finite")
    return arrays


def _check_order(lower: FloatArray, upper: FloatArray) -> None:
    if np.any(lower > upper):
        raise ValueError("an interval ends before it begins")
