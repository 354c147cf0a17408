"""A cache by user: each answer is kept for a while and computed once, however many ask for it at the same time."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from itertools import count
from typing import Final, Generic, TypeVar

from cachetools import TTLCache

from movierec.ids import OwnId

MOST_USERS: Final = 100_000

Value = TypeVar("Value")
_Key = tuple[int, Hashable]  # a user's number, and the question


class UserCache(Generic[Value]):
    """The most recently used values, by user and question. For one event loop.

    A user's values are found by a number drawn for the user: forgetting the number makes all of them unreachable at
    once, also those that are still being computed, and their room is reclaimed as they age.

    Parameters
    ----------
    size : int
        Sum of the sizes kept at most; a larger value is not kept, so 0 keeps none.
    ttl_s : float
        Seconds after which a value is computed again.
    size_of : callable
        The size of a value.
    """

    def __init__(self, size: int, ttl_s: float, size_of: Callable[[Value], int]) -> None:
        self._numbers: TTLCache[OwnId, int] = TTLCache(MOST_USERS, ttl_s)
        self._values: TTLCache[_Key, Value] = TTLCache(size, ttl_s, getsizeof=size_of)
        self._flights: dict[_Key, asyncio.Task[Value]] = {}
        self._next = count()

    async def get(
        self, user_id: OwnId, question: Hashable, compute: Callable[[], Awaitable[Value]]
    ) -> tuple[Value, bool]:
        """Return the value and whether it was there; a failed computation is told to all who wait, and not kept.

        Parameters
        ----------
        user_id : int or str
            Whose.
        question : hashable
            Equal for equal values.
        compute : callable
            Called on a miss, and once for any number of callers at the same time.
        """
        key = (self._number_of(user_id), question)
        kept = self._values.get(key)
        if kept is not None:
            return kept, True
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = asyncio.ensure_future(compute())
            flight.add_done_callback(lambda done: self._land(key, done))
        return await asyncio.shield(flight), False  # one client that goes away does not take it from the others

    def forget(self, user_id: OwnId | None) -> None:
        """Let the next question about a user, or about anyone (None), be computed anew."""
        if user_id is None:
            self._numbers.clear()
        else:
            self._numbers.pop(user_id, None)

    def _number_of(self, user_id: OwnId) -> int:
        number = self._numbers.get(user_id)
        if number is None:
            number = self._numbers[user_id] = next(self._next)
        return number

    def _land(self, key: _Key, flight: asyncio.Task[Value]) -> None:
        del self._flights[key]
        if flight.cancelled() or flight.exception():
            return
        value = flight.result()
        if self._values.getsizeof(value) <= self._values.maxsize:
            self._values[key] = value
