"""How often an experiment may err, and checks of what calculations of power are given."""

import math
from typing import TypedDict

from movierec.errors import MovierecError

MOST_USERS = 1e15


class Rates(TypedDict):
    """How often an experiment may err: its false positive rate, and its chance to see an effect that is there."""

    significance: float
    power: float


def check_rates(significance: float, power: float | None = None) -> None:
    """Raise `MovierecError` unless 0 < `significance` < `power` < 1."""
    require(0 < significance < 1, f"significance is {significance}: it must be above 0 and below 1")
    if power is not None:
        require(significance < power < 1, f"power is {power}: it must be above significance and below 1")


def require_ratio(ratio: float) -> None:
    """Raise `MovierecError` unless the ratio of the arms is positive and finite."""
    require(0 < ratio < math.inf, f"ratio of the arms is {ratio:g}: it must be positive and finite")


def require_users(users: float) -> None:
    """Raise `MovierecError` if there are more users than can be reckoned with."""
    require(users <= MOST_USERS, f"{users:g} users an arm: there must be at most {MOST_USERS:g}")


def require(condition: bool, message: str) -> None:  # noqa: FBT001
    """Raise `MovierecError` with `message` unless `condition` holds."""
    if not condition:
        raise MovierecError(message)
