"""The compiled loops of matrix factorisation: one epoch of SGD, and predictions for pairs.

The order of every floating-point operation is that of scikit-surprise's ``SVD.sgd``, without fused or
reordered arithmetic, so that the factors come out bit for bit the same.
"""

from typing import NamedTuple

import numba
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int32]


class Factors(NamedTuple):
    """What SGD learns, changed in place: biases (n,) and factors (n, factors), float64."""

    user_bias: Array
    movie_bias: Array
    user_factors: Array
    movie_factors: Array


class Step(NamedTuple):
    """Learning rate and regularization of one kind of parameter."""

    learning_rate: float
    regularization: float


class Steps(NamedTuple):
    """A `Step` for each array of `Factors`, in its order."""

    user_bias: Step
    movie_bias: Step
    user_factors: Step
    movie_factors: Step


@numba.njit(cache=True, nogil=True, error_model="numpy")
def run_epoch(
    user: Rows,
    movie: Rows,
    rating: Array,
    mean: float,
    model: Factors,
    steps: Steps,
    biased: bool,  # noqa: FBT001
) -> None:
    """Take one SGD step for each rating, in the order given; `model` is changed in place.

    Koren, Bell & Volinsky (2009), "Matrix factorization techniques for recommender systems", eq. 5-7.

    Parameters
    ----------
    user, movie : ndarray of int32, shape (ratings,)
        Rows of the factors.
    rating : ndarray of float64, shape (ratings,)
        Stars.
    mean : float
        Global mean in stars; 0 when not `biased`.
    model : Factors
        Starting point and result.
    steps : Steps
        Learning rates and penalties.
    biased : bool
        Whether the biases learn too.
    """
    user_bias, movie_bias, user_factors, movie_factors = model
    n_factors = user_factors.shape[1]
    for n in range(len(rating)):
        u, i = user[n], movie[n]
        p, q = user_factors[u], movie_factors[i]
        dot = 0.0
        for f in range(n_factors):
            dot += q[f] * p[f]
        error = rating[n] - (mean + user_bias[u] + movie_bias[i] + dot)
        if biased:
            user_bias[u] += steps.user_bias.learning_rate * (error - steps.user_bias.regularization * user_bias[u])
            movie_bias[i] += steps.movie_bias.learning_rate * (error - steps.movie_bias.regularization * movie_bias[i])
        for f in range(n_factors):
            p_f, q_f = p[f], q[f]
            p[f] += steps.user_factors.learning_rate * (error * q_f - steps.user_factors.regularization * p_f)
            q[f] += steps.movie_factors.learning_rate * (error * p_f - steps.movie_factors.regularization * q_f)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def predict_pairs(user: Rows, movie: Rows, mean: float, model: Factors) -> Array:
    """Predict each pair as SVD does, unclipped.

    Parameters
    ----------
    user, movie : ndarray of int32, shape (n,)
        Rows of the factors; -1 for unknown, which leaves out what depends on it.
    mean : float
        Global mean in stars.
    model : Factors
        Fitted.

    Returns
    -------
    ndarray of float64, shape (n,)
        Stars.
    """
    user_bias, movie_bias, user_factors, movie_factors = model
    predicted = np.empty(len(user))
    for n in range(len(user)):
        u, i = user[n], movie[n]
        estimate = mean
        if u >= 0:
            estimate += user_bias[u]
        if i >= 0:
            estimate += movie_bias[i]
        if u >= 0 and i >= 0:
            dot = 0.0
            for f in range(user_factors.shape[1]):
                dot += movie_factors[i, f] * user_factors[u, f]
            estimate += dot
        predicted[n] = estimate
    return predicted
