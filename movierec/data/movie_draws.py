"""Which movies the users of a large embedded data set choose: the law of `movie_choice`, without a draw for each pair.

Movies are proposed from groups of similar ones, more often than they are wanted, and taken with what remains as their
probability (rejection sampling). A proposal that a user has taken already is dropped, which is what drawing without
replacement means.
"""

import heapq
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from movierec import seeds
from movierec.compiled import njit
from movierec.data.movie_choice import STRENGTH, THREADS, Choice
from movierec.progress import make_bar

MOST_GROUPS: Final = 2048
BLOCK_USERS: Final = 256  # who share a stream of random numbers
PATIENCE: Final = 0.5  # proposals for each movie of the data; a user who needs more races for the rest

Floats = npt.NDArray[np.floating[Any]]
Ints = npt.NDArray[np.integer[Any]]


class Groups(NamedTuple):
    """Movies in groups of similar taste, those of a group by year.

    Attributes
    ----------
    movie : ndarray of int32, shape (M,)
        Rows of movies, group after group: their places.
    taste : ndarray of float32, shape (M, dimensions)
        Of the movies, times `STRENGTH`.
    start : ndarray of int64, shape (G + 1,)
        Where each group begins.
    popularity : ndarray of float64, shape (M + 1,)
        Cumulative, by place.
    box : ndarray of float32, shape (2 * dimensions, G)
        Centres of each group's tastes, then half of their ranges: ``(taste, |taste|) @ box`` is no less than what any
        movie of the group is to a user.
    """

    movie: Ints
    taste: Floats
    start: Ints
    popularity: Floats
    box: Floats


def draw_movies(choice: Choice, counts: Ints, until: Ints, seed: int) -> Ints:
    """Choose each user's movies by rejection.

    The distribution is that of `choose_movies`, up to rounding in float32. Blocks of users have streams of their own;
    no result depends on threads.

    Parameters
    ----------
    choice, counts, until, seed
        As `choose_movies` takes them.

    Returns
    -------
    ndarray of int32, shape (sum of counts,)
        As from `choose_movies`.
    """
    groups = group_movies(choice)
    years, year_of = np.unique(until, return_inverse=True)
    is_out = choice.year[groups.movie] <= years[:, None]
    ends = groups.start[:-1] + np.add.reduceat(is_out, groups.start[:-1], axis=1, dtype=np.int64)
    place = np.concatenate([[0], np.cumsum(counts)])
    chosen = np.empty(place[-1], dtype=np.int32)
    starts = range(0, len(counts), BLOCK_USERS)
    streams = seeds.rng(seed, "fetch", "choice").spawn(len(starts))

    def fill(start: int, rng: np.random.Generator) -> None:
        users = slice(start, start + BLOCK_USERS)
        taste = choice.user_taste[users]
        bound = np.hstack([taste, np.abs(taste)]) @ groups.box
        mass = groups.popularity[ends] - groups.popularity[groups.start[:-1]]
        weight = np.exp(bound) * mass.astype(np.float32)[year_of[users]]
        patience = int(PATIENCE * len(groups.movie))
        _fill_users(rng, groups, taste, bound, weight, ends[year_of[users]], place[start:], patience, chosen)

    with make_bar("synthetic ratings", total=len(starts), unit="block") as bar, ThreadPoolExecutor(THREADS) as pool:
        for _ in pool.map(fill, starts, streams):
            bar.update()
    return chosen


def group_movies(choice: Choice) -> Groups:
    """Part the movies at the middle of the widest range of what users think of them, most popular and widest first."""
    opinion = choice.movie_taste * choice.user_taste.std(axis=0)
    mass = np.exp(choice.log_popularity) * np.exp(STRENGTH * (opinion**2).sum(axis=1))  # what lovers choose counts
    waiting = [_weigh(np.argsort(choice.year, kind="stable"), opinion, mass)]
    while len(waiting) < MOST_GROUPS and waiting[0].priority < 0:
        group = heapq.heappop(waiting).movies
        own = opinion[group]
        widest = own[:, np.ptp(own, axis=0).argmax()]
        is_low = widest <= (widest.min() + widest.max()) / 2
        for half in (group[is_low], group[~is_low]):
            heapq.heappush(waiting, _weigh(half, opinion, mass))
    groups = [group.movies for group in waiting]
    movie = np.concatenate(groups).astype(np.int32)
    start = np.concatenate([[0], np.cumsum([len(group) for group in groups])])
    taste = np.float32(STRENGTH) * choice.movie_taste[movie]
    low, high = (end.reduceat(taste, start[:-1]) for end in (np.minimum, np.maximum))
    popularity = np.cumsum(np.exp(choice.log_popularity[movie].astype(np.float64)))
    box = np.ascontiguousarray(np.hstack([high + low, high - low]).T / 2)
    return Groups(movie, taste, start, np.concatenate([[0], popularity]), box)


class _Waiting(NamedTuple):
    """A group that may be parted; the lowest priority goes first, 0 not at all."""

    priority: float
    first: int  # no two groups have the same
    movies: Ints


def _weigh(movies: Ints, opinion: Floats, mass: Floats) -> _Waiting:
    width = np.ptp(opinion[movies], axis=0).sum()
    return _Waiting(-float(mass[movies].sum() * width), int(movies[0]), movies)


@njit()
def _fill_users(rng, groups, taste, bound, weight, ends, place, patience, chosen):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    taken = np.full(len(groups.movie), -1, dtype=np.int32)
    for user in range(len(taste)):
        own = chosen[place[user] : place[user + 1]]
        cumulative = np.cumsum(weight[user].astype(np.float64))
        proposal = (taste[user], bound[user], cumulative, ends[user], patience)
        found = _propose(rng, groups, proposal, own, taken, user)
        if found < len(own):
            _race(rng, groups, taste[user], ends[user], own[found:], taken, user)
        own[:] = groups.movie[own]
        for i in range(len(own) - 1, 0, -1):  # Fisher and Yates's shuffle
            j = int(rng.random() * (i + 1))
            own[i], own[j] = own[j], own[i]


@njit()
def _propose(rng, groups, proposal, own, taken, user):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Take places of movies one after another until there are enough or patience ends; return how many."""
    taste, bound, cumulative, ends, patience = proposal
    found = 0
    for _ in range(patience):
        if found == len(own):
            break
        at = rng.random() * cumulative[-1]
        group = _find_above(cumulative, at, 0, len(cumulative) - 1)
        before = cumulative[group - 1] if group else 0.0
        share = (at - before) / (cumulative[group] - before)
        low, high = groups.popularity[groups.start[group]], groups.popularity[ends[group]]
        movie = _find_above(groups.popularity, low + share * (high - low), groups.start[group] + 1, ends[group]) - 1
        if taken[movie] != user and rng.random() < np.exp(_dot(taste, groups.taste[movie]) - bound[group]):
            taken[movie] = user
            own[found] = movie
            found += 1
    return found


@njit()
def _race(rng, groups, taste, ends, own, taken, user):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Take the places of those movies that arrive first (Efraimidis & Spirakis 2006), among those not yet taken."""
    arrival = np.full(len(groups.movie), np.inf)
    for group in range(len(ends)):
        for movie in range(groups.start[group], ends[group]):
            if taken[movie] != user:
                rate = (groups.popularity[movie + 1] - groups.popularity[movie]) * np.exp(
                    _dot(taste, groups.taste[movie])
                )
                arrival[movie] = rng.standard_exponential() / rate
    own[:] = np.argsort(arrival)[: len(own)]


@njit()
def _dot(left, right):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    total = np.float32(0)
    for dimension in range(len(left)):
        total += left[dimension] * right[dimension]
    return total


@njit()
def _find_above(rising, value, first, last):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Return the first place of `first` to `last` whose value is above `value`; `last` if rounding leaves none."""
    while first < last:
        middle = (first + last) // 2
        if rising[middle] > value:
            last = middle
        else:
            first = middle + 1
    return first
