"""Which movies the embedded data's users choose, and in which order; what they think of them is `synthetic`'s."""

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from movierec import seeds
from movierec.progress import make_bar

STRENGTH: Final = 2.0  # e-folds of choice probability for each star of taste
BLOCK_CELLS: Final = 500_000  # users x movies held at a time: 2 MB for each float32 array
THREADS: Final = 4  # that work while one draws; no result depends on them
SAMPLE_STEP: Final = 16

Floats = npt.NDArray[np.floating[Any]]
Ints = npt.NDArray[np.integer[Any]]


class Choice(NamedTuple):
    """What decides: tastes in stars, float32 of shape (n, dimensions); popularity and year by movie."""

    user_taste: Floats
    movie_taste: Floats
    log_popularity: Floats
    year: Ints


def choose_movies(choice: Choice, counts: Ints, until: Ints, seed: int) -> Ints:
    """Choose each user's movies by an exponential race (Efraimidis & Spirakis 2006).

    Movies are drawn without replacement, with probability proportional to popularity times the exponential of taste.
    One stream gives every draw, user after user; threads run the races meanwhile.

    Parameters
    ----------
    choice : Choice
        Of U users among M movies.
    counts : ndarray of int, shape (U,)
        How many movies each user takes, at most as many as are out by then.
    until : ndarray of int, shape (U,)
        The last year from which movies are taken.
    seed : int
        Same seed, same choice.

    Returns
    -------
    ndarray of int32, shape (sum of counts,)
        Rows of movies, user after user, each user's in random order.
    """
    rng = seeds.rng(seed, "fetch", "choice")
    block = max(1, BLOCK_CELLS // len(choice.year))
    races: deque[Future[list[Ints]]] = deque()
    chosen: list[Ints] = []
    starts = range(0, len(counts), block)
    with make_bar("synthetic ratings", total=len(starts), unit="block") as bar, ThreadPoolExecutor(THREADS) as pool:
        for start in starts:
            users = slice(start, start + block)
            draws = rng.standard_exponential((len(counts[users]), len(choice.year)), dtype=np.float32)
            races.append(pool.submit(_run_races, choice, users, until[users], counts[users], draws))
            if len(races) > 2 * THREADS:
                chosen += races.popleft().result()
            bar.update()
        for race in races:
            chosen += race.result()
    rng = seeds.rng(seed, "fetch", "order")
    return np.concatenate([movies[np.argsort(rng.random(len(movies)), kind="stable")] for movies in chosen])


def _run_races(choice: Choice, users: slice, until: Ints, counts: Ints, draws: Floats) -> list[Ints]:
    """Return the movies that arrive first for each user, by row; `draws`, shape (users, movies), are overwritten."""
    arrival = choice.user_taste[users] @ choice.movie_taste.T
    arrival *= -np.float32(STRENGTH)
    arrival -= choice.log_popularity
    np.exp(arrival, out=arrival)
    draws *= arrival
    draws[choice.year[None, :] > until[:, None]] = np.inf
    return [np.sort(_find_lowest(row, count)).astype(np.int32) for row, count in zip(draws, counts, strict=True)]


def _find_lowest(values: Floats, count: int) -> Ints:
    """Return the places of the `count` lowest values, in no order; a sample tells where not to look."""
    sample = values[::SAMPLE_STEP]
    share = count / SAMPLE_STEP
    enough = int(share + 4 * np.sqrt(share) + 4)  # four standard deviations more
    if enough < len(sample):
        low = np.flatnonzero(values <= np.partition(sample, enough)[enough])
        if len(low) >= count:
            found: Ints = low[np.argpartition(values[low], count - 1)[:count]]
            return found
    return np.argpartition(values, count - 1)[:count]
