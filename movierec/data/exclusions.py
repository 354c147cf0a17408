"""Pairs of users and movies that are not recommended again, ready for look-ups of many users."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse as sp

from movierec.columns import MOVIE_ID, USER_ID
from movierec.ids import IdIndex


class Exclusions:
    """What each user is not to be recommended, built once for any number of models and lists.

    Parameters
    ----------
    movies : IdIndex
        The catalogue; pairs with other movies are left out.
    *parts : DataFrame
        Columns ``user_id`` and ``movie_id``; repeated pairs are harmless.

    Examples
    --------
    >>> seen = Exclusions(IdIndex([10, 20, 30]), pd.DataFrame({"user_id": [1, 2, 1], "movie_id": [30, 20, 99]}))
    >>> seen.select([2, 5, 1], seen.movies).toarray().astype(int).tolist()
    [[0, 1, 0], [0, 0, 0], [0, 0, 1]]
    """

    def __init__(self, movies: IdIndex, *parts: pd.DataFrame) -> None:
        self.movies = movies
        self.users = IdIndex(np.unique(np.concatenate([pd.unique(part[USER_ID]) for part in parts])))
        user = np.concatenate([self.users.rows(part[USER_ID]) for part in parts])
        movie = np.concatenate([movies.rows(part[MOVIE_ID]) for part in parts])
        if len(parts) > 1 or np.any(user[1:] < user[:-1]):
            order = np.argsort(user, kind="stable")  # runs in order are merged, not sorted
            user, movie = user[order], movie[order]
        user, movie = user[movie >= 0], movie[movie >= 0]
        # One row more, without movies, for users who have none.
        self._starts = np.concatenate(([0], np.cumsum(np.bincount(user, minlength=len(self.users) + 1))))
        self._movie = movie

    def select(self, user_ids: npt.ArrayLike, movies: IdIndex) -> "sp.csr_array[Any]":
        """Return the movies excluded for each user.

        Parameters
        ----------
        user_ids : array_like of int, shape (n,)
            Of any users.
        movies : IdIndex
            Whose rows the columns are; best the catalogue that this was built for.

        Returns
        -------
        scipy.sparse.csr_array of bool, shape (n, movies)
            True where excluded; perhaps stored more than once.
        """
        rows = self.users.rows(user_ids)
        first, last = self._starts[rows], self._starts[rows + 1]
        first, last = np.where(rows >= 0, first, 0), np.where(rows >= 0, last, 0)
        indptr = np.concatenate(([0], np.cumsum(last - first)))
        place = np.arange(indptr[-1]) + np.repeat(first - indptr[:-1], last - first)
        columns = self._movie[place]
        if movies is not self.movies and not np.array_equal(movies.ids, self.movies.ids):
            columns = movies.rows(self.movies.ids)[columns]
            kept = np.concatenate(([0], np.cumsum(columns >= 0)))
            indptr, columns = kept[indptr], columns[columns >= 0]
        return sp.csr_array((np.ones(len(columns), dtype=bool), columns, indptr), shape=(len(rows), len(movies)))
