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
WINDOW = 32  # users to choose the next group from; their factors stay in the first-level cache
BAND, SLICE = 1024, 2048  # users and movies whose factors stay in the second-level cache


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


def interleave(user: Rows, movie: Rows, rating: Stars, tile: tuple[int, int] = (BAND, SLICE)) -> Block:
    """Reorder ratings into groups without common user or movie, keeping each user's and each movie's own order.

    Ratings are taken tile by tile, some users on some movies, so that factors stay in the second-level cache. That
    needs each user's movies in ascending order; else a tile has all movies.

    Parameters
    ----------
    user, movie : ndarray of int32, shape (ratings,)
        Rows of the factors; users in ascending order.
    rating : ndarray of float32 or float64, shape (ratings,)
        Stars.
    tile : tuple of int
        Numbers of users and movies.

    Returns
    -------
    Block
        The same ratings; SGD on it gives the bits that it gives on the order passed in.
    """
    sizes = np.empty(len(user), dtype=np.uint8)
    block = Block(np.empty_like(user), np.empty_like(movie), np.empty_like(rating), sizes)
    groups = _group(user, movie, rating, block, *tile)
    return block._replace(group_sizes=block.group_sizes[:groups].copy())


@numba.njit(cache=True, nogil=True)
def _movies_ascend(user: Rows, movie: Rows) -> bool:
    """Tell whether each user's movies do."""
    descents = 0
    for n in range(1, len(user)):
        descents += (user[n] == user[n - 1]) & (movie[n] < movie[n - 1])
    return descents == 0


@numba.njit(cache=True, nogil=True)
def _group(user: Rows, movie: Rows, rating: Stars, block: Block, tile_users: int, tile_movies: int) -> int:
    """Fill the block with one band of users after another; return the number of groups."""
    movies = movie.max() + 1 if len(movie) else 0
    tile_of = np.arange(movies) // (tile_movies if _movies_ascend(user, movie) else movies + 1)
    seen, taken = np.zeros(movies, dtype=np.int32), np.zeros(movies, dtype=np.int32)
    first, groups = 0, 0
    while first < len(user):
        last = first + np.searchsorted(user[first:], user[first] + tile_users)
        starts, order, turn = _sort_band(movie[first:last], tile_of, seen)
        band = user[first:last][order], movie[first:last][order], rating[first:last][order], turn
        for tile in range(len(starts) - 1):
            groups = _group_tile(band, starts[tile], starts[tile + 1], first, taken, block, groups)
        first = last
    return groups


@numba.njit(cache=True, nogil=True)
def _sort_band(movie, tile_of, seen):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Return where tiles start, their ratings one after another, and which of its movie's ratings each one is."""
    starts = np.zeros((tile_of[-1] if len(tile_of) else 0) + 2, dtype=np.int64)
    for row in movie:
        starts[tile_of[row] + 1] += 1
    starts = np.cumsum(starts)
    place = starts[:-1].copy()
    order, turn = np.empty(len(movie), dtype=np.int32), np.empty(len(movie), dtype=np.int32)
    for n in range(len(movie)):
        row = movie[n]
        target = place[tile_of[row]]
        order[target], turn[target] = n, seen[row]
        place[tile_of[row]] += 1
        seen[row] += 1
    return starts, order, turn


@numba.njit(cache=True, nogil=True)
def _group_tile(band, entering, stop, offset, taken, block, groups):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Put the ratings `entering` to `stop` of a band into groups; return the number of groups so far."""
    user, movie, rating, turn = band
    following = np.empty(WINDOW, dtype=np.int64)  # next rating of each user in the window, oldest user first
    end = np.empty(WINDOW, dtype=np.int64)
    in_window, done, last = 0, entering + offset, stop + offset
    while done < last:
        while in_window < WINDOW and entering < stop:
            following[in_window] = entering
            while entering < stop and user[entering] == user[following[in_window]]:
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
    starts = np.empty((parts, parts + 1), dtype=np.int64)
    strata = Strata(np.empty_like(user), np.empty_like(movie), np.empty_like(rating), starts)
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
    starts = strata.starts[part]
    parts = len(starts) - 1
    stratum_of = (movie_part - part) % parts  # of each movie's ratings
    counts = np.zeros(parts, dtype=np.int64)
    for row in range(bounds[part], bounds[part + 1]):
        counts[stratum_of[movie[row]]] += 1
    starts[0] = bounds[part]
    for stratum in range(parts):
        starts[stratum + 1] = starts[stratum] + counts[stratum]
    place = starts[:-1].copy()  # of the block's next rating
    in_turn = place + counts // GROUP * GROUP  # where those end that are taken in turn; the rest follow in order
    piece = np.zeros(parts, dtype=np.int64)
    for row in range(bounds[part], bounds[part + 1]):
        stratum = stratum_of[movie[row]]
        target = place[stratum]
        strata.user[target], strata.movie[target], strata.rating[target] = user[row], movie[row], rating[row]
        if target + GROUP < in_turn[stratum]:
            place[stratum] += GROUP
        elif piece[stratum] < GROUP - 1 and target < in_turn[stratum]:
            piece[stratum] += 1
            place[stratum] = starts[stratum] + piece[stratum]
        else:
            place[stratum] = max(target + 1, in_turn[stratum])
