"""Orders in which SGD may take ratings: four at a time with the result of one by one, and strata for threads.

A step on a rating reads and writes the parameters of its user and its movie, nothing else. Two orders therefore give
the same bits if they agree on the order of each user's and of each movie's ratings.
"""

from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numba
import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.int32]
Stars = npt.NDArray[np.floating[Any]]
TakeAll = Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]]

GROUP = 4  # ratings whose dot products are computed side by side
WINDOW = 64  # users to choose the next group from; their factors stay in the first-level cache


class Block(NamedTuple):
    """Ratings in the order in which to take them.

    Attributes
    ----------
    user, movie : ndarray of int32, shape (ratings,)
        Rows of the factors.
    rating : ndarray of float32 or float64, shape (ratings,)
        Stars.
    group_sizes : ndarray of uint8, shape (groups,)
        How many of the next ratings share no user and no movie, 1 to `GROUP`; they sum to the number of ratings.
    """

    user: Rows
    movie: Rows
    rating: Stars
    group_sizes: npt.NDArray[np.uint8]


def interleave(user: Rows, movie: Rows, rating: Stars) -> Block:
    """Reorder ratings into groups without common user or movie, keeping each user's and each movie's own order.

    Parameters
    ----------
    user, movie : ndarray of int32, shape (ratings,)
        Rows of the factors; a user's ratings stand together.
    rating : ndarray of float32 or float64, shape (ratings,)
        Stars.

    Returns
    -------
    Block
        The same ratings; SGD on it gives the bits that it gives on the order passed in.
    """
    block = Block(*(np.empty_like(array) for array in (user, movie, rating)), np.empty(len(user), dtype=np.uint8))
    groups = _group(user, movie, rating, block)
    return block._replace(group_sizes=block.group_sizes[:groups].copy())


@numba.njit(cache=True, nogil=True)
def _group(user: Rows, movie: Rows, rating: Stars, block: Block) -> int:
    n = len(user)
    turn = np.empty(n, dtype=np.int32)  # which of its movie's ratings it is
    taken = np.zeros(movie.max() + 1 if n else 0, dtype=np.int32)
    for row in range(n):
        turn[row] = taken[movie[row]]
        taken[movie[row]] += 1
    taken[:] = 0
    following = np.empty(WINDOW, dtype=np.int64)  # next rating of each user in the window, oldest user first
    end = np.empty(WINDOW, dtype=np.int64)
    in_window, entering, done, groups = 0, 0, 0, 0
    while done < n:
        while in_window < WINDOW and entering < n:
            following[in_window] = entering
            while entering < n and user[entering] == user[following[in_window]]:
                entering += 1
            end[in_window] = entering
            in_window += 1
        size, slot, leaving = 0, 0, 0
        while slot < in_window and size < GROUP:
            row = following[slot]
            if taken[movie[row]] == turn[row]:  # the oldest user is never kept waiting
                block.user[done + size], block.movie[done + size] = user[row], movie[row]
                block.rating[done + size] = rating[row]
                size += 1
                following[slot] += 1
                leaving += following[slot] == end[slot]
            slot += 1
        for place in range(done, done + size):
            taken[block.movie[place]] += 1
        if leaving:
            in_window = _close_gaps(following, end, in_window)
        block.group_sizes[groups] = size
        done += size
        groups += 1
    return groups


@numba.njit(cache=True, nogil=True)
def _close_gaps(following, end, in_window):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    staying = 0
    for slot in range(in_window):
        if following[slot] < end[slot]:
            following[staying], end[staying] = following[slot], end[slot]
            staying += 1
    return staying


class Strata(NamedTuple):
    """Ratings cut into blocks of which several can be taken at once: stratified SGD (Gemulla et al. 2011, KDD).

    There are ``parts`` x ``parts`` blocks. Block ``(part, stratum)`` holds the ratings of the users of `part` on
    one part of the movies, another one for each `part` of a stratum: the blocks of a stratum share no parameter, so
    that threads cannot meet.

    Attributes
    ----------
    user, movie : ndarray of int32, shape (ratings,)
        Rows of the factors, block after block.
    rating : ndarray of float32 or float64, shape (ratings,)
        Stars.
    starts : ndarray of int64, shape (parts, parts + 1)
        Block ``(part, stratum)`` is ``starts[part, stratum]`` to ``starts[part, stratum + 1]``.
    """

    user: Rows
    movie: Rows
    rating: Stars
    starts: npt.NDArray[np.int64]


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
    movie_part = _deal(_count(movie), parts, rng)
    bounds = _cut_between_users(user, parts)
    strata = Strata(*(np.empty_like(array) for array in (user, movie, rating)), np.empty((parts, parts + 1), np.int64))
    arguments = (user, movie, rating, movie_part, bounds, strata)
    deque(take_all(lambda part: _fill_part(part, *arguments), range(parts)), maxlen=0)
    return strata


def _deal(counts: npt.NDArray[np.int64], parts: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Give each movie a part: in random order, cut where their counts of ratings reach equal shares."""
    order = rng.permutation(len(counts))
    before = np.cumsum(counts[order]) - counts[order]
    part = np.empty(len(counts), dtype=np.int64)
    part[order] = before * parts // counts.sum()
    return part


def _cut_between_users(user: Rows, parts: int) -> npt.NDArray[np.int64]:
    """Return where each part of the users begins and the last one ends, shape (parts + 1,)."""
    ends = np.arange(parts + 1) * len(user) // parts
    ends[1:-1] = np.searchsorted(user, user[ends[1:-1]])
    return ends


@numba.njit(cache=True, nogil=True)
def _count(rows: Rows) -> npt.NDArray[np.int64]:
    counts = np.zeros(rows.max() + 1, dtype=np.int64)
    for row in rows:
        counts[row] += 1
    return counts


@numba.njit(cache=True, nogil=True)
def _fill_part(part, user, movie, rating, movie_part, bounds, strata):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    parts = len(bounds) - 1
    starts = strata.starts[part]
    counts = np.zeros(parts, dtype=np.int64)
    for row in range(bounds[part], bounds[part + 1]):
        counts[(movie_part[movie[row]] - part) % parts] += 1
    starts[0] = bounds[part]
    for stratum in range(parts):
        starts[stratum + 1] = starts[stratum] + counts[stratum]
    place = starts[:-1].copy()  # of the block's next rating
    piece = np.zeros(parts, dtype=np.int64)
    for row in range(bounds[part], bounds[part + 1]):
        stratum = (movie_part[movie[row]] - part) % parts
        target = place[stratum]
        strata.user[target], strata.movie[target], strata.rating[target] = user[row], movie[row], rating[row]
        in_turn = counts[stratum] // GROUP * GROUP  # those beyond follow one after another
        if piece[stratum] == GROUP:
            place[stratum] += 1
        elif target + GROUP < starts[stratum] + in_turn:
            place[stratum] += GROUP
        else:
            piece[stratum] += 1
            place[stratum] = starts[stratum] + (piece[stratum] if piece[stratum] < GROUP else in_turn)
