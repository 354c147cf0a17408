"""Bayesian matrix factorisation: predictions as means over many fits that explain the ratings, with their deviation."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar, Final, NamedTuple, Self

import numpy as np
import pandas as pd

from movierec.columns import MOVIE_ID, RATING, TIMESTAMP, USER_ID
from movierec.ids import UNKNOWN
from movierec.models.base import Rows, find_range
from movierec.models.gibbs.chain import Chain
from movierec.models.gibbs.day_effects import locate_days, number_days
from movierec.models.gibbs.run import HeldOut, SweepCurve, SweepResult, sample_posterior
from movierec.models.gibbs.setup import prepare_ratings, start_chain
from movierec.models.posterior_predictive import PosteriorPredictive
from movierec.models.top_k import available_cores

MOST_SWEEPS: Final = 120
LEAST_SWEEPS: Final = 40
MANY_RATINGS: Final = 2_000_000


class Plan(NamedTuple):
    """Latent dimension and number of sweeps of one fit."""

    factors: int
    sweeps: int


class Bayes(PosteriorPredictive):
    """Predict the posterior mean of ``mean + user bias + movie bias + user factors . movie factors + mood of the day``.

    Salakhutdinov & Mnih (2008), "Bayesian probabilistic matrix factorization using Markov chain Monte Carlo": every
    parameter has a distribution, and one sweep of the sampler draws each given the others. The rows' prior means are
    linear maps of side information as in Simm et al. (2017), "Macau": which movies a user rated, which users rated a
    movie, how many, and a movie's genres and decade. Each user and each movie has a noise of its own.

    Parameters
    ----------
    factors : int, optional
        Latent dimension, at least 1; fastest where ``factors + 1`` is a multiple of 8. By default `plan` chooses.
    sweeps : int, optional
        Draws of every parameter; by default `plan` chooses.
    burn_in : int
        How many of the first sweeps are forgotten.
    directions : int
        Leading directions of the bags of rated movies, and of their raters, that inform the prior; 0 for none.
    day_effects : bool
        Whether all ratings of one user on one day share an offset; only for ratings with times.
    samples : int
        Joint draws to store, at least 2: what deviations, `fold_in` and `at_draw` stand on.
    seed : int
        Of all draws.

    Attributes
    ----------
    history : list of SweepResult
        The learning curve of the last fit; not stored with the model.
    """

    name: ClassVar[str] = "bayes"

    def __init__(
        self,
        factors: int | None = None,
        sweeps: int | None = None,
        burn_in: int = 20,
        directions: int = 256,
        *,
        day_effects: bool = True,
        samples: int = 16,
        seed: int = 0,
    ) -> None:
        if (sweeps or LEAST_SWEEPS) - burn_in < 2 or samples < 2:
            raise ValueError("give at least two sweeps after the burn-in and at least two samples")
        self.factors = factors
        self.sweeps = sweeps
        self.burn_in = burn_in
        self.directions = directions
        self.day_effects = day_effects
        self.samples = samples
        self.seed = seed
        self.history: list[SweepResult] = []

    def fit(
        self,
        ratings: pd.DataFrame,
        validation: pd.DataFrame | None = None,
        on_sweep: Callable[[SweepResult], object] = lambda _: None,
        *,
        movies: pd.DataFrame | None = None,
        threads: int = 0,
    ) -> Self:
        """Draw from the posterior.

        Parameters
        ----------
        ratings : DataFrame
            Columns ``user_id``, ``movie_id``, ``rating`` and, for effects of days, ``timestamp``; not empty.
        validation : DataFrame, optional
            Ratings to measure each sweep on; learns nothing from them.
        on_sweep : callable
            Called after each sweep; what it raises ends the fit.
        movies : DataFrame, optional
            Columns ``movie_id``, ``genres`` (lists) and, where known, ``year``. Movies without ratings can then be
            predicted from what they share with others.
        threads : int
            To fit with; 0 means all cores. No result depends on it.

        Returns
        -------
        Self
            Fitted, with a new `history`.

        Raises
        ------
        ValueError
            If there are no ratings.
        """
        self.history = []
        data = prepare_ratings(ratings, movies, by_day=self.day_effects)
        self.users, self.movies, self.unrated_ids = data.users, data.movies, data.unrated.ids
        self.mean, self.scale = np.asarray(data.stars.mean()), find_range(data.stars)
        plan = self.plan(len(ratings))
        with ThreadPoolExecutor(threads or available_cores()) as pool:
            chain = start_chain(data, plan.factors, self.directions, self.seed, pool)
            curve = None if validation is None else self._measure_on(validation, chain)

            def report(result: SweepResult) -> None:
                self.history.append(result)
                on_sweep(result)

            found = sample_posterior(chain, curve, plan.sweeps, self.burn_in, self.samples, report)
        vars(self).update(found)
        return self

    def plan(self, ratings: int) -> Plan:
        """Choose what was left open: the more ratings, the more a sweep costs and the less a further one tells.

        Up to a million ratings 120 sweeps, then in proportion to their number to the power of -0.7, at least 40; 31
        factors up to two million, 15 above, which halves the time of a sweep.
        """
        sweeps = round(MOST_SWEEPS * min(1.0, (1e6 / ratings) ** 0.7)) if ratings else MOST_SWEEPS
        factors = 31 if ratings <= MANY_RATINGS else 15
        return Plan(self.factors or factors, self.sweeps or max(sweeps, LEAST_SWEEPS))

    def _measure_on(self, validation: pd.DataFrame, chain: Chain) -> SweepCurve:
        user, movie = self._user_rows(validation[USER_ID]), self._movie_rows(validation[MOVIE_ID])
        day: Rows = np.full(len(user), UNKNOWN, np.int32)
        if chain.days and TIMESTAMP in validation:
            day = locate_days(chain.days.days.user, chain.days.day, user, number_days(validation[TIMESTAMP]))
        held_out = HeldOut(user, movie, day, validation[RATING].to_numpy(dtype=np.float64))
        return SweepCurve(chain, held_out, float(self.mean), self.scale)

    def _settings(self) -> dict[str, Any]:
        names = ("factors", "sweeps", "burn_in", "directions", "day_effects", "samples", "seed")
        return {name: getattr(self, name) for name in names}
