"""What a sweep of the ALS costs on Spark and by the local engine: processor seconds and peak memory as ratings grow.

Data: the first so many million ratings, by user, of the generator's ml-25m preset; 50 factors, two cores, each engine
in a process of its own. Processor seconds are those of all processes together, so that a busy machine does not count;
start-up is told apart from sweeps by fits of two lengths. Needs `make spark`.
Writes benchmarks/results/scale_spark.json.
"""

import sys
import threading
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from hashlib import sha256
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
import pandas as pd
import psutil

from benchmarks.timing import make_ratings
from movierec.errors import run_command
from movierec.io import read_parquet, write_json, write_parquet
from movierec.models.als import ALS
from movierec.spark.als import fit_als
from movierec.spark.session import open_cluster
from movierec.spark.settings import SparkSettings

RESULT = Path(__file__).parent / "results/scale_spark.json"
MILLIONS: Final = (1.0, 3.5, 10.0, 25.0)
SHORT, LONG = 1, 4  # sweeps
SETTINGS: Final[dict[str, Any]] = {"factors": 50, "seed": 42}
ENGINES: Final = ("local", "local[2]")
PAUSE_S: Final = 0.2


class Meter:
    """Processor seconds and memory of this process and all that it starts, looked at again and again."""

    def __init__(self) -> None:
        self.seconds: dict[int, float] = {}
        self.peak_bytes = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def stop(self) -> tuple[float, float]:
        """Return processor seconds and peak gigabytes."""
        self._over.set()
        self._thread.join()
        return sum(self.seconds.values()), self.peak_bytes / 1e9

    def _look(self) -> None:
        own = psutil.Process()
        while not self._over.wait(PAUSE_S):
            total = 0
            for process in [own, *own.children(recursive=True)]:
                try:
                    times, total = process.cpu_times(), total + process.memory_info().rss
                except psutil.NoSuchProcess:
                    continue
                self.seconds[process.pid] = times.user + times.system
            self.peak_bytes = max(self.peak_bytes, total)


def main() -> None:
    """Measure the millions of ratings named as arguments, all by default."""
    wanted = [float(word) for word in sys.argv[1:]] or list(MILLIONS)
    with TemporaryDirectory() as folder:
        ratings = make_ratings("ml-25m" if max(wanted) > 3.5 else "headline")
        sizes = {millions: measure(ratings.iloc[: round(millions * 1e6)], Path(folder)) for millions in wanted}
    found: dict[str, Any] = {f"{millions:g} M": size for millions, size in sizes.items()}
    if len(wanted) > 1:
        costs = {engine: [size[engine] for size in sizes.values()] for engine in ENGINES}
        found["per_million_ratings"] = {engine: find_slopes(wanted, each) for engine, each in costs.items()}
    write_json({"settings": SETTINGS, **found}, RESULT)
    print(RESULT.read_text())


def find_slopes(millions: list[float], costs: list[dict[str, float]]) -> dict[str, float]:
    """Return by how much each cost grows with a million ratings."""
    return {name: float(np.polyfit(millions, [each[name] for each in costs], 1)[0]) for name in costs[0]}


def measure(ratings: pd.DataFrame, folder: Path) -> dict[str, Any]:
    """Return what each engine needs, and whether both made the same factors."""
    path = folder / "train.parquet"
    write_parquet(ratings, path)
    found: dict[str, Any] = {"ratings": len(ratings)}
    prints = set()
    for engine in ENGINES:
        (short, _, _), (long, peak, factors) = (
            run_apart(partial(fit, engine, path, sweeps)) for sweeps in (SHORT, LONG)
        )
        sweep = (long - short) / (LONG - SHORT)
        found[engine] = {
            "processor_s_a_sweep": sweep,
            "processor_s_before": short - SHORT * sweep,
            "peak_gb": peak,
        }
        prints.add(factors)
    return found | {"same_factors": len(prints) == 1}


def run_apart(call: Any) -> Any:  # noqa: ANN401  # a call and its result
    """Run a call in a new process."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(call).result()


def fit(engine: str, path: Path, sweeps: int) -> tuple[float, float, str]:
    """Fit; return what `Meter.stop` does, and the factors' sha256."""
    settings = SETTINGS | {"iterations": sweeps}
    meter = Meter()
    if engine == "local":
        model = ALS(**settings).fit(read_parquet(path), threads=2)
    else:
        with open_cluster(SparkSettings(master=engine)) as cluster:
            model = fit_als(cluster, path, settings)
    return *meter.stop(), sha256(model.user_factors.tobytes() + model.movie_factors.tobytes()).hexdigest()


if __name__ == "__main__":
    run_command(main)
