"""Time and memory of ranking the full catalogue: the 20 best movies of every user, what they rated left out.

At the embedded data's size (44,840 users of 8,617 movies) `Recommender.recommend` of an ALS runs beside `recommend` of
the library implicit, the same factors and ratings, in turn, in one process. At MovieLens 25M's (162,541 users of 59,047
movies) it runs once. Every size has a process of its own, whose largest resident memory is read from the system; the
share of it that stands before ranking (modules, factors and ratings) is given, too. Factors and ratings are random:
neither time nor memory depends on what they say. Writes benchmarks/results/ranking.json.
"""

import json
import os
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import scipy.sparse as sp
from implicit.cpu.als import AlternatingLeastSquares

from benchmarks.apart import find_peak_mb, measure_apart, run_script
from benchmarks.timing import Seconds, clock, divide, summarize
from movierec.columns import MOVIE_ID, USER_ID
from movierec.errors import run_command
from movierec.ids import IdIndex
from movierec.io import write_json
from movierec.models.als import ALS

RESULT = Path(__file__).parent / "results/ranking.json"
K = 20
FACTORS = 50
REPEATS = 7
COMPARED = "headline"


class Size(NamedTuple):
    """What is ranked."""

    users: int
    movies: int
    ratings: int


SIZES = {"headline": Size(44_840, 8_617, 2_800_000), "ml-25m": Size(162_541, 59_047, 20_000_000)}


def main() -> None:
    """Measure every size in a process of its own, print and store the figures."""
    results: dict[str, Any] = {}
    for name in SIZES:
        results[name] = measure_apart("ranking", name)
        print(name, json.dumps(results[name], indent=2))
    write_json(results, RESULT)


def measure(name: str) -> dict[str, Any]:
    """Rank for every user of one size, and return seconds and megabytes."""
    model, rated = make_model(SIZES[name])
    before_mb = find_peak_mb()
    model.recommend(model.users.ids[:100], K, rated[:100])  # compiles
    seconds: Seconds = {}
    clock(lambda: model.recommend(model.users.ids, K, rated), seconds, "first")
    memory = {"peak_mb": find_peak_mb(), "before_ranking_mb": before_mb}
    size = {**SIZES[name]._asdict(), "factors": FACTORS, "k": K, "cores": len(os.sched_getaffinity(0))}
    if name != COMPARED:
        return {**size, **memory, "seconds": seconds["first"][0]}
    return {**size, **memory, **compare(model, rated)}


def compare(model: ALS, rated: pd.DataFrame) -> dict[str, Any]:
    """Run both in turn, and return the spread of their times and of the ratio, and how many lists are the same."""
    theirs, matrix = make_implicit(model, rated)
    users = np.arange(len(model.users))
    seconds: Seconds = {}
    for _ in range(REPEATS):
        lists = clock(lambda: model.recommend(model.users.ids, K, rated)[0], seconds, "ours")
        listed = clock(lambda: theirs.recommend(users, matrix, N=K)[0], seconds, "theirs")
    return {
        "repeats": REPEATS,
        "seconds": summarize(seconds["ours"]),
        "implicit_seconds": summarize(seconds["theirs"]),
        "times_as_fast_as_implicit": divide(seconds["theirs"], seconds["ours"]),
        "share_of_equal_lists": float((lists == model.movies.ids[listed]).all(axis=1).mean()),
    }


def make_model(size: Size) -> tuple[ALS, pd.DataFrame]:
    """Make an ALS of random factors, and random pairs of users and movies to leave out, sorted."""
    rng = np.random.default_rng(0)
    model = ALS(FACTORS)
    model.users, model.movies = IdIndex(np.arange(1, size.users + 1)), IdIndex(np.arange(1, size.movies + 1))
    model.user_factors = rng.standard_normal((size.users, FACTORS), dtype=np.float32)
    model.movie_factors = rng.standard_normal((size.movies, FACTORS), dtype=np.float32)
    user = np.sort(rng.integers(1, size.users + 1, size.ratings, dtype=np.int32))
    movie = rng.integers(1, size.movies + 1, size.ratings, dtype=np.int32)
    return model, pd.DataFrame({USER_ID: user, MOVIE_ID: movie})


def make_implicit(model: ALS, rated: pd.DataFrame) -> tuple[AlternatingLeastSquares, sp.csr_matrix]:
    """Give implicit's model the same factors, and the pairs as the matrix that it wants."""
    theirs = AlternatingLeastSquares(factors=FACTORS)
    theirs.user_factors, theirs.item_factors = model.user_factors, model.movie_factors
    pairs = rated[USER_ID].to_numpy() - 1, rated[MOVIE_ID].to_numpy() - 1
    shape = len(model.users), len(model.movies)
    return theirs, sp.csr_matrix((np.ones(len(rated), dtype=np.float32), pairs), shape=shape)


if __name__ == "__main__":
    run_command(lambda: run_script(main, measure))
