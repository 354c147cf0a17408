"""Alternating least squares over confidences, compiled: half a sweep is one equation a row, solved exactly.

Hu, Koren & Volinsky (2008), section 4: with ``Y`` the other side's factors, row ``u`` solves
``(Y.T Y + sum((c - 1) y y.T) + regularization I) x = sum(c y)``, both sums over what ``u`` rated with confidence ``c``.
A rating of confidence 1 therefore adds nothing to the matrix. The loss after the half sweep costs nothing: with the
solution in, the row's part of it is ``sum(c) - x . sum(c y)``. A row that is drawn to a point ``m`` instead of to 0
has ``regularization m`` besides in its right side ``b``, and its part is ``sum(c) - x . b + regularization m . m``.
"""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt

from movierec.models.als_sides import BLOCKS, Equations, Side
from movierec.models.content_map import ContentMap
from movierec.models.normal_equations import pad_width

Floats = npt.NDArray[np.float32]


class AlternatingSolver:
    """Factors of both sides, and the sweeps that improve them.

    Parameters
    ----------
    by_user, by_movie : Side
        The same ratings twice.
    factors : int
        Latent dimension.
    regularization : float
        L2 penalty.
    seed : int
        Of the start, which is implicit's; with content the movies start around 0.
    content : tuple of (ndarray of float32, shape (movies, size), float), optional
        The movies' content factors and their weight, above 0, as `ContentMap` takes them.

    Attributes
    ----------
    user_factors, movie_factors : ndarray of float32, shape (n, factors)
        The present state.
    """

    def __init__(
        self,
        by_user: Side,
        by_movie: Side,
        factors: int,
        regularization: float,
        seed: int,
        content: tuple[Floats, float] | None = None,
    ) -> None:
        self.by_user, self.by_movie = by_user, by_movie
        self.factors, self.regularization = factors, regularization
        rng = np.random.default_rng(seed)
        self._user, self._movie = (
            _pad(rng.random((len(side.indptr) - 1, factors), dtype=np.float32) * np.float32(0.01))
            for side in (by_user, by_movie)
        )
        self._map = ContentMap(*content, self._movie.shape[1]) if content else None
        if content:
            start = np.random.default_rng(seed).standard_normal((len(self._movie), factors), dtype=np.float32)
            self._movie = _pad(np.float32(0.1 / np.sqrt(factors)) * start)
        cells = len(self._user) * len(self._movie)
        self._total = by_user.total
        self._total_confidence = self._total + cells - int(by_user.indptr[-1])

    @property
    def user_factors(self) -> Floats:
        """A copy without padding."""
        return np.ascontiguousarray(self._user[:, : self.factors])

    @property
    def movie_factors(self) -> Floats:
        """A copy without padding."""
        return np.ascontiguousarray(self._movie[:, : self.factors])

    @property
    def content_map(self) -> Floats:
        """A copy of the map from content to movie factors without padding, shape (size, factors); size 0 without."""
        weights = self._map.weights if self._map else self._movie[:0]
        return np.ascontiguousarray(weights[:, : self.factors])

    def sweep(self, pool: ThreadPoolExecutor) -> float:
        """Solve for all users given the movies, for all movies given the users, then for the map from content.

        Parameters
        ----------
        pool : ThreadPoolExecutor
            Does the work; no bit depends on its size.

        Returns
        -------
        float
            The mean loss of a pair, weighted by confidence, as implicit reports it; not finite if an equation has no
            unique solution in float32.
        """
        self._solve(self.by_user, self._movie, self._user, pool)
        suggested = self._map.suggested if self._map else None
        explained = self._solve(self.by_movie, self._user, self._movie, pool, suggested)
        squares = float(np.sum(self._user.astype(np.float64) ** 2))
        if self._map:
            squares += self._map.follow(self._movie)
        return (self._total - explained + self.regularization * squares) / self._total_confidence

    def _solve(
        self, side: Side, other: Floats, out: Floats, pool: ThreadPoolExecutor, drawn_to: Floats | None = None
    ) -> float:
        """Overwrite `out`; return the sum of ``x . b`` over its rows."""
        gram = _multiply(other, pool)
        width = other.shape[1]
        gram[np.diag_indices(width)] += np.float32(self.regularization)
        gram[range(self.factors, width), range(self.factors, width)] = 1  # keeps the padding 0
        pull = out[:0] if drawn_to is None else np.float32(self.regularization) * drawn_to
        return side.solve(Equations(other, gram, pull), out, pool)


def _multiply(factors: Floats, pool: ThreadPoolExecutor) -> Floats:
    """Return ``factors.T @ factors``, block by block in a fixed order."""
    parts = np.array_split(factors, BLOCKS)
    products: Floats = np.sum(list(pool.map(lambda part: part.T @ part, parts)), axis=0, dtype=np.float32)
    return products


def _pad(factors: Floats) -> Floats:
    padded = np.zeros((len(factors), pad_width(factors.shape[1])), dtype=np.float32)
    padded[:, : factors.shape[1]] = factors
    return padded
