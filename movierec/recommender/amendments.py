"""Answers that take in what people changed in the catalogue, until the pipeline has learned it; reads no database."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, Final

import numpy as np
import pandas as pd

from movierec import seeds
from movierec.columns import GENRES, MOVIE_ID, TITLE, YEAR
from movierec.data.described_movie import DescribedMovie
from movierec.data.tags import TAG
from movierec.errors import MovierecError
from movierec.ids import OwnId, find_rows
from movierec.models.base import Array
from movierec.recommender.amended_catalogue import FIRST_NEW_CODE, AmendedCatalogue, NewMovie
from movierec.recommender.engine import Engine
from movierec.recommender.placing import Placer, Raters, make_placer
from movierec.recommender.profiles import Profile

FindProfile = Callable[[OwnId], Profile]
Placed = Mapping[str, Any]  # what each model holds of a movie, by the model's name
_NOBODY: Final = Raters((), np.empty(0))


class Amender:
    """Puts changes of the catalogue over one engine, which stays as it is; for one thread at a time.

    Each movie is placed once for each state that it is in: a change of one costs milliseconds, whatever there is.

    Parameters
    ----------
    engine : Engine
        Made from what the pipeline made.

    Attributes
    ----------
    engine : Engine
        That.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine, self._artifacts = engine, engine.artifacts
        self._placers: dict[str, Placer] = {}
        self._placed: dict[NewMovie, Placed] = {}
        self._state: object = ({}, [], [])
        self._amended = engine

    def amend(
        self, movies: Sequence[NewMovie], deleted: Sequence[OwnId], find_profile: FindProfile | None = None
    ) -> Engine:
        """Return an engine that answers by the changed catalogue: the same one as long as nothing that matters changed.

        Parameters
        ----------
        movies : sequence of NewMovie
            Those that were added or changed. One that the models hold is described anew; any other is placed in them.
        deleted : sequence of int or str
            Own ids of movies that are not to be found any more.
        find_profile : callable, optional
            Gives a rater's profile; by default raters are known by the data alone.
        """
        changed, new = self._part(movies)
        hidden = [row for own in deleted if (row := self._listed_row(own)) >= 0]
        state = changed, new, hidden
        if self._state != state:
            amended = AmendedCatalogue(self._artifacts.catalogue, changed, hidden, new)
            profiles = self._artifacts.profiles.rename_movies(amended.ids)
            artifacts = replace(self._artifacts, catalogue=amended, profiles=profiles)
            scorers = self._extend(new, find_profile or self._artifacts.profiles.find)
            self._amended, self._state = Engine(artifacts, scorers), state
        return self._amended

    def _part(self, movies: Sequence[NewMovie]) -> tuple[dict[int, DescribedMovie], list[NewMovie]]:
        """Return what is said of the movies that the models hold, by row of the catalogue, and the others."""
        changed, new = {}, []
        for movie in movies:
            row = self._trained_row(movie.described.movie_id)
            if row is None:
                new.append(movie)
            else:
                changed[row] = movie.described
        return changed, new

    def _listed_row(self, own: OwnId) -> int:
        ids = self._artifacts.catalogue.ids
        if isinstance(own, str) and not ids.are_text:
            return -1
        return int(self._artifacts.catalogue.rows(ids.find_all([own]))[0])

    def _trained_row(self, own: OwnId) -> int | None:
        """Return the catalogue's row of a movie that the models hold, else None."""
        row = self._listed_row(own)
        trained = self.engine.scorers[self._artifacts.champion].movie_ids
        held = row >= 0 and find_rows(trained, self._artifacts.catalogue.movie_ids[[row]])[0] >= 0
        return row if held else None

    def _extend(self, new: Sequence[NewMovie], find: FindProfile) -> Mapping[str, Any]:
        if not new:
            self._placed = {}
            return self.engine.scorers
        self._learn_content()
        fresh = [movie for movie in new if movie not in self._placed]
        placed = dict(zip(fresh, self._place(fresh, find), strict=True))
        self._placed = {movie: placed[movie] if movie in placed else self._placed[movie] for movie in new}
        codes = FIRST_NEW_CODE + np.arange(len(new), dtype=np.int64)
        return {
            name: placer.extend(codes, [self._placed[movie][name] for movie in new])
            for name, placer in self._placers.items()
        }

    def _learn_content(self) -> None:
        content = self._artifacts.content
        if content is None:
            raise MovierecError("nothing is known of the movies' content: new ones cannot be placed")
        for name, model in self._artifacts.models.items():
            if name not in self._placers:
                self._placers[name] = make_placer(model, self.engine.scorers[name], content.of(model.movies.ids))

    def _place(self, movies: Sequence[NewMovie], find: FindProfile) -> list[Placed]:
        if not movies:
            return []
        content = self._artifacts.content
        assert content is not None  # noqa: S101  # or `_learn_content` had raised
        described = content.embed(*_tabulate([movie.described for movie in movies]))
        found: list[Placed] = []
        for movie, factors in zip(movies, described, strict=True):
            raters = _gather(movie, find)
            rng = seeds.rng(0, "new movie", str(movie.described.movie_id))
            found.append({name: placer.place(factors, raters, rng) for name, placer in self._placers.items()})
        return found


def _gather(movie: NewMovie, find: FindProfile) -> Raters:
    if not movie.ratings:
        return _NOBODY
    users, stars = zip(*movie.ratings, strict=True)
    values: Array = np.array(stars, dtype=np.float64)
    return Raters([find(user) for user in users], values)


def _tabulate(movies: Sequence[DescribedMovie]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Make the tables of movies and tags that content is described by; rows stand for ids."""
    rows = [asdict(movie) for movie in movies]
    table = pd.DataFrame(rows, columns=[TITLE, YEAR, GENRES]).astype({YEAR: "Int16"})
    table.insert(0, MOVIE_ID, np.arange(len(rows), dtype=np.int32))
    pairs = [(at, " ".join(tag.lower().split())) for at, movie in enumerate(movies) for tag in movie.tags]
    return table, pd.DataFrame(pairs, columns=[MOVIE_ID, TAG]).astype({MOVIE_ID: np.int32})
