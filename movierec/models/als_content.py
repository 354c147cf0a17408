"""The ALS with movie factors drawn towards what their content suggests; without content it is the plain ALS."""

from collections.abc import Callable
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse as sp

from movierec.columns import RATING
from movierec.data.content import Content
from movierec.models.als import ALS
from movierec.models.base import index_ids
from movierec.models.bias import Bias
from movierec.models.confidence import measure_loss, solve_side

Floats = npt.NDArray[np.float32]


class ContentALS(ALS):
    """`ALS` whose movie factors are shrunk towards a linear map of content instead of towards 0.

    Minimises the ALS's loss with ``regularization * (|V - Q W|^2 + |W|^2 / content_weight)`` in place of
    ``regularization * |V|^2``, over user factors U, movie factors V and the map W in turn; Q holds the movies' content
    factors. With weight 0 no map is worth its price: it is the ALS, to the bit. Regression-based latent factor
    models (Agarwal & Chen 2009) in the form of Hu, Koren & Volinsky's implicit feedback.

    Parameters
    ----------
    factors, iterations, regularization, alpha, relevance_threshold, seed
        As `ALS` takes them.
    content_weight : float
        At least 0.

    Attributes
    ----------
    content_map : ndarray of float32, shape (content factors, factors)
        W. A movie that nobody has rated belongs at ``its content factors @ W``; see `place`.
    """

    name: ClassVar[str] = "als"
    content_map: Floats

    def __init__(
        self,
        factors: int = 50,
        iterations: int = 15,
        regularization: float = 30.0,
        alpha: float = 1.0,
        relevance_threshold: float | None = 4.0,
        content_weight: float = 0.0,
        *,
        seed: int = 0,
    ) -> None:
        super().__init__(factors, iterations, regularization, alpha, relevance_threshold, seed=seed)
        self.content_weight = content_weight
        self.content_map = np.zeros((0, factors), dtype=np.float32)

    def fit(
        self,
        ratings: pd.DataFrame,
        on_sweep: Callable[[float], object] = lambda _: None,
        *,
        threads: int = 0,
        content: Content | None = None,
    ) -> Self:
        """Learn the factors, and the biases for `predict`; see `ALS.fit`.

        Parameters
        ----------
        ratings, on_sweep, threads
            As `ALS.fit` takes them.
        content : Content, optional
            Of the movies; without it, or where `content_weight` is 0, the plain ALS is fitted.

        Returns
        -------
        Self
            Fitted; until `calibrate` is called it predicts what the bias model predicts.

        Raises
        ------
        MovierecError
            If the equations have no unique solution in float32: too little regularization.
        """
        if content is None or self.content_weight == 0:
            self.content_map = self.content_map[:0]
            return super().fit(ratings, on_sweep, threads=threads)
        self.objective = []
        self.users, self.movies, user, movie = index_ids(ratings)
        bias = Bias().fit(ratings)
        self.mean, self.user_bias, self.movie_bias = bias.mean, bias.user_bias, bias.movie_bias
        confidence = self._confidence(ratings[RATING].to_numpy(dtype=np.float32))
        by_user = sp.csr_array((confidence, (user, movie)), shape=(len(self.users), len(self.movies)))
        by_user.sort_indices()
        self._start()
        self._alternate(by_user, content.of(self.movies.ids), on_sweep, threads)
        return self

    def place(self, content_factors: Floats) -> Floats:
        """Return the factors that content alone suggests, shape (n, factors), of movies that nobody has rated.

        Parameters
        ----------
        content_factors : ndarray of float32, shape (n, content factors)
            From the same `Content` as in the fit.
        """
        return content_factors @ self.content_map

    def _start(self) -> None:
        rng = np.random.default_rng(self.seed)
        spread = np.float32(0.1 / np.sqrt(self.factors))
        self.user_factors = np.zeros((len(self.users), self.factors), dtype=np.float32)
        self.movie_factors = spread * rng.standard_normal((len(self.movies), self.factors), dtype=np.float32)

    def _alternate(
        self, by_user: sp.csr_array, content: Floats, on_sweep: Callable[[float], object], threads: int
    ) -> None:
        by_movie = by_user.T.tocsr()
        solve_map = self._prepare_map(content)
        nowhere = np.zeros_like(self.user_factors)
        suggested = np.zeros_like(self.movie_factors)
        for _ in range(self.iterations):
            self.user_factors = solve_side(by_user, self.movie_factors, nowhere, self.regularization, threads)
            self.movie_factors = solve_side(by_movie, self.user_factors, suggested, self.regularization, threads)
            self.content_map = solve_map @ self.movie_factors
            suggested = content @ self.content_map
            self.objective.append(self._measure(by_user, suggested))
            on_sweep(self.objective[-1])

    def _prepare_map(self, content: Floats) -> Floats:
        """Return what the movie factors are multiplied by for W, the solution of a ridge regression on content."""
        gram = content.T.astype(np.float64) @ content + np.eye(content.shape[1]) / self.content_weight
        return np.linalg.solve(gram, content.T.astype(np.float64)).astype(np.float32)

    def _measure(self, by_user: sp.csr_array, suggested: Floats) -> float:
        """Return the loss a unit of confidence, as implicit reports it."""
        gap, w = self.movie_factors - suggested, self.content_map
        squares = sum(float(np.square(each, dtype=np.float64).sum()) for each in (self.user_factors, gap))
        squares += float(np.square(w, dtype=np.float64).sum()) / self.content_weight
        loss = measure_loss(by_user, self.user_factors, self.movie_factors) + self.regularization * squares
        users, movies = by_user.shape
        return loss / (float(by_user.data.sum(dtype=np.float64)) + users * movies - by_user.nnz)

    def _arrays(self) -> dict[str, npt.NDArray[Any]]:
        return super()._arrays() | ({"content_map": self.content_map} if len(self.content_map) else {})

    def _settings(self) -> dict[str, Any]:
        return super()._settings() | ({"content_weight": self.content_weight} if self.content_weight else {})
