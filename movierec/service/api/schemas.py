"""What is sent to the service: names, types, bounds and meanings; with `replies` the contract in /openapi.json."""

import time
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from movierec.ids import LARGEST_ID, LONGEST_ID, read_id
from movierec.roster import ServedName
from movierec.service.storage.records import LATEST

MOST_AHEAD_S: Final = 86_400  # a client's clock may be wrong, or its time zone


def _read_whole(value: object) -> object:
    """Take 7.0 for 7, as JSON Schema does."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _read_id(value: object) -> object:
    """Take 7.0 and "7" for 7: in an address there is only text."""
    whole = _read_whole(value)
    return read_id(whole) if isinstance(whole, str) and whole else whole


def _require_past(seconds: int) -> int:
    """Refuse what would be a user's newest rating for years to come."""
    if seconds > time.time() + MOST_AHEAD_S:
        raise PydanticCustomError("in_future", "lies more than a day ahead: send the seconds since 1970, UTC")
    return seconds


_WHOLE: Final = BeforeValidator(_read_whole)
_PRINTED: Final = r"[^\x00-\x1f\x7f]*"
_ONE_LINE: Final = rf"^{_PRINTED}[^\s\x00-\x1f\x7f]{_PRINTED}$"  # not blank
_NO_BAR: Final = _ONE_LINE.replace("\\x7f", "\\x7f|")  # which parts genres in files
_OwnId = (
    Annotated[int, Field(ge=0, le=LARGEST_ID)]
    | Annotated[str, Field(min_length=1, max_length=LONGEST_ID, pattern=r"^[^\x00]*$")]
)
UserId = Annotated[
    _OwnId, Field(description="user of the data, or any new one", examples=[42]), BeforeValidator(_read_id)
]
MovieId = Annotated[_OwnId, Field(description="movie of the data", examples=[1]), BeforeValidator(_read_id)]
ListLength = Annotated[int, Field(ge=1, le=200, description="movies wanted", examples=[10])]
Stars = Annotated[float, Field(description="on the scale of the data, as /v1/genres tells it", examples=[4.5])]
Seconds = Annotated[
    int,
    Field(
        ge=0,
        le=LATEST,
        description="seconds since 1970, UTC; at most a day ahead of the service's clock",
        examples=[1_700_000_000],
    ),
    _WHOLE,
    AfterValidator(_require_past),
]
ExperimentName = Annotated[str, Field(min_length=1, max_length=100, description="as in params.yaml")]
Decade = Annotated[int, Field(ge=1800, le=2100, multiple_of=10, description="its first year", examples=[1990])]


class _In(BaseModel):
    """What a client sends: exactly these names, and in a body exactly these types."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class _Body(_In):
    model_config = ConfigDict(strict=True)


class RecommendationQuery(_In):
    """How to recommend."""

    k: ListLength = 10
    genre: str | None = Field(default=None, min_length=1, max_length=50, description="one of /v1/genres")
    decade: Decade | None = None
    exclude_seen: bool = Field(default=True, description="leave out what the user rated")
    explain: bool = Field(default=False, description="give the user's own ratings that weigh most")
    diversity: float = Field(default=0.0, ge=0, lt=1, description="above 0, such as 0.2: the list's genres vary more")
    model: ServedName | None = Field(default=None, description="instead of the champion or the experiment's arm")


class SearchQuery(_In):
    """What to search for."""

    query: str = Field(min_length=1, max_length=100, description="title, typos allowed", examples=["godfahter"])
    limit: int = Field(default=10, ge=1, le=50, description="movies at most")


class RatingIn(_Body):
    """A rating to store; of data without ratings an event, such as a like or a play, which has none."""

    user_id: UserId
    movie_id: MovieId
    rating: Stars | None = Field(
        default=None, description="required where /v1/genres says feedback: explicit, refused where it says implicit"
    )
    timestamp: Seconds | None = Field(default=None, description="when it was given; by default now")


Title = Annotated[
    str,
    Field(
        min_length=1,
        max_length=200,
        pattern=_ONE_LINE,
        description="perhaps with its year: Heat (1995)",
        examples=["Heat"],
    ),
]
Year = Annotated[int, Field(ge=1800, le=2099, description="of its release", examples=[1995]), _WHOLE]
Genre = Annotated[str, Field(min_length=1, max_length=50, pattern=_NO_BAR)]
Genres = Annotated[
    list[Genre], Field(max_length=20, description="as in /v1/genres, or any other", examples=[["Crime"]])
]
Tag = Annotated[str, Field(min_length=1, max_length=100, pattern=_ONE_LINE)]
Tags = Annotated[list[Tag], Field(max_length=50, description="what it is about; models read them, nobody sees them")]


class MovieIn(_Body):
    """A movie to add."""

    movie_id: MovieId | None = Field(default=None, description="an id that no movie has; by default one is assigned")
    title: Title
    year: Year | None = None
    genres: Genres = []
    tags: Tags = []


def _drop_default(schema: dict[str, Any]) -> None:
    del schema["default"]  # null is no value


_LEFT_OUT: Any = Field(default=None, json_schema_extra=_drop_default)


class MovieChanges(_Body):
    """What is different of a movie from now on; whatever is left out stays."""

    title: Title = _LEFT_OUT
    year: Year | None = Field(default=None, description="null: not known")
    genres: Genres = _LEFT_OUT
    tags: Tags = _LEFT_OUT


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
