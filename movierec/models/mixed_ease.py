"""EASE with movies that were not in its fit, each a mix of those that were, by content."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from movierec.models.base import Array, Rows
from movierec.models.ease import EASE

CORRELATED: Final = 20  # movies of the mix that likeness to a new movie is taken from

Floats = npt.NDArray[np.float32]


class MixedEASE(EASE):
    """EASE whose last movies are mixes: such a movie's score is the mix of theirs, a rating of it one of the mix.

    What users think of a new movie does not move its mix: for that its column of B would have to be solved for again.

    Parameters
    ----------
    ease : EASE
        Fitted; left as it is.
    mixes : ndarray of float32, shape (new, modelled)
        Weights of the modelled movies; see `mix_movies`.
    reach : ndarray of float32, shape (new, modelled)
        What a rating of weight 1 adds to the scores of the modelled movies: ``spread_weights(mixes)``.
    """

    def __init__(self, ease: EASE, mixes: Floats, reach: Floats) -> None:
        vars(self).update(vars(ease))
        self._mixes, self._reach, self._known = mixes, reach, len(ease.movies)

    @property
    def weighed(self) -> npt.NDArray[np.integer[Any]]:
        """Return the rows of the movies whose ratings count, ascending."""
        return np.concatenate([self.modelled, self._known + np.arange(len(self._mixes))])

    def score_rows(self, user_rows: Rows) -> Floats:
        """Return the scores, shape (users, movies + new)."""
        return self._add_mixed(super().score_rows(user_rows))

    def fold_in(self, movie_rows: Rows, stars: npt.ArrayLike) -> Floats:
        """Score every movie for someone who was not in the fit; see `EASE.fold_in`."""
        rows, given = np.asarray(movie_rows), np.asarray(stars, dtype=np.float32)
        new = rows >= self._known
        scores = super().fold_in(rows[~new], given[~new])
        scores[self.modelled] += self.weigh(given[new]) @ self._reach[rows[new] - self._known]
        mixed: Floats = self._add_mixed(scores[np.newaxis])[0]
        return mixed

    def explain(self, movie_rows: Rows, stars: npt.ArrayLike, target_rows: Rows) -> Array:
        """Part scores among the ratings that they come from, exactly; see `EASE.explain`."""
        rows, given, target = np.asarray(movie_rows), np.asarray(stars, dtype=np.float32), np.asarray(target_rows)
        parts = np.zeros((len(target), len(rows)))
        new, unknown = rows >= self._known, target >= self._known
        every = np.zeros((len(self.modelled), len(rows)))
        if unknown.any() or new.any():
            every[:, ~new] = super().explain(rows[~new], given[~new], self.modelled)
            every[:, new] = (self._reach[rows[new] - self._known] * self.weigh(given[new])[:, np.newaxis]).T
            parts[unknown] = self._mixes[target[unknown] - self._known] @ every
        column = self.find_columns(target[~unknown])
        parts[~unknown] = np.where((column >= 0)[:, np.newaxis], every[column], 0.0)
        parts[np.ix_(~unknown, ~new)] = super().explain(rows[~new], given[~new], target[~unknown])
        return parts

    def correlate(self, movie_row: int) -> Floats:
        """Return partial correlations, of a new movie those of the mix; see `EASE.correlate`."""
        if movie_row < self._known:
            of_known: Floats = self._add_mixed(super().correlate(movie_row)[np.newaxis])[0].clip(-1, 1)
            return of_known
        mix = self._mixes[movie_row - self._known]
        heaviest = np.argsort(-np.abs(mix), kind="stable")[:CORRELATED]
        weights = mix[heaviest] / max(float(np.abs(mix[heaviest]).sum()), 1e-9)
        known = sum(
            weight * super(MixedEASE, self).correlate(int(self.modelled[at]))
            for at, weight in zip(heaviest, weights, strict=True)
        )
        correlations: Floats = self._add_mixed(np.asarray(known, dtype=np.float32)[np.newaxis])[0].clip(-1, 1)
        correlations[movie_row] = 1
        return correlations

    def _add_mixed(self, scores: Floats) -> Floats:
        return np.hstack([scores, scores[:, self.modelled] @ self._mixes.T])
