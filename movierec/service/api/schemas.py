"""What goes over the wire, in and out: names, types, bounds and meanings; the contract in /openapi.json."""

from typing import Annotated, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from movierec.recommender.catalogue import Movie
from movierec.roster import ServedName
from movierec.service.settings import Arm
from movierec.service.storage.records import LARGEST_ID

LATEST: Final = 253_402_300_799  # s: the end of the year 9999


def _read_whole(value: object) -> object:
    """Take 7.0 for 7, as JSON Schema does."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


_WHOLE: Final = BeforeValidator(_read_whole)
UserId = Annotated[
    int, Field(ge=1, le=LARGEST_ID, description="user of the data, or any new one", examples=[42]), _WHOLE
]
MovieId = Annotated[int, Field(ge=1, le=LARGEST_ID, description="movie of the data", examples=[1]), _WHOLE]
ListLength = Annotated[int, Field(ge=1, le=200, description="movies wanted", examples=[10])]
Stars = Annotated[float, Field(ge=0.5, le=5, multiple_of=0.5, description="half stars", examples=[4.5])]
Seconds = Annotated[
    int, Field(ge=0, le=LATEST, description="seconds since 1970, UTC", examples=[1_700_000_000]), _WHOLE
]
ExperimentName = Annotated[str, Field(min_length=1, max_length=100, description="as in params.yaml")]
Decade = Annotated[int, Field(ge=1800, le=2100, multiple_of=10, description="its first year", examples=[1990])]


class _In(BaseModel):
    """What a client sends: exactly these names, and in a body exactly these types."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class _Body(_In):
    model_config = ConfigDict(strict=True)


class _Out(BaseModel):
    model_config = ConfigDict(from_attributes=True, protected_namespaces=())


class RecommendationQuery(_In):
    """How to recommend."""

    k: ListLength = 10
    genre: str | None = Field(default=None, min_length=1, max_length=50, description="one of /v1/genres")
    decade: Decade | None = None
    exclude_seen: bool = Field(default=True, description="leave out what the user rated")
    explain: bool = Field(default=False, description="give the user's own ratings that weigh most")
    model: ServedName | None = Field(default=None, description="instead of the champion or the experiment's arm")


class SearchQuery(_In):
    """What to search for."""

    query: str = Field(min_length=1, max_length=100, description="title, typos allowed", examples=["godfahter"])
    limit: int = Field(default=10, ge=1, le=50, description="movies at most")


class RatingIn(_Body):
    """A rating to store."""

    user_id: UserId
    movie_id: MovieId
    rating: Stars
    timestamp: Seconds | None = Field(default=None, description="when it was given; by default now")


class Pair(_Body):
    """A user and a movie."""

    user_id: UserId
    movie_id: MovieId


class PairsIn(_Body):
    """Whose rating of what to predict."""

    pairs: list[Pair] = Field(min_length=1, max_length=1000)
    model: ServedName | None = Field(default=None, description="by default the best at predicting ratings")


class EventIn(_Body):
    """A movie that was shown to a user, or that the user chose; the user's arm is known here."""

    user_id: UserId
    movie_id: MovieId
    kind: Literal["impression", "click"]
    experiment: ExperimentName
    timestamp: Seconds | None = Field(default=None, description="by default now")
    key: str | None = Field(default=None, min_length=1, max_length=100, description="stored once, however often sent")


class EventsIn(_Body):
    """What happened."""

    events: list[EventIn] = Field(min_length=1, max_length=500)


class MovieOut(_Out):
    """A movie."""

    movie_id: int
    title: str = Field(examples=["The Long Night"])
    year: int | None
    genres: tuple[str, ...] = Field(examples=[["Drama"]])
    ratings: int = Field(description="how many the data has")
    mean: float | None = Field(description="Bayesian average in stars")


class ReasonOut(_Out):
    """One of the user's own ratings behind a recommendation."""

    movie: MovieOut
    rating: float
    weight: float = Field(description="its part of the score")


class RecommendationOut(_Out):
    """One movie of an answer."""

    movie: MovieOut
    score: float = Field(description="by which it was ranked; comparable within one answer")
    predicted_rating: float | None = Field(description="stars; null of a user of whom nothing is known")
    reasons: tuple[ReasonOut, ...] = Field(description="the weightiest first; empty unless asked for")


class ArmOut(_Out):
    """The experiment that the answer is part of."""

    name: str
    arm: Arm


class Recommendations(_Out):
    """Movies for a user, best first, and how they came about."""

    user_id: int
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
    user_id: int
    movie_id: int
    rating: float
    timestamp: int


class OwnRating(_Out):
    """What a user gave a movie."""

    movie: MovieOut
    rating: float
    source: Literal["training", "service"]


class OwnRatings(_Out):
    """A user's ratings: first those given here, then the highest first."""

    user_id: int
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


class Filters(_Out):
    """What recommendations can be restricted to."""

    genres: tuple[str, ...]
    decades: tuple[int, ...]


class Predictions(_Out):
    """Predicted stars, in the order of the pairs."""

    model: str
    model_version: str
    predictions: tuple[float, ...]


class Assignment(_Out):
    """Which arm a user belongs to."""

    experiment: str
    user_id: int
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
