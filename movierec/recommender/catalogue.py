"""The movies: what they are called, what kind they are, how they are liked, and finding them by a half-known title."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from rapidfuzz import fuzz, process, utils

from movierec.columns import GENRES, MOVIE_ID, RATING, TITLE, YEAR
from movierec.errors import MovierecError
from movierec.ids import OwnId, find_rows, read_id
from movierec.recommender.own_ids import Codes, OwnIds
from movierec.text import find_nearest

PRIOR_RATINGS: Final = 100
LEAST_SIMILARITY: Final = 60  # of 100; below it two titles share letters by accident

Mask = npt.NDArray[np.bool_]
_YEAR: Final = re.compile(r"\b(?:18|19|20)\d\d\b")


@dataclass(frozen=True)
class Movie:
    """A movie as people know it.

    Attributes
    ----------
    movie_id : int or str
        The data set's own.
    title : str
        Without the year; ``Movie 7`` where the data names none.
    year : int or None
        Of its release.
    genres : tuple of str
        Empty where unknown.
    ratings : int
        How many the data has.
    mean : float or None
        Bayesian average in stars, see `Catalogue`; None without ratings.
    """

    movie_id: OwnId
    title: str
    year: int | None
    genres: tuple[str, ...]
    ratings: int
    mean: float | None


class Catalogue:
    """All movies of the data, in ascending order of id.

    The Bayesian average of a movie with n ratings is ``(sum + m * mean) / (n + m)``, ``mean`` being that of all ratings
    and m `PRIOR_RATINGS`. The m that fits the variances within and between movies, about 4, puts movies on top that few
    people saw. For a third of the users, the ten best movies by the others' ratings:

    ===============  =======  ===============================  ==================
    data             m        stars of their held-out ratings  NDCG@10 for a user
    ===============  =======  ===============================  ==================
    ml-latest-small  4 / 100                      4.17 / 4.19         0.23 / 0.36
    ml-100k          4 / 100                      4.42 / 4.34         0.21 / 0.35
    ===============  =======  ===============================  ==================

    Parameters
    ----------
    movies : DataFrame
        ``movie_id``, ``title``, ``year`` (may be missing), ``genres`` (a list each); ``source_id`` where the own ids
        are others.
    ratings : DataFrame
        ``movie_id``, ``rating``; of any movies, listed or not; not empty.
    counts : bool
        Whether what stands for ratings are counts of events: then means are the numbers of users, and no movie has one.

    Attributes
    ----------
    movie_ids : ndarray of int, shape (movies,)
        The movies' codes in their order everywhere here.
    ids : OwnIds
        What the data calls them.
    ratings : ndarray of int64, shape (movies,)
        How many each has.
    means : ndarray of float64, shape (movies,)
        Bayesian averages in stars, that of all ratings where there is none.
    genres, decades : tuple
        Those that occur, ascending; a decade is its first year.
    """

    def __init__(self, movies: pd.DataFrame, ratings: pd.DataFrame, *, counts: bool = False) -> None:
        self.ids = OwnIds.from_table(movies, MOVIE_ID)
        listed = movies[MOVIE_ID].to_numpy(dtype=np.int32)
        self.movie_ids: npt.NDArray[np.integer[Any]] = np.union1d(listed, ratings[MOVIE_ID].to_numpy(dtype=np.int32))
        row = find_rows(self.movie_ids, ratings[MOVIE_ID])
        stars = ratings[RATING].to_numpy(dtype=np.float64)
        self.ratings = np.bincount(row, minlength=len(self.movie_ids))
        total = np.bincount(row, weights=stars, minlength=len(self.movie_ids))
        self._mean = float(stars.mean())
        average = (total + PRIOR_RATINGS * self._mean) / (self.ratings + PRIOR_RATINGS)
        self.means = self.ratings.astype(np.float64) if counts else average
        self._movies = self._describe(movies.set_index(listed), counts=counts)
        self._genre_masks = self._mark({movie.genres for movie in self._movies})
        self.genres = tuple(self._genre_masks)
        self._mark_decades(np.array([movie.year or 0 for movie in self._movies]))
        self._titles = [simplify_title(movie.title) for movie in self._movies]
        self._dated = [simplify_title(f"{movie.title} {movie.year or ''}") for movie in self._movies]
        self._lengths = np.array([len(title) for title in self._titles])

    def __len__(self) -> int:
        """Return the number of movies."""
        return len(self.movie_ids)

    @property
    def mean(self) -> float:
        """Mean of all ratings in stars."""
        return self._mean

    def rows(self, movie_ids: npt.ArrayLike) -> npt.NDArray[np.int32]:
        """Return the place of each id in `movie_ids`, -1 where there is none."""
        return find_rows(self.movie_ids, movie_ids)

    @cached_property
    def largest_id(self) -> int:
        """Return the largest own id that is an integer, 0 if there is none."""
        numbers = [own for own in map(read_id, self.ids.name(self.movie_ids.tolist())) if isinstance(own, int)]
        return max(numbers, default=0)

    def find_codes(self, movie_ids: Iterable[OwnId]) -> Codes:
        """Return the codes of own ids, shape (n,), -1 where nothing can be known of the movie."""
        return self.ids.find_all(movie_ids)

    def at(self, row: int) -> Movie:
        """Return the movie in one place, from 0."""
        return self._movies[row]

    def get(self, movie_id: OwnId) -> Movie | None:
        """Return the movie with this own id, or None."""
        known = self.ids.are_text or isinstance(movie_id, int)
        row = int(self.rows(self.ids.find_all([movie_id]))[0]) if known else -1
        return self._movies[row] if row >= 0 else None

    def average(self, movie_ids: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return each movie's Bayesian average in stars, shape (n,); the mean of all ratings for unknown ids."""
        rows = self.rows(movie_ids)
        averages: npt.NDArray[np.float64] = np.where(rows >= 0, self.means[rows], self._mean)
        return averages

    def rows_of(self, genre: str | None = None, decade: int | None = None) -> Mask:
        """Mark the movies of a genre and a decade.

        Parameters
        ----------
        genre : str, optional
            One of `genres`, in any case.
        decade : int, optional
            One of `decades`.

        Returns
        -------
        ndarray of bool, shape (movies,)
            A new array; all True where nothing is asked.

        Raises
        ------
        MovierecError
            If no movie has the genre (the message names the nearest one) or is of the decade.
        """
        wanted = np.ones(len(self), dtype=bool)
        if genre is not None:
            wanted &= self._genre_masks[self._name_genre(genre)]
        if decade is not None:
            if decade not in self._decade_masks:
                raise MovierecError(f"no movie is of decade {decade}: choose one of {_list(self.decades)}")
            wanted &= self._decade_masks[decade]
        return wanted

    def search(self, query: str, limit: int) -> list[tuple[Movie, float]]:
        """Find movies by title, whatever its accents, case, word order, small typos or missing words.

        The similarity of two titles is rapidfuzz's ``token_sort_ratio``; of a query that may be a part of a title also
        95 % of its ``token_set_ratio`` and 90 % of its ``partial_ratio``. A year counts where the query holds one.

        Parameters
        ----------
        query : str
            Such as ``matrix the`` or ``heat 1995``; what has neither letters nor digits finds nothing.
        limit : int
            At most so many, at least 1.

        Returns
        -------
        list of (Movie, float)
            Best first, of equals the one with more ratings, then the lower id; with the similarity, 0.6 to 1.
        """
        wanted = simplify_title(query)
        if not wanted:
            return []
        similarity = self._compare(wanted, self._titles)
        if _YEAR.search(wanted):
            similarity = np.maximum(similarity, self._compare(wanted, self._dated))
        order = np.lexsort((self.movie_ids, -self.ratings, -similarity))[:limit]
        return [
            (self._movies[row], float(similarity[row]) / 100) for row in order if similarity[row] >= LEAST_SIMILARITY
        ]

    def _compare(self, wanted: str, titles: Sequence[str]) -> npt.NDArray[np.float32]:
        whole, subset, part = (
            process.cdist([wanted], titles, scorer=scorer, score_cutoff=LEAST_SIMILARITY)[0]
            for scorer in (fuzz.token_sort_ratio, fuzz.token_set_ratio, fuzz.partial_ratio)
        )
        partial = np.maximum(np.float32(0.95) * subset, np.float32(0.9) * part)
        similarity: npt.NDArray[np.float32] = np.where(self._lengths >= len(wanted), np.maximum(whole, partial), whole)
        return similarity

    def _describe(self, listed: pd.DataFrame, *, counts: bool) -> list[Movie]:
        titles, years, genres = (listed[name].to_dict() for name in (TITLE, YEAR, GENRES))
        return [
            Movie(
                own,
                titles.get(movie_id, f"Movie {own}"),
                None if pd.isna(year := years.get(movie_id)) else int(year),
                tuple(genres.get(movie_id, ())),
                count,
                mean if count and not counts else None,
            )
            for movie_id, own, count, mean in zip(
                self.movie_ids.tolist(),
                self.ids.name(self.movie_ids.tolist()),
                self.ratings.tolist(),
                self.means.tolist(),
                strict=True,
            )
        ]

    def _mark(self, combinations: set[tuple[str, ...]]) -> dict[str, Mask]:
        names = sorted({name for combination in combinations for name in combination})
        return {name: np.array([name in movie.genres for movie in self._movies]) for name in names}

    def _mark_decades(self, years: npt.NDArray[np.int64]) -> None:
        self._years = years
        self.decades = tuple(sorted({int(year) // 10 * 10 for year in np.unique(years) if year}))
        self._decade_masks = {decade: years // 10 * 10 == decade for decade in self.decades}

    def _name_genre(self, genre: str) -> str:
        names = {name.casefold(): name for name in self.genres}
        if genre.casefold() in names:
            return names[genre.casefold()]
        near = find_nearest(genre.casefold(), names)
        hint = f"did you mean {names[near]!r}?" if near else "the data has no genres"
        raise MovierecError(f"no movie has the genre {genre!r}: {hint}")


def simplify_title(text: str) -> str:
    """Drop accents, case and punctuation."""
    letters = unicodedata.normalize("NFKD", text)
    return utils.default_process("".join(letter for letter in letters if not unicodedata.combining(letter)))


def _list(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers)) or "none"
