"""Ratings cut into strata of blocks that share no parameter, so that threads can take them at once."""

from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from movierec.compiled import njit
from movierec.models.sgd.schedule import GROUP, Rows, Stars

TakeAll = Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]]


class Strata(NamedTuple):
    """Ratings cut into blocks of which several can be taken at once: stratified SGD (Gemulla et al. 2011, KDD).

    There are ``parts`` x ``parts`` blocks. Block ``(part, stratum)`` holds the ratings of the users of `part` on
    one part of the movies, another one for each `part` of a stratum: the blocks of a stratum share no parameter, so
    that threads cannot meet.

    Attributes
    ----------
    user : ndarray of int32, shape (ratings,)
        Rows of the factors, block after block.
    movie : ndarray of int32, shape (ratings,)
        Places of the movies, see `movie_place`: a part's lie together, since threads that write to neighbours in memory
        wait for each other.
    rating : ndarray of float32 or float64, shape (ratings,)
        Stars.
    starts : ndarray of int64, shape (parts, parts + 1)
        Block ``(part, stratum)`` is ``starts[part, stratum]`` to ``starts[part, stratum + 1]``.
    movie_place : ndarray of int32, shape (movies,)
        Place of each movie, from 0, by its row.
    """

    user: Rows
    movie: Rows
    rating: Stars
    starts: npt.NDArray[np.int64]
    movie_place: Rows


def stratify(
    user: Rows, movie: Rows, rating: Stars, parts: int, rng: np.random.Generator, take_all: TakeAll = map
) -> Strata:
    """Cut ratings into strata; users are cut in their order, movies dealt at random, into parts of about equal size.

    Within a block, `GROUP` successive ratings come from as many places of it, far apart: it is cut into `GROUP`
    pieces, of which the ratings are taken in turn. They rarely share a user or a movie, and nothing forbids it.

    Parameters
    ----------
    user, movie, rating
        As in `interleave`.
    parts : int
        Of the users and of the movies, at least 1.
    rng : numpy.random.Generator
        Deals the movies.
    take_all : callable
        ``map``, or that of a pool of threads; no result depends on it.

    Returns
    -------
    Strata
        The same ratings.
    """
    counts = _count(movie)
    order = rng.permutation(len(counts))
    place = np.empty(len(counts), dtype=np.int32)
    place[order] = np.arange(len(counts))
    part_of_place = (np.cumsum(counts[order]) - counts[order]) * parts // len(movie)  # rising: a part lies together
    bounds = _cut_between_users(user, parts)
    starts = np.empty((parts, parts + 1), dtype=np.int64)
    strata = Strata(np.empty_like(user), np.empty_like(movie), np.empty_like(rating), starts, place)
    arguments = (user, movie, rating, part_of_place, bounds, strata)
    deque(take_all(lambda part: _fill_part(part, *arguments), range(parts)), maxlen=0)
    return strata


def _cut_between_users(user: Rows, parts: int) -> npt.NDArray[np.int64]:
    """Return where each part of the users begins and the last one ends, shape (parts + 1,)."""
    ends = np.arange(parts + 1) * len(user) // parts
    ends[1:-1] = np.searchsorted(user, user[ends[1:-1]])
    return ends


@njit()
def _count(rows: Rows) -> npt.NDArray[np.int64]:
    counts = np.zeros(rows.max() + 1, dtype=np.int64)
    for row in rows:
        counts[row] += 1
    return counts


@njit()
def _fill_part(part, user, movie, rating, part_of_place, bounds, strata):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    starts = strata.starts[part]
    parts = len(starts) - 1
    stratum_of = (part_of_place - part) % parts  # of the ratings of the movie at a place
    counts = np.zeros(parts, dtype=np.int64)
    for row in range(bounds[part], bounds[part + 1]):
        counts[stratum_of[strata.movie_place[movie[row]]]] += 1
    starts[0] = bounds[part]
    for stratum in range(parts):
        starts[stratum + 1] = starts[stratum] + counts[stratum]
    place = starts[:-1].copy()  # of the block's next rating
    in_turn = place + counts // GROUP * GROUP  # where those end that are taken in turn; the rest follow in order
    piece = np.zeros(parts, dtype=np.int64)
    for row in range(bounds[part], bounds[part + 1]):
        movie_place = strata.movie_place[movie[row]]
        stratum = stratum_of[movie_place]
        target = place[stratum]
        strata.user[target], strata.movie[target], strata.rating[target] = user[row], movie_place, rating[row]
        if target + GROUP < in_turn[stratum]:
            place[stratum] += GROUP
        elif piece[stratum] < GROUP - 1 and target < in_turn[stratum]:
            piece[stratum] += 1
            place[stratum] = starts[stratum] + piece[stratum]
        else:
            place[stratum] = max(target + 1, in_turn[stratum])
