"""Implicit-feedback alternating least squares ("ALS"), by our compiled solver or by the library implicit."""

import math
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, ClassVar, Final, Literal, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse as sp

from movierec.data.content import Content
from movierec.errors import MovierecError
from movierec.models.als_sides import LocalSide, Side
from movierec.models.als_solver import AlternatingSolver
from movierec.models.base import Array, Rows
from movierec.models.calibration import CalibratedRanker
from movierec.models.indexed import Grouped, IndexedRatings
from movierec.models.pair_scores import map_pairs, multiply_pairs
from movierec.models.products import Products
from movierec.models.strength import measure_counts, to_stars
from movierec.models.top_k import available_cores

Scores = npt.NDArray[np.float32]
_SETTINGS: Final = (
    "factors", "iterations", "regularization", "alpha", "relevance_threshold", "content_weight", "seed", "engine",
)  # fmt: skip


class ALS(CalibratedRanker):
    """Rank by ``user factors . movie factors``, fitted to what was rated, weighted by confidence.

    Hu, Koren & Volinsky (2008), "Collaborative filtering for implicit feedback datasets". A rating of at
    least `relevance_threshold` stars has confidence ``alpha * stars``, any other rating 1; without a
    threshold every rating has ``alpha * stars``; other scales are stretched onto stars. A count of events has
    ``1 + alpha * log(1 + count / 0.02)``. What was not rated has preference 0 with confidence 1.
    Each equation is solved exactly: conjugate gradients give other top-10 lists on other processors.
    With content, movie factors are drawn towards a linear map of it instead of towards 0: see `ContentMap`.

    Parameters
    ----------
    factors : int
        Latent dimension, at least 1.
    iterations : int
        Sweeps over users and movies, at least 1.
    regularization : float
        L2 penalty, at least 0.
    alpha : float
        Confidence a star, or a unit of a count's logarithm; above 0.
    relevance_threshold : float or None
        On the ratings' scale; not used for counts.
    content_weight : float
        How cheap the map from content to factors is, at least 0; at 0 there is none, to the bit.
    seed : int
        Of the initial factors, which both engines draw alike.
    engine : {"fast", "implicit"}
        ``fast`` is our compiled solver. ``implicit`` is the library's exact one, the reference: the same sweeps up to
        rounding, in several times the time; it reports them when all are over.
    counts : bool
        Whether what stands for ratings are counts of events, such as plays.

    Attributes
    ----------
    user_factors, movie_factors : ndarray of float32, shape (users, factors) and (movies, factors)
        Latent factors.
    content_map : ndarray of float32, shape (content factors, factors)
        See `place`; without content it has no rows.
    objective : list of float
        The loss after each sweep of the last fit; not stored with the model.
    """

    name: ClassVar[str] = "als"
    user_factors: npt.NDArray[np.float32]
    movie_factors: npt.NDArray[np.float32]
    content_map: npt.NDArray[np.float32]

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
        engine: Literal["fast", "implicit"] = "fast",
        counts: bool = False,
    ) -> None:
        self.factors = factors
        self.iterations = iterations
        self.regularization = regularization
        self.alpha = alpha
        self.relevance_threshold = relevance_threshold
        self.content_weight = content_weight
        self.content_map = np.zeros((0, factors), dtype=np.float32)
        self.seed = seed
        self.engine = engine
        self.counts = counts
        self.calibration = np.array([0.0, 1.0, 0.0])
        self.objective: list[float] = []

    def fit(
        self,
        ratings: pd.DataFrame | IndexedRatings,
        on_sweep: Callable[[float], object] = lambda _: None,
        *,
        threads: int = 0,
        content: Content | None = None,
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
        content : Content, optional
            Of the movies; not used where `content_weight` is 0.

        Returns
        -------
        Self
            Fitted; until `calibrate` is called it predicts what the bias model predicts.

        Raises
        ------
        MovierecError
            If the equations have no unique solution in float32: too little regularization; or if the engine implicit
            is given content.
        """
        data = IndexedRatings.of(ratings)
        self.users, self.movies = data.users, data.movies
        self._fit_bias(data)
        described = self._describe(content)
        if self.engine == "fast":
            losses = self._sweep(self._make_side(data.by_user), self._make_side(data.by_movie), threads, described)
        elif described is None:
            losses = self._sweep_by_implicit(data, threads)
        else:
            raise MovierecError("the ALS's engine implicit knows no content: set its content_weight to 0")
        return self._follow(losses, on_sweep)

    def fit_sides(
        self,
        by_user: Side,
        by_movie: Side,
        on_sweep: Callable[[float], object] = lambda _: None,
        content: Content | None = None,
    ) -> Self:
        """Learn the factors as `fit` does, from ratings that lie elsewhere; users, movies and biases are there already.

        Parameters
        ----------
        by_user, by_movie : Side
            The same ratings twice, with `confidence` in place of stars.
        on_sweep, content
            As for `fit`, which also says what is raised.
        """
        return self._follow(self._sweep(by_user, by_movie, 0, self._describe(content)), on_sweep)

    def _follow(self, losses: Iterator[float], on_sweep: Callable[[float], object]) -> Self:
        self.objective, self.content_map = [], self.content_map[:0]
        for loss in losses:
            if not math.isfinite(loss):
                raise MovierecError("the ALS diverges: raise its regularization")
            self.objective.append(loss)
            on_sweep(loss)
        return self

    def _describe(self, content: Content | None) -> Scores | None:
        return content.of(self.movies.ids) if content and self.content_weight else None

    def _make_side(self, ratings: Grouped) -> LocalSide:
        return LocalSide(ratings._replace(stars=self.confidence(ratings.stars)), self.factors)

    def _sweep(self, by_user: Side, by_movie: Side, threads: int, described: Scores | None) -> Iterator[float]:
        """Fit by our solver; yield the loss after each sweep."""
        content = None if described is None else (described, self.content_weight)
        solver = AlternatingSolver(by_user, by_movie, self.factors, self.regularization, self.seed, content)
        with ThreadPoolExecutor(threads or available_cores()) as pool:
            for _ in range(self.iterations):
                yield solver.sweep(pool)
        self.user_factors, self.movie_factors = solver.user_factors, solver.movie_factors
        self.content_map = solver.content_map

    def _sweep_by_implicit(self, data: IndexedRatings, threads: int) -> Iterator[float]:
        """Fit by the library implicit; yield the losses when all is over."""
        from implicit.cpu.als import AlternatingLeastSquares  # noqa: PLC0415  # imports half of SciPy
        from implicit.recommender_base import ModelFitError  # noqa: PLC0415

        indptr, indices, stars = data.by_user
        matrix = sp.csr_matrix((self.confidence(stars), indices, indptr), shape=(len(self.users), len(self.movies)))
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

    def confidence(self, stars: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.float32]:
        """Return the confidence in each rating, shape (n,)."""
        if self.counts:
            return np.float32(1.0) + np.float32(self.alpha) * measure_counts(stars)
        liked = stars >= (-np.inf if self.relevance_threshold is None else self.relevance_threshold)
        own = to_stars(stars.astype(np.float32, copy=False), self.scale)
        return np.where(liked, np.float32(self.alpha) * own, np.float32(1.0))

    def predict_raw(self, user_ids: npt.ArrayLike, movie_ids: npt.ArrayLike) -> Array:
        """Return the uncalibrated score of each pair, about 0 to 1, shape (n,); 0 for unknown ids.

        Taken for a rating it is far off: it says how sure the model is that the user would watch the movie.
        """
        user, movie = self.users.rows(user_ids), self.movies.rows(movie_ids)
        score = partial(multiply_pairs, user_factors=self.user_factors, movie_factors=self.movie_factors)
        return map_pairs(score, user, movie)

    def place(self, content_factors: Scores) -> Scores:
        """Return the factors that content alone suggests, shape (n, factors), of movies that nobody has rated.

        Parameters
        ----------
        content_factors : ndarray of float32, shape (n, content factors)
            From the same `Content` as in the fit.
        """
        return content_factors @ self.content_map

    def score_rows(self, user_rows: Rows) -> npt.NDArray[np.float32]:
        """Return the uncalibrated scores, shape (users, movies)."""
        return self.user_factors[user_rows] @ self.movie_factors.T

    def _as_ranker(self) -> Products:
        nothing = (np.zeros(len(side), dtype=np.float32) for side in (self.user_factors, self.movie_factors))
        return Products(self.user_factors, self.movie_factors, *nothing)

    def _arrays(self) -> dict[str, npt.NDArray[Any]]:
        names = ("user_factors", "movie_factors", "content_map")
        return self._bias_arrays() | {name: getattr(self, name) for name in names}

    def _settings(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in _SETTINGS} | ({"counts": True} if self.counts else {})
