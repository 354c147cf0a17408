"""The catalogue as people changed it since the data was collected: new movies, other titles, movies taken away."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from movierec.data.described_movie import DescribedMovie
from movierec.ids import LARGEST_ID, UNKNOWN, OwnId
from movierec.recommender.catalogue import PRIOR_RATINGS, Catalogue, Mask, Movie, simplify_title
from movierec.recommender.own_ids import Codes

FIRST_NEW_CODE: Final = LARGEST_ID + 1  # above all codes of the data


@dataclass(frozen=True)
class NewMovie:
    """A movie that the models do not hold, with the ratings that it got since: stars by each user's own id."""

    described: DescribedMovie
    ratings: tuple[tuple[OwnId, float], ...] = ()


class AmendedCatalogue(Catalogue):
    """A catalogue whose last movies are new; their codes begin with `FIRST_NEW_CODE`.

    Parameters
    ----------
    catalogue : Catalogue
        Of the data; left as it is, and shared where nothing changed.
    changed : mapping of int to DescribedMovie
        By row: what is said of these movies now.
    hidden : sequence of int
        Rows of movies that are not to be found any more.
    new : sequence of NewMovie
        Those that follow, in this order. One that the catalogue lists already takes that one's place.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        changed: Mapping[int, DescribedMovie],
        hidden: Sequence[int],
        new: Sequence[NewMovie],
    ) -> None:
        vars(self).update(vars(catalogue))
        self._movies, self._titles, self._dated = list(self._movies), list(self._titles), list(self._dated)
        codes = range(FIRST_NEW_CODE, FIRST_NEW_CODE + len(new))
        own = [movie.described.movie_id for movie in new]
        replaced = [row for one in own if (row := self._row_of(one)) >= 0]
        first = len(catalogue)
        self.ids = catalogue.ids.extend(dict(zip(own, codes, strict=True)))
        self.movie_ids = np.concatenate([catalogue.movie_ids, np.array(codes, dtype=np.int64)])
        self._count(new)
        self._movies += [self._describe_new(movie, first + at) for at, movie in enumerate(new)]
        for row, described in changed.items():
            self._movies[row] = replace(
                self._movies[row], title=described.title, year=described.year, genres=described.genres
            )
        self._shown = np.ones(len(self), dtype=bool)
        self._shown[[*hidden, *replaced]] = False
        self._index([*changed, *range(first, len(self))])

    def get(self, movie_id: OwnId) -> Movie | None:
        """Return the movie with this own id, or None, also for one that is hidden."""
        row = self._row_of(movie_id)
        return self._movies[row] if row >= 0 and self._shown[row] else None

    def find_codes(self, movie_ids: Iterable[OwnId]) -> Codes:
        """Return the codes of own ids, -1 for movies that are hidden; see `Catalogue.find_codes`."""
        codes = super().find_codes(movie_ids)
        rows = self.rows(codes)
        return np.where((rows >= 0) & ~self._shown[rows], UNKNOWN, codes)

    def rows_of(self, genre: str | None = None, decade: int | None = None) -> Mask:
        """Mark the movies of a genre and a decade that are not hidden; see `Catalogue.rows_of`."""
        return super().rows_of(genre, decade) & self._shown

    def _row_of(self, movie_id: OwnId) -> int:
        known = self.ids.are_text or isinstance(movie_id, int)
        return int(self.rows(self.ids.find_all([movie_id]))[0]) if known else -1

    def _count(self, new: Sequence[NewMovie]) -> None:
        counts = np.array([len(movie.ratings) for movie in new], dtype=np.int64)
        totals = np.array([sum(stars for _, stars in movie.ratings) for movie in new], dtype=np.float64)
        means = (totals + PRIOR_RATINGS * self.mean) / (counts + PRIOR_RATINGS)
        self.ratings, self.means = np.concatenate([self.ratings, counts]), np.concatenate([self.means, means])

    def _describe_new(self, movie: NewMovie, row: int) -> Movie:
        described, count = movie.described, int(self.ratings[row])
        mean = float(self.means[row]) if count else None
        own = self.ids.show(described.movie_id)
        return Movie(own, described.title, described.year, described.genres, count, mean)

    def _index(self, touched: Sequence[int]) -> None:
        """Bring what is searched and filtered by up to date for some rows, the last of them new."""
        movies, missing = self._movies, len(self) - len(self._titles)
        self._titles, self._dated = self._titles + [""] * missing, self._dated + [""] * missing
        self._mark_decades(_fill(self._years, {row: movies[row].year or 0 for row in touched}, missing))
        names = sorted(set(self._genre_masks).union(*(movies[row].genres for row in touched)))
        none: npt.NDArray[np.bool_] = np.zeros(len(self) - missing, dtype=bool)
        marks = {
            name: _fill(
                self._genre_masks.get(name, none), {row: name in movies[row].genres for row in touched}, missing
            )
            for name in names
        }
        self._genre_masks = {name: mask for name, mask in marks.items() if mask.any()}
        self.genres = tuple(self._genre_masks)
        for row in touched:
            self._titles[row] = simplify_title(movies[row].title)
            self._dated[row] = simplify_title(f"{movies[row].title} {movies[row].year or ''}")
        for row in np.flatnonzero(~self._shown).tolist():
            self._titles[row] = self._dated[row] = ""  # which is like nothing
        lengths = {row: len(self._titles[row]) for row in [*touched, *np.flatnonzero(~self._shown).tolist()]}
        self._lengths = _fill(self._lengths, lengths, missing)


def _fill(values: npt.NDArray, changed: Mapping[int, float], missing: int) -> npt.NDArray:  # type: ignore[type-arg]
    """Return a copy with room for `missing` more, and some values replaced."""
    filled = np.concatenate([values, np.zeros(missing, dtype=values.dtype)])
    filled[list(changed)] = list(changed.values())
    return filled
