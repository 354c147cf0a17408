"""Ratings: those that users give, and those that are predicted."""

import asyncio
from collections import defaultdict
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Header, HTTPException, Response

from movierec.recommender.profiles import Profile
from movierec.recommender.scorer import Expectation
from movierec.service.api.dependencies import Dependencies, Deps, LiveNow, NeedsToken, find_movie, now_s, require_rating
from movierec.service.api.problems import describe_problems
from movierec.service.api.replies import Predictions, RatingOut
from movierec.service.api.schemas import PairsIn, RatingIn
from movierec.service.live.models import Live
from movierec.service.storage.store import Receipt, StoredRating

router = APIRouter(prefix="/v1", tags=["ratings"], responses=describe_problems(400, 403, 413, 422, 429, 503))

IdempotencyKey = Annotated[
    str | None, Header(min_length=1, max_length=100, description="a repeated request with it is stored once")
]


@router.post(
    "/ratings",
    status_code=201,
    dependencies=[NeedsToken],
    responses={200: {"model": RatingOut, "description": "it was stored before"}, **describe_problems(401, 404, 409)},
)
async def add_rating(
    rating: RatingIn, dependencies: Deps, live: LiveNow, response: Response, idempotency_key: IdempotencyKey = None
) -> RatingOut:
    """Store a rating, or an event without one; when this answers it is on the disk, and the next answer reflects it.

    Where the data has events instead of ratings, such as likes or plays, a body without a rating is one event. All
    events of a user and movie in one second are one.
    """
    find_movie(live.artifacts, rating.movie_id)
    stars = require_rating(live.artifacts, rating.rating)
    profile = await dependencies.find_profile(live, rating.user_id)
    receipt = await _store(dependencies, rating, stars, idempotency_key)
    if receipt.new and not live.artifacts.implicit:
        _measure_error(dependencies, live, profile, receipt.rating)
    dependencies.monitor.ratings.labels("stored" if receipt.new else "known").inc()
    response.status_code = 201 if receipt.new else 200
    found = RatingOut.model_validate(receipt.rating)
    return found.model_copy(update={"rating": None}) if live.artifacts.implicit else found


@router.post("/predictions", responses=describe_problems(404, 409))
async def predict_ratings(pairs: PairsIn, dependencies: Deps, live: LiveNow) -> Predictions:
    """Predict ratings, of any user and movie; what is unknown of them counts as average."""
    if live.artifacts.implicit:
        raise HTTPException(409, "there is no rating to predict: the data has events alone, such as likes or plays")
    places = defaultdict(list)
    for place, pair in enumerate(pairs.pairs):
        places[pair.user_id].append(place)
    found: list[Expectation] = [(None, None, None)] * len(pairs.pairs)
    for user_id, own in places.items():
        profile = await dependencies.find_profile(live, user_id)
        predicted = live.engine.predict(profile, [pairs.pairs[place].movie_id for place in own], pairs.model)
        for place, value in zip(own, predicted.by_movie(), strict=True):
            found[place] = value
        await asyncio.sleep(0)  # others' turn
    stars, low, high = zip(*found, strict=True)
    return Predictions.model_validate(
        {
            "model": pairs.model or live.artifacts.rating_model,
            "model_version": live.artifacts.version,
            "predictions": stars,
            "low": None if None in low else low,
            "high": None if None in high else high,
        }
    )


async def _store(dependencies: Dependencies, rating: RatingIn, stars: float, key: str | None) -> Receipt:
    """Store a rating at its time, or as the user's newest of the movie if it came without."""
    timestamp = now_s() if rating.timestamp is None else rating.timestamp
    stored = StoredRating(rating.user_id, rating.movie_id, stars, timestamp)
    content, newest = rating.model_dump_json(), rating.timestamp is None
    try:
        return await dependencies.write(partial(dependencies.store.add_rating, stored, key, content, newest=newest))
    finally:  # even after a failure: it may have come after the commit
        dependencies.models.forget(rating.user_id)


def _measure_error(dependencies: Dependencies, live: Live, profile: Profile, rating: StoredRating) -> None:
    if profile.trained and live.artifacts.catalogue.ids.find(rating.movie_id) not in profile.movie_ids:
        predicted = live.engine.predict(profile, [rating.movie_id]).stars[0]
        dependencies.monitor.add_error(float(predicted) - rating.rating)
