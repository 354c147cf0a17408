"""What it costs to clean and split ratings that do not fit into memory: processor seconds and peak memory.

Ratings are drawn at random, without a model: users with even chances, movies with chances falling as 1 / rank, one row
in fifty a second time. Each stage runs as the pipeline runs it, in a process of its own, under a limit of memory.
Writes benchmarks/results/scale.json.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

from movierec import io, paths
from movierec.memory import VARIABLE

MOVIES: Final = 60_000
RATINGS_A_USER: Final = 150
BATCH: Final = 2_000_000
KIB: Final = 1024
RESULT: Final = Path(__file__).parent / "results/scale.json"


def main() -> None:
    """Generate, clean and split; print and keep what was measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000_000, help="rows of the file, those given twice included")
    parser.add_argument("--limit", type=float, default=3.0, help="GB that a stage may use")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        generate_ratings(root / paths.RAW, options.rows)
        (root / paths.PARAMS).write_bytes(paths.PARAMS.read_bytes())
        size = sum(path.stat().st_size for path in (root / paths.RAW).iterdir())
        stages = {name: measure_stage(name, root, options.limit) for name in ("clean", "split")}
        cleaned = io.read_json(root / paths.DETAILS / "clean.json")
    found = {"rows": options.rows, "limit_gb": options.limit, "file_gb": size / 1e9, "ratings": cleaned["ratings"]}
    io.write_json({"clean_and_split": {**found, **stages}}, RESULT)
    print(RESULT.read_text(encoding="utf-8"))


def generate_ratings(folder: Path, rows: int) -> None:
    """Write ratings.csv and movies.csv as MovieLens does, in batches, in no order."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    movies = pl.DataFrame({"movieId": np.arange(1, MOVIES + 1)})
    movies.with_columns(title=pl.format("Movie {} (2000)", "movieId"), genres=pl.lit("Drama")).write_csv(
        folder / "movies.csv"
    )
    with (folder / "ratings.csv").open("wb") as file:
        file.write(b"userId,movieId,rating,timestamp\n")
        for start in range(0, rows, BATCH):
            _draw_batch(rng, min(BATCH, rows - start), rows // RATINGS_A_USER).write_csv(file, include_header=False)


def measure_stage(name: str, root: Path, limit: float) -> dict[str, float]:
    """Run a stage in a folder; return its processor seconds and peak memory (GB of 10^9 bytes)."""
    command = [sys.executable, "-c", _MEASURED, name]
    environment = {**os.environ, VARIABLE: str(limit), "PYTHONPATH": str(Path.cwd()), "MOVIEREC_TRACKING": "off"}
    done = subprocess.run(command, cwd=root, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    found: Mapping[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return {"cpu_s": round(found["cpu_s"], 1), "peak_gb": round(found["peak_kib"] * KIB / 1e9, 2)}


_MEASURED: Final = """
import importlib, json, resource, sys
importlib.import_module("stages." + sys.argv[1]).main()
used = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps({"cpu_s": used.ru_utime + used.ru_stime, "peak_kib": used.ru_maxrss}))
"""


def _draw_batch(rng: np.random.Generator, rows: int, users: int) -> pl.DataFrame:
    again = rows // 50
    user = rng.integers(1, users + 1, rows)
    movie = np.minimum(MOVIES, np.exp(rng.random(rows) * np.log(MOVIES)).astype(np.int64))
    user[:again], movie[:again] = user[-again:], movie[-again:]
    stars, times = rng.integers(1, 11, rows) / 2, rng.integers(10**9, 17 * 10**8, rows)
    return pl.DataFrame({"userId": user, "movieId": movie, "rating": stars, "timestamp": times})


if __name__ == "__main__":
    main()
