"""Time and memory of EASE on the embedded data, 44,840 users of 8,617 movies, and what modelling fewer movies costs.

The data is generated, cleaned and split as the pipeline does. For every number of movies, in a process of its own:
seconds of processor and wall to fit, and to rank for every user of validation; the largest resident memory; NDCG@10
on validation. All but ranking's selection runs on one core. Writes benchmarks/results/ease_speed.json.
"""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from typing import Any, Final

import pandas as pd

from benchmarks.apart import find_peak_mb, measure_apart, run_script
from benchmarks.data import split_dataset
from movierec.data.readers import read_movies, read_ratings
from movierec.data.synthetic import PRESETS, write_synthetic
from movierec.errors import run_command
from movierec.evaluation.bed import TestBed
from movierec.evaluation.validation import measure_validation_ndcg
from movierec.io import write_json
from movierec.models.ease import EASE
from movierec.params import load_params
from movierec.scales import HALF_STARS

RESULT: Final = Path(__file__).parent / "results/ease_speed.json"
MOVIES: Final = (20_000, 4_000, 2_000)  # the first is more than there are


def main() -> None:
    """Measure every number of movies in a process of its own, print and store the figures."""
    results: dict[str, Any] = {}
    for limit in MOVIES:
        results[str(limit)] = measure_apart("ease_speed", str(limit))
        print(limit, json.dumps(results[str(limit)]), flush=True)
    write_json(results, RESULT)


def make_data() -> TestBed:
    """Generate, clean and split by the parameters of params.yaml."""
    params = load_params(scale=HALF_STARS)
    with TemporaryDirectory() as folder:
        write_synthetic(Path(folder), PRESETS["headline"], params.synthetic.noise, params.seed)
        raw, movies = read_ratings(Path(folder)), read_movies(Path(folder))
    return split_dataset(raw, movies, params, params.seed)


def measure(limit: str) -> dict[str, Any]:
    """Fit on train and rank on validation."""
    bed = make_data()
    before_mb = find_peak_mb()
    EASE().fit(pd.concat([bed.train[:1000], bed.train[-1000:]]))  # compiles
    wall, processor = perf_counter(), process_time()
    model = EASE(content_weight=0.0, max_movies=int(limit)).fit(bed.train)
    fitted = {"fit_s": perf_counter() - wall, "fit_processor_s": process_time() - processor, "peak_mb": find_peak_mb()}
    wall = perf_counter()
    ndcg = measure_validation_ndcg(model, bed.validation_relevance)
    ranked = {"rank_s": perf_counter() - wall, "validation_ndcg@10": ndcg, "peak_ranking_mb": find_peak_mb()}
    size = {"users": len(model.users), "movies": len(model.movies), "modelled": len(model.modelled)}
    return {**size, "before_fit_mb": before_mb, **fitted, **ranked}


if __name__ == "__main__":
    run_command(lambda: run_script(main, measure))
