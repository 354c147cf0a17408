"""The Gibbs sampler of Bayesian matrix factorisation: one sweep draws everything once, each part given the rest."""

from typing import Final

import numpy as np
import numpy.typing as npt

from movierec import seeds
from movierec.errors import MovierecError
from movierec.models.gibbs.day_effects import DayEffects
from movierec.models.gibbs.kernels import Other, Prior, RatingsBySide, compile_draw_rows, compute_residuals, sum_squares
from movierec.models.gibbs.noise import RowNoise
from movierec.models.gibbs.row_blocks import RowBlocks
from movierec.models.gibbs.row_distribution import RowDistribution
from movierec.models.gibbs.side_information import Basis
from movierec.models.normal_equations import pad_width

STRANGERS: Final = 1  # rows at each side's end for whoever is not known at all
SETTLING_SWEEPS: Final = 3  # sweeps before the noise is drawn: until then residuals say nothing about it
_START_DEVIATION: Final = 0.1
_START_PRECISION: Final = 1.5

Floats = npt.NDArray[np.float32]


class Side:
    """Users or movies: rows of a bias and factors, their common distribution and their noise.

    Parameters
    ----------
    blocks : RowBlocks
        Of the rows.
    ratings : RatingsBySide
        In the order of this side; rows without any come last.
    factors : int
        Beside the bias.
    bases : dict of str to Basis
        Side information by name.
    rng : numpy.random.Generator
        Draws the start.

    Attributes
    ----------
    drawn, mean : ndarray of float32, shape (rows, width)
        The last draw of the rows, and its conditional mean. Column 0 is the bias; padding is 0.
    """

    def __init__(
        self, blocks: RowBlocks, ratings: RatingsBySide, factors: int, bases: dict[str, Basis], rng: np.random.Generator
    ) -> None:
        counts = np.diff(ratings.indptr)
        rows = len(counts)
        self.active = factors + 1
        self.width = pad_width(self.active)
        self.blocks, self.ratings = blocks, ratings
        self.drawn = np.zeros((rows, self.width), np.float32)
        self.drawn[:, 1 : self.active] = _START_DEVIATION * rng.standard_normal((rows, factors), dtype=np.float32)
        self.mean = self.drawn.copy()
        self.distribution = RowDistribution(blocks, int((counts > 0).sum()), self.active, bases)
        self.noise = RowNoise(counts)
        self.squares = np.empty(rows)

    def hold(self) -> Other:
        """Return this side as the other one needs it."""
        design = self.drawn.copy()
        design[:, 0] = 1
        return Other(design, self.drawn[:, 0].copy(), self.noise.weights)

    def draw_rows(self, other: Other, precision: float, rng: np.random.Generator) -> None:
        """Draw the rows given the other side, and then what they have in common.

        Raises
        ------
        MovierecError
            If a row's equations have no solution in float32.
        """
        prior = self._prior()
        precisions = (precision * self.noise.weights).astype(np.float32)
        kernel = compile_draw_rows(self.width)

        def draw(first: int, last: int, rng: np.random.Generator) -> bool:
            noise = np.zeros((last - first, self.width), np.float32)
            noise[:, : self.active] = rng.standard_normal((last - first, self.active), dtype=np.float32)
            arguments = (self.ratings, other, prior, precisions, noise, self.drawn, self.mean)
            return bool(kernel(first, last, *arguments))

        if not all(self.blocks.run_with_noise(rng, draw)):
            raise MovierecError("the Bayesian factorisation diverges: lower its factors")
        self.distribution.draw(self.drawn[:, : self.active], rng)

    def _prior(self) -> Prior:
        precision = np.eye(self.width, dtype=np.float32)
        precision[: self.active, : self.active] = self.distribution.precision
        centre = self.distribution.explained + self.distribution.mean.astype(np.float32)
        right = np.zeros((len(self.drawn), self.width), np.float32)
        right[:, : self.active] = self.blocks.multiply(centre, precision[: self.active, : self.active].copy())
        return Prior(precision, right)

    def sum_squares(self, residuals: Floats, weights: Floats) -> npt.NDArray[np.float64]:
        """Return each row's sum of squared residuals, weighted by the other side; residuals in this side's order."""
        self.blocks.run(lambda first, last: sum_squares(first, last, self.ratings, residuals, weights, self.squares))
        return self.squares


class Chain:
    """The state of the sampler, and its sweeps.

    Parameters
    ----------
    users, movies : Side
        With the same ratings.
    movie_order : ndarray of int, shape (ratings,)
        Places of the movies' ratings in the users' order.
    centred : ndarray of float32, shape (ratings,)
        Ratings less their mean, in the users' order.
    days : DayEffects or None
        Effects of the user's days.
    seed : int
        Of all draws.

    Attributes
    ----------
    precision : float
        Of a rating around its mean where both its user and its movie have weight 1, in 1 / stars squared.
    sweep : int
        The current one, from 1.
    """

    def __init__(
        self,
        users: Side,
        movies: Side,
        movie_order: npt.NDArray[np.int64],
        centred: Floats,
        days: DayEffects | None,
        seed: int,
    ) -> None:
        self.users, self.movies, self.days = users, movies, days
        self.movie_order, self.centred, self.seed = movie_order, centred, seed
        self.precision = _START_PRECISION
        self.residuals, self._movie_residuals = np.empty_like(centred), np.empty_like(centred)
        self.sweep = 0

    def draw_users(self) -> None:
        """Begin a sweep: draw the users given the movies."""
        self.sweep += 1
        self.users.draw_rows(self.movies.hold(), self.precision, self._rng("users"))

    def draw_movies(self) -> None:
        """Draw the movies given the users, and then the effects of days and the noise."""
        users = self.users.hold()
        self.movies.draw_rows(users, self.precision, self._rng("movies"))
        self.users.blocks.run(
            lambda first, last: compute_residuals(
                first, last, self.users.ratings, self.centred, users, self.movies.drawn, self.residuals
            )
        )
        if self.days:
            self._draw_days(self.days)
        self._draw_noise()

    def _draw_days(self, days: DayEffects) -> None:
        precisions = self.precision * self.users.noise.weights.astype(np.float64)
        days.draw(self.residuals, self.users.ratings.columns, precisions, self.movies.noise.weights, self._rng("days"))
        effects = days.by_rating()
        self.residuals -= effects
        np.subtract(self.centred, effects, out=self.users.ratings.targets)
        self._order_by_movie(self.users.ratings.targets, self.movies.ratings.targets)

    def _draw_noise(self) -> None:
        rng = self._rng("noise")
        squares = self.users.sum_squares(self.residuals, self.movies.noise.weights)
        if self.sweep > SETTLING_SWEEPS:
            self.users.noise.draw(self.precision * squares, rng)
        self._order_by_movie(self.residuals, self._movie_residuals)
        by_movie = self.movies.sum_squares(self._movie_residuals, self.users.noise.weights)
        if self.sweep > SETTLING_SWEEPS:
            self.movies.noise.draw(self.precision * by_movie, rng)
        total = float((by_movie * self.movies.noise.weights).sum())
        self.precision = float(rng.gamma(1 + len(self.centred) / 2, 1 / (1 + total / 2)))

    def _order_by_movie(self, values: Floats, out: Floats) -> None:
        indptr = self.movies.ratings.indptr

        def gather(first: int, last: int) -> None:
            own = slice(indptr[first], indptr[last])
            np.take(values, self.movie_order[own], out=out[own], mode="clip")  # other modes copy `out`

        self.movies.blocks.run(gather)

    def _rng(self, part: str) -> np.random.Generator:
        return seeds.rng(self.seed, "bayes", f"{part} of sweep {self.sweep}")
