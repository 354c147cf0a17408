"""Accuracy of predicted ratings: overall, as sums per user, and by predicted value."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from movierec.metrics.ratios import divide_or_nan

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class UserErrors:
    """What RMSE and MAE need to know of each user, so that users can be resampled or regrouped.

    Attributes
    ----------
    count : ndarray of int64, shape (users,)
        Rated movies; 0 for a user without any.
    squared, absolute : ndarray of float64, shape (users,)
        Sums of squared (stars squared) and of absolute errors (stars).
    """

    count: IntArray
    squared: FloatArray
    absolute: FloatArray


@dataclass(frozen=True)
class CalibrationTable:
    """Actual against predicted ratings, by bin of the predicted rating.

    Attributes
    ----------
    lower, upper : ndarray of float64, shape (bins,)
        Edges in stars; a bin holds its lower edge, the last bin its upper edge too.
    count : ndarray of int64, shape (bins,)
        Ratings in the bin.
    mean_predicted, mean_actual : ndarray of float64, shape (bins,)
        Stars; NaN in an empty bin.
    """

    lower: FloatArray
    upper: FloatArray
    count: IntArray
    mean_predicted: FloatArray
    mean_actual: FloatArray


def rmse(actual: npt.ArrayLike, predicted: npt.ArrayLike) -> float:
    """Return the root mean squared error, over ratings (each rating weighs the same).

    Parameters
    ----------
    actual, predicted : array_like of float, shape (n,)
        Ratings in stars, at least one; summed in float64 whatever their dtype.

    Returns
    -------
    float
        In stars, at least 0.

    Raises
    ------
    ValueError
        If the shapes differ, there is no rating, or a value is NaN or infinite.

    Examples
    --------
    >>> rmse([4, 2], [3, 5])  # sqrt((1 + 9) / 2)
    2.23606797749979
    """
    return float(np.sqrt(np.mean(np.square(_errors(actual, predicted)))))


def mae(actual: npt.ArrayLike, predicted: npt.ArrayLike) -> float:
    """Return the mean absolute error, over ratings; parameters and errors as in `rmse`.

    Returns
    -------
    float
        In stars, at least 0 and at most the RMSE.

    Examples
    --------
    >>> mae([4, 2], [3, 5])  # (1 + 3) / 2
    2.0
    """
    return float(np.mean(np.abs(_errors(actual, predicted))))


def error_sums_by_user(
    user_idx: npt.NDArray[np.integer],
    actual: npt.ArrayLike,
    predicted: npt.ArrayLike,
    n_users: int,
    count: npt.NDArray[np.int64] | None = None,
) -> UserErrors:
    """Sum the errors of each user; any other grouping (decile, year) works the same way.

    Parameters
    ----------
    user_idx : ndarray of int, shape (n,)
        Row of each rating's user, in [0, n_users), in any order.
    actual, predicted : array_like of float, shape (n,)
        Ratings in stars.
    n_users : int
        Length of the result.
    count : ndarray of int64, shape (n_users,), optional
        Ratings of each user, where they have been counted.

    Returns
    -------
    UserErrors
        Zeros for a user without ratings.

    Raises
    ------
    ValueError
        As `rmse`; also if `user_idx` has another shape or names a row that does not exist.

    Examples
    --------
    >>> error_sums_by_user(np.array([0, 2, 2]), [4, 3, 2], [3, 3, 4], n_users=3).squared.tolist()
    [1.0, 0.0, 4.0]
    """
    errors = _errors(actual, predicted)
    if user_idx.shape != errors.shape:
        raise ValueError(f"user_idx has shape {user_idx.shape}, the ratings {errors.shape}")
    if not 0 <= user_idx.min() <= user_idx.max() < n_users:
        raise ValueError(f"user_idx must be in [0, {n_users})")
    return UserErrors(
        count=np.bincount(user_idx, minlength=n_users) if count is None else count,
        squared=sum_by(user_idx, np.square(errors), n_users),
        absolute=sum_by(user_idx, np.abs(errors), n_users),
    )


def calibration_table(
    actual: npt.ArrayLike, predicted: npt.ArrayLike, bins: int | npt.ArrayLike = 10
) -> CalibrationTable:
    """Compare mean predicted and mean actual ratings, by bin of the predicted rating.

    A calibrated model's two means agree in every bin.

    Parameters
    ----------
    actual, predicted : array_like of float, shape (n,)
        Ratings in stars.
    bins : int or array_like of float, default 10
        Number of bins of equal width between the lowest and the highest prediction, or their rising
        edges, which must enclose every prediction.

    Returns
    -------
    CalibrationTable
        One entry a bin, empty bins included.

    Raises
    ------
    ValueError
        As `rmse`; also if the edges do not rise or leave a prediction outside.

    Examples
    --------
    >>> table = calibration_table([1, 2, 5], [1.0, 1.5, 4.0], bins=[1, 2, 3, 4])
    >>> table.count.tolist(), table.mean_actual.tolist()
    ([2, 0, 1], [1.5, nan, 5.0])
    """
    _errors(actual, predicted)  # the checks
    values = np.asarray(predicted, dtype=np.float64)
    edges = np.histogram_bin_edges(values, bins).astype(np.float64)
    if np.any(np.diff(edges) <= 0) or values.min() < edges[0] or values.max() > edges[-1]:
        raise ValueError(f"edges must rise and enclose the predictions, {values.min():g} to {values.max():g}")
    bins = len(edges) - 1
    place = np.minimum(np.searchsorted(edges, values, side="right") - 1, bins - 1)
    count = np.bincount(place, minlength=bins)
    return CalibrationTable(
        lower=edges[:-1],
        upper=edges[1:],
        count=count,
        mean_predicted=divide_or_nan(sum_by(place, values, bins), count),
        mean_actual=divide_or_nan(sum_by(place, np.asarray(actual, dtype=np.float64), bins), count),
    )


def _errors(actual: npt.ArrayLike, predicted: npt.ArrayLike) -> FloatArray:
    truth = np.asarray(actual, dtype=np.float64)
    guess = np.asarray(predicted, dtype=np.float64)
    if truth.shape != guess.shape or truth.ndim != 1:
        raise ValueError(f"actual has shape {truth.shape}, predicted {guess.shape}: both must be (n,)")
    if truth.size == 0:
        raise ValueError("no ratings to compare")
    if not (np.isfinite(truth).all() and np.isfinite(guess).all()):
        raise ValueError("ratings must be finite")
    return guess - truth


def sum_by(group: npt.NDArray[np.integer], values: FloatArray, groups: int) -> FloatArray:
    """Return the sum of the values of each group, shape (groups,); 0 for a group without any."""
    return np.bincount(group, weights=values, minlength=groups).astype(np.float64, copy=False)
