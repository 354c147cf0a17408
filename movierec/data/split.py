"""Dividing ratings into train, validation and test: at random, by time, by time within each user, or by movie."""

import math
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from movierec.columns import MOVIE_ID, TIMESTAMP, USER_ID
from movierec.errors import MovierecError

Method = Literal["random", "temporal", "per_user_temporal", "cold_movies"]
PARTS: Final = ("train", "validation", "test")


def split_ratings(
    ratings: pd.DataFrame,
    method: Method,
    validation: float,
    test: float,
    rng: np.random.Generator,
) -> dict[str, pd.DataFrame]:
    """Put every rating into exactly one part.

    Parameters
    ----------
    ratings : DataFrame
        Sorted by user and movie.
    method : {"random", "temporal", "per_user_temporal", "cold_movies"}
        ``random`` draws ratings; ``temporal`` cuts all of them at two moments, the latest being the test;
        ``per_user_temporal`` does so within each user. Equal timestamps are ordered by user and movie. ``cold_movies``
        draws movies, and holds out all ratings of each: only their content can tell who would like them.
    validation, test : float
        Shares of the ratings, or of the movies where movies are drawn; in (0, 1) with a sum below 1.
    rng : numpy.random.Generator
        Draws the ratings or movies.

    Returns
    -------
    dict of str to DataFrame
        ``train``, ``validation``, ``test``; each in the order of `ratings`.

    Raises
    ------
    MovierecError
        If a part would be empty, or `ratings` lack the times that the method needs.
    """
    if "temporal" in method and TIMESTAMP not in ratings:
        raise MovierecError(f"split.method {method} needs times, but the data has none: choose random")
    place = {
        "random": _place_at_random,
        "temporal": _place_by_time,
        "per_user_temporal": _place_by_user_time,
        "cold_movies": _place_by_movie,
    }
    part = _cut(place[method](ratings, rng), validation, test)
    parts = {name: ratings.loc[part == number].reset_index(drop=True) for number, name in enumerate(PARTS)}
    for name, table in parts.items():
        if table.empty:
            raise MovierecError(
                f"split.method {method} leaves no ratings for {name} out of {len(ratings)}: "
                "change split.validation and split.test, or clean less away",
            )
    return parts


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


def describe_split(parts: dict[str, pd.DataFrame]) -> dict[str, dict[str, int]]:
    """Count what each part holds and how much of it train has never seen.

    Parameters
    ----------
    parts : dict of str to DataFrame
        As `split_ratings` returns them.

    Returns
    -------
    dict
        For each part ``ratings``, ``users``, ``movies``; for validation and test also ``users_not_in_train``,
        ``movies_not_in_train`` and ``ratings_not_in_train`` (their user or movie is not).
    """
    train = parts["train"]
    report = {}
    for name, table in parts.items():
        counts = {"ratings": len(table), "users": table[USER_ID].nunique(), "movies": table[MOVIE_ID].nunique()}
        if name != "train":
            new_user = ~table[USER_ID].isin(train[USER_ID].unique())
            new_movie = ~table[MOVIE_ID].isin(train[MOVIE_ID].unique())
            counts["users_not_in_train"] = table.loc[new_user, USER_ID].nunique()
            counts["movies_not_in_train"] = table.loc[new_movie, MOVIE_ID].nunique()
            counts["ratings_not_in_train"] = int((new_user | new_movie).sum())
        report[name] = counts
    return report


def _place_at_random(ratings: pd.DataFrame, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    return (rng.permutation(len(ratings)) + 0.5) / len(ratings)


def _place_by_time(ratings: pd.DataFrame, _rng: np.random.Generator) -> npt.NDArray[np.float64]:
    place = np.empty(len(ratings))
    place[np.argsort(ratings[TIMESTAMP].to_numpy(), kind="stable")] = np.arange(len(ratings))
    return (place + 0.5) / len(ratings)


def _place_by_user_time(ratings: pd.DataFrame, _rng: np.random.Generator) -> npt.NDArray[np.float64]:
    user = ratings[USER_ID].to_numpy()
    order = np.lexsort((ratings[TIMESTAMP].to_numpy(), user))
    _, start, count = np.unique(user[order], return_index=True, return_counts=True)
    place = np.empty(len(ratings))
    place[order] = (np.arange(len(ratings)) - np.repeat(start, count) + 0.5) / np.repeat(count, count)
    return place


def _place_by_movie(ratings: pd.DataFrame, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    movies, row = np.unique(ratings[MOVIE_ID].to_numpy(), return_inverse=True)
    return ((rng.permutation(len(movies)) + 0.5) / len(movies))[row]


def _cut(place: npt.NDArray[np.float64], validation: float, test: float) -> npt.NDArray[np.int64]:
    """Turn places in (0, 1), earliest first, into part numbers."""
    return np.digitize(place, [1 - validation - test, 1 - test])


def _first_at_or_above(cut: float, count: int) -> int:
    rank = max(0, math.ceil(cut * count - 0.5) - 1)  # rounding may have moved it by one
    while rank < count and (rank + 0.5) / count < cut:
        rank += 1
    return rank
