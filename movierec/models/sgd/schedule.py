"""An order in which SGD takes four ratings at a time with the result of one by one; that for threads is `strata`.

A step on a rating reads and writes the parameters of its user and its movie, nothing else. Two orders therefore give
the same bits if they agree on the order of each user's and of each movie's ratings.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from movierec.compiled import njit

Rows = npt.NDArray[np.int32]
Stars = npt.NDArray[np.floating[Any]]

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


@njit()
def _movies_ascend(user: Rows, movie: Rows) -> bool:
    """Tell whether each user's movies do."""
    descents = 0
    for n in range(1, len(user)):
        descents += (user[n] == user[n - 1]) & (movie[n] < movie[n - 1])
    return descents == 0


@njit()
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


@njit()
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


@njit()
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


@njit()
def _close_gaps(following, end, in_window):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    staying = 0
    for slot in range(in_window):
        if following[slot] < end[slot]:
            following[staying], end[staying] = following[slot], end[slot]
            staying += 1
    return staying
