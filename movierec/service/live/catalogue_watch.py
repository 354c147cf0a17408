"""Watching the shared database for changes of the catalogue: whatever process made them, the answers here follow."""

import asyncio
from typing import Final

from anyio import to_thread

from movierec.service.live.models import Models
from movierec.service.logs import LOGGER
from movierec.service.storage.store import Store, StoreUnavailableError

_UNKNOWN: Final = ()


class CatalogueWatch:
    """Looks for movies that were added, changed, deleted or, being new, rated.

    Parameters
    ----------
    store : Store
        Shared with other processes.
    models : Models
        Is told of the movies.
    interval_s : float
        Seconds between two looks.
    """

    def __init__(self, store: Store, models: Models, interval_s: float) -> None:
        self._store, self._models, self._interval_s = store, models, interval_s
        self._mark: tuple[int, ...] = _UNKNOWN
        self._lock = asyncio.Lock()

    async def look(self) -> None:
        """Let the answers follow what is stored now.

        Raises
        ------
        StoreUnavailableError
            If the database failed; the next look makes up for it.
        """
        async with self._lock:
            mark = await to_thread.run_sync(self._store.movies_mark)
            if mark != self._mark:
                await self._models.follow(await to_thread.run_sync(self._store.changed_movies))
                self._mark = mark

    async def watch(self) -> None:
        """Look until cancelled."""
        while True:
            try:
                await self.look()
            except StoreUnavailableError:
                pass  # /health/ready tells
            except Exception:  # noqa: BLE001  # the watcher must outlive a defect, which is logged
                LOGGER.exception("changes of the catalogue not followed")
            await asyncio.sleep(self._interval_s)
