"""The engines that train the SVD: exact, fast, parallel, and scikit-surprise itself; when to stop is not theirs."""

import math
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from movierec import seeds
from movierec.columns import MOVIE_ID, RATING, USER_ID
from movierec.ids import UNKNOWN
from movierec.models.base import Rows, find_range
from movierec.models.indexed import IndexedRatings, Pairs
from movierec.models.sgd.exact import Factors, Step, Steps, predict_pairs, run_epoch
from movierec.models.sgd.float32 import FastStep, PaddedFactors, compile_kernels, make_rows, pad
from movierec.models.sgd.strata import stratify
from movierec.models.top_k import available_cores

PARTS = 8  # of users and of movies; so many threads at most

EngineName = Literal["exact", "fast", "parallel", "surprise"]


class SgdSettings(NamedTuple):
    """What SVD's engines are told; see `SVD`."""

    factors: int
    learning_rate: float
    regularization: float
    init_std_dev: float
    seed: int


class TrainingEngine(ABC):
    """Trains on ratings, and measures itself.

    Parameters
    ----------
    data : IndexedRatings
        To learn from.
    settings : SgdSettings
        How.

    Attributes
    ----------
    mean : ndarray of float64, shape ()
        Mean rating in stars.
    scale : ndarray of float64, shape (2,)
        Lowest and highest rating, to which predictions are clipped.
    """

    def __init__(self, data: IndexedRatings, settings: SgdSettings) -> None:
        self.data = data
        self.settings = settings
        self.mean = np.asarray(data.pairs.stars.astype(np.float64).mean())
        self.scale = find_range(data.pairs.stars)

    @abstractmethod
    def run_epochs(self, epochs: int) -> Iterator[int]:
        """Train, and yield the number of each epoch, from 1, when it is over."""

    @abstractmethod
    def measure(self, pairs: Pairs) -> float:
        """Return the RMSE of clipped predictions, in stars; not finite when training diverged."""

    @abstractmethod
    def remember(self) -> None:
        """Keep the parameters as they are now: they are the result, whatever follows."""

    @property
    @abstractmethod
    def result(self) -> Factors:
        """What was learnt: as it was remembered last, or as it is now."""


def draw_start(data: IndexedRatings, settings: SgdSettings) -> Factors:
    """Draw factors as scikit-surprise does: users first, movies in the order in which they appear; biases are 0."""
    rng = np.random.RandomState(settings.seed)
    users, movies = len(data.users), len(data.movies)
    user_factors = rng.normal(0.0, settings.init_std_dev, (users, settings.factors))
    movie_factors = np.empty((movies, settings.factors))
    movie_factors[pd.unique(data.pairs.movie)] = rng.normal(0.0, settings.init_std_dev, movie_factors.shape)
    return Factors(np.zeros(users), np.zeros(movies), user_factors, movie_factors)


class ExactEngine(TrainingEngine):
    """The float64 loop of `sgd`, with scikit-surprise's bits."""

    def __init__(self, data: IndexedRatings, settings: SgdSettings) -> None:
        super().__init__(data, settings)
        self.model = draw_start(data, settings)
        self.remembered: Factors | None = None

    def run_epochs(self, epochs: int) -> Iterator[int]:
        """Train on one core; see `TrainingEngine.run_epochs`."""
        block = self.data.block
        block = block._replace(rating=block.rating.astype(np.float64))
        steps = Steps(*[Step(self.settings.learning_rate, self.settings.regularization)] * len(Steps._fields))
        for epoch in range(1, epochs + 1):
            run_epoch(block, float(self.mean), self.model, steps, biased=True)
            yield epoch

    def measure(self, pairs: Pairs) -> float:
        """Predict in float64; see `TrainingEngine.measure`."""
        predicted = predict_pairs(pairs.user, pairs.movie, float(self.mean), self.model)
        np.clip(predicted, *self.scale, out=predicted)
        return float(np.sqrt(np.mean((predicted - pairs.stars) ** 2)))

    def remember(self) -> None:
        """Copy the parameters; see `TrainingEngine.remember`."""
        self.remembered = Factors._make(array.copy() for array in self.model)

    @property
    def result(self) -> Factors:
        """Float64 arrays; see `TrainingEngine.result`."""
        return self.remembered or self.model


class FastEngine(TrainingEngine):
    """The float32 loop of `float32` on one core: the exact engine's start and order, in single precision."""

    def __init__(self, data: IndexedRatings, settings: SgdSettings) -> None:
        super().__init__(data, settings)
        self.model = self._draw()
        self.kernels = compile_kernels(self.model.user_factors.shape[1])
        self.step = FastStep(
            np.float32(self.mean), np.float32(settings.learning_rate), np.float32(settings.regularization)
        )
        self.remembered: PaddedFactors | None = None

    def _draw(self) -> PaddedFactors:
        start = draw_start(self.data, self.settings)
        return _add_biases(pad(start.user_factors), pad(start.movie_factors))

    def run_epochs(self, epochs: int) -> Iterator[int]:
        """Train on one core; see `TrainingEngine.run_epochs`."""
        block = self.data.block
        block = block._replace(rating=block.rating.astype(np.float32, copy=False))
        for epoch in range(1, epochs + 1):
            self.kernels.run_block(block, self.step, self.model)
            yield epoch

    def measure(self, pairs: Pairs) -> float:
        """Predict in float32; see `TrainingEngine.measure`."""
        stars = pairs.stars.astype(np.float32, copy=False)
        scale = self.scale.astype(np.float32)
        return math.sqrt(
            self.kernels.sum_squares(pairs.user, pairs.movie, stars, *scale, self.step.mean, self.model) / len(stars)
        )

    def remember(self) -> None:
        """Copy the parameters to where the last copy lies; see `TrainingEngine.remember`."""
        if self.remembered is None:
            self.remembered = PaddedFactors._make(map(np.empty_like, self.model))
        for kept, array in zip(self.remembered, self.model, strict=True):
            np.copyto(kept, array)

    @property
    def result(self) -> Factors:
        """Biases in float64, factors in float32; see `TrainingEngine.result`."""
        user_bias, movie_bias, user_factors, movie_factors = self.remembered or self.model
        own = slice(self.settings.factors)
        return Factors(
            user_bias.astype(np.float64),
            movie_bias.astype(np.float64),
            np.ascontiguousarray(user_factors[:, own]),
            np.ascontiguousarray(movie_factors[:, own]),
        )


class ParallelEngine(FastEngine):
    """The float32 loop on all cores, over `PARTS` x `PARTS` blocks of ratings; no result depends on the cores."""

    def _draw(self) -> PaddedFactors:
        rows = len(self.data.users), len(self.data.movies)
        arrays = [make_rows(count, self.settings.factors) for count in rows]

        def draw_part(part: int) -> None:
            rng = seeds.rng(self.settings.seed, "svd", f"factors {part}")
            for array in arrays:
                own = array[len(array) * part // PARTS : len(array) * (part + 1) // PARTS, : self.settings.factors]
                own[:] = rng.standard_normal(own.shape, dtype=np.float32)
                own *= np.float32(self.settings.init_std_dev)

        with ThreadPoolExecutor(min(PARTS, available_cores())) as pool:
            deque(pool.map(draw_part, range(PARTS)), maxlen=0)
        return _add_biases(arrays[0], arrays[1])

    def run_epochs(self, epochs: int) -> Iterator[int]:
        """Train on all cores; see `TrainingEngine.run_epochs`."""
        threads = min(PARTS, available_cores())
        shares = list(pairwise(np.linspace(0, PARTS, threads + 1).astype(int).tolist()))
        user, movie, stars = self.data.pairs
        with ThreadPoolExecutor(threads) as pool:
            rng = seeds.rng(self.settings.seed, "svd", "blocks")
            strata = stratify(user, movie, stars.astype(np.float32, copy=False), PARTS, rng, pool.map)
            self._place_movies(strata.movie_place)

            def take(share: tuple[int, int], stratum: int) -> None:
                self.kernels.run_blocks(*share, stratum, strata, self.step, self.model)

            for epoch in range(1, epochs + 1):
                for stratum in range(PARTS):
                    deque(pool.map(take, shares, [stratum] * threads), maxlen=0)
                yield epoch

    def _place_movies(self, places: Rows) -> None:
        """Put the movies' first factors into their places; their biases are all 0 still."""
        movie_factors = make_rows(len(places), self.settings.factors)
        movie_factors[places] = self.model.movie_factors
        self.model = self.model._replace(movie_factors=movie_factors)
        self.movie_places = np.append(places, np.int32(UNKNOWN))  # the last one is that of row -1

    def measure(self, pairs: Pairs) -> float:
        """Predict in float32; see `TrainingEngine.measure`."""
        return super().measure(pairs._replace(movie=self.movie_places[pairs.movie]))

    @property
    def result(self) -> Factors:
        """Biases in float64, factors in float32; see `TrainingEngine.result`."""
        found, places = super().result, self.movie_places[:-1]
        return found._replace(movie_bias=found.movie_bias[places], movie_factors=found.movie_factors[places])


def _add_biases(user_factors: npt.NDArray[np.float32], movie_factors: npt.NDArray[np.float32]) -> PaddedFactors:
    user_bias, movie_bias = (np.zeros(len(factors), dtype=np.float32) for factors in (user_factors, movie_factors))
    return PaddedFactors(user_bias, movie_bias, user_factors, movie_factors)


class SurpriseEngine(ExactEngine):
    """scikit-surprise itself, the reference: slow, and only the end of its training can be seen."""

    def run_epochs(self, epochs: int) -> Iterator[int]:
        """Train, and yield the last epoch alone; see `TrainingEngine.run_epochs`."""
        import surprise  # noqa: PLC0415  # slow to import and rarely the engine

        reader = surprise.Reader(rating_scale=tuple(self.scale.tolist()))
        data = surprise.Dataset.load_from_df(self.data.table[[USER_ID, MOVIE_ID, RATING]], reader)
        trainset = data.build_full_trainset()
        algorithm = surprise.SVD(
            n_factors=self.settings.factors,
            n_epochs=epochs,
            lr_all=self.settings.learning_rate,
            reg_all=self.settings.regularization,
            init_std_dev=self.settings.init_std_dev,
            random_state=self.settings.seed,
        ).fit(trainset)
        users = [trainset.to_inner_uid(raw) for raw in self.data.users.ids.tolist()]
        movies = [trainset.to_inner_iid(raw) for raw in self.data.movies.ids.tolist()]
        self.mean = np.asarray(trainset.global_mean, dtype=np.float64)
        self.model = Factors(algorithm.bu[users], algorithm.bi[movies], algorithm.pu[users], algorithm.qi[movies])
        yield epochs


ENGINES: dict[EngineName, type[TrainingEngine]] = {
    "exact": ExactEngine,
    "fast": FastEngine,
    "parallel": ParallelEngine,
    "surprise": SurpriseEngine,
}
