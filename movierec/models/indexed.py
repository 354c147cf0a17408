"""Ratings made ready for fitting, once for however many models learn from them: ids as rows, orders, sample."""

from functools import cached_property
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from movierec.columns import MOVIE_ID, RATING, USER_ID
from movierec.compiled import njit
from movierec.models.base import Rows, find_range, index_ids
from movierec.models.sgd.schedule import Block, interleave
from movierec.models.strength import measure_star, to_stars

Stars = npt.NDArray[np.floating[Any]]

SAMPLE = 200_000  # ratings that stand for all in a learning curve: its standard error is a 600th of the RMSE


class Pairs(NamedTuple):
    """Ratings as rows of users and movies, -1 for unknown, each of shape (n,), and their stars."""

    user: Rows
    movie: Rows
    stars: Stars


class Grouped(NamedTuple):
    """Ratings grouped by user or by movie, as in a CSR matrix.

    Attributes
    ----------
    indptr : ndarray of int64, shape (groups + 1,)
        Where each group starts.
    indices : ndarray of int32, shape (ratings,)
        Rows of the other side.
    stars : ndarray of float, shape (ratings,)
        Their ratings.
    """

    indptr: npt.NDArray[np.int64]
    indices: Rows
    stars: Stars


class IndexedRatings:
    """Ratings in order of user, with rows for ids.

    Parameters
    ----------
    ratings : DataFrame
        Columns ``user_id``, ``movie_id``, ``rating``; not empty. Sorted by user if they are not; a user's ratings
        keep their order.

    Attributes
    ----------
    table : DataFrame
        The ratings in order.
    users, movies : IdIndex
        In ascending order of id.
    pairs : Pairs
        The ratings in order; stars are of the type that they were given in.

    Raises
    ------
    ValueError
        If there is no rating.
    """

    def __init__(self, ratings: pd.DataFrame) -> None:
        in_order = ratings[USER_ID].is_monotonic_increasing
        self.table = ratings if in_order else ratings.sort_values(USER_ID, kind="stable")
        self.users, self.movies, user, movie = index_ids(self.table)
        self.pairs = Pairs(user, movie, self.table[RATING].to_numpy())

    @classmethod
    def of(cls, ratings: "pd.DataFrame | IndexedRatings") -> "Self | IndexedRatings":
        """Index a table; what is indexed already is returned as it is."""
        return ratings if isinstance(ratings, IndexedRatings) else cls(ratings)

    @cached_property
    def in_stars(self) -> "IndexedRatings":
        """The same with every rating as stars; itself where they are; see `to_stars`."""
        scale = find_range(self.pairs.stars)
        if measure_star(scale) == 1.0:
            return self
        return IndexedRatings(self.table.assign(**{RATING: to_stars(self.pairs.stars, scale)}))

    @cached_property
    def block(self) -> Block:
        """The ratings in an order with the result of this one, in groups; see `interleave`."""
        return interleave(*self.pairs)

    @property
    def by_user(self) -> Grouped:
        """The ratings of each user, in their order."""
        ends = np.cumsum(np.bincount(self.pairs.user, minlength=len(self.users)))
        return Grouped(np.concatenate(([0], ends)), self.pairs.movie, self.pairs.stars)

    @cached_property
    def by_movie(self) -> Grouped:
        """The ratings of each movie, in order of user."""
        grouped: Grouped = _group_by_movie(*self.pairs, len(self.movies))
        return grouped

    @property
    def sample(self) -> Pairs:
        """Every so many-th rating, at most `SAMPLE` in all, to measure a learning curve on."""
        step = -(-len(self.table) // SAMPLE)
        return Pairs._make(np.ascontiguousarray(column[::step]) for column in self.pairs)

    def locate(self, ratings: pd.DataFrame) -> Pairs:
        """Return other ratings as pairs of these rows; -1 for a user or movie without rating here."""
        user, movie = self.users.rows(ratings[USER_ID]), self.movies.rows(ratings[MOVIE_ID])
        return Pairs(user, movie, ratings[RATING].to_numpy())


@njit()
def _group_by_movie(user, movie, stars, movies):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    indptr = np.zeros(movies + 1, dtype=np.int64)
    for row in movie:
        indptr[row + 1] += 1
    indptr = np.cumsum(indptr)
    place = indptr[:-1].copy()
    grouped = Grouped(indptr, np.empty_like(user), np.empty_like(stars))
    for n in range(len(user)):
        target = place[movie[n]]
        grouped.indices[target], grouped.stars[target] = user[n], stars[n]
        place[movie[n]] += 1
    return grouped
