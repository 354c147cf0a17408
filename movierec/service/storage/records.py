"""What is stored: a rating and an event, the ranges of their fields, and a receipt."""

from dataclasses import dataclass
from typing import Final, Literal

from movierec.columns import MOVIE_ID, RATING, TIMESTAMP, USER_ID
from movierec.errors import MovierecError

LARGEST_ID: Final = 2**31 - 1
LATEST: Final = 2**62  # s: far beyond any clock, within 64 bits


@dataclass(frozen=True)
class StoredRating:
    """What a user gave a movie at a time.

    Parameters
    ----------
    user_id, movie_id : int
        1 to 2**31 - 1.
    rating : float
        0.5 to 5 stars.
    timestamp : int
        Seconds since 1970 (UTC), at least 0.

    Raises
    ------
    MovierecError
        If a number is out of its range.
    """

    user_id: int
    movie_id: int
    rating: float
    timestamp: int

    def __post_init__(self) -> None:
        """Refuse what the pipeline could not read back."""
        _require_range(USER_ID, self.user_id, 1, LARGEST_ID)
        _require_range(MOVIE_ID, self.movie_id, 1, LARGEST_ID)
        _require_range(RATING, self.rating, 0.5, 5)
        _require_range(TIMESTAMP, self.timestamp, 0, LATEST)


@dataclass(frozen=True)
class Receipt:
    """What the store holds of a request.

    Attributes
    ----------
    rating : StoredRating
        As it is stored.
    new : bool
        False if it had been there.
    """

    rating: StoredRating
    new: bool


@dataclass(frozen=True)
class Event:
    """A movie that was shown to a user (impression) or chosen (click) in an experiment.

    Parameters
    ----------
    user_id, movie_id, timestamp : int
        As in `StoredRating`.
    kind : str
        ``"impression"`` or ``"click"``.
    experiment, arm : str
        Names.
    key : str, optional
        Makes storing it idempotent: an event with a key that is known already is not stored again.

    Raises
    ------
    MovierecError
        If a number is out of its range.
    """

    user_id: int
    movie_id: int
    kind: Literal["impression", "click"]
    experiment: str
    arm: str
    timestamp: int
    key: str | None = None

    def __post_init__(self) -> None:
        """Refuse what does not fit the table."""
        _require_range(USER_ID, self.user_id, 1, LARGEST_ID)
        _require_range(MOVIE_ID, self.movie_id, 1, LARGEST_ID)
        _require_range(TIMESTAMP, self.timestamp, 0, LATEST)


def _require_range(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise MovierecError(f"{name} is {value}: it must be between {low:g} and {high}")
