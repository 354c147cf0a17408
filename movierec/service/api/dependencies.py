"""What the routes share: the models, the store, the monitor, and a user's ratings from data and store."""

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Annotated, Final, TypeVar

import anyio
from anyio import CapacityLimiter, to_thread
from fastapi import Depends, HTTPException, Request

from movierec.ids import OwnId
from movierec.recommender.artifacts import Artifacts
from movierec.recommender.catalogue import Movie
from movierec.recommender.profiles import Profile
from movierec.service.api.security import Credentials, check_token
from movierec.service.live.catalogue_watch import CatalogueWatch
from movierec.service.live.models import Live, Models
from movierec.service.live.monitor import Monitor
from movierec.service.live.rating_watch import RatingWatch
from movierec.service.settings import ServiceSettings
from movierec.service.storage.store import Store, StoreUnavailableError

WRITERS: Final = 8
LONGEST_WAIT_S: Final = 5.0
EVENT: Final = 1.0  # what is stored in place of a rating

Result = TypeVar("Result")


class Dependencies:
    """Everything that one app answers from.

    Parameters
    ----------
    settings : ServiceSettings
        How the app is set up.
    """

    def __init__(self, settings: ServiceSettings) -> None:
        self.settings = settings
        self.monitor = Monitor()
        self.models = Models(settings, self.monitor)
        self.store = Store(settings.database_url)
        self.models.find_ratings = self.store.ratings_of
        self.catalogue_watch = CatalogueWatch(self.store, self.models, settings.reload_interval_s)
        self.rating_watch = RatingWatch(self.store, self.models.forget, settings.reload_interval_s)
        self._writers = CapacityLimiter(WRITERS)  # a database that is stuck must not take every thread from the readers

    async def write(self, store: Callable[[], Result]) -> Result:
        """Run what writes to the store in a thread.

        Raises
        ------
        StoreUnavailableError
            If no thread came free within `LONGEST_WAIT_S`; then nothing was stored.
        """
        try:
            with anyio.fail_after(LONGEST_WAIT_S):
                return await to_thread.run_sync(store, limiter=self._writers)
        except TimeoutError:
            raise StoreUnavailableError("the database of ratings is busy: try again") from None

    async def stored_ratings(self, live: Live, user_id: OwnId) -> Mapping[OwnId, float]:
        """Return a user's stars, or counts of events, by movie in the store."""
        read = partial(self.store.ratings_of, user_id, counts=live.artifacts.implicit)
        load = partial(to_thread.run_sync, read)
        return (await live.stored.get(user_id, None, load))[0]

    async def find_profile(self, live: Live, user_id: OwnId) -> Profile:
        """Return a user's ratings, those in the store over those of the data."""
        return live.artifacts.profiles.find(user_id, await self.stored_ratings(live, user_id))


def find_movie(artifacts: Artifacts, movie_id: OwnId) -> Movie:
    """Return a movie.

    Raises
    ------
    HTTPException
        404 if there is none with this id.
    """
    movie = artifacts.catalogue.get(movie_id)
    if movie is None:
        raise HTTPException(404, f"there is no movie {movie_id}: search for it at /v1/movies")
    return movie


def require_rating(artifacts: Artifacts, rating: float | None) -> float:
    """Check a rating against the data's scale, or that an event comes without.

    Returns
    -------
    float
        What to store: the rating, or 1 for an event.

    Raises
    ------
    HTTPException
        422 if it is not on the scale, there is none, or there should be none.
    """
    if artifacts.implicit:
        if rating is not None:
            raise HTTPException(422, "body.rating: this data has events without ratings: leave the rating out")
        return EVENT
    if rating is None or not artifacts.scale.holds(rating):
        raise HTTPException(422, f"body.rating: the ratings of this data are {artifacts.scale.describe()}")
    return rating


def now_s() -> int:
    """Return the seconds since 1970, UTC."""
    return int(time.time())


# These are asynchronous, or else FastAPI would spend a thread on each.
async def _dependencies_of(
    request: Request,
) -> Dependencies:
    dependencies: Dependencies = request.app.state.dependencies
    return dependencies


async def _live_of(request: Request) -> Live:
    return (await _dependencies_of(request)).models.live


async def _require_token(request: Request, credentials: Credentials) -> None:
    check_token((await _dependencies_of(request)).settings.api_token, credentials)


Deps = Annotated[Dependencies, Depends(_dependencies_of)]
LiveNow = Annotated[Live, Depends(_live_of)]
NeedsToken: Final = Depends(_require_token)
