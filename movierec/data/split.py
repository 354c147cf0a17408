"""Dividing ratings into train, validation and test: at random, by time, by time within each user, or by movie."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from movierec import io
from movierec.columns import MOVIE_ID, TIMESTAMP, USER_ID
from movierec.data.parts import Files, Run
from movierec.data.split_plan import PARTS, Divide, Method, Numbers, first_ranks, plan_split
from movierec.data.tally import Counts
from movierec.errors import MovierecError

__all__ = ["PARTS", "Method", "describe_split", "first_ranks", "plan_split", "split_folder", "split_ratings"]


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
    _refuse_without_times(method, ratings.columns)
    divide = plan_split(lambda function, columns: [function(ratings[list(columns)])], method, validation, test, seed)
    parts = _take_apart(ratings, divide(ratings))
    _refuse_empty({name: len(table) for name, table in parts.items()}, method)
    return parts


def split_folder(
    source: Path,
    targets: Mapping[str, Path],
    method: Method,
    validation: float,
    test: float,
    seed: int,
    run: Run = map,
) -> None:
    """Put every rating of a folder into exactly one of three; see `plan_split`.

    Parameters
    ----------
    source : Path
        Parts of ratings sorted by user and movie, whole users in each. One of them is in memory at a time.
    targets : mapping of str to Path
        Folders by part, replaced as a whole; each then has as many parts as `source`, of the same users.
    run : callable
        Applies functions to the parts as `map` does; on other machines it may be.

    Raises
    ------
    MovierecError
        As `split_ratings`.
    """
    parts = io.list_parts(source)
    _refuse_without_times(method, io.read_parquet(parts[0]).columns)
    divide = plan_split(partial(_visit_parts, run, parts), method, validation, test, seed)
    with ExitStack() as stack:
        folders = [stack.enter_context(io.replace_folder(targets[name])) for name in PARTS]
        steps = [Files((part,), tuple(folder / part.name for folder in folders)) for part in parts]
        counts = Counter[str]()
        for found in run(partial(_split_part, divide), steps):
            counts.update(found)
        _refuse_empty(counts, method)


def _visit_parts(
    run: Run, parts: Sequence[Path], function: Callable[[pd.DataFrame], Any], columns: Sequence[str]
) -> Iterable[Any]:
    return run(partial(_visit_part, function, columns), [Files((part,)) for part in parts])


def _visit_part(function: Callable[[pd.DataFrame], Any], columns: Sequence[str], files: Files) -> Any:  # noqa: ANN401
    return function(io.read_parquet(files.reads[0], columns))


def _split_part(divide: Divide, files: Files) -> dict[str, int]:
    """Write the three pieces of a part; return their sizes."""
    table = io.read_parquet(files.reads[0])
    pieces = _take_apart(table, divide(table))
    for piece, path in zip(pieces.values(), files.writes, strict=True):
        io.write_parquet(piece, path)
    return {name: len(piece) for name, piece in pieces.items()}


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


def _refuse_without_times(method: Method, columns: Iterable[str]) -> None:
    if "temporal" in method and TIMESTAMP not in columns:
        raise MovierecError(f"split.method {method} needs times, but the data has none: choose random")


def _refuse_empty(counts: Mapping[str, int], method: Method) -> None:
    for name, count in counts.items():
        if not count:
            raise MovierecError(
                f"split.method {method} leaves no ratings for {name} out of {sum(counts.values())}: "
                "change split.validation and split.test, or clean less away",
            )
