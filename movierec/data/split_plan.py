"""In which part each rating belongs: at random, by time, by time within each user, or by movie."""

import math
from collections.abc import Callable, Iterable, Sequence
from functools import partial, reduce
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from movierec import seeds
from movierec.columns import MOVIE_ID, TIMESTAMP, USER_ID
from movierec.data.clean import draw_keys
from movierec.data.duplicates import pair_keys
from movierec.data.keyed_hash import hash_ids
from movierec.data.ranks import Keys, come_before, find_at_rank

Method = Literal["random", "temporal", "per_user_temporal", "cold_movies"]
PARTS: Final = ("train", "validation", "test")
_BEYOND: Final = (2**63 - 1, 2**63 - 1)
Numbers = npt.NDArray[np.int64]
Visit = Callable[[Callable[[pd.DataFrame], Any], Sequence[str]], Iterable[Any]]
Divide = Callable[[pd.DataFrame], Numbers]


def plan_split(visit: Visit, method: Method, validation: float, test: float, seed: int) -> Divide:
    """Settle in which part each rating belongs, without sorting or holding all ratings.

    Parameters
    ----------
    visit : callable
        Applies a function to some columns of the ratings, in tables of whole users, wherever they lie.
    method : {"random", "temporal", "per_user_temporal", "cold_movies"}
        ``random`` draws ratings by `draw_keys`; ``temporal`` cuts all of them at two moments, the latest being the
        test; ``per_user_temporal`` does so within each user. Equal timestamps are ordered by user and movie.
        ``cold_movies`` draws movies, and holds out all ratings of each: only their content can tell who would like
        them.
    validation, test : float
        Shares of the ratings, or of the movies where movies are drawn; in (0, 1) with a sum below 1.
    seed : int
        Draws the ratings or movies.

    Returns
    -------
    callable
        From a table of whole users to the place in `PARTS` of each rating, shape (rows,).
    """
    key = seeds.hash_key(seed, "split", "place")
    if method == "per_user_temporal":
        return partial(_number_by_user_time, validation=validation, test=test)
    if method == "cold_movies":
        return _plan_by_movie(visit, validation, test, key)
    if method == "temporal":
        return _plan_by_rank(visit, _time_keys, (USER_ID, MOVIE_ID, TIMESTAMP), validation, test)
    return _plan_by_rank(visit, partial(draw_keys, key=key), (USER_ID, MOVIE_ID), validation, test)


def first_ranks(count: int, validation: float, test: float) -> tuple[int, int]:
    """Tell where validation and test begin among ratings or movies in the order of a split.

    Parameters
    ----------
    count : int
        How many are divided.
    validation, test : float
        Their shares, in (0, 1) with a sum below 1.

    Returns
    -------
    validation, test : int
        The first rank of each, from 0: rank k stands at (k + 0.5) / count.

    Examples
    --------
    >>> first_ranks(10, 0.1, 0.2)
    (7, 8)
    """
    cuts = (1 - validation - test, 1 - test)
    first, second = (_first_at_or_above(cut, count) for cut in cuts)
    return first, second


def _time_keys(ratings: pd.DataFrame) -> Keys:
    return ratings[TIMESTAMP].to_numpy(), pair_keys(ratings)


def _plan_by_rank(
    visit: Visit, keys: Callable[[pd.DataFrame], Keys], columns: Sequence[str], validation: float, test: float
) -> Divide:
    """Find the keys at which validation and test begin."""
    count = sum(visit(len, (USER_ID,)))

    def visit_keys(function: Callable[[Keys], Any]) -> Iterable[Any]:
        return visit(partial(_apply_to_keys, function, keys), columns)

    ranks = first_ranks(count, validation, test)
    bounds = [find_at_rank(visit_keys, rank) if rank < count else _BEYOND for rank in ranks]
    return partial(_number_by_keys, keys, bounds)


def _apply_to_keys(function: Callable[[Keys], Any], keys: Callable[[pd.DataFrame], Keys], ratings: pd.DataFrame) -> Any:  # noqa: ANN401  # what the function returns
    return function(keys(ratings))


def _number_by_keys(
    keys: Callable[[pd.DataFrame], Keys], bounds: Sequence[tuple[int, int]], ratings: pd.DataFrame
) -> Numbers:
    found = keys(ratings)
    number: Numbers = np.sum([~come_before(found, bound) for bound in bounds], axis=0)
    return number


def _number_by_user_time(ratings: pd.DataFrame, validation: float, test: float) -> Numbers:
    user = ratings[USER_ID].to_numpy()
    order = np.lexsort((ratings[TIMESTAMP].to_numpy(), user))
    _, start, count = np.unique(user[order], return_index=True, return_counts=True)
    place = np.empty(len(ratings))
    place[order] = (np.arange(len(ratings)) - np.repeat(start, count) + 0.5) / np.repeat(count, count)
    return np.digitize(place, [1 - validation - test, 1 - test])


def _plan_by_movie(visit: Visit, validation: float, test: float, key: int) -> Divide:
    movies = reduce(np.union1d, visit(_list_movies, (MOVIE_ID,)))
    rank = np.empty(len(movies), dtype=np.int64)
    rank[np.argsort(hash_ids(key, movies), kind="stable")] = np.arange(len(movies))
    number = np.searchsorted(first_ranks(len(movies), validation, test), rank, side="right")
    return partial(_number_by_movie, movies, number)


def _list_movies(ratings: pd.DataFrame) -> npt.NDArray[np.int32]:
    return np.unique(ratings[MOVIE_ID].to_numpy())


def _number_by_movie(movies: npt.NDArray[np.int32], number: Numbers, ratings: pd.DataFrame) -> Numbers:
    return number[np.searchsorted(movies, ratings[MOVIE_ID].to_numpy())]


def _first_at_or_above(cut: float, count: int) -> int:
    rank = max(0, math.ceil(cut * count - 0.5) - 1)  # rounding may have moved it by one
    while rank < count and (rank + 0.5) / count < cut:
        rank += 1
    return rank
