"""What the engine answers with, and nothing that computes a score."""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from movierec.ids import OwnId
from movierec.recommender.catalogue import Movie
from movierec.recommender.own_ids import OwnIds
from movierec.recommender.scorer import Shares

MOST_REASONS: Final = 3
Strategy = Literal["personal", "folded_in", "popular"]


@dataclass(frozen=True)
class Reason:
    """One of the user's own ratings behind a recommendation.

    Attributes
    ----------
    movie_id : int or str
        What they rated.
    rating : float
        Stars.
    weight : float
        Its part of the folded-in score, above 0; other ratings may count against, so the parts may exceed 1.
    """

    movie_id: OwnId
    rating: float
    weight: float


@dataclass(frozen=True)
class Recommendation:
    """One movie of an answer.

    Attributes
    ----------
    movie : Movie
        What is recommended.
    score : float
        By which it was ranked; comparable within one answer only.
    predicted_rating : float or None
        Stars by the artifacts' rating model; None of a user of whom nothing is known.
    low, high : float or None
        Where `INTERVAL_COVERAGE` of such ratings lie, in stars; None where there is no prediction, or where the rating
        model is no Bayesian factorisation.
    reasons : tuple of Reason
        The weightiest first; empty unless asked for.
    """

    movie: Movie
    score: float
    predicted_rating: float | None
    low: float | None
    high: float | None
    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class Answer:
    """Recommendations, best first, and how they came about.

    Attributes
    ----------
    strategy : {"personal", "folded_in", "popular"}
        By the vectors of the fit, by vectors solved from all the user's ratings, or the same for everyone.
    model : str
        Name of the model as it was asked for; ``popularity`` where the strategy is popular.
    version : str
        Of the artifacts.
    items : tuple of Recommendation
        Fewer than asked where not enough movies are left.
    """

    strategy: Strategy
    model: str
    version: str
    items: tuple[Recommendation, ...]


def name_reasons(shares: Shares, at: int, ids: OwnIds) -> tuple[Reason, ...]:
    """Name the ratings that speak most for the movie in one row of `shares`, at most `MOST_REASONS`."""
    score, parts = shares.scores[at], shares.parts[at]
    if score <= 0:
        return ()
    order = np.argsort(-parts, kind="stable")[:MOST_REASONS]
    order = order[parts[order] > 0]
    return tuple(
        Reason(own, float(shares.stars[place]), float(parts[place] / score))
        for own, place in zip(ids.name(shares.rated_ids[order].tolist()), order, strict=True)
    )
