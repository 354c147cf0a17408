"""What is stored: a rating and an event, the ranges of their fields, and a receipt."""

import math
from dataclasses import dataclass
from typing import Final, Literal

from movierec.columns import MOVIE_ID, RATING, TIMESTAMP, USER_ID
from movierec.errors import MovierecError
from movierec.ids import LARGEST_ID, LONGEST_ID, OwnId

LATEST: Final = 253_402_300_799  # s: the end of the year 9999


@dataclass(frozen=True)
class StoredRating:
    """What a user gave a movie at a time.

    Parameters
    ----------
    user_id, movie_id : int or str
        The data's own: 0 to 2**31 - 1, or text of 1 to 200 characters.
    rating : float
        Finite; on which scale the data says.
    timestamp : int
        Seconds since 1970 (UTC), 0 to `LATEST`.

    Raises
    ------
    MovierecError
        If a value is out of its range.
    """

    user_id: OwnId
    movie_id: OwnId
    rating: float
    timestamp: int

    def __post_init__(self) -> None:
        """Refuse what the pipeline could not read back."""
        _require_id(USER_ID, self.user_id)
        _require_id(MOVIE_ID, self.movie_id)
        if not math.isfinite(self.rating):
            raise MovierecError(f"{RATING} is {self.rating}: it must be a finite number")
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
    user_id, movie_id, timestamp
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
        If a value is out of its range.
    """

    user_id: OwnId
    movie_id: OwnId
    kind: Literal["impression", "click"]
    experiment: str
    arm: str
    timestamp: int
    key: str | None = None

    def __post_init__(self) -> None:
        """Refuse what does not fit the table."""
        _require_id(USER_ID, self.user_id)
        _require_id(MOVIE_ID, self.movie_id)
        _require_range(TIMESTAMP, self.timestamp, 0, LATEST)


def _require_id(name: str, own: OwnId) -> None:
    if isinstance(own, int):
        _require_range(name, own, 0, LARGEST_ID)
    elif not 1 <= len(own) <= LONGEST_ID:
        raise MovierecError(f"{name} has {len(own)} characters: give 1 to {LONGEST_ID}")


def _require_range(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise MovierecError(f"{name} is {value}: it must be between {low:g} and {high}")
