"""Orders in which SGD may take ratings: four at a time with the result of one by one, and blocks for threads.

A step on a rating reads and writes the parameters of its user and its movie, nothing else. Two orders therefore give
the same bits if they agree on the order of each user's and of each movie's ratings.
"""

import itertools
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numba
import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.int32]
Array = npt.NDArray[np.float64]
TakeAll = Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]]

GROUP = 4  # ratings whose dot products are computed side by side
WINDOW = 64  # users to choose the next group from; their factors stay in the first-level cache


class Block(NamedTuple):
    """Ratings in the order in which to take them.

    Attributes
    ----------
    user, movie : ndarray of int32, shape (ratings,)
        Rows of the factors.
    rating : ndarray of float64, shape (ratings,)
        Stars.
    group_sizes : ndarray of uint8, shape (groups,)
        How many of the next ratings share no user and no movie, 1 to `GROUP`; they sum to the number of ratings.
    """

    user: Rows
    movie: Rows
    rating: Array
    group_sizes: npt.NDArray[np.uint8]


def interleave(user: Rows, movie: Rows, rating: Array) -> Block:
    """Reorder ratings into groups without common user or movie, keeping each user's and each movie's own order.

    Parameters
    ----------
    user, movie : ndarray of int32, shape (ratings,)
        Rows of the factors; a user's ratings stand together.
    rating : ndarray of float64, shape (ratings,)
        Stars.

    Returns
    -------
    Block
        The same ratings; SGD on it gives the bits that it gives on the order passed in.
    """
    order, group_sizes = _group(user, movie)
    return Block(user[order], movie[order], rating[order], group_sizes)


@numba.njit(cache=True, nogil=True)
def _group(user: Rows, movie: Rows) -> tuple[Rows, npt.NDArray[np.uint8]]:
    n = len(user)
    turn = np.empty(n, dtype=np.int32)  # which of its movie's ratings it is
    taken = np.zeros(movie.max() + 1 if n else 0, dtype=np.int32)
    for rating in range(n):
        turn[rating] = taken[movie[rating]]
        taken[movie[rating]] += 1
    taken[:] = 0
    order, group_sizes = np.empty(n, dtype=np.int32), np.empty(n, dtype=np.uint8)
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
        size, slot = 0, 0
        while slot < in_window and size < GROUP:
            rating = following[slot]
            if taken[movie[rating]] == turn[rating]:  # the oldest user is never kept waiting
                order[done + size] = rating
                size += 1
                following[slot] += 1
            slot += 1
        for rating in order[done : done + size]:
            taken[movie[rating]] += 1
        staying = 0
        for slot in range(in_window):
            if following[slot] < end[slot]:
                following[staying], end[staying] = following[slot], end[slot]
                staying += 1
        in_window = staying
        done += size
        group_sizes[groups] = size
        groups += 1
    return order, group_sizes[:groups]


def stratify(
    user: Rows, movie: Rows, rating: Array, blocks: int, rng: np.random.Generator, take_all: TakeAll = map
) -> list[list[Block]]:
    """Cut ratings into blocks of which several can be taken at once: stratified SGD (Gemulla et al. 2011, KDD).

    Users are cut in their order, movies dealt at random, into `blocks` parts of about equal numbers of ratings. A
    stratum pairs each part of the users with another part of the movies, so that its blocks share no parameter and
    threads cannot meet.

    Parameters
    ----------
    user, movie, rating
        As in `interleave`.
    blocks : int
        Parts, 1 to 181; with 1 there is one stratum of one block, and the order is that of `interleave`.
    rng : numpy.random.Generator
        Deals the movies.
    take_all : callable
        ``map``, or that of a pool of threads.

    Returns
    -------
    list of list of Block
        Strata to take one after another; the blocks of one in any order or at once.
    """
    if blocks == 1:
        return [[interleave(user, movie, rating)]]
    user_part = _cut(np.bincount(user), np.arange(user.max() + 1), blocks)[user]
    movie_part = _cut(np.bincount(movie), rng.permutation(movie.max() + 1), blocks)[movie]
    cell = ((movie_part - user_part) % blocks * blocks + user_part).astype(np.int16)  # NumPy sorts 16 bits by radix
    order = np.argsort(cell, kind="stable")
    cuts = np.searchsorted(cell[order], np.arange(blocks**2 + 1))
    cells = [order[first:last] for first, last in itertools.pairwise(cuts)]
    made = list(take_all(lambda part: interleave(user[part], movie[part], rating[part]), cells))
    return [made[first : first + blocks] for first in range(0, blocks**2, blocks)]


def _cut(count: npt.NDArray[np.int64], order: npt.NDArray[np.int64], blocks: int) -> npt.NDArray[np.int64]:
    """Give each row a part: rows in this order, cut where their counts of ratings reach equal shares."""
    before = np.cumsum(count[order]) - count[order]
    part = np.empty(len(count), dtype=np.int64)
    part[order] = before * blocks // count.sum()
    return part
