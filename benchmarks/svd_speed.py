"""Speed of the SVD's engines: ratios measured interleaved in one process, five rounds, median and range.

Data: the embedded generator's headline and ml-25m presets, 70 % for training. Compiling is excluded: every kernel runs
once before. Needs about 6 GB and, on an idle machine, six minutes. Writes benchmarks/results/svd_speed.json.
"""

import time
from collections import deque
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import surprise

from benchmarks.timing import Seconds, clock, divide, make_parts, summarize
from movierec.columns import MOVIE_ID, RATING, USER_ID
from movierec.errors import run_command
from movierec.io import write_json
from movierec.models.indexed import IndexedRatings
from movierec.models.sgd.engines import EngineName, ExactEngine, FastEngine, SgdSettings
from movierec.models.sgd.schedule import Block
from movierec.models.svd import SVD
from movierec.params import load_params
from movierec.tuning.memory import TrialMemory
from movierec.tuning.search import GridSearch, run_searches
from movierec.tuning.svd import SvdObjective

RESULT = Path(__file__).parent / "results/svd_speed.json"
ROUNDS = 5
ENGINES: tuple[EngineName, ...] = ("exact", "fast", "parallel")
REFERENCE_CONFIGURATIONS = 9  # the first ones of params.yaml, the reference project's
FEW = 32
WIDTHS = (50, 100, 150)  # factors of those
RATIOS = {
    "surprise / exact": (("surprise",), "exact"),
    "surprise with build / exact": (("build", "surprise"), "exact"),
    "surprise / fast": (("surprise",), "fast"),
    "surprise with build / fast": (("build", "surprise"), "fast"),
    "surprise / parallel": (("surprise",), "parallel"),
    "surprise with build / parallel": (("build", "surprise"), "parallel"),
    "search / surprise": (("search",), "surprise"),
    "fast / parallel, large": (("fast, large",), "parallel, large"),
    "parallel, large / surprise": (("parallel, large",), "surprise"),
}


def main() -> None:
    """Measure all engines, and what bounds the updates."""
    train, validation = make_parts("headline")
    large, _ = make_parts("ml-25m")
    warm_up(train.iloc[:1000], validation.iloc[:1000])
    seconds = time_rounds(train, validation, large)
    ratios = {
        name: divide([sum(parts) for parts in zip(*(seconds[part] for part in above), strict=True)], seconds[below])
        for name, (above, below) in RATIOS.items()
    }
    results = {
        "rounds": ROUNDS,
        "train_ratings": len(train),
        "train_ratings_large": len(large),
        "same_bits": True,
        "seconds": {name: summarize(each) for name, each in seconds.items()},
        "ratios": ratios,
        "updates": {f"factors_{factors}": measure_updates(train, factors) for factors in (50, 100)},
    }
    write_json(results, RESULT)
    print(RESULT.read_text())


def warm_up(train: pd.DataFrame, validation: pd.DataFrame) -> None:
    """Compile every kernel that is timed."""
    for factors in WIDTHS:
        for engine in ENGINES:
            SVD(factors, 1, engine=engine).fit(train, validation)


def time_rounds(train: pd.DataFrame, validation: pd.DataFrame, large: pd.DataFrame) -> Seconds:
    """Time scikit-surprise, our engines and the reference project's search in turn, and compare the bits."""
    data = surprise.Dataset.load_from_df(train[[USER_ID, MOVIE_ID, RATING]], surprise.Reader(rating_scale=(0.5, 5)))
    seconds: Seconds = {}
    for _ in range(ROUNDS):
        trainset = clock(data.build_full_trainset, seconds, "build")
        theirs = clock(
            partial(surprise.SVD(n_factors=50, n_epochs=10, random_state=0).fit, trainset), seconds, "surprise"
        )
        exact, *_ = (clock(partial(SVD(50, 10, engine=engine).fit, train), seconds, engine) for engine in ENGINES)
        clock(partial(search, train, validation), seconds, "search")
        for engine in ENGINES[1:]:
            clock(partial(SVD(50, 10, engine=engine).fit, large), seconds, f"{engine}, large")
        users = [trainset.to_inner_uid(user) for user in exact.users.ids.tolist()]
        if not np.array_equal(exact.user_factors, theirs.pu[users]):
            raise AssertionError("the engines' factors differ")
    return seconds


def search(train: pd.DataFrame, validation: pd.DataFrame) -> None:
    """Run the reference project's nine configurations with an empty memory."""
    listed = list(load_params().tune.svd.items())[:REFERENCE_CONFIGURATIONS]
    with TemporaryDirectory() as folder:
        grid = GridSearch(SvdObjective(train, validation, 0), dict(listed))
        deque(run_searches([grid], TrialMemory(Path(folder)), workers=2), maxlen=0)
        grid.fit_winner()


def measure_updates(train: pd.DataFrame, factors: int) -> dict[str, Any]:
    """Return nanoseconds of processor time an update by the exact and the fast loop, and two bounds measured beside it.

    The arithmetic bound is the same loop on users and movies so few that they stay in the nearest caches. The memory
    bound moves, at the speed of a large copy, the numbers that an update reads and writes.
    """
    data, settings = IndexedRatings(train), SgdSettings(factors, 0.005, 0.02, 0.1, 0)
    few, cycle = IndexedRatings(pd.DataFrame(rate_few_movies())), np.arange(len(train), dtype=np.int32) % FEW
    few.block = Block(cycle, cycle, data.pairs.stars, np.full(len(train) // 4, 4, dtype=np.uint8))
    source = np.zeros(16_000_000)
    target, seconds, found = np.zeros_like(source), Seconds(), {}
    for name, engine, number in (("exact", ExactEngine, 8), ("fast", FastEngine, 4)):
        epochs, ideal = (engine(ratings, settings).run_epochs(ROUNDS + 1) for ratings in (data, few))
        for _ in range(ROUNDS + 1):  # the first one makes ready
            clock(partial(next, epochs), seconds, f"{name} real", time.thread_time)
            clock(partial(next, ideal), seconds, f"{name} cached", time.thread_time)
            clock(partial(np.copyto, target, source), seconds, "copy", time.thread_time)
        real, cached = (min(seconds[f"{name} {what}"][1:]) / len(train) * 1e9 for what in ("real", "cached"))
        copied = min(seconds["copy"]) / (2 * source.nbytes) * 1e9
        bytes_moved = 4 * factors * number
        found[name] = {
            "ns_an_update": real,
            "arithmetic_bound_ns": cached,
            "memory_bound_ns": bytes_moved * copied,
            "bytes_an_update": bytes_moved,
        }
    return found


def rate_few_movies() -> dict[str, npt.NDArray[Any]]:
    """Return ratings by few users of one movie each."""
    ids = np.arange(FEW, dtype=np.int32)
    return {USER_ID: ids, MOVIE_ID: ids, RATING: np.full(FEW, 3.5, dtype=np.float32)}


if __name__ == "__main__":
    run_command(main)
