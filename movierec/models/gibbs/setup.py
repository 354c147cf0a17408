"""From a table of ratings to the start of the sampler."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import polars as pl

from movierec import seeds
from movierec.columns import MOVIE_ID, RATING, TIMESTAMP, USER_ID
from movierec.ids import IdIndex
from movierec.models.base import index_ids
from movierec.models.gibbs.bags import Bags, decompose_bags
from movierec.models.gibbs.chain import STRANGERS, Chain, Side
from movierec.models.gibbs.day_effects import DayEffects, number_days
from movierec.models.gibbs.kernels import Days, RatingsBySide
from movierec.models.gibbs.row_blocks import RowBlocks
from movierec.models.gibbs.side_information import (
    Basis,
    decompose_features,
    describe_content,
    describe_counts,
    weigh_rows,
)
from movierec.models.normal_equations import pad_width

_WORK_OF_A_DAY: Final = 4
Rows = npt.NDArray[np.int32]


@dataclass(frozen=True)
class TrainingData:
    """Ratings in the order of users, days and movies, and what goes with them.

    Attributes
    ----------
    users, movies : IdIndex
        With ratings.
    unrated : IdIndex
        Movies that are listed but have no ratings; their rows follow those of `movies`.
    user, movie : ndarray of int32, shape (ratings,)
        Rows.
    stars : ndarray of float64, shape (ratings,)
        The ratings.
    day : ndarray of int32, shape (ratings,), or None
        Days since 1970-01-01, where effects of days are wanted.
    listed : DataFrame or None
        Genres and years.
    """

    users: IdIndex
    movies: IdIndex
    unrated: IdIndex
    user: Rows
    movie: Rows
    stars: npt.NDArray[np.float64]
    day: Rows | None
    listed: pd.DataFrame | None


def prepare_ratings(ratings: pd.DataFrame, movies: pd.DataFrame | None, *, by_day: bool) -> TrainingData:
    """Sort and index ratings.

    Parameters
    ----------
    ratings : DataFrame
        Columns ``user_id``, ``movie_id``, ``rating`` and, where known, ``timestamp``; not empty.
    movies : DataFrame, optional
        Columns ``movie_id``, ``genres`` and, where known, ``year``.
    by_day : bool
        Whether to number the days, if the ratings have times.

    Returns
    -------
    TrainingData
        Sorted.
    """
    keys = [USER_ID, MOVIE_ID]
    if by_day and TIMESTAMP in ratings:
        ratings = ratings.assign(day=number_days(ratings[TIMESTAMP]))
        keys = [USER_ID, "day", MOVIE_ID]
    columns = pl.DataFrame({key: ratings[key].to_numpy() for key in keys})
    order = columns.select(pl.arg_sort_by(keys, maintain_order=True)).to_series().to_numpy()
    ratings = ratings.take(order)
    known_users, known_movies, user, movie = index_ids(ratings)
    listed = np.array([], np.int32) if movies is None else movies[MOVIE_ID].to_numpy()
    return TrainingData(
        known_users,
        known_movies,
        IdIndex(np.setdiff1d(listed, known_movies.ids)),
        user,
        movie,
        ratings[RATING].to_numpy(dtype=np.float64),
        ratings["day"].to_numpy() if "day" in keys else None,
        movies,
    )


def start_chain(data: TrainingData, factors: int, directions: int, seed: int, pool: ThreadPoolExecutor) -> Chain:
    """Compute the side information and draw the sampler's start.

    Parameters
    ----------
    data : TrainingData
        The ratings.
    factors, directions : int
        Latent dimensions, and directions of each side's bags.
    seed : int
        Of all draws.
    pool : ThreadPoolExecutor
        Threads; no result depends on their number.

    Returns
    -------
    Chain
        Before its first sweep. Each side has `STRANGERS` rows without ratings at its end.
    """
    rng = seeds.rng(seed, "bayes", "start")
    order = np.argsort(data.movie, kind="stable")
    centred = (data.stars - data.stars.mean()).astype(np.float32)
    width = pad_width(factors + 1)
    user_bags, movie_bags = (
        Bags(RowBlocks(pool, indptr, width), indptr, columns)
        for indptr, columns in (
            (_point(data.user, len(data.users)), data.movie),
            (_point(data.movie, len(data.movies)), data.user[order]),
        )
    )
    user_bases = _describe(user_bags, movie_bags, directions, STRANGERS, rng)
    movie_bases = _describe(movie_bags, user_bags, directions, len(data.unrated) + STRANGERS, rng)
    if data.listed is not None:
        movie_bases["content"] = _describe_movies(data, data.listed)
    users, movies = (
        _make_side(pool, bags, targets, factors, bases, rng)
        for bags, targets, bases in ((user_bags, centred, user_bases), (movie_bags, centred[order], movie_bases))
    )
    return Chain(users, movies, order, centred, _find_days(data, pool), seed)


def _point(rows: Rows, n: int) -> npt.NDArray[np.int64]:
    """Return where each row's ratings start, shape (n + 1,)."""
    return np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=n))])


def _describe(bags: Bags, other: Bags, directions: int, unrated: int, rng: np.random.Generator) -> dict[str, Basis]:
    """Find the directions of a side's bags and counts; rows without ratings get the others' mean."""
    counts = np.diff(bags.indptr)
    bases = {"counts": decompose_features(describe_counts(counts))}
    if directions:
        bases["bags"] = decompose_bags(bags, other, directions, rng)
    return {name: basis.extend_by_mean(unrated, weigh_rows(counts)) for name, basis in bases.items()}


def _describe_movies(data: TrainingData, listed: pd.DataFrame) -> Basis:
    """Find the directions of genres and decades among rated movies, and place the others in them."""
    features = describe_content(listed, np.concatenate([data.movies.ids, data.unrated.ids]))
    rated = len(data.movies)
    counts = np.bincount(data.movie, minlength=rated)
    return decompose_features(features[:rated]).extend(features[rated:]).extend_by_mean(STRANGERS, weigh_rows(counts))


def _make_side(
    pool: ThreadPoolExecutor,
    bags: Bags,
    targets: npt.NDArray[np.float32],
    factors: int,
    bases: dict[str, Basis],
    rng: np.random.Generator,
) -> Side:
    rows = len(bases["counts"].scores)
    indptr = np.pad(bags.indptr, (0, rows - bags.blocks.rows), mode="edge")
    blocks = RowBlocks(pool, indptr, pad_width(factors + 1))
    return Side(blocks, RatingsBySide(indptr, bags.columns, targets.copy()), factors, bases, rng)


def _find_days(data: TrainingData, pool: ThreadPoolExecutor) -> DayEffects | None:
    """Find where a user's ratings of one day begin."""
    if data.day is None:
        return None
    change = (np.diff(data.user) != 0) | (np.diff(data.day) != 0)
    starts = np.concatenate([[0], np.flatnonzero(change) + 1])
    indptr = np.append(starts, len(data.day))
    return DayEffects(RowBlocks(pool, indptr, _WORK_OF_A_DAY), Days(indptr, data.user[starts]), data.day[starts])
