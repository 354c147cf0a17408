"""A linear map from the content of movies to their factors, learned beside the factors by alternating least squares."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


class ContentMap:
    """The map W that makes ``|V - Q W|^2 + |W|^2 / weight`` least, V being movie factors and Q the movies' content.

    Regression-based latent factor models (Agarwal & Chen 2009): the first term takes the place of ``|V|^2`` in the
    penalty of the movie factors, which are thus drawn towards what their content suggests instead of towards 0.

    Parameters
    ----------
    content : ndarray of float32, shape (movies, size)
        Q, in the order of V.
    weight : float
        Above 0; the lower, the dearer is any map.
    width : int
        Columns of V.

    Attributes
    ----------
    weights : ndarray of float32, shape (size, width)
        W; zeros before the first `follow`.
    suggested : ndarray of float32, shape (movies, width)
        ``Q W``.
    """

    def __init__(self, content: Floats, weight: float, width: int) -> None:
        self._content, self._weight = content, weight
        gram = content.T.astype(np.float64) @ content + np.eye(content.shape[1]) / weight
        self._ridge = np.linalg.solve(gram, content.T.astype(np.float64)).astype(np.float32)
        self.weights: Floats = np.zeros((content.shape[1], width), dtype=np.float32)
        self.suggested: Floats = np.zeros((len(content), width), dtype=np.float32)

    def follow(self, factors: Floats) -> float:
        """Learn the map for movie factors that were solved given `suggested`.

        Parameters
        ----------
        factors : ndarray of float32, shape (movies, width)
            V.

        Returns
        -------
        float
            The penalty of V and W less ``|V - suggested|^2 - |suggested|^2``, which the equations of V hold already.
        """
        in_equations = _square(factors - self.suggested) - _square(self.suggested)
        self.weights = self._ridge @ factors
        self.suggested = self._content @ self.weights
        return _square(factors - self.suggested) + _square(self.weights) / self._weight - in_equations


def _square(values: Floats) -> float:
    return float(np.square(values, dtype=np.float64).sum())
