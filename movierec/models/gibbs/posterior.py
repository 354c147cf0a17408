"""What is kept of the sampler's sweeps: the mean of all scores, some joint draws, the noise, the effects of days."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from movierec import seeds
from movierec.models.gibbs.chain import Chain, Side
from movierec.models.gibbs.posterior_mean import PosteriorMean
from movierec.models.gibbs.unrated import CONTENT, draw_unrated, offset_users, regress_rows

DRAWS_OF_MEAN: Final = 50
FACTORS_OF_MEAN: Final = 63

Arrays = dict[str, npt.NDArray[Any]]


class PosteriorRecorder:
    """Collects what a model stores, sweep by sweep.

    Parameters
    ----------
    chain : Chain
        Read only.
    kept : int
        Sweeps that will be recorded, at least 1.
    samples : int
        Joint draws to store, spread evenly over them; at most `kept` are.
    """

    def __init__(self, chain: Chain, kept: int, samples: int) -> None:
        self.chain, self.kept, self.samples = chain, kept, min(samples, kept)
        self.recorded = 0
        self.mean = PosteriorMean()
        self.draws: list[Arrays] = []
        self.noise = {"user": np.zeros(chain.users.blocks.rows), "movie": np.zeros(chain.movies.blocks.rows)}
        self.common_noise = 0.0
        days = 0 if chain.days is None else len(chain.days.day)
        self.day_sums, self.day_spread = np.zeros(days), 0.0

    def record_users(self) -> None:
        """Record the middle of a sweep: the new users belong to the old movies."""
        self.recorded += 1
        if self._falls_on(min(DRAWS_OF_MEAN, self.kept)):
            self.mean.add(_active(self.chain.users, "mean"), _active(self.chain.movies, "drawn"))

    def record_movies(self) -> None:
        """Record the end of a sweep."""
        chain = self.chain
        if self._falls_on(min(DRAWS_OF_MEAN, self.kept)):
            self.mean.add(_active(chain.users, "drawn"), _active(chain.movies, "mean"))
        if self._falls_on(self.samples):
            self.draws.append(_take_sample(chain))
        self.noise["user"] += 1 / chain.users.noise.weights
        self.noise["movie"] += 1 / chain.movies.noise.weights
        self.common_noise += 1 / chain.precision
        if chain.days:
            self.day_sums += chain.days.draws.mean
            self.day_spread += 1 / chain.days.precision

    def _falls_on(self, times: int) -> bool:
        """Whether this sweep is one of so many, evenly spread; the last one always is."""
        return self.recorded * times // self.kept > (self.recorded - 1) * times // self.kept

    def finish(self) -> Arrays:
        """Return the arrays of a model by name; see `PosteriorPredictive`."""
        chain = self.chain
        rng = seeds.rng(chain.seed, "bayes", "mean")
        users, movies = self.mean.factorize(chain.users.blocks, chain.movies.blocks, FACTORS_OF_MEAN, rng)
        expected, rated = regress_rows(chain.movies, movies), chain.movies.distribution.rated
        return {
            "user_mean": users,
            "movie_mean": np.vstack([movies[:rated], expected[rated:]]),
            "user_offset": offset_users(chain, users, expected),
            **{name: np.stack([draw[name] for draw in self.draws]) for name in self.draws[0]},
            **{f"{side}_noise": (total / self.kept).astype(np.float32) for side, total in self.noise.items()},
            "noise": np.array(self.common_noise / self.kept),
            **_describe_bags("user", chain.users),
            **_describe_bags("movie", chain.movies),
            **self._finish_days(),
        }

    def _finish_days(self) -> Arrays:
        days = self.chain.days
        return {
            "day_user": np.empty(0, np.int32) if days is None else days.days.user,
            "day": np.empty(0, np.int32) if days is None else days.day,
            "day_effect": (self.day_sums / self.kept).astype(np.float32),
            "day_spread": np.array(self.day_spread / self.kept),
        }


def _active(side: Side, state: str) -> npt.NDArray[np.float32]:
    rows: npt.NDArray[np.float32] = getattr(side, state)[:, : side.active]
    return rows


def _take_sample(chain: Chain) -> Arrays:
    """Return one joint draw of both sides' rows, and of what a new row's distribution needs."""
    sample: Arrays = {"precision": np.array(chain.precision)}
    for name, side in (("user", chain.users), ("movie", chain.movies)):
        rng = seeds.rng(chain.seed, "bayes", f"unrated {name}s of sweep {chain.sweep}")
        sample[f"{name}_draws"] = draw_unrated(side, _active(side, "drawn"), rng).astype(np.float16)
        sample[f"{name}_centre"] = side.distribution.mean.astype(np.float32)
        sample[f"{name}_precision"] = side.distribution.precision.astype(np.float32)
        sample[f"{name}_degrees"] = np.array(side.noise.degrees)
        for basis, linear in side.distribution.maps.items():
            if basis != CONTENT:
                sample[f"{name}_{basis}_coefficients"] = linear.coefficients.astype(np.float32)
    return sample


def _describe_bags(name: str, side: Side) -> Arrays:
    """Return what turns a new row's ratings into directions."""
    arrays: Arrays = {}
    for basis, linear in side.distribution.maps.items():
        if basis != CONTENT:
            projection = linear.basis.projection
            arrays[f"{name}_{basis}_projection"] = projection.astype(np.float16)
            arrays[f"{name}_{basis}_mean"] = (linear.basis.mean @ projection).astype(np.float32)
    return arrays
