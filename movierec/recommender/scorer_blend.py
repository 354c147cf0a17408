"""A blend of EASE and the ALS made ready to answer for one user at a time."""

import numpy as np

from movierec.models.base import Array, Rows
from movierec.models.blend import Blend, standardize
from movierec.recommender.fold_in import FoldedUser, fold_in_als, gram_of_movies
from movierec.recommender.profiles import Profile
from movierec.recommender.scorer import NO_CODES, Codes, Scores, Shares
from movierec.recommender.scorer_ease import RankerScorer, ScoredTaste


class BlendScorer(RankerScorer):
    """A blend: each part scores by all ratings of the user, then both are standardised and mixed as in the fit.

    Parameters
    ----------
    model : Blend
        Fitted and calibrated.
    codes : ndarray of int64
        See `RankerScorer`.
    """

    def __init__(self, model: Blend, codes: Codes = NO_CODES) -> None:
        super().__init__(model, codes)
        self._model, self._gram = model, gram_of_movies(model.als)
        lengths = np.linalg.norm(model.als.movie_factors, axis=1, keepdims=True)
        self._directions = model.als.movie_factors / np.where(lengths > 0, lengths, np.float32(1))

    def compare(self, movie_row: int) -> Scores:
        """Return cosines of the ALS's factors, which tell more of seldom rated movies; see `Scorer.compare`."""
        cosines: Scores = self._directions @ self._directions[movie_row]
        return cosines

    def explain(self, profile: Profile, taste: ScoredTaste, movie_rows: Rows) -> Shares:  # noqa: ARG002  # of any taste
        """Add up what each rating adds in both parts; see `explain_parts` and `Scorer.explain`."""
        rows, stars = self._known(profile)
        parts = self.explain_parts(rows, stars, movie_rows)
        scores = self._score_folded(rows, stars)[movie_rows].astype(np.float64)
        return Shares(self.movie_ids[rows], stars, parts["ease"] + parts["als"], scores)

    def explain_parts(self, rows: Rows, stars: Scores, movie_rows: Rows) -> dict[str, Array]:
        """Part folded-in scores among the ratings that they come from, for each part of the blend.

        Parameters
        ----------
        rows, stars
            A user's ratings: distinct places in `movie_ids`, shape (n,), and stars.
        movie_rows : ndarray of int, shape (m,)
            The movies whose scores are to be explained.

        Returns
        -------
        dict of str to ndarray of float64, shape (m, n)
            ``ease`` and ``als``: what each rating adds to each score. The sum over ratings and parts is the score and
            what standardising took from all movies alike: differences between movies are explained exactly.
        """
        model, folded = self._model, self._fold_in_als(rows, stars)
        of_ease = standardize(model.ease.fold_in(rows, stars)[np.newaxis])[1].item()
        of_als = standardize(self._score_by_als(folded))[1].item()
        ease = model.ease.explain(rows, stars, movie_rows)
        als = folded.explain(model.als.movie_factors[movie_rows].astype(np.float64))
        return {"ease": model.weight / of_ease * ease, "als": (1 - model.weight) / of_als * als}

    def _score_folded(self, rows: Rows, stars: Scores) -> Scores:
        ease = standardize(self._model.ease.fold_in(rows, stars)[np.newaxis])[0]
        als = standardize(self._score_by_als(self._fold_in_als(rows, stars)))[0]
        scores: Scores = self._model.mix(ease, als, self._model.weight)[0]
        return scores

    def _fold_in_als(self, rows: Rows, stars: Scores) -> FoldedUser:
        return fold_in_als(self._model.als, self._gram, rows, stars)

    def _score_by_als(self, folded: FoldedUser) -> Scores:
        return (self._model.als.movie_factors @ folded.vector.astype(np.float32))[np.newaxis]
