"""The embedded data: ratings with MovieLens's shape from known latent factors, so that the least error is known.

A user draws movies without replacement with probability proportional to popularity times the exponential of
their taste for the movie, then rates each around a mean made of biases, taste and slow drift, plus noise,
rounded to half stars. Reading and cleaning it is the business of the stages that read real archives too.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.stats import norm
from tqdm import tqdm

from movierec import columns, seeds
from movierec.data import titles

MIN_USER_RATINGS: Final = 20
STARS: Final = np.arange(1, 11) / 2
GLOBAL_MEAN: Final = 3.0  # stars, over all pairs; choosing what one likes lifts the ratings to 3.5
TASTE_DIMENSIONS: Final = 12
TASTE_STD: Final = 0.6  # stars
USER_BIAS_STD: Final = 0.42  # stars
MOVIE_BIAS_STD: Final = 0.40  # stars
DRIFT_STD: Final = 0.02  # stars a year
CHOICE_STRENGTH: Final = 2.0  # e-folds of choice probability for each star of taste
FIRST_YEAR, LAST_YEAR = 1996, 2019
YEAR_S: Final = 365.25 * 86_400
BLOCK_CELLS: Final = 16_000_000  # users x movies held at a time: 64 MB for each float32 array

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
    movie = _choose_movies(world, counts, first_year, seed)
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


def _choose_movies(world: _World, counts: Ints, first_year: Ints, seed: int) -> Ints:
    """Choose each user's movies, in the order of rating, by an exponential race (Efraimidis & Spirakis 2006)."""
    rng = seeds.rng(seed, "fetch", "choice")
    n_users, n_movies = len(world.user_bias), len(world.year)
    released = np.maximum(first_year, FIRST_YEAR)
    block = max(1, BLOCK_CELLS // n_movies)
    chosen = np.empty(int(counts.sum()), dtype=np.int32)
    position = 0
    for start in tqdm(range(0, n_users, block), desc="synthetic ratings", unit="block", disable=None):
        users = slice(start, min(start + block, n_users))
        arrival = world.user_taste[users] @ world.movie_taste.T  # (block, movies)
        arrival *= -np.float32(CHOICE_STRENGTH)
        arrival -= world.log_popularity
        np.exp(arrival, out=arrival)
        arrival *= rng.standard_exponential(arrival.shape, dtype=np.float32)
        arrival[world.year[None, :] > released[users, None]] = np.inf
        for row, count in zip(arrival, counts[users], strict=True):
            chosen[position : position + count] = np.argpartition(row, count - 1)[:count]
            position += count
    return _shuffle_within_users(chosen, counts, seed)


def _shuffle_within_users(movie: Ints, counts: Ints, seed: int) -> Ints:
    user = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
    by_id = movie[np.lexsort((movie, user))]  # argpartition leaves no defined order
    shuffled: Ints = by_id[np.lexsort((seeds.rng(seed, "fetch", "order").random(len(movie)), user))]
    return shuffled


def _mean_ratings(world: _World, user: Ints, movie: Ints, times: Ints) -> Floats:
    """Return the true mean of each rating before rounding, shape (ratings,), in stars."""
    years = times / YEAR_S + 1970 - (FIRST_YEAR + LAST_YEAR) / 2
    mean = GLOBAL_MEAN + world.user_bias[user] + world.movie_bias[movie] + world.movie_drift[movie] * years
    for dimension in range(TASTE_DIMENSIONS):
        mean += world.user_taste[user, dimension] * world.movie_taste[movie, dimension].astype(np.float64)
    return mean


def _draw_ratings(mean: Floats, noise: float, seed: int) -> Floats:
    rng = seeds.rng(seed, "fetch", "noise")
    return np.clip(np.round((mean + rng.normal(0, noise, len(mean))) * 2) / 2, STARS[0], STARS[-1])


def _noise_floor(mean: Floats, rating: Floats, noise: float) -> NoiseFloor:
    """Integrate the rounded, clipped normal on a grid of means; interpolate to every rating."""
    grid = np.linspace(mean.min(), mean.max(), 4001)
    edges = np.concatenate(([-np.inf], (STARS[:-1] + STARS[1:]) / 2, [np.inf]))
    share = np.diff(norm.cdf((edges[None, :] - grid[:, None]) / noise), axis=1)  # (grid, stars)
    expected = share @ STARS
    variance = share @ STARS**2 - expected**2
    residual = rating - np.interp(mean, grid, expected)
    floor = float(np.sqrt(np.interp(mean, grid, variance).mean()))
    return NoiseFloor(rmse=floor, realised_rmse=float(np.sqrt((residual**2).mean())))


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
