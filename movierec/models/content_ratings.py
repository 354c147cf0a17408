"""Stars of movies that nobody has rated, by their content; how such movies are ranked is the ALS's work."""

from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from movierec.columns import RATING
from movierec.data.content import Content
from movierec.ids import IdIndex
from movierec.models.base import Array, gather, index_ids
from movierec.models.bias import Bias


class ContentRatings:
    """Predict ``mean + user bias + content . (w + w_user)``: what is thought of such movies, by all and by the user.

    Two ridge regressions on content factors, one after the other: `w` of what each movie's ratings exceed the mean and
    the users' biases by, a movie with n ratings counting by ``n / (n + movie_penalty)``, so that the mean of few is not
    believed; then `w_user` of what is left of the user's own ratings.

    Parameters
    ----------
    penalty : float
        Of `w`, above 0.
    user_penalty : float
        Of each `w_user`, above 0.
    movie_penalty : float
        In ratings, at least 0.

    Attributes
    ----------
    users : IdIndex
        The training users.
    weights : ndarray of float64, shape (content factors,)
        `w`.
    user_weights : ndarray of float32, shape (users, content factors)
        `w_user`.
    """

    users: IdIndex
    weights: Array
    user_weights: npt.NDArray[np.float32]

    def __init__(self, penalty: float = 20.0, user_penalty: float = 10.0, movie_penalty: float = 10.0) -> None:
        self.penalty, self.user_penalty, self.movie_penalty = penalty, user_penalty, movie_penalty

    def fit(self, ratings: pd.DataFrame, content: Content) -> Self:
        """Learn from ratings.

        Parameters
        ----------
        ratings : DataFrame
            Columns ``user_id``, ``movie_id``, ``rating``; not empty, sorted by user.
        content : Content
            Of these and any other movies.

        Returns
        -------
        Self
            Fitted.
        """
        self.content = content
        self.users, movies, user, movie = index_ids(ratings)
        bias = Bias().fit(ratings)
        self.mean, self.scale, self.user_bias = float(bias.mean), bias.scale, bias.user_bias
        factors = content.of(movies.ids).astype(np.float64)
        residuals = ratings[RATING].to_numpy(dtype=np.float64) - self.mean - self.user_bias[user]
        counts = np.bincount(movie)
        means = np.bincount(movie, weights=residuals) / counts
        trust = counts / (counts + self.movie_penalty)
        self.weights = solve_ridge(factors * np.sqrt(trust)[:, np.newaxis], means * np.sqrt(trust), self.penalty)
        self._fit_users(factors[movie], residuals - (factors @ self.weights)[movie], user)
        return self

    def _fit_users(self, inputs: Array, residuals: Array, user: npt.NDArray[np.int32]) -> None:
        order = np.argsort(user, kind="stable")
        parts = np.split(order, np.cumsum(np.bincount(user))[:-1])
        solved = [solve_ridge(inputs[part], residuals[part], self.user_penalty) for part in parts]
        self.user_weights = np.array(solved, dtype=np.float32)

    def predict(self, user_ids: npt.ArrayLike, movie_ids: npt.ArrayLike) -> Array:
        """Predict the rating of each pair in stars, shape (n,); an unknown user has no bias and no taste."""
        user, factors = self.users.rows(user_ids), self.content.of(movie_ids).astype(np.float64)
        taste = np.where(user[:, np.newaxis] >= 0, self.user_weights[user], 0.0) + self.weights
        stars: Array = self.mean + gather(self.user_bias, user) + np.einsum("nf,nf->n", factors, taste)
        return np.clip(stars, *self.scale)


def solve_ridge(inputs: Array, targets: Array, penalty: float) -> Array:
    """Minimise ``|targets - inputs w|^2 + penalty |w|^2``, among rows or columns, whichever are fewer.

    Parameters
    ----------
    inputs : ndarray of float64, shape (n, d)
        May have no rows.
    targets : ndarray of float64, shape (n,)
        What to come near to.
    penalty : float
        Above 0.

    Returns
    -------
    ndarray of float64, shape (d,)

    Examples
    --------
    >>> solve_ridge(np.array([[1.0], [1.0]]), np.array([3.0, 3.0]), 1.0).tolist()
    [2.0]
    """
    n, d = inputs.shape
    if n < d:
        dual = np.linalg.solve(inputs @ inputs.T + penalty * np.eye(n), targets)
        return np.asarray(inputs.T @ dual, dtype=np.float64)
    return np.asarray(np.linalg.solve(inputs.T @ inputs + penalty * np.eye(d), inputs.T @ targets), dtype=np.float64)
