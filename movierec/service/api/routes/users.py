"""What a user gets: recommendations and their own ratings."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Response

from movierec.errors import MovierecError
from movierec.ids import OwnId, read_id
from movierec.recommender.engine import POPULARITY, Recommendation
from movierec.roster import ServedName
from movierec.service.api.dependencies import Dependencies, Deps, LiveNow, now_s
from movierec.service.api.problems import describe_problems
from movierec.service.api.replies import (
    ArmOut,
    MovieOut,
    OwnRating,
    OwnRatings,
    ReasonOut,
    RecommendationOut,
    Recommendations,
)
from movierec.service.api.schemas import RecommendationQuery, UserId
from movierec.service.experiments import assign_arm
from movierec.service.live.models import Live
from movierec.service.settings import ARMS, ServiceSettings

router = APIRouter(prefix="/v1/users", tags=["users"], responses=describe_problems(422, 429, 503))

RatingsLimit = Annotated[int, Query(ge=1, le=1000, description="ratings at most")]


@router.get("/{user_id:path}/recommendations", response_model=Recommendations, responses=describe_problems(404))
async def recommend_movies(
    user_id: UserId, query: Annotated[RecommendationQuery, Query()], dependencies: Deps, live: LiveNow
) -> Response:
    """Recommend movies to anyone: by all their ratings if there are any, else what is liked by most."""
    answer, cached = await live.answers.get(user_id, query, partial(_answer, dependencies, live, user_id, query))
    dependencies.monitor.cache.labels("hit" if cached else "miss").inc()
    return Response(answer, media_type="application/json")


@router.get("/{user_id:path}/ratings", responses=describe_problems(404))
async def list_ratings(user_id: UserId, dependencies: Deps, live: LiveNow, limit: RatingsLimit = 100) -> OwnRatings:
    """List what a user rated, in the data and here."""
    stored = await dependencies.stored_ratings(live, user_id)
    profile = live.artifacts.profiles.find(user_id, stored)
    own = live.artifacts.catalogue.ids.name(profile.movie_ids.tolist())
    pairs = zip(map(read_id, own), profile.stars.tolist(), profile.movie_ids.tolist(), strict=True)
    ordered = sorted(pairs, key=lambda pair: (pair[0] not in stored, -pair[1], pair[2]))
    ratings = (
        OwnRating(
            movie=MovieOut.model_validate(movie),
            rating=stars,
            source="service" if movie_id in stored else "training",
        )
        for movie_id, stars, _ in ordered[:limit]
        if (movie := live.artifacts.catalogue.get(movie_id))  # newer data may lack one that was rated here
    )
    return OwnRatings(user_id=live.artifacts.profiles.users.show(user_id), ratings=tuple(ratings))


async def _answer(dependencies: Dependencies, live: Live, user_id: OwnId, query: RecommendationQuery) -> bytes:
    profile = await dependencies.find_profile(live, user_id)
    model, arm = _choose_model(dependencies.settings, user_id, query)
    try:
        answer = live.engine.recommend(profile, **query.model_dump(exclude={"model"}), model=model, now_s=now_s())
    except MovierecError as error:  # a genre or decade that the data does not have
        raise HTTPException(404, str(error)) from error
    dependencies.monitor.strategies.labels(answer.strategy).inc()
    if answer.strategy == "popular" and model != POPULARITY:
        dependencies.monitor.cold_starts.inc()
    described = Recommendations(
        user_id=live.artifacts.profiles.users.show(user_id),
        strategy=answer.strategy,
        model=answer.model,
        model_version=answer.version,
        experiment=arm,
        items=tuple(_describe(live, item) for item in answer.items),
    )
    return described.model_dump_json().encode()


def _choose_model(
    settings: ServiceSettings, user_id: OwnId, query: RecommendationQuery
) -> tuple[ServedName | None, ArmOut | None]:
    experiment = settings.experiment
    if query.model or experiment is None or not settings.serve_experiment:
        return query.model, None
    assigned = assign_arm(experiment.name, user_id, *ARMS)
    arm = ArmOut.model_validate({"name": experiment.name, "arm": assigned})
    return experiment.models[arm.arm], arm


def _describe(live: Live, item: Recommendation) -> RecommendationOut:
    reasons = (
        ReasonOut(movie=MovieOut.model_validate(movie), rating=reason.rating, weight=reason.weight)
        for reason in item.reasons
        if (movie := live.artifacts.catalogue.get(reason.movie_id))
    )
    return RecommendationOut(
        movie=MovieOut.model_validate(item.movie),
        score=item.score,
        predicted_rating=item.predicted_rating,
        low=item.low,
        high=item.high,
        reasons=tuple(reasons),
    )
