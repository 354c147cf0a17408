"""The compiled loops of matrix factorisation: one epoch of SGD, and predictions for pairs.

Every parameter sees the floating-point operations of scikit-surprise's ``SVD.sgd`` in the same order, without fused or
reordered arithmetic, so that the factors come out bit for bit the same.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from movierec.compiled import njit
from movierec.models.sgd.schedule import GROUP, Block

Array = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int32]


class Factors(NamedTuple):
    """What SGD learns, changed in place: biases (n,) and factors (n, factors).

    Training is in float64; factors in float32 can be predicted from.
    """

    user_bias: Array
    movie_bias: Array
    user_factors: npt.NDArray[np.floating[Any]]
    movie_factors: npt.NDArray[np.floating[Any]]


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


@njit()
def run_epoch(block: Block, mean: float, model: Factors, steps: Steps, biased: bool) -> None:  # noqa: FBT001
    """Take one SGD step for each rating of a block, with the bits of taking them one after another.

    Koren, Bell & Volinsky (2009), "Matrix factorization techniques for recommender systems", eq. 5-7. Each dot product
    is a chain of dependent additions; those of a group run side by side, which hides their latency.

    Parameters
    ----------
    block : Block
        The ratings, from `movierec.models.sgd.schedule`.
    mean : float
        Global mean in stars; 0 when not `biased`.
    model : Factors
        Starting point and result, changed in place.
    steps : Steps
        Learning rates and penalties.
    biased : bool
        Whether the biases learn too.
    """
    user, movie, rating, group_sizes = block
    p, q = model.user_factors, model.movie_factors
    n = 0
    for size in group_sizes:
        if size == GROUP:
            u0, u1, u2, u3 = user[n], user[n + 1], user[n + 2], user[n + 3]
            i0, i1, i2, i3 = movie[n], movie[n + 1], movie[n + 2], movie[n + 3]
            dot0, dot1, dot2, dot3 = _dot_four(p[u0], q[i0], p[u1], q[i1], p[u2], q[i2], p[u3], q[i3])
            _step(u0, i0, rating[n], dot0, mean, model, steps, biased)
            _step(u1, i1, rating[n + 1], dot1, mean, model, steps, biased)
            _step(u2, i2, rating[n + 2], dot2, mean, model, steps, biased)
            _step(u3, i3, rating[n + 3], dot3, mean, model, steps, biased)
        else:
            for r in range(n, n + size):
                _step(user[r], movie[r], rating[r], _dot(p[user[r]], q[movie[r]]), mean, model, steps, biased)
        n += size


@njit()
def _dot(p, q):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    dot = 0.0
    for f in range(len(p)):
        dot += q[f] * p[f]
    return dot


@njit()
def _dot_four(p0, q0, p1, q1, p2, q2, p3, q3):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    dot0, dot1, dot2, dot3 = 0.0, 0.0, 0.0, 0.0
    for f in range(len(p0)):
        dot0 += q0[f] * p0[f]
        dot1 += q1[f] * p1[f]
        dot2 += q2[f] * p2[f]
        dot3 += q3[f] * p3[f]
    return dot0, dot1, dot2, dot3


@njit(inline="always")
def _step(u, i, rating, dot, mean, model, steps, biased):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    error = rating - (mean + model.user_bias[u] + model.movie_bias[i] + dot)
    if biased:
        _update_bias(model.user_bias, u, error, steps.user_bias.learning_rate, steps.user_bias.regularization)
        _update_bias(model.movie_bias, i, error, steps.movie_bias.learning_rate, steps.movie_bias.regularization)
    _update_factors(
        model.user_factors[u],
        model.movie_factors[i],
        error,
        steps.user_factors.learning_rate,
        steps.user_factors.regularization,
        steps.movie_factors.learning_rate,
        steps.movie_factors.regularization,
    )


@njit()
def _update_bias(bias, row, error, rate, penalty):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    bias[row] += rate * (error - penalty * bias[row])


@njit()
def _update_factors(p, q, error, p_rate, p_penalty, q_rate, q_penalty):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    for f in range(len(p)):
        p_f, q_f = p[f], q[f]
        p[f] = p_f + p_rate * (error * q_f - p_penalty * p_f)
        q[f] = q_f + q_rate * (error * p_f - q_penalty * q_f)


@njit()
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
