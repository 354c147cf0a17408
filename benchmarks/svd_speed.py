"""Speed of the SVD's engines: ratios measured interleaved in one process, five rounds, median and range.

Data: the embedded generator's headline preset, 70 % for training. Compiling is excluded: every kernel runs once before.
Needs about 4 GB and ten minutes. Writes benchmarks/results/svd_speed.json.
"""

import resource
import statistics
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable
from contextlib import redirect_stderr
from functools import partial
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import numpy as np
import pandas as pd
import surprise

from movierec.columns import MOVIE_ID, RATING, USER_ID
from movierec.data.readers import read_ratings
from movierec.data.split import split_ratings
from movierec.data.synthetic import PRESETS, write_synthetic
from movierec.errors import run_command
from movierec.io import write_json
from movierec.models.base import index_ids
from movierec.models.schedule import Block, interleave
from movierec.models.sgd import Factors, Step, Steps, run_epoch
from movierec.models.svd import SVD
from movierec.params import load_params
from movierec.tuning.memory import TrialMemory
from movierec.tuning.search import GridSearch, run_searches
from movierec.tuning.svd import SvdObjective

RESULT = Path(__file__).parent / "results/svd_speed.json"
ROUNDS = 5
ENGINES: tuple[Literal["fast"], Literal["parallel"]] = ("fast", "parallel")
REFERENCE_CONFIGURATIONS = 9  # the first ones of params.yaml, the reference project's


def main() -> None:
    """Measure everything, or with the argument `large` only the part that wants a process of its own."""
    if sys.argv[1:] == ["large"]:
        print(*measure_large())
        return
    train, validation = make_parts("headline")
    for engine in ENGINES:
        SVD(2, 1, engine=engine).fit(train.iloc[:1000], validation.iloc[:1000])
    results: dict[str, Any] = {"train_ratings": len(train), "rounds": ROUNDS}
    results |= compare_engines(train, validation)
    results["updates"] = {f"factors_{factors}": measure_updates(train, factors) for factors in (50, 100)}
    output = subprocess.run(
        [sys.executable, "-m", "benchmarks.svd_speed", "large"], capture_output=True, text=True, check=True
    ).stdout.split()
    results["large"] = {
        "train_ratings": int(output[0]),
        "fast_s": float(output[1]),
        "parallel_s": float(output[2]),
        "peak_memory_gb": float(output[3]),
    }
    write_json(results, RESULT)
    print(RESULT.read_text())


def make_parts(preset: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Generate a data set and return its train and validation parts."""
    with TemporaryDirectory() as folder, redirect_stderr(StringIO()):
        write_synthetic(Path(folder), PRESETS[preset], 0.8, 42)
        ratings = read_ratings(Path(folder)).table.sort_values([USER_ID, MOVIE_ID], ignore_index=True)
    parts = split_ratings(ratings, "random", 0.1, 0.2, np.random.default_rng(0))
    return parts["train"], parts["validation"]


def compare_engines(train: pd.DataFrame, validation: pd.DataFrame) -> dict[str, Any]:
    """Time scikit-surprise, both engines and the reference project's search in turn, and compare the bits."""
    table = train[[USER_ID, MOVIE_ID, RATING]]
    data = surprise.Dataset.load_from_df(table, surprise.Reader(rating_scale=(0.5, 5)))
    seconds: dict[str, list[float]] = {}
    for _ in range(ROUNDS):
        trainset = clock(data.build_full_trainset, seconds, "surprise_build")
        theirs = clock(
            partial(surprise.SVD(n_factors=50, n_epochs=10, random_state=0).fit, trainset), seconds, "surprise"
        )
        ours = clock(partial(SVD(50, 10).fit, train), seconds, "fast")
        clock(partial(SVD(50, 10, engine="parallel").fit, train), seconds, "parallel")
        clock(partial(search, train, validation), seconds, "search")
        users = [trainset.to_inner_uid(user) for user in ours.users.ids.tolist()]
        if not np.array_equal(ours.user_factors, theirs.pu[users]):
            raise AssertionError("the engines' factors differ")
    times = {
        name: {"median_s": statistics.median(all_s), "min_s": min(all_s), "max_s": max(all_s)}
        for name, all_s in seconds.items()
    }
    reference = [fit + build for fit, build in zip(seconds["surprise"], seconds["surprise_build"], strict=True)]
    ratios = {
        "surprise_over_fast": ratio(seconds["surprise"], seconds["fast"]),
        "surprise_with_build_over_fast": ratio(reference, seconds["fast"]),
        "fast_over_parallel": ratio(seconds["fast"], seconds["parallel"]),
        "search_over_surprise": ratio(seconds["search"], seconds["surprise"]),
    }
    return {"seconds": times, "ratios": ratios, "same_bits": True}


def clock(call: Callable[[], Any], seconds: dict[str, list[float]], name: str) -> Any:  # noqa: ANN401
    """Run a call, note its wall time, return its result."""
    start = time.perf_counter()
    result = call()
    seconds.setdefault(name, []).append(time.perf_counter() - start)
    return result


def ratio(above: list[float], below: list[float]) -> dict[str, float]:
    """Return the median and the range of the rounds' ratios."""
    ratios = [one / other for one, other in zip(above, below, strict=True)]
    return {"median": statistics.median(ratios), "min": min(ratios), "max": max(ratios)}


def search(train: pd.DataFrame, validation: pd.DataFrame) -> None:
    """Run the reference project's nine configurations with an empty memory."""
    listed = list(load_params().tune.svd.items())[:REFERENCE_CONFIGURATIONS]
    with TemporaryDirectory() as folder:
        grid = GridSearch(SvdObjective(train, validation, 0), dict(listed))
        deque(run_searches([grid], TrialMemory(Path(folder)), workers=2), maxlen=0)
        grid.fit_winner()


def measure_updates(train: pd.DataFrame, factors: int) -> dict[str, float]:
    """Return updates a second on one core, and the share of two bounds measured beside it.

    The arithmetic bound runs the same kernel on four users and movies that never leave the first-level cache. The
    memory bound moves the 32 bytes a factor that an update reads and writes, at the speed of a large copy.
    """
    users, movies, user, movie = index_ids(train)
    block = interleave(user, movie, train[RATING].to_numpy(dtype=np.float64))
    cached = np.arange(len(train), dtype=np.int32) % 4
    ideal = Block(cached, cached, block.rating, np.full(len(train) // 4, 4, dtype=np.uint8))
    source = np.zeros(16_000_000)
    target = np.zeros_like(source)
    seconds: dict[str, list[float]] = {}
    model, small = make_model(len(users), len(movies), factors), make_model(4, 4, factors)
    for _ in range(ROUNDS + 1):
        clock(partial(run_once, block, model), seconds, "real")
        clock(partial(run_once, ideal, small), seconds, "cached")
        clock(partial(np.copyto, target, source), seconds, "copy")
    real, cached_s, copy_s = (min(all_s[1:]) for all_s in seconds.values())
    bytes_a_second = 2 * source.nbytes / copy_s
    return {
        "updates_per_s": len(train) / real,
        "arithmetic_bound_per_s": len(train) / cached_s,
        "share_of_arithmetic_bound": cached_s / real,
        "memory_bound_per_s": bytes_a_second / (32 * factors),
        "share_of_memory_bound": len(train) / real / (bytes_a_second / (32 * factors)),
    }


def make_model(users: int, movies: int, factors: int) -> Factors:
    """Draw small random parameters."""
    rng = np.random.default_rng(0)
    return Factors(*(rng.normal(0, 0.1, shape) for shape in (users, movies, (users, factors), (movies, factors))))


def run_once(block: Block, model: Factors) -> None:
    """Run one epoch."""
    run_epoch(block, 3.5, model, Steps(*[Step(0.005, 0.02)] * 4), biased=True)


def measure_large() -> tuple[int, float, float, float]:
    """Fit 70 % of 25 million ratings; return their number, both engines' seconds and the peak memory in GB."""
    train, _ = make_parts("ml-25m")
    for engine in ENGINES:
        SVD(2, 1, engine=engine).fit(train.iloc[:1000])
    seconds: dict[str, list[float]] = {}
    for engine in ENGINES:
        clock(partial(SVD(50, 10, engine=engine).fit, train), seconds, engine)
    peak_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
    return len(train), seconds["fast"][0], seconds["parallel"][0], peak_gb


if __name__ == "__main__":
    run_command(main)
