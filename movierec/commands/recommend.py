"""The commands `movierec recommend`, `similar` and `predict`: the service's answers without the service."""

import json
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from movierec.errors import MovierecError
from movierec.ids import OwnId, read_id
from movierec.roster import EXPLORING, SERVED
from movierec.text import align_columns

if TYPE_CHECKING:
    from movierec.recommender.answers import Answer, Recommendation
    from movierec.recommender.artifacts import Artifacts
    from movierec.recommender.catalogue import Catalogue, Movie
    from movierec.recommender.engine import Engine
    from movierec.recommender.profiles import Profile

UserId = Annotated[str, typer.Option("--user", help="Id of a user, known or not.")]
Count = Annotated[int, typer.Option("-k", min=1, max=200, help="How many movies.")]
ModelOption = Annotated[str | None, typer.Option("--model", help=f"One of {', '.join(SERVED)}.")]
ENDS: Final = ("low", "high")  # 8 of 10 such ratings lie between
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


def add_commands(app: typer.Typer) -> None:
    """Give a command line the three commands."""
    app.command("recommend")(recommend_movies)
    app.command("similar")(find_similar)
    app.command("predict")(predict_stars)


def recommend_movies(
    *,
    user: UserId,
    k: Count = 10,
    genre: Annotated[str | None, typer.Option(help="Only movies of this genre.")] = None,
    decade: Annotated[int | None, typer.Option(help="Only movies of this decade, such as 1990.")] = None,
    model: ModelOption = None,
    explain: Annotated[bool, typer.Option("--explain", help="Say which of the user's own ratings weigh most.")] = False,
    include_seen: Annotated[bool, typer.Option("--include-seen", help="Also what the user rated.")] = False,
    diversity: Annotated[float, typer.Option(min=0, max=0.9, help="Above 0, such as 0.2: vary the genres.")] = 0.0,
    explore: Annotated[
        bool, typer.Option("--explore", help="Let chance lift what little is known of; the same all day, UTC.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Recommend movies to a user by the best model on validation, or to a stranger by what most people like."""
    model = _name_explorer(model) if explore else model
    engine = _load_engine()
    profile = _find_profile(engine, user)
    answer = engine.recommend(
        profile,
        k,
        model=model,
        genre=genre,
        decade=decade,
        exclude_seen=not include_seen,
        diversity=diversity,
        explain=explain,
        now_s=int(time.time()),
    )
    if as_json:
        _print_json({**_name_user(engine, user), **_serialize_answer(answer, engine.artifacts.catalogue)})
        return
    typer.echo(_describe_answer(user, profile, model, answer) + "\n")
    typer.echo("\n".join(_tabulate_answer(answer, engine.artifacts)) if answer.items else "No movie is left.")


def find_similar(
    title: Annotated[str, typer.Argument(help="A title or a part of it; a year and small typos are no matter.")],
    *,
    k: Count = 10,
    as_json: AsJson = False,
) -> None:
    """Find the movies whose factors in the best model point the same way as those of the movie with this title."""
    engine = _load_engine()
    found = engine.artifacts.catalogue.search(title, 4)
    if not found:
        raise MovierecError(f"no title is like {title!r}: try fewer or other words of it")
    (movie, best), others = found[0], found[1:]
    similar = engine.similar(movie.movie_id, k)
    if as_json:
        items = [{"movie": asdict(other), "similarity": similarity} for other, similarity in similar]
        _print_json({"movie": asdict(movie), "items": items})
        return
    typer.echo(f"Like {_name(movie)}, movie {movie.movie_id}")
    if equals := [_name(other) for other, similarity in others if similarity == best]:
        typer.echo(f"(as near to {title!r}, but with fewer ratings: {', '.join(equals)})")
    rows = [[_name(other), str(other.movie_id), f"{similarity:.3f}"] for other, similarity in similar]
    typer.echo("\n" + align_columns([["title", "movie", "cosine"], *rows]))


def predict_stars(
    *,
    user: UserId,
    movie: Annotated[list[str], typer.Option(help="Id of a movie; may be given several times.")],
    model: ModelOption = None,
    as_json: AsJson = False,
) -> None:
    """Predict how many stars a user would give to movies."""
    engine = _load_engine()
    movies = [_find_movie(engine.artifacts.catalogue, movie_id) for movie_id in movie]
    profile = _find_profile(engine, user)
    predicted = engine.predict(profile, [one.movie_id for one in movies], model)
    name = model or engine.artifacts.rating_model
    if as_json:
        stars, low, high = (None if each is None else each.tolist() for each in predicted)
        found = {"predictions": stars, "low": low, "high": high}
        _print_json({**_name_user(engine, user), "model": name, "model_version": engine.artifacts.version, **found})
        return
    typer.echo(f"{_describe_user(user, profile)}, by {name}; models {engine.artifacts.version}\n")
    rows = [
        [_name(one), str(one.movie_id), *map(_format_stars, stars)]
        for one, stars in zip(movies, predicted.by_movie(), strict=True)
    ]
    typer.echo(align_columns([["title", "movie", *_name_stars(engine.artifacts)], *rows]))


def _name_explorer(model: str | None) -> str:
    """Return the exploring name of a model, by default of the first that has one."""
    for name, explored in EXPLORING.items():
        if model in (None, name, explored):
            return name
    raise MovierecError(f"{model!r} cannot explore: give --explore with {' or '.join(EXPLORING.values())}, or alone")


def _load_engine() -> "Engine":
    from movierec.recommender.artifacts import load_artifacts  # noqa: PLC0415  # takes seconds, which other commands need not wait
    from movierec.recommender.engine import Engine  # noqa: PLC0415

    return Engine(load_artifacts(Path()))


def _find_profile(engine: "Engine", user: str) -> "Profile":
    """Find what a user rated, in the data and in the service."""
    from movierec.service.storage.database import default_url  # noqa: PLC0415  # as above
    from movierec.service.storage.store import Store  # noqa: PLC0415

    with closing(Store(default_url())) as store:
        return engine.artifacts.profiles.find(read_id(user), store.ratings_of(user))


def _find_movie(catalogue: "Catalogue", movie_id: OwnId) -> "Movie":
    movie = catalogue.get(read_id(movie_id))
    if movie is None:
        raise MovierecError(f"there is no movie {movie_id}: `movierec similar TITLE` names the id of a title")
    return movie


def _name_user(engine: "Engine", user: str) -> dict[str, OwnId]:
    return {"user_id": engine.artifacts.profiles.users.show(read_id(user))}


def _describe_answer(user: str, profile: "Profile", model: str | None, answer: "Answer") -> str:
    if answer.strategy != "popular":
        how = answer.model if answer.strategy == "personal" else f"{answer.model}, folded in from all their ratings"
        return f"{_describe_user(user, profile)}, by {how}; models {answer.version}"
    liked = "rated" if answer.model == model else "like"
    return f"{_describe_user(user, profile)}, what most people {liked}; models {answer.version}"


def _describe_user(user: str, profile: "Profile") -> str:
    return f"For user {user}{'' if len(profile.movie_ids) else ', who has rated nothing yet'}"


def _tabulate_answer(answer: "Answer", artifacts: "Artifacts") -> Iterator[str]:
    """Yield the lines of a table, each movie's followed by its reasons."""
    names = _name_stars(artifacts)
    cells = (_list_cells(item, len(names)) for item in answer.items)
    header, *lines = align_columns([["title", "movie", "score", *names], *cells]).split("\n")
    yield header
    for line, item in zip(lines, answer.items, strict=True):
        yield line
        for reason in item.reasons:
            given = "" if artifacts.implicit else f"{artifacts.scale.format(reason.rating)} for "
            movie = _find_movie(artifacts.catalogue, reason.movie_id)
            yield f"    {reason.weight:4.0%} because of {given}{_name(movie)}"


def _name_stars(artifacts: "Artifacts") -> tuple[str, ...]:
    """Head the columns of expected ratings; there are none where the data has events alone."""
    return () if artifacts.implicit else (artifacts.scale.unit if artifacts.scale.has_stars else "rating", *ENDS)


def _list_cells(item: "Recommendation", columns: int) -> list[str]:
    stars = list(map(_format_stars, (item.predicted_rating, item.low, item.high)))
    return [_name(item.movie), str(item.movie.movie_id), f"{item.score:.3f}", *stars[:columns]]


def _format_stars(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _serialize_answer(answer: "Answer", catalogue: "Catalogue") -> dict[str, Any]:
    """Write an answer as the service does."""
    items = [asdict(item) for item in answer.items]
    for item in items:
        item["reasons"] = [
            {"movie": asdict(_find_movie(catalogue, reason.pop("movie_id"))), **reason} for reason in item["reasons"]
        ]
    return {"strategy": answer.strategy, "model": answer.model, "model_version": answer.version, "items": items}


def _name(movie: "Movie") -> str:
    return f"{movie.title} ({movie.year})" if movie.year else movie.title


def _print_json(content: dict[str, Any]) -> None:
    typer.echo(json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False))
