"""The compiled loops of Gibbs sampling: drawing rows of factors, residuals, effects of days, sums of squares.

Each loop takes a range of rows, so that threads can share the work; what a row gets depends on no other row.
Column 0 of a row of factors is its bias, the next ones its factors, the rest padding that stays 0.
"""

from functools import cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from movierec.compiled import njit
from movierec.models.normal_equations import (
    BATCH,
    Kernel,
    add_ratings,
    factorize_system,
    solve_factor,
    solve_transposed,
)
from movierec.models.tiles import dot_rows

Floats = npt.NDArray[np.float32]
Indices = npt.NDArray[np.integer[Any]]


class RatingsBySide(NamedTuple):
    """The ratings in the order of one side's rows, as in a CSR matrix.

    Attributes
    ----------
    indptr : ndarray of int64, shape (rows + 1,)
        Where each row's ratings start.
    columns : ndarray of int32, shape (ratings,)
        Rows of the other side.
    targets : ndarray of float32, shape (ratings,)
        What the factors are to explain: the rating less the mean and the effect of its day, in stars.
    """

    indptr: Indices
    columns: Indices
    targets: Floats


class Other(NamedTuple):
    """What the ratings' other side is held at while one side is drawn.

    Attributes
    ----------
    design : ndarray of float32, shape (rows, width)
        Its factors, with 1 in place of the bias.
    bias : ndarray of float32, shape (rows,)
        In stars.
    weights : ndarray of float32, shape (rows,)
        Precision of each row's ratings, relative to the common one.
    """

    design: Floats
    bias: Floats
    weights: Floats


class Prior(NamedTuple):
    """The normal distribution of a side's rows before their ratings are seen.

    Attributes
    ----------
    precision : ndarray of float32, shape (width, width)
        The same for every row; 1 on the diagonal of the padding.
    right : ndarray of float32, shape (rows, width)
        Mean of each row times `precision`.
    """

    precision: Floats
    right: Floats


class Days(NamedTuple):
    """Ratings that one user gave on one day, which stand together in the users' order.

    Attributes
    ----------
    indptr : ndarray of int64, shape (days + 1,)
        Where each day's ratings start.
    user : ndarray of int32, shape (days,)
        Row of the user.
    """

    indptr: Indices
    user: Indices


class DayDraws(NamedTuple):
    """Of each day: precision of its ratings together, conditional mean and draw of its effect; shape (days,)."""

    precision: npt.NDArray[np.float64]
    mean: npt.NDArray[np.float64]
    effect: npt.NDArray[np.float64]


@cache
def compile_draw_rows(width: int) -> Kernel:
    """Return the kernel that draws rows of factors of so many columns given everything else.

    ``draw_rows(first, last, ratings, other, prior, precisions, noise, drawn, mean)`` writes rows `first` to `last` of
    `drawn` and `mean`, shape (rows, width): the conditional posterior is normal with precision ``Lambda + sum w v v'``
    over the row's ratings, where ``w`` is ``precisions[row]`` times the weight of the other row and ``v`` its design
    (Salakhutdinov & Mnih 2008, "Bayesian probabilistic matrix factorization using Markov chain Monte Carlo", eq. 11 to
    13). `noise`, standard normal, has a row for each row of the range. Returns whether every precision was positive
    definite.
    """

    @njit()
    def draw_rows(first, last, ratings, other, prior, precisions, noise, drawn, mean):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
        indptr = ratings.indptr
        longest = np.max(indptr[first + 1 : last + 1] - indptr[first:last])
        weights, targets = np.empty(longest, np.float32), np.empty(longest, np.float32)
        system, scratch = np.empty((width, width), np.float32), np.empty((2, BATCH, width), np.float32)
        for row in range(first, last):
            start, count = indptr[row], indptr[row + 1] - indptr[row]
            columns = ratings.columns[start : start + count]
            for k in range(count):
                weights[k] = precisions[row] * other.weights[columns[k]]
                targets[k] = weights[k] * (ratings.targets[start + k] - other.bias[columns[k]])
            system[:] = prior.precision
            right, draw = mean[row], drawn[row]
            right[:] = prior.right[row]
            add_ratings(system, right, scratch, other.design, columns, weights, targets, width)
            if not factorize_system(system, width):
                return False
            solve_transposed(system, right, width)
            for j in range(width):
                draw[j] = right[j] + noise[row - first, j]
            solve_factor(system, right, width)
            solve_factor(system, draw, width)
        return True

    return draw_rows


@njit()
def compute_residuals(first, last, ratings, values, users, movies, residuals):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Write what the factors leave of `values`, for the ratings of users `first` to `last`.

    `users` is an `Other`; `movies`, shape (rows, width), holds the movies' factors with their biases.
    """
    for row in range(first, last):
        for k in range(ratings.indptr[row], ratings.indptr[row + 1]):
            explained = users.bias[row] + dot_rows(users.design, row, movies, ratings.columns[k])
            residuals[k] = values[k] - explained


@njit()
def draw_day_effects(first, last, days, columns, residuals, precisions, weights, prior_precision, noise, draws):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Draw a normal effect for each of the days `first` to `last` given what the factors leave of its ratings.

    A rating's precision is ``precisions[user] * weights[movie]``, the effect's `prior_precision` around 0.
    """
    for day in range(first, last):
        precision, total = 0.0, 0.0
        for k in range(days.indptr[day], days.indptr[day + 1]):
            weight = precisions[days.user[day]] * weights[columns[k]]
            precision += weight
            total += weight * np.float64(residuals[k])
        draws.precision[day] = precision
        draws.mean[day] = total / (precision + prior_precision)
        draws.effect[day] = draws.mean[day] + noise[day - first] / np.sqrt(precision + prior_precision)


@njit()
def sum_squares(first, last, ratings, residuals, weights, sums):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Sum each row's squared residuals, each times the other row's weight, in float64."""
    for row in range(first, last):
        total = 0.0
        for k in range(ratings.indptr[row], ratings.indptr[row + 1]):
            residual = np.float64(residuals[k])
            total += residual * residual * weights[ratings.columns[k]]
        sums[row] = total
