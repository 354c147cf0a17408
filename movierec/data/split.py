"""Dividing ratings into train, validation and test: at random, by time, by time within each user, or by movie."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from movierec import io, seeds
from movierec.columns import MOVIE_ID, TIMESTAMP, USER_ID
from movierec.data.clean import draw_keys, pair_keys
from movierec.data.keyed_hash import hash_ids
from movierec.data.ranks import Keys, come_before, find_at_rank
from movierec.data.tally import Counts
from movierec.errors import MovierecError

Method = Literal["random", "temporal", "per_user_temporal", "cold_movies"]
PARTS: Final = ("train", "validation", "test")
_BEYOND: Final = (2**63 - 1, 2**63 - 1)
Numbers = npt.NDArray[np.int64]
Read = Callable[[Sequence[str] | None], Iterable[pd.DataFrame]]
Divide = Callable[[pd.DataFrame], Numbers]


def split_ratings(
    ratings: pd.DataFrame, method: Method, validation: float, test: float, seed: int
) -> dict[str, pd.DataFrame]:
    """Put every rating of a table in memory into exactly one part; see `plan_split`.

    Parameters
    ----------
    ratings : DataFrame
        Sorted by user and movie.

    Returns
    -------
    dict of str to DataFrame
        ``train``, ``validation``, ``test``; each in the order of `ratings`.

    Raises
    ------
    MovierecError
        If a part would be empty, or `ratings` lack the times that the method needs.
    """
    divide = plan_split(
        lambda columns: [ratings[list(columns)] if columns else ratings], method, validation, test, seed
    )
    parts = _take_apart(ratings, divide(ratings))
    _refuse_empty({name: len(table) for name, table in parts.items()}, method)
    return parts


def split_folder(
    source: Path, targets: Mapping[str, Path], method: Method, validation: float, test: float, seed: int
) -> None:
    """Put every rating of a folder into exactly one of three; see `plan_split`.

    Parameters
    ----------
    source : Path
        Parts of ratings sorted by user and movie, whole users in each. One of them is in memory at a time.
    targets : mapping of str to Path
        Folders by part, replaced as a whole; each then has as many parts as `source`, of the same users.

    Raises
    ------
    MovierecError
        As `split_ratings`.
    """
    divide = plan_split(partial(io.read_parts, source), method, validation, test, seed)
    counts = dict.fromkeys(targets, 0)
    with ExitStack() as stack:
        folders = {name: stack.enter_context(io.replace_folder(path)) for name, path in targets.items()}
        for number, table in enumerate(io.read_parts(source)):
            for name, part in _take_apart(table, divide(table)).items():
                counts[name] += len(part)
                io.write_parquet(part, folders[name] / io.name_part(number))
        _refuse_empty(counts, method)


def plan_split(read: Read, method: Method, validation: float, test: float, seed: int) -> Divide:
    """Settle in which part each rating belongs, without sorting or holding all ratings.

    Parameters
    ----------
    read : callable
        Gives some columns of the ratings anew each time, as tables of whole users.
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

    Raises
    ------
    MovierecError
        If the ratings lack the times that the method needs.
    """
    columns = next(iter(read(None))).columns
    if "temporal" in method and TIMESTAMP not in columns:
        raise MovierecError(f"split.method {method} needs times, but the data has none: choose random")
    key = seeds.hash_key(seed, "split", "place")
    if method == "per_user_temporal":
        return partial(_number_by_user_time, validation=validation, test=test)
    if method == "cold_movies":
        return _plan_by_movie(read, validation, test, key)
    if method == "temporal":
        return _plan_by_rank(read, _time_keys, (USER_ID, MOVIE_ID, TIMESTAMP), validation, test)
    return _plan_by_rank(read, partial(draw_keys, key=key), (USER_ID, MOVIE_ID), validation, test)


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


def describe_split(parts: Mapping[str, Callable[[], Iterable[pd.DataFrame]]]) -> dict[str, dict[str, int]]:
    """Count what each part holds and how much of it train has never seen.

    Parameters
    ----------
    parts : mapping of str to callable
        Each gives tables of users and movies anew; the tables of the same place hold the same users.

    Returns
    -------
    dict
        For each part ``ratings``, ``users``, ``movies``; for validation and test also ``users_not_in_train``,
        ``movies_not_in_train`` and ``ratings_not_in_train`` (their user or movie is not).
    """
    known = Counts()
    for table in parts["train"]():
        known.add(table[MOVIE_ID].to_numpy())
    return {name: _describe_part(name, parts, known.distinct) for name in parts}


def _describe_part(
    name: str, parts: Mapping[str, Callable[[], Iterable[pd.DataFrame]]], known: npt.NDArray[np.int32]
) -> dict[str, int]:
    movies, users, new_users, ratings, new_ratings = Counts(), 0, 0, 0, 0
    for table, train in zip(parts[name](), parts["train"](), strict=True):
        movies.add(table[MOVIE_ID].to_numpy())
        new_user = ~table[USER_ID].isin(train[USER_ID].unique())
        ratings += len(table)
        users += table[USER_ID].nunique()
        new_users += table.loc[new_user, USER_ID].nunique()
        new_ratings += int((new_user | ~np.isin(table[MOVIE_ID], known)).sum())
    counts = {"ratings": ratings, "users": users, "movies": len(movies)}
    if name == "train":
        return counts
    new_movies = int((~np.isin(movies.distinct, known)).sum())
    new = {"users_not_in_train": new_users, "movies_not_in_train": new_movies, "ratings_not_in_train": new_ratings}
    return counts | new


def _take_apart(ratings: pd.DataFrame, number: Numbers) -> dict[str, pd.DataFrame]:
    return {name: ratings.loc[number == place].reset_index(drop=True) for place, name in enumerate(PARTS)}


def _refuse_empty(counts: Mapping[str, int], method: Method) -> None:
    for name, count in counts.items():
        if not count:
            raise MovierecError(
                f"split.method {method} leaves no ratings for {name} out of {sum(counts.values())}: "
                "change split.validation and split.test, or clean less away",
            )


def _time_keys(ratings: pd.DataFrame) -> Keys:
    return ratings[TIMESTAMP].to_numpy(), pair_keys(ratings)


def _plan_by_rank(
    read: Read, keys: Callable[[pd.DataFrame], Keys], columns: Sequence[str], validation: float, test: float
) -> Divide:
    """Find the keys at which validation and test begin."""
    count = sum(len(table) for table in read((USER_ID,)))
    bounds = [
        find_at_rank(lambda: (keys(table) for table in read(columns)), rank) if rank < count else _BEYOND
        for rank in first_ranks(count, validation, test)
    ]

    def divide(ratings: pd.DataFrame) -> Numbers:
        found = keys(ratings)
        number: Numbers = np.sum([~come_before(found, bound) for bound in bounds], axis=0)
        return number

    return divide


def _number_by_user_time(ratings: pd.DataFrame, validation: float, test: float) -> Numbers:
    user = ratings[USER_ID].to_numpy()
    order = np.lexsort((ratings[TIMESTAMP].to_numpy(), user))
    _, start, count = np.unique(user[order], return_index=True, return_counts=True)
    place = np.empty(len(ratings))
    place[order] = (np.arange(len(ratings)) - np.repeat(start, count) + 0.5) / np.repeat(count, count)
    return np.digitize(place, [1 - validation - test, 1 - test])


def _plan_by_movie(read: Read, validation: float, test: float, key: int) -> Divide:
    counts = Counts()
    for table in read((MOVIE_ID,)):
        counts.add(table[MOVIE_ID].to_numpy())
    movies = counts.distinct
    rank = np.empty(len(movies), dtype=np.int64)
    rank[np.argsort(hash_ids(key, movies), kind="stable")] = np.arange(len(movies))
    number = np.searchsorted(first_ranks(len(movies), validation, test), rank, side="right")
    return lambda ratings: number[np.searchsorted(movies, ratings[MOVIE_ID].to_numpy())]


def _first_at_or_above(cut: float, count: int) -> int:
    rank = max(0, math.ceil(cut * count - 0.5) - 1)  # rounding may have moved it by one
    while rank < count and (rank + 0.5) / count < cut:
        rank += 1
    return rank
