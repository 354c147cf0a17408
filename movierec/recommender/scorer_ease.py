"""EASE made ready to answer for one user at a time; and what it shares with any model whose taste is its scores."""

from abc import abstractmethod
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from movierec.ids import find_rows
from movierec.models.base import Array, Rows, gather
from movierec.models.calibration import CalibratedRanker
from movierec.models.ease import EASE
from movierec.recommender.fold_in import fold_in_bias
from movierec.recommender.profiles import Profile
from movierec.recommender.scorer import NO_CODES, Codes, Predicted, Scorer, Scores, Shares, Taste


@dataclass(frozen=True, eq=False)
class ScoredTaste(Taste):
    """A bias in stars, and the scores of all movies in float32, shape (movies,)."""

    bias: float
    scores: Scores


class RankerScorer(Scorer[ScoredTaste]):
    """A model without a vector for each user: all scores are computed when the user is seen.

    Parameters
    ----------
    model : CalibratedRanker
        Fitted and calibrated, perhaps with new movies behind the others.
    codes : ndarray of int64, shape (new,)
        Of the new movies, ascending, above all others.
    """

    def __init__(self, model: CalibratedRanker, codes: Codes = NO_CODES) -> None:
        self._ranker = model
        self.movie_ids, self._user_ids = np.concatenate([model.movies.ids, codes]), model.users.ids

    def recall(self, user_id: int) -> ScoredTaste | None:
        """Score by the ratings of the fit; see `Scorer.recall`."""
        row = int(find_rows(self._user_ids, [user_id])[0])
        if row < 0:
            return None
        scores = self._ranker.score_rows(np.array([row], dtype=np.int32))[0]
        return ScoredTaste(float(self._ranker.user_bias[row]), scores)

    def score(self, taste: ScoredTaste) -> Scores:
        """Return the scores that the taste consists of; see `Scorer.score`."""
        return taste.scores

    def predict(self, taste: ScoredTaste | None, movie_ids: npt.ArrayLike) -> Predicted:
        """Predict stars by the calibrated score; see `Scorer.predict`."""
        rows, weight = find_rows(self.movie_ids, movie_ids), self._ranker.calibration
        bias: Array = self._ranker.mean + gather(self._ranker.movie_bias, rows) + (taste.bias if taste else 0.0)
        scores = gather(taste.scores.astype(np.float64), rows) if taste else 0.0
        return Predicted(np.clip(weight[0] + weight[1] * bias + weight[2] * scores, *self._ranker.scale))

    def _solve_taste(self, rows: Rows, stars: Scores) -> ScoredTaste:
        return ScoredTaste(fold_in_bias(self._ranker, rows, stars), self._score_folded(rows, stars))

    @abstractmethod
    def _score_folded(self, rows: Rows, stars: Scores) -> Scores:
        """Score every movie for someone by their ratings alone."""


class EaseScorer(RankerScorer):
    """An EASE: whoever rated a modelled movie is scored by the same product as the users of the fit.

    Parameters
    ----------
    model : EASE
        Fitted and calibrated.
    codes : ndarray of int64
        See `RankerScorer`.
    """

    def __init__(self, model: EASE, codes: Codes = NO_CODES) -> None:
        super().__init__(model, codes)
        self._model = model

    def compare(self, movie_row: int) -> Scores:
        """Return partial correlations instead of cosines; see `EASE.correlate`."""
        return self._model.correlate(movie_row)

    def explain(self, profile: Profile, taste: ScoredTaste, movie_rows: Rows) -> Shares:  # noqa: ARG002  # of any taste
        """Part the scores exactly: they are sums over the ratings; see `Scorer.explain`."""
        rows, stars = self._known(profile)
        parts = self._model.explain(rows, stars, movie_rows)
        return Shares(self.movie_ids[rows], stars, parts, parts.sum(axis=1))

    def _score_folded(self, rows: Rows, stars: Scores) -> Scores:
        return self._model.fold_in(rows, stars)

    def _known(self, profile: Profile) -> tuple[Rows, Scores]:
        rows, stars = super()._known(profile)
        modelled = find_rows(self._model.weighed, rows) >= 0
        return rows[modelled], stars[modelled]
