"""Implicit-feedback alternating least squares ("ALS"), by our compiled solver or by the library implicit."""

import math
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar, Literal, Self

import numba
import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse as sp

from movierec.columns import MOVIE_ID, RATING, USER_ID
from movierec.errors import MovierecError
from movierec.models.als_solver import AlternatingSolver
from movierec.models.base import Array, Recommender, Rows, gather
from movierec.models.bias import Bias
from movierec.models.indexed import IndexedRatings
from movierec.models.top_k import available_cores


class ALS(Recommender):
    """Rank by ``user factors . movie factors``, fitted to what was rated, weighted by confidence.

    Hu, Koren & Volinsky (2008), "Collaborative filtering for implicit feedback datasets". A rating of at
    least `relevance_threshold` stars has confidence ``alpha * stars``, any other rating 1; without a
    threshold every rating has ``alpha * stars``. What was not rated has preference 0 with confidence 1.
    Each equation is solved exactly: conjugate gradients give other top-10 lists on other processors.

    Parameters
    ----------
    factors : int
        Latent dimension, at least 1.
    iterations : int
        Sweeps over users and movies, at least 1.
    regularization : float
        L2 penalty, at least 0.
    alpha : float
        Confidence a star, above 0.
    relevance_threshold : float or None
        In stars.
    seed : int
        Of the initial factors, which both engines draw alike.
    engine : {"fast", "implicit"}
        ``fast`` is our compiled solver. ``implicit`` is the library's exact one, the reference: the same sweeps up to
        rounding, in several times the time; it reports them when all are over.

    Attributes
    ----------
    user_factors, movie_factors : ndarray of float32, shape (users, factors) and (movies, factors)
        Latent factors.
    user_bias, movie_bias : ndarray of float64, shape (users,) and (movies,)
        Of the `Bias` model, for `predict` alone.
    calibration : ndarray of float64, shape (3,)
        Weights of 1, the bias model's prediction and the score in the predicted rating.
    objective : list of float
        The loss after each sweep of the last fit; not stored with the model.
    """

    name: ClassVar[str] = "als"
    user_factors: npt.NDArray[np.float32]
    movie_factors: npt.NDArray[np.float32]
    mean: Array
    user_bias: Array
    movie_bias: Array
    calibration: Array

    def __init__(
        self,
        factors: int = 50,
        iterations: int = 15,
        regularization: float = 30.0,
        alpha: float = 1.0,
        relevance_threshold: float | None = 4.0,
        *,
        seed: int = 0,
        engine: Literal["fast", "implicit"] = "fast",
    ) -> None:
        self.factors = factors
        self.iterations = iterations
        self.regularization = regularization
        self.alpha = alpha
        self.relevance_threshold = relevance_threshold
        self.seed = seed
        self.engine = engine
        self.calibration = np.array([0.0, 1.0, 0.0])
        self.objective: list[float] = []

    def fit(
        self,
        ratings: pd.DataFrame | IndexedRatings,
        on_sweep: Callable[[float], object] = lambda _: None,
        *,
        threads: int = 0,
    ) -> Self:
        """Learn the factors, and the biases for `predict`.

        Parameters
        ----------
        ratings : DataFrame or IndexedRatings
            Columns ``user_id``, ``movie_id``, ``rating``; not empty. Indexed once, they serve any number of fits.
        on_sweep : callable
            Called with the loss after each sweep: a pair's squared error, weighted by confidence, and the penalty.
        threads : int
            To fit with; 0 means all cores. No result depends on it.

        Returns
        -------
        Self
            Fitted; until `calibrate` is called it predicts what the bias model predicts.

        Raises
        ------
        MovierecError
            If the equations have no unique solution in float32: too little regularization.
        """
        data = IndexedRatings.of(ratings)
        self.users, self.movies = data.users, data.movies
        bias = Bias().fit(data)
        self.mean, self.scale = bias.mean, bias.scale
        self.user_bias, self.movie_bias = bias.user_bias, bias.movie_bias
        self.objective = []
        for loss in (self._sweep if self.engine == "fast" else self._sweep_by_implicit)(data, threads):
            if not math.isfinite(loss):
                raise MovierecError("the ALS diverges: raise its regularization")
            self.objective.append(loss)
            on_sweep(loss)
        return self

    def _sweep(self, data: IndexedRatings, threads: int) -> Iterator[float]:
        """Fit by our solver; yield the loss after each sweep."""
        by_user, by_movie = (
            side._replace(stars=self._confidence(side.stars)) for side in (data.by_user, data.by_movie)
        )
        solver = AlternatingSolver(by_user, by_movie, self.factors, self.regularization, self.seed)
        with ThreadPoolExecutor(threads or available_cores()) as pool:
            for _ in range(self.iterations):
                yield solver.sweep(pool)
        self.user_factors, self.movie_factors = solver.user_factors, solver.movie_factors

    def _sweep_by_implicit(self, data: IndexedRatings, threads: int) -> Iterator[float]:
        """Fit by the library implicit; yield the losses when all is over."""
        from implicit.cpu.als import AlternatingLeastSquares  # noqa: PLC0415  # imports half of SciPy
        from implicit.recommender_base import ModelFitError  # noqa: PLC0415

        indptr, indices, stars = data.by_user
        matrix = sp.csr_matrix((self._confidence(stars), indices, indptr), shape=(len(self.users), len(self.movies)))
        losses: list[float] = []
        model = AlternatingLeastSquares(
            factors=self.factors,
            iterations=self.iterations,
            regularization=self.regularization,
            alpha=1.0,
            use_cg=False,
            calculate_training_loss=True,
            num_threads=threads,
            random_state=self.seed,
        )
        try:
            model.fit(matrix, show_progress=False, callback=lambda _sweep, _seconds, loss: losses.append(float(loss)))
        except (ModelFitError, ValueError) as error:
            if isinstance(error, ValueError) and "posv" not in str(error):  # LAPACK's solver
                raise
            losses = [math.nan]
        else:
            self.user_factors, self.movie_factors = model.user_factors, model.item_factors
        yield from losses

    def _confidence(self, stars: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.float32]:
        liked = stars >= (self.relevance_threshold or 0.0)
        return np.where(liked, np.float32(self.alpha) * stars.astype(np.float32, copy=False), np.float32(1.0))

    def calibrate(self, ratings: pd.DataFrame) -> Self:
        """Learn how scores translate into stars, by least squares on ratings that the fit did not see.

        Parameters
        ----------
        ratings : DataFrame
            Columns ``user_id``, ``movie_id``, ``rating``; the validation part.

        Returns
        -------
        Self
            Its `predict` now uses the scores.
        """
        inputs = self._calibration_inputs(ratings[USER_ID], ratings[MOVIE_ID])
        stars = ratings[RATING].to_numpy(dtype=np.float64)
        self.calibration = np.linalg.lstsq(inputs, stars, rcond=None)[0]
        return self

    def predict(self, user_ids: npt.ArrayLike, movie_ids: npt.ArrayLike) -> Array:
        """Predict ratings in stars by the calibrated score; see `Recommender.predict`."""
        return np.clip(self._calibration_inputs(user_ids, movie_ids) @ self.calibration, *self.scale)

    def predict_raw(self, user_ids: npt.ArrayLike, movie_ids: npt.ArrayLike) -> Array:
        """Return the uncalibrated score of each pair, about 0 to 1, shape (n,); 0 for unknown ids.

        Taken for a rating it is far off: it says how sure the model is that the user would watch the movie.
        """
        user, movie = self.users.rows(user_ids), self.movies.rows(movie_ids)
        scores: Array = _score_pairs(user, movie, self.user_factors, self.movie_factors)
        return scores

    def _calibration_inputs(self, user_ids: npt.ArrayLike, movie_ids: npt.ArrayLike) -> Array:
        bias = (
            self.mean
            + gather(self.user_bias, self.users.rows(user_ids))
            + gather(self.movie_bias, self.movies.rows(movie_ids))
        )
        return np.column_stack([np.ones(len(bias)), bias, self.predict_raw(user_ids, movie_ids)])

    def score_rows(self, user_rows: Rows) -> npt.NDArray[np.float32]:
        """Return the uncalibrated scores, shape (users, movies)."""
        return self.user_factors[user_rows] @ self.movie_factors.T

    def _arrays(self) -> dict[str, npt.NDArray[Any]]:
        names = ("mean", "user_bias", "movie_bias", "user_factors", "movie_factors", "calibration")
        return {name: getattr(self, name) for name in names}

    def _settings(self) -> dict[str, Any]:
        names = ("factors", "iterations", "regularization", "alpha", "relevance_threshold", "seed", "engine")
        return {name: getattr(self, name) for name in names}


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _score_pairs(user, movie, user_factors, movie_factors):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Return each pair's dot product in float64, 0 where a row is unknown (-1)."""
    scores = np.zeros(len(user))
    for n in range(len(user)):
        if user[n] >= 0 and movie[n] >= 0:
            for f in range(user_factors.shape[1]):
                scores[n] += np.float64(user_factors[user[n], f]) * np.float64(movie_factors[movie[n], f])
    return scores
