"""Users and movies with too few ratings, found over tables that are read one after another."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from movierec.columns import MOVIE_ID, USER_ID
from movierec.data.tally import Counts

PAIR = (USER_ID, MOVIE_ID)
Codes = npt.NDArray[np.int32]


class Minimum:
    """Who has too few ratings: users by table, movies over all."""

    def __init__(self) -> None:
        self.few_users: dict[int, Codes] = {}
        self.few_movies: Codes = np.empty(0, dtype=np.int32)

    def mark(self, number: int, table: pd.DataFrame) -> npt.NDArray[np.bool_]:
        """Mark the ratings of the table with that number that are kept, shape (rows,)."""
        kept = ~np.isin(table[MOVIE_ID].to_numpy(), self.few_movies)
        if number in self.few_users:
            kept &= ~np.isin(table[USER_ID].to_numpy(), self.few_users[number])
        return kept


def find_few(
    read: Callable[[Iterable[str]], Iterator[pd.DataFrame]], min_user: int, min_movie: int, *, iterate: bool
) -> Minimum:
    """Find the users, and then the movies, that have too few ratings.

    Parameters
    ----------
    read : callable
        Gives some columns of the tables anew each time; each holds all ratings of its users.
    min_user, min_movie : int
        Ratings that a user and a movie must have.
    iterate : bool
        Repeat both until nothing changes.

    Returns
    -------
    Minimum
        Marks who is left.
    """
    few = Minimum()
    while True:
        movies, dropped = Counts(), 0
        for number, table in enumerate(read(PAIR)):
            kept = few.mark(number, table)
            user, row = np.unique(table[USER_ID].to_numpy()[kept], return_inverse=True)
            enough = np.bincount(row, minlength=len(user)) >= min_user
            dropped += int((~enough[row]).sum())
            few.few_users[number] = _join(few.few_users.get(number), user[~enough])
            movies.add(table[MOVIE_ID].to_numpy()[kept][enough[row]])
        rare = movies.numbers < min_movie
        dropped += int(movies.numbers[rare].sum())
        few.few_movies = _join(few.few_movies, movies.distinct[rare])
        if not iterate or not dropped:
            return few


def _join(some: Codes | None, others: npt.NDArray[Any]) -> Codes:
    return others.astype(np.int32) if some is None else np.union1d(some, others).astype(np.int32)
