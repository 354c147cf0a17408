"""The embedded data: ratings with MovieLens's shape from known latent factors, so that the least error is known.

A user draws movies without replacement with probability proportional to popularity times the exponential of
their taste for the movie, then rates each around a mean made of biases, taste and slow drift, plus noise,
rounded to half stars. Reading and cleaning it is the business of the stages that read real archives too.
"""

from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.special import ndtr

from movierec import columns, seeds
from movierec.data import titles
from movierec.data.movie_choice import THREADS, Choice, choose_movies
from movierec.data.movie_draws import draw_movies

MIN_USER_RATINGS: Final = 20
STARS: Final = np.arange(1, 11) / 2
GLOBAL_MEAN: Final = 3.0  # stars, over all pairs; choosing what one likes lifts the ratings to 3.5
TASTE_DIMENSIONS: Final = 12
TASTE_STD: Final = 0.6  # stars
USER_BIAS_STD: Final = 0.42  # stars
MOVIE_BIAS_STD: Final = 0.40  # stars
DRIFT_STD: Final = 0.02  # stars a year
FIRST_YEAR, LAST_YEAR = 1996, 2019
YEAR_S: Final = 365.25 * 86_400
PART: Final = 250_000  # ratings computed at a time
MOST_RACES: Final = 1_000_000_000  # pairs of users and movies: with more, a draw for each is too slow

Floats = npt.NDArray[np.floating[Any]]
Ints = npt.NDArray[np.integer[Any]]


@dataclass(frozen=True)
class Shape:
    """How much data to make: numbers of ratings, users and movies."""

    ratings: int
    users: int
    movies: int


PRESETS: Final = {
    "tiny": Shape(5_000, 120, 240),
    "small": Shape(100_000, 1_000, 1_700),
    "headline": Shape(3_500_000, 44_840, 8_617),
    "ml-25m": Shape(25_000_095, 162_541, 59_047),
}


@dataclass(frozen=True)
class NoiseFloor:
    """The error that no model can beat, in stars.

    Attributes
    ----------
    rmse : float
        Root of the mean conditional variance of the ratings given their true means.
    realised_rmse : float
        RMSE of the true conditional means against the ratings as drawn.
    """

    rmse: float
    realised_rmse: float


@dataclass(frozen=True)
class _World:
    """Latent truth: rows are users or movies."""

    user_taste: Floats  # (users, TASTE_DIMENSIONS)
    movie_taste: Floats  # (movies, TASTE_DIMENSIONS)
    user_bias: Floats
    movie_bias: Floats
    movie_drift: Floats  # stars a year
    log_popularity: Floats
    year: Ints
    genres: npt.NDArray[np.bool_]  # (movies, genres)


def write_synthetic(folder: Path, shape: Shape, noise: float, seed: int) -> NoiseFloor:
    """Generate a data set and write it in MovieLens's csv layout.

    Parameters
    ----------
    folder : Path
        Gets ``ratings.csv`` and ``movies.csv``; must exist.
    shape : Shape
        Exactly so many ratings and movies; every user has at least 20 ratings.
    noise : float
        Standard deviation of a rating around its mean before rounding, in stars.
    seed : int
        Same seed, same bytes.

    Returns
    -------
    NoiseFloor
        The irreducible error of these ratings.

    Raises
    ------
    ValueError
        If `shape` has no users, or asks for fewer than 20 ratings a user or, on average, for more than a quarter of
        the movies.
    """
    if shape.users < 1 or not MIN_USER_RATINGS * shape.users <= shape.ratings <= shape.users * shape.movies // 4:
        raise ValueError(f"{shape} cannot be made: 20 ratings a user at least, a quarter of all pairs at most")
    world = _make_world(shape, seed)
    counts = _draw_activity(shape, seed)
    times = _draw_times(counts, np.sort(world.year), seed)
    first_time = times[np.cumsum(counts) - counts]
    first_year = first_time.astype("datetime64[s]").astype("datetime64[Y]").astype(np.int64) + 1970
    wanted = Choice(world.user_taste, world.movie_taste, world.log_popularity, world.year)
    choose = choose_movies if shape.users * shape.movies <= MOST_RACES else draw_movies
    movie = choose(wanted, counts, np.maximum(first_year, FIRST_YEAR), seed)
    user = np.repeat(np.arange(shape.users, dtype=np.int32), counts)
    mean = _mean_ratings(world, user, movie, times)
    rating = _draw_ratings(mean, noise, seed)
    _write_ratings(folder / "ratings.csv", user, movie, rating, times)
    _write_movies(folder / "movies.csv", world, seed)
    return _noise_floor(mean, rating, noise)


def _make_world(shape: Shape, seed: int) -> _World:
    rng = seeds.rng(seed, "fetch", "world")
    n_genres = len(titles.GENRES)
    genre_share = rng.dirichlet(np.full(n_genres, 2.0))
    wanted = rng.integers(1, 4, shape.movies)
    rank = np.argsort(rng.exponential(size=(shape.movies, n_genres)) / genre_share, axis=1).argsort(axis=1)
    genres = rank < wanted[:, None]
    genre_taste = rng.normal(size=(n_genres, TASTE_DIMENSIONS))
    own = rng.normal(size=(shape.movies, TASTE_DIMENSIONS))
    movie_taste = 0.7 * genres @ genre_taste / np.sqrt(wanted)[:, None] + 0.7 * own
    decay = 0.65 ** np.arange(TASTE_DIMENSIONS)
    user_taste = rng.normal(size=(shape.users, TASTE_DIMENSIONS)) * decay
    user_taste *= TASTE_STD / np.sqrt((decay**2).sum())
    log_popularity = -0.9 * np.log(rng.permutation(shape.movies) + 20.0)
    appeal = (log_popularity - log_popularity.mean()) / log_popularity.std()
    age = rng.gamma(1.6, 14.0, shape.movies)
    return _World(
        user_taste=user_taste.astype(np.float32),
        movie_taste=movie_taste.astype(np.float32),
        user_bias=rng.normal(0, USER_BIAS_STD, shape.users),
        movie_bias=rng.normal(0, MOVIE_BIAS_STD, shape.movies) + 0.15 * appeal - 0.15,
        movie_drift=rng.normal(0, DRIFT_STD, shape.movies),
        log_popularity=log_popularity.astype(np.float32),
        year=np.maximum(LAST_YEAR - age, 1915).astype(np.int32),
        genres=genres,
    )


def _draw_activity(shape: Shape, seed: int) -> Ints:
    """Draw ratings a user: 20 plus a heavy-tailed share of the rest, at most two fifths of the movies."""
    weight = seeds.rng(seed, "fetch", "activity").lognormal(0.0, 1.3, shape.users)
    room = np.full(shape.users, max(shape.movies * 2 // 5, shape.ratings // shape.users + 1) - MIN_USER_RATINGS)
    extra = np.zeros(shape.users, dtype=np.int64)
    left = shape.ratings - MIN_USER_RATINGS * shape.users
    while left > 0:
        open_weight = np.where(extra < room, weight, 0.0)
        added = np.minimum(left * open_weight / open_weight.sum(), room - extra).astype(np.int64)
        if added.sum() == 0:  # the last few, one each to those with the largest claim
            added[np.argsort(-open_weight, kind="stable")[:left]] = 1
        extra += added
        left -= int(added.sum())
    return extra + MIN_USER_RATINGS


def _draw_times(counts: Ints, releases: Ints, seed: int) -> Ints:
    """Draw timestamps for each user, in seconds: sessions of quick ratings, weeks apart, once enough movies are out."""
    rng = seeds.rng(seed, "fetch", "times")
    n_ratings = int(counts.sum())
    gap_s = rng.exponential(np.where(rng.random(n_ratings) < 0.97, 40.0, 45 * 86_400.0)) + 1
    starts = np.cumsum(counts) - counts
    elapsed = np.cumsum(gap_s)
    elapsed -= np.repeat(elapsed[starts], counts)
    joined = (FIRST_YEAR - 1970 + rng.random(len(counts)) * (LAST_YEAR - FIRST_YEAR)) * YEAR_S
    enough = (releases[counts - 1] - 1970).astype("datetime64[Y]").astype("datetime64[s]").astype(np.int64)
    latest = (LAST_YEAR + 1 - 1970) * YEAR_S - 1
    return np.minimum(np.repeat(np.maximum(joined, enough), counts) + elapsed, latest).astype(np.int64)


def _mean_ratings(world: _World, user: Ints, movie: Ints, times: Ints) -> Floats:
    """Return the true mean of each rating before rounding, shape (ratings,), in stars."""

    def fill(part: slice) -> None:
        u, i = user[part], movie[part]
        years = times[part] / YEAR_S + 1970 - (FIRST_YEAR + LAST_YEAR) / 2
        mean[part] = GLOBAL_MEAN + world.user_bias[u] + world.movie_bias[i] + world.movie_drift[i] * years
        for dimension in range(TASTE_DIMENSIONS):
            mean[part] += world.user_taste[u, dimension] * world.movie_taste[i, dimension].astype(np.float64)

    mean = np.empty(len(user))
    _take_parts(fill, len(user))
    return mean


def _take_parts(fill: Callable[[slice], None], count: int) -> None:
    """Call a function for all slices of so many ratings, several at a time."""
    with ThreadPoolExecutor(THREADS) as pool:
        deque(pool.map(fill, [slice(start, start + PART) for start in range(0, count, PART)]), maxlen=0)


def _draw_ratings(mean: Floats, noise: float, seed: int) -> Floats:
    rng = seeds.rng(seed, "fetch", "noise")
    return np.clip(np.round((mean + rng.normal(0, noise, len(mean))) * 2) / 2, STARS[0], STARS[-1])


def _noise_floor(mean: Floats, rating: Floats, noise: float) -> NoiseFloor:
    """Integrate the rounded, clipped normal on a grid of means; interpolate to every rating."""
    grid = np.linspace(mean.min(), mean.max(), 4001)
    edges = np.concatenate(([-np.inf], (STARS[:-1] + STARS[1:]) / 2, [np.inf]))
    share = np.diff(ndtr((edges[None, :] - grid[:, None]) / noise), axis=1)  # (grid, stars)
    expected = share @ STARS
    variance = share @ STARS**2 - expected**2
    centre, left = np.empty(len(mean)), np.empty(len(mean))

    def fill(part: slice) -> None:
        centre[part] = np.interp(mean[part], grid, expected)
        left[part] = np.interp(mean[part], grid, variance)

    _take_parts(fill, len(mean))
    floor = float(np.sqrt(left.mean()))
    return NoiseFloor(rmse=floor, realised_rmse=float(np.sqrt(((rating - centre) ** 2).mean())))


def _write_ratings(path: Path, user: Ints, movie: Ints, rating: Floats, times: Ints) -> None:
    table = pl.DataFrame(
        {"userId": user + 1, "movieId": movie + 1, columns.RATING: rating, columns.TIMESTAMP: times},
    )
    table.write_csv(path, float_precision=1)


def _write_movies(path: Path, world: _World, seed: int) -> None:
    names = titles.make_titles(len(world.year), seeds.rng(seed, "fetch", "titles"))
    genre_names = np.array(titles.GENRES)
    table = pl.DataFrame(
        {
            "movieId": np.arange(1, len(names) + 1),
            columns.TITLE: [f"{name} ({year})" for name, year in zip(names, world.year, strict=True)],
            columns.GENRES: ["|".join(genre_names[row]) for row in world.genres],
        },
    )
    table.write_csv(path)
