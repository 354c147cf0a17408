"""What the service answers with: names, types and meanings; with `schemas` the contract in /openapi.json."""

from dataclasses import asdict
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from movierec.ids import OwnId
from movierec.recommender.catalogue import Movie
from movierec.recommender.scorer import INTERVAL_COVERAGE
from movierec.service.settings import Arm
from movierec.service.storage.store import MovieChange


class _Out(BaseModel):
    model_config = ConfigDict(from_attributes=True, protected_namespaces=())


class MovieOut(_Out):
    """A movie."""

    movie_id: OwnId
    title: str = Field(examples=["The Long Night"])
    year: int | None
    genres: tuple[str, ...] = Field(examples=[["Drama"]])
    ratings: int = Field(description="how many the data has; of a movie that was added here, how many were given here")
    mean: float | None = Field(description="Bayesian average in stars; null without ratings")


class ChangeOut(_Out):
    """A change of a movie: what it was from then on, or until it was deleted."""

    movie_id: OwnId
    version: int = Field(description="1 for the first change of this movie, then one more each time")
    kind: Literal["add", "change", "delete"]
    title: str
    year: int | None
    genres: tuple[str, ...]
    tags: tuple[str, ...]
    author: str | None = Field(description="who did it, as the client said")
    timestamp: int = Field(description="seconds since 1970, UTC")

    @classmethod
    def of(cls, change: MovieChange) -> "ChangeOut":
        """Describe a stored change."""
        row = {name: getattr(change, name) for name in ("version", "kind", "author", "timestamp")}
        return cls.model_validate(asdict(change.movie) | row)


class MovieHistory(_Out):
    """All changes of a movie since the data was collected, the first one first."""

    changes: tuple[ChangeOut, ...]


class ReasonOut(_Out):
    """One of the user's own ratings behind a recommendation."""

    movie: MovieOut
    rating: float = Field(description="where there are no ratings: how many events")
    weight: float = Field(description="its part of the score")


class RecommendationOut(_Out):
    """One movie of an answer."""

    movie: MovieOut
    score: float = Field(description="by which it was ranked; comparable within one answer")
    predicted_rating: float | None = Field(description="stars; null of a user of whom nothing is known")
    low: float | None = Field(description=f"{INTERVAL_COVERAGE:.0%} of such ratings lie from here")
    high: float | None = Field(description="up to here; both null where the model of the stars states no uncertainty")
    reasons: tuple[ReasonOut, ...] = Field(description="the weightiest first; empty unless asked for")


class ArmOut(_Out):
    """The experiment that the answer is part of."""

    name: str
    arm: Arm


class Recommendations(_Out):
    """Movies for a user, best first, and how they came about."""

    user_id: OwnId
    strategy: Literal["personal", "folded_in", "popular"] = Field(
        description="by the vectors of the fit, by vectors solved from all the user's ratings, or alike for everyone"
    )
    model: str
    model_version: str
    experiment: ArmOut | None = Field(description="null without an experiment, or where the query names a model")
    items: tuple[RecommendationOut, ...]


class RatingOut(_Out):
    """What is stored."""

    stored: Literal[True] = True
    user_id: OwnId
    movie_id: OwnId
    rating: float | None = Field(description="null of an event without a rating")
    timestamp: int


class OwnRating(_Out):
    """What a user gave a movie."""

    movie: MovieOut
    rating: float = Field(description="where there are no ratings: how many events")
    source: Literal["training", "service"]


class OwnRatings(_Out):
    """A user's ratings: first those given here, then the highest first."""

    user_id: OwnId
    ratings: tuple[OwnRating, ...]


class FoundMovie(_Out):
    """A movie, and how near it is to what was asked for."""

    movie: MovieOut
    similarity: float


class FoundMovies(_Out):
    """Movies, the nearest first."""

    items: tuple[FoundMovie, ...]

    @classmethod
    def of(cls, found: list[tuple[Movie, float]]) -> "FoundMovies":
        """Describe movies with their similarities."""
        items = (FoundMovie(movie=MovieOut.model_validate(movie), similarity=score) for movie, score in found)
        return cls(items=tuple(items))


class RatingScale(_Out):
    """Which ratings there are."""

    low: float
    high: float
    step: float = Field(description="between neighbouring ratings; 0 where any between the ends may be given")


class Filters(_Out):
    """What recommendations can be restricted to, and which ratings there are."""

    genres: tuple[str, ...]
    decades: tuple[int, ...]
    feedback: Literal["explicit", "implicit"] = Field(description="ratings, or events such as likes and plays")
    scale: RatingScale = Field(description="of the ratings; where there are none, of the counts of events")
    text_ids: bool = Field(description="whether users are called by texts, not by integers")


class ServedModels(_Out):
    """The models that can be asked for, and the two that answer where none is named."""

    model_version: str
    models: tuple[str, ...]
    champion: str = Field(description="ranks the recommendations; where an experiment is on, its arms do")
    rating_model: str | None = Field(description="predicts stars; null where there are no ratings")


class Predictions(_Out):
    """Predicted stars, in the order of the pairs."""

    model: str
    model_version: str
    predictions: tuple[float, ...]
    low: tuple[float, ...] | None = Field(description=f"{INTERVAL_COVERAGE:.0%} of such ratings lie from here")
    high: tuple[float, ...] | None = Field(description="up to here; both null where the model states no uncertainty")


class Assignment(_Out):
    """Which arm a user belongs to."""

    experiment: str
    user_id: OwnId
    arm: Arm


class Accepted(_Out):
    """How many events were new."""

    accepted: int


class Health(_Out):
    """That the service lives, or is ready to answer."""

    status: Literal["live", "ready"]
    model_version: str | None = None
    problem: str | None = Field(default=None, description="why newer models could not be loaded")


class Reloaded(_Out):
    """Which models are served now."""

    model_version: str
    changed: bool


class Problem(_Out):
    """What is wrong and what to do."""

    detail: str
