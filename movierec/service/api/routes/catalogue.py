"""Changes of the catalogue: movies that are added, described anew or taken away, and who did it when."""

from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Header, HTTPException, Response
from starlette.convertors import PathConvertor, register_url_convertor

from movierec.data.described_movie import DescribedMovie
from movierec.data.movies import split_title
from movierec.ids import OwnId
from movierec.recommender.own_ids import UnknownIdError
from movierec.service.api.dependencies import Dependencies, Deps, LiveNow, NeedsToken, now_s
from movierec.service.api.problems import describe_problems
from movierec.service.api.replies import ChangeOut, MovieHistory
from movierec.service.api.routes.ratings import IdempotencyKey
from movierec.service.api.schemas import MovieChanges, MovieId, MovieIn
from movierec.service.live.models import Live
from movierec.service.storage.store import StoreUnavailableError


class _MovieConvertor(PathConvertor):
    """An id in an address, slashes and all, but none that ends as the address of what is told of a movie."""

    regex = r"(?!.*/(?:similar|history)$).*"


register_url_convertor("movie", _MovieConvertor())
router = APIRouter(prefix="/v1/movies", tags=["catalogue"], responses=describe_problems(422, 429, 503))
WRITING = describe_problems(400, 401, 403, 413)

Author = Annotated[
    str | None,
    Header(alias="x-author", min_length=1, max_length=100, description="who does this; kept in the movie's history"),
]


@router.post(
    "",
    status_code=201,
    dependencies=[NeedsToken],
    responses={
        200: {"model": ChangeOut, "description": "it was stored before"},
        **WRITING,
        **describe_problems(404, 409),
    },
)
async def add_movie(
    movie: MovieIn, dependencies: Deps, live: LiveNow, response: Response,
    author: Author = None, idempotency_key: IdempotencyKey = None,
) -> ChangeOut:  # fmt: skip
    """Add a movie; when this answers it is on the disk, and found, recommended by its content and explained here.

    Give an `Idempotency-Key` where an id is to be assigned: a repeated request then adds nothing.
    """
    if movie.movie_id is not None:
        _require_free(live, movie.movie_id)
    given = None if movie.movie_id is None else _describe(movie, movie.movie_id)
    add = partial(dependencies.store.add_movie, given, partial(_describe, movie), author=author, timestamp=now_s())
    content, above = movie.model_dump_json(), live.base_catalogue.largest_id
    change, new = await dependencies.write(partial(add, key=idempotency_key, content=content, above=above))
    await _follow(dependencies)
    response.status_code = 201 if new else 200
    return ChangeOut.of(change)


@router.patch(
    "/{movie_id:movie}",
    dependencies=[NeedsToken],
    responses={**WRITING, **describe_problems(404, 409)},
)
async def change_movie(
    movie_id: MovieId, changes: MovieChanges, dependencies: Deps, live: LiveNow, author: Author = None
) -> MovieHistory:
    """Describe a movie anew, one of the data or a new one, and return its history; what it was before is kept."""
    values = {name: getattr(changes, name) for name in changes.model_fields_set}
    values |= {name: _distinct(values[name]) for name in {"genres", "tags"} & set(values)}
    if "title" in values:
        values["title"] = values["title"].strip()
    change = partial(dependencies.store.change_movie, movie_id, _known(live, movie_id), values)
    await dependencies.write(partial(change, author=author, timestamp=now_s()))
    await _follow(dependencies)
    return await _read_history(dependencies, movie_id)


@router.delete(
    "/{movie_id:movie}",
    status_code=204,
    dependencies=[NeedsToken],
    responses={**WRITING, **describe_problems(404, 409)},
)
async def delete_movie(movie_id: MovieId, dependencies: Deps, live: LiveNow, author: Author = None) -> None:
    """Let a movie be found, recommended and predicted no more; its history and its ratings are kept."""
    delete = partial(dependencies.store.delete_movie, movie_id, _known(live, movie_id))
    await dependencies.write(partial(delete, author=author, timestamp=now_s()))
    await _follow(dependencies)


@router.get("/{movie_id:path}/history", responses=describe_problems(404))
async def show_history(movie_id: MovieId, dependencies: Deps, live: LiveNow) -> MovieHistory:
    """List who changed a movie when, also of one that was deleted."""
    history = await _read_history(dependencies, movie_id)
    if not history.changes and live.artifacts.catalogue.get(movie_id) is None:
        raise HTTPException(404, f"there is no movie {movie_id}: search for it at /v1/movies")
    return history


def _require_free(live: Live, movie_id: OwnId) -> None:
    if not live.artifacts.profiles.takes_movie(movie_id):
        raise UnknownIdError(f"there can be no movie {str(movie_id)[:40]!r}: the ids of this data are whole numbers")
    if live.base_catalogue.get(movie_id) and live.artifacts.catalogue.get(movie_id):  # or else it was deleted
        raise HTTPException(409, f"there is a movie {movie_id} already: PATCH changes it")


def _describe(movie: MovieIn, movie_id: OwnId) -> DescribedMovie:
    """Take the year out of the title as the pipeline does."""
    title, year = (movie.title.strip(), movie.year) if movie.year is not None else split_title(movie.title)
    return DescribedMovie(movie_id, title, year, _distinct(movie.genres), _distinct(movie.tags))


def _distinct(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word.strip() for word in words))


def _known(live: Live, movie_id: OwnId) -> DescribedMovie | None:
    movie = live.base_catalogue.get(movie_id)
    return DescribedMovie(movie.movie_id, movie.title, movie.year, movie.genres) if movie else None


async def _follow(dependencies: Dependencies) -> None:
    """Answer by the change at once; should the database fail now, it is stored all the same and followed later."""
    with suppress(StoreUnavailableError):
        await dependencies.catalogue_watch.look()


async def _read_history(dependencies: Dependencies, movie_id: OwnId) -> MovieHistory:
    changes = await to_thread.run_sync(dependencies.store.movie_history, movie_id)
    return MovieHistory(changes=tuple(map(ChangeOut.of, changes)))
