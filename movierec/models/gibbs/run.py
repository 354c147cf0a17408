"""Running the sampler: its sweeps, what is recorded of them, and the learning curve."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from movierec.models.gibbs.chain import Chain
from movierec.models.gibbs.posterior import Arrays, PosteriorRecorder
from movierec.models.pair_scores import score_pairs

Array = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int32]


@dataclass(frozen=True)
class SweepResult:
    """Root mean squared error of the mean of all kept sweeps so far, in stars; None without validation ratings.

    During the burn-in it is that of the last sweep alone.
    """

    sweep: int
    validation_rmse: float | None


@dataclass(frozen=True)
class HeldOut:
    """Ratings to measure sweeps on.

    Attributes
    ----------
    user, movie : ndarray of int32, shape (ratings,)
        Rows of the factors.
    day : ndarray of int32, shape (ratings,)
        Rows of the effects of days, -1 for none.
    stars : ndarray of float64, shape (ratings,)
        The ratings.
    """

    user: Rows
    movie: Rows
    day: Rows
    stars: Array


class SweepCurve:
    """Measures a chain's running mean prediction on held-out ratings.

    Parameters
    ----------
    chain : Chain
        Read only.
    held_out : HeldOut
        The ratings.
    mean : float
        Of the training ratings.
    scale : ndarray of float64, shape (2,)
        Lowest and highest of them.
    """

    def __init__(self, chain: Chain, held_out: HeldOut, mean: float, scale: Array) -> None:
        self.chain, self.held_out = chain, held_out
        self.mean, self.scale = mean, scale
        self.total = np.zeros(len(held_out.stars))
        self.sweeps = 0
        self.by_users = self.total

    def add_users(self) -> None:
        """Take in the users' conditional means, which belong to the movies as they are now."""
        self.by_users = score_pairs(
            self.held_out.user, self.held_out.movie, self.chain.users.mean, self.chain.movies.drawn
        )

    def add_movies(self, *, forget: bool) -> float:
        """Take in the movies' conditional means and the days', and return the RMSE; forget what came before."""
        held_out, chain = self.held_out, self.chain
        by_movies = score_pairs(held_out.user, held_out.movie, chain.users.drawn, chain.movies.mean)
        score = (self.by_users + by_movies) / 2
        if chain.days:
            score += np.where(held_out.day >= 0, np.append(chain.days.draws.mean, 0)[held_out.day], 0)
        self.total, self.sweeps = (score, 1) if forget else (self.total + score, self.sweeps + 1)
        predicted = np.clip(self.mean + self.total / self.sweeps, *self.scale)
        return float(np.sqrt(np.mean((predicted - held_out.stars) ** 2)))


def sample_posterior(
    chain: Chain,
    curve: SweepCurve | None,
    sweeps: int,
    burn_in: int,
    samples: int,
    report: Callable[[SweepResult], object],
) -> Arrays:
    """Run a chain, and return what a model stores of it.

    Parameters
    ----------
    chain : Chain
        Before its first sweep.
    curve : SweepCurve, optional
        On the same chain.
    sweeps, burn_in : int
        Sweeps in all, and how many of the first are not recorded.
    samples : int
        Joint draws to store.
    report : callable
        Called after each sweep; what it raises ends the run.
    """
    recorder = PosteriorRecorder(chain, sweeps - burn_in, samples)
    for sweep in range(1, sweeps + 1):
        kept = sweep > burn_in
        chain.draw_users()
        if kept:
            recorder.record_users()
        if curve:
            curve.add_users()
        chain.draw_movies()
        if kept:
            recorder.record_movies()
        report(SweepResult(sweep, curve.add_movies(forget=sweep <= burn_in + 1) if curve else None))
    return recorder.finish()
