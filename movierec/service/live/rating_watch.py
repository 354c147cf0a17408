"""Watching the shared database: whoever rated something through another process is forgotten by the caches here."""

import asyncio
from collections.abc import Callable
from typing import Final

from anyio import to_thread

from movierec.ids import OwnId
from movierec.service.logs import LOGGER
from movierec.service.storage.store import Store, StoreUnavailableError

OVERLAP: Final = 1_000  # rows: PostgreSQL numbers them before it commits them


class RatingWatch:
    """Looks for new ratings, so that several processes behind a load balancer answer alike after a moment.

    Parameters
    ----------
    store : Store
        Shared with the other processes.
    forget : callable
        Called in the event loop with the id of each user who rated something, be it through this process; with None
        for everyone, once: what happened before the first look is not known.
    interval_s : float
        Seconds between two looks.
    """

    def __init__(self, store: Store, forget: Callable[[OwnId | None], None], interval_s: float) -> None:
        self._store, self._forget, self._interval_s = store, forget, interval_s
        self._last: int | None = None
        self._seen: set[int] = set()

    async def watch(self) -> None:
        """Look until cancelled; what is stored while the database is away is seen when it is back."""
        while True:
            try:
                for user_id in await to_thread.run_sync(self._look):
                    self._forget(user_id)
            except StoreUnavailableError:
                pass  # /health/ready tells
            except Exception:  # noqa: BLE001  # the watcher must outlive a defect, which is logged
                LOGGER.exception("ratings of other processes not seen")
            await asyncio.sleep(self._interval_s)

    def _look(self) -> set[OwnId | None]:
        found = {} if self._last is None else self._store.users_after(self._last - OVERLAP)
        if self._last is None or (self._last and self._last not in found):  # the first look, or at another database
            self._last, self._seen = self._store.last_row(), set()
            return {None}
        fresh: set[OwnId | None] = {user_id for row, user_id in found.items() if row not in self._seen}
        self._seen = set(found)
        self._last = max(found, default=0)
        return fresh
