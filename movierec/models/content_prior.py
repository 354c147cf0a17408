"""What the content of a new movie suggests for its row in a fitted model: a ridge regression of the known rows."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from movierec.models.base import Array

PENALTY: Final = 20.0  # of a map from content factors, as `content_weight` 0.05 of the ALS is


class ContentPrior:
    """The map W that makes ``|rows - mean - (content - its mean) W|^2 + penalty |W|^2`` least.

    Parameters
    ----------
    content : ndarray of float32, shape (movies, size)
        Content factors of the known movies; at least one movie.
    rows : ndarray of float, shape (movies, width)
        What the model learned of each.
    penalty : float
        Above 0.

    Attributes
    ----------
    residuals : ndarray of float64, shape (movies, width)
        The rows less what content says of them.
    """

    def __init__(self, content: npt.NDArray[np.float32], rows: npt.NDArray[Any], penalty: float = PENALTY) -> None:
        self._centre = content.mean(axis=0, dtype=np.float64)
        self._mean = rows.mean(axis=0, dtype=np.float64)
        inputs, targets = content - self._centre, rows - self._mean
        gram = inputs.T @ inputs + penalty * np.eye(inputs.shape[1])
        self._weights = np.linalg.solve(gram, inputs.T @ targets)
        self.residuals: Array = targets - inputs @ self._weights

    def expect(self, described: npt.NDArray[np.float32]) -> Array:
        """Return the row, shape (width,), that is expected of a movie with these content factors, shape (size,)."""
        expected: Array = self._mean + (described - self._centre) @ self._weights
        return expected


def mix_movies(content: npt.NDArray[np.float32], described: npt.NDArray[np.float32], penalty: float = PENALTY) -> Array:
    """Write a movie as a weighted sum of known movies by content.

    Parameters
    ----------
    content : ndarray of float32, shape (movies, size)
        Content factors of the known movies.
    described : ndarray of float32, shape (size,)
        Those of the movie.
    penalty : float
        Above 0.

    Returns
    -------
    ndarray of float64, shape (movies,)
        Weights a, such that ``a @ scores`` is what a ridge regression of any scores of the known movies on their
        content predicts for the movie.

    Examples
    --------
    >>> alike = np.array([[1, 0], [1, 0], [0, 1]], dtype=np.float32)
    >>> mix_movies(alike, np.array([1, 0], dtype=np.float32), penalty=2.0).tolist()
    [0.25, 0.25, 0.0]
    """
    gram = content.T.astype(np.float64) @ content + penalty * np.eye(content.shape[1])
    weights: Array = content @ np.linalg.solve(gram, described.astype(np.float64))
    return weights
