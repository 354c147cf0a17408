"""What there is: movies by title, by id and by likeness, genres and decades, and models."""

from functools import partial
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Query

from movierec.service.api.dependencies import LiveNow, find_movie
from movierec.service.api.problems import describe_problems
from movierec.service.api.replies import Filters, FoundMovies, MovieOut, RatingScale, ServedModels
from movierec.service.api.schemas import ListLength, MovieId, SearchQuery

router = APIRouter(prefix="/v1", tags=["movies"], responses=describe_problems(429, 503))


@router.get("/movies", responses=describe_problems(422))
async def search_movies(query: Annotated[SearchQuery, Query()], live: LiveNow) -> FoundMovies:
    """Find movies by a title that may be half known and misspelt."""
    search = partial(live.artifacts.catalogue.search, query.query, query.limit)
    return FoundMovies.of(await to_thread.run_sync(search))


@router.get("/movies/{movie_id:path}/similar", responses=describe_problems(404, 422))
async def list_similar(movie_id: MovieId, live: LiveNow, k: Annotated[ListLength, Query()] = 10) -> FoundMovies:
    """List the movies that the same people like."""
    find_movie(live.artifacts, movie_id)
    return FoundMovies.of(live.engine.similar(movie_id, k))


@router.get("/movies/{movie_id:path}", responses=describe_problems(404, 422))
async def show_movie(movie_id: MovieId, live: LiveNow) -> MovieOut:
    """Show a movie."""
    return MovieOut.model_validate(find_movie(live.artifacts, movie_id))


@router.get("/genres")
async def list_filters(live: LiveNow) -> Filters:
    """List the genres and decades that recommendations can be restricted to."""
    return Filters(
        genres=live.artifacts.catalogue.genres,
        decades=live.artifacts.catalogue.decades,
        feedback="implicit" if live.artifacts.implicit else "explicit",
        scale=RatingScale.model_validate(live.artifacts.scale),
        text_ids=live.artifacts.profiles.users.are_text,
    )


@router.get("/models")
async def list_models(live: LiveNow) -> ServedModels:
    """List the models that can be asked for, and name those that answer unasked."""
    return ServedModels(
        model_version=live.artifacts.version,
        models=live.engine.model_names,
        champion=live.artifacts.champion,
        rating_model=live.artifacts.rating_model,
    )
