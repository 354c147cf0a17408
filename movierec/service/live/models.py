"""The models that are served, and how newer ones take their place without a request being lost."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from anyio import to_thread

from movierec.errors import MovierecError
from movierec.ids import OwnId
from movierec.recommender.amendments import Amender
from movierec.recommender.artifacts import Artifacts, fingerprint, load_artifacts
from movierec.recommender.catalogue import Catalogue
from movierec.recommender.engine import Engine
from movierec.service.live.amending import amend_engine
from movierec.service.live.cache import UserCache
from movierec.service.live.monitor import Monitor
from movierec.service.logs import LOGGER
from movierec.service.settings import ServiceSettings
from movierec.service.storage.store import StoredMovie, StoreUnavailableError

MEGABYTE: Final = 1_000_000
UNKNOWN_USER: Final = 0
_ENTRY_BYTES: Final = 500  # of a key and its places in the cache's tables
_RATING_BYTES: Final = 150


class NotReadyError(MovierecError):
    """There are no models to answer from yet."""


@dataclass(frozen=True, eq=False)
class Live:
    """One version of the models with the answers that it gave; a request keeps the one that it began with.

    Attributes
    ----------
    artifacts : Artifacts
        What the pipeline made.
    engine : Engine
        What answers from it.
    base_catalogue : Catalogue
        Of the data, without what people changed since.
    answers : UserCache of bytes
        Recommendations as they go over the wire.
    stored : UserCache of mappings
        Stars by movie of the ratings in the store.
    """

    artifacts: Artifacts
    engine: Engine
    base_catalogue: Catalogue
    answers: UserCache[bytes]
    stored: UserCache[Mapping[OwnId, float]]

    def forget(self, user_id: OwnId | None) -> None:
        """Let everything that is kept about a user, or about all (None), be computed anew."""
        self.stored.forget(user_id)
        self.answers.forget(user_id)


class Models:
    """Holds the `Live` of the moment; it is replaced as a whole, by one that is complete.

    Parameters
    ----------
    settings : ServiceSettings
        Where the files are, and how much is kept.
    monitor : Monitor
        Is told of every load.

    Attributes
    ----------
    find_ratings : callable
        Returns what a user rated here, for raters of new movies; by default nothing.
    after_first_load : callable
        Called in the loading thread before the first models are served; for what the whole process has to do then.
    problem : str or None
        Why there are no models, or no newer ones.
    """

    def __init__(self, settings: ServiceSettings, monitor: Monitor) -> None:
        self._settings, self._monitor = settings, monitor
        self._loading, self._swapping = asyncio.Lock(), asyncio.Lock()
        self._amender: Amender | None = None
        self._changes: Sequence[StoredMovie] = ()
        self.find_ratings: Callable[[OwnId], Mapping[OwnId, float]] = lambda _: {}
        self._tried: object = None
        self._live: Live | None = None
        self.after_first_load: Callable[[], None] = lambda: None
        self.problem: str | None = "the models are being loaded"

    @property
    def live(self) -> Live:
        """What to answer from.

        Raises
        ------
        NotReadyError
            As long as no models could be loaded.
        """
        if self._live is None:
            raise NotReadyError(f"not ready: {self.problem}")
        return self._live

    def forget(self, user_id: OwnId | None) -> None:
        """Do as `Live.forget` does if there are models."""
        if self._live:
            self._live.forget(user_id)

    async def load(self) -> bool:
        """Load what is in the files now and return whether it is another version.

        Raises
        ------
        MovierecError
            If the files cannot be used. What was served before still is, and `problem` says why.
        """
        async with self._loading:
            self._tried = fingerprint(self._settings.root)
            try:
                changed = await self._replace(Amender(await to_thread.run_sync(self._read)))
            except MovierecError as error:
                if isinstance(error, StoreUnavailableError):
                    self._tried = None  # the files may be sound
                self.problem = " ".join(str(error).split()).replace(f"{self._settings.root}/", "")
                self._monitor.reloads.labels("failed").inc()
                LOGGER.warning("models not loaded: %s", self.problem)
                raise MovierecError(self.problem) from error
            self.problem = None
            self._monitor.reloads.labels("loaded").inc()
            return changed

    async def follow(self, changes: Sequence[StoredMovie]) -> None:
        """Answer by a changed catalogue, as soon as there are models and again when others take their place.

        Raises
        ------
        StoreUnavailableError
            If raters of new movies could not be looked up.
        """
        async with self._swapping:
            if self._amender:
                engine = await to_thread.run_sync(amend_engine, self._amender, changes, self.find_ratings)
                if engine is not self.live.engine:
                    self._live = self._cover(engine, self._amender.engine.artifacts.catalogue)
            self._changes = changes

    async def _replace(self, amender: Amender) -> bool:
        """Put newer models in the place of the present ones; return whether they are others."""
        async with self._swapping:
            engine = await to_thread.run_sync(amend_engine, amender, self._changes, self.find_ratings)
            if self._live and self._live.artifacts.version == engine.artifacts.version:
                return False
            self._live, self._amender = self._cover(engine, amender.engine.artifacts.catalogue), amender
            self._monitor.start_model(engine.artifacts)
            LOGGER.info("models loaded", extra={"fields": {"model_version": engine.artifacts.version}})
            return True

    async def watch(self) -> None:
        """Load at once, and again whenever the files change, until cancelled."""
        while True:
            if fingerprint(self._settings.root) != self._tried:
                try:
                    await self.load()
                except MovierecError:
                    pass  # told by `problem`; the next change of the files may mend it
                except Exception:  # noqa: BLE001  # the watcher must outlive a defect, which is logged
                    self.problem = "internal error while loading the models: see the log"
                    LOGGER.exception("models not loaded")
            await asyncio.sleep(self._settings.reload_interval_s)

    def _read(self) -> Engine:
        try:
            artifacts = load_artifacts(self._settings.root)
        except OSError as error:
            raise MovierecError(f"the models cannot be read: {error}") from error
        engine = Engine(artifacts)
        for user_id in (
            UNKNOWN_USER,
            *artifacts.profiles.users.name(artifacts.models[artifacts.champion].users.ids[:1].tolist()),
        ):
            engine.recommend(artifacts.profiles.find(user_id), 1)  # the first of each kind compiles, for seconds
        if self._live is None:
            self.after_first_load()
        return engine

    def _cover(self, engine: Engine, catalogue: Catalogue) -> Live:
        size, ttl_s = self._settings.cache_size * MEGABYTE, self._settings.cache_ttl_s
        return Live(
            engine.artifacts,
            engine,
            catalogue,
            answers=UserCache(size, ttl_s, lambda answer: len(answer) + _ENTRY_BYTES),
            stored=UserCache(size // 4, ttl_s, lambda ratings: len(ratings) * _RATING_BYTES + _ENTRY_BYTES),
        )
