"""Speed of the ALS's solver against implicit's exact one: interleaved in one process, both on two threads.

Data: the embedded generator, 70 % for training; 50 factors. In the headline preset five rounds of 15 sweeps, in ml-25m
one. Compiling is excluded: the solver runs once before. Needs about 4 GB and, on an idle machine, seven minutes. Writes
benchmarks/results/als_speed.json.
"""

import sys
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from benchmarks.timing import Seconds, clock, divide, make_parts, summarize
from movierec.errors import run_command
from movierec.evaluation.validation import measure_validation_ndcg
from movierec.io import write_json
from movierec.metrics.relevance import Relevance
from movierec.models.als import ALS
from movierec.models.indexed import IndexedRatings

RESULT = Path(__file__).parent / "results/als_speed.json"
ROUNDS: Final = {"headline": 5, "ml-25m": 1}
FACTORS, SWEEPS, THREADS = 50, 15, 2
THRESHOLDS: Final = {"stars from 4 on": 4.0, "all stars": None}  # whose confidence differs from 1


def main() -> None:
    """Measure the presets named as arguments, all by default."""
    results = {preset: measure(preset) for preset in sys.argv[1:] or ROUNDS}
    write_json({"factors": FACTORS, "sweeps": SWEEPS, "threads": THREADS, **results}, RESULT)
    print(RESULT.read_text())


def measure(preset: str) -> dict[str, Any]:
    """Return seconds, ratios and how far the results are apart."""
    train, validation = make_parts(preset)
    data = IndexedRatings(train)
    found: dict[str, Any] = {"train_ratings": len(train), "rounds": ROUNDS[preset]}
    ALS(FACTORS, 1).fit(train.iloc[:1000])
    for name, threshold in THRESHOLDS.items():
        seconds: Seconds = {}
        for _ in range(ROUNDS[preset]):
            ours, theirs = (
                clock(partial(fit, data, threshold, engine), seconds, engine) for engine in ("fast", "implicit")
            )
        found[name] = {
            "seconds": {engine: summarize(each) for engine, each in seconds.items()},
            "implicit / fast": divide(seconds["implicit"], seconds["fast"]),
            **compare(ours, theirs, train, validation),
        }
    return found


def fit(data: IndexedRatings, threshold: float | None, engine: Any) -> ALS:  # noqa: ANN401  # a literal
    """Fit by one of the engines."""
    return ALS(FACTORS, SWEEPS, relevance_threshold=threshold, engine=engine).fit(data, threads=THREADS)


def compare(ours: ALS, theirs: ALS, train: pd.DataFrame, validation: pd.DataFrame) -> dict[str, float]:
    """Return the relative distance of the movies' factors, of the losses, and both NDCG@10 on validation."""
    distance = np.linalg.norm(ours.movie_factors - theirs.movie_factors) / np.linalg.norm(theirs.movie_factors)
    relevance = Relevance(train, validation, 4.0)
    return {
        "distance_of_factors": float(distance),
        "distance_of_losses": abs(ours.objective[-1] / theirs.objective[-1] - 1),
        "ndcg@10_fast": measure_validation_ndcg(ours, relevance),
        "ndcg@10_implicit": measure_validation_ndcg(theirs, relevance),
    }


if __name__ == "__main__":
    run_command(main)
