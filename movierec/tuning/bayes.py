"""Trials of the Bayesian factorisation: RMSE on validation, of a sample of the users where there are many ratings."""

import hashlib
from typing import ClassVar, Final

import numpy as np
import pandas as pd

from movierec.columns import MOVIE_ID, RATING, TIMESTAMP, USER_ID
from movierec.metrics.rating import rmse
from movierec.models.base import Recommender
from movierec.models.bayes import Bayes
from movierec.models.gibbs.side_information import describe_content
from movierec.tuning.objective import Objective, OnStep, Settings, ignore_step
from movierec.tuning.sample import draw_users

MOST_RATINGS: Final = 250_000


class BayesObjective(Objective):
    """Draw as many sweeps as a fit on all of train does, on users with `MOST_RATINGS` at most. See `Objective`.

    More sweeps are always better, so their number is not searched; shorter chains favour fewer factors. The
    steps are sweeps, each with its RMSE.

    Parameters
    ----------
    train, validation, seed
        As `Objective` takes them.
    movies : DataFrame, optional
        Genres and years, as `Bayes.fit` takes them.
    """

    model: ClassVar[str] = "bayes"
    code: ClassVar[tuple[str, ...]] = (
        "movierec.compiled",
        "movierec.ids",
        "movierec.metrics.rating",
        "movierec.models.base",
        "movierec.models.bayes",
        "movierec.models.gibbs.bags",
        "movierec.models.gibbs.chain",
        "movierec.models.gibbs.day_effects",
        "movierec.models.gibbs.kernels",
        "movierec.models.gibbs.noise",
        "movierec.models.gibbs.posterior",
        "movierec.models.gibbs.posterior_mean",
        "movierec.models.gibbs.row_blocks",
        "movierec.models.gibbs.row_distribution",
        "movierec.models.gibbs.run",
        "movierec.models.gibbs.setup",
        "movierec.models.gibbs.side_information",
        "movierec.models.gibbs.subspace",
        "movierec.models.gibbs.unrated",
        "movierec.models.normal_equations",
        "movierec.models.pair_scores",
        "movierec.models.posterior_predictive",
        "movierec.models.tiles",
        "movierec.seeds",
        "movierec.tuning.bayes",
        "movierec.tuning.objective",
        "movierec.tuning.sample",
    )
    libraries: ClassVar[tuple[str, ...]] = ("numba", "numpy", "pandas")

    def __init__(
        self, train: pd.DataFrame, validation: pd.DataFrame, seed: int, movies: pd.DataFrame | None = None
    ) -> None:
        self.movies = movies
        self.sweeps = Bayes().plan(len(train)).sweeps
        super().__init__(*draw_users(train, validation, MOST_RATINGS, seed), seed)

    def fit(self, settings: Settings, on_step: OnStep = ignore_step, *, threads: int = 0) -> Bayes:
        """Draw on the users' train ratings; see `Objective.fit`."""
        model = Bayes(**settings, sweeps=self.sweeps, samples=2, seed=self.seed)
        return model.fit(
            self.train,
            self.validation,
            lambda sweep: on_step(sweep.validation_rmse),
            movies=self.movies,
            threads=threads,
        )

    def score(self, model: Recommender) -> dict[str, float]:
        """Return ``validation_rmse``, in stars."""
        rated = self.validation
        times = [rated[TIMESTAMP]] if TIMESTAMP in rated else []
        return {self.metric: rmse(rated[RATING], model.predict(rated[USER_ID], rated[MOVIE_ID], *times))}

    def count_steps(self, settings: Settings) -> int:
        """Return the number of sweeps."""
        del settings  # the same for all
        return self.sweeps

    def estimate_effort(self, settings: Settings) -> float:
        """Count multiplications a rating: a sweep builds an equation of factors x factors, twice."""
        return float(2 * self.sweeps * settings["factors"] ** 2 + 12 * settings["directions"])

    def _conditions(self) -> str:
        times = [part[TIMESTAMP].to_numpy().tobytes() for part in (self.train, self.validation) if TIMESTAMP in part]
        if self.movies is not None:
            content = describe_content(self.movies, np.unique(self.train[MOVIE_ID]))
            times.append(content.tobytes())
        return f"{self.sweeps} sweeps, times and genres {hashlib.sha256(b''.join(times)).hexdigest()}"
