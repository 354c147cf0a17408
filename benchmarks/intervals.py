"""Percentile against bias-corrected and accelerated (BCa) bootstrap intervals, on the NDCG@10 of real users.

The mean NDCG@10 of the ALS and of popularity on ml-100k and ml-latest-small, split as the pipeline does, from 10,000
resamples. docs/decisions.md tells the outcome. Writes benchmarks/results/intervals.json.
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import stats

from benchmarks.data import load_dataset, split_dataset
from movierec.errors import run_command
from movierec.evaluation.judge import evaluate_model
from movierec.io import write_json
from movierec.metrics.intervals import bootstrap_mean
from movierec.models.als import ALS
from movierec.models.base import Recommender
from movierec.models.popularity import Popularity
from movierec.params import load_params
from movierec.scales import HALF_STARS

RESULT = Path(__file__).parent / "results/intervals.json"
DATASETS = ("ml-latest-small", "ml-100k")
RESAMPLES = 10_000


def main() -> None:
    """Measure, print and store both intervals of each vector."""
    params = load_params(scale=HALF_STARS)
    results: dict[str, dict[str, dict[str, float]]] = {}
    for dataset in DATASETS:
        bed = split_dataset(*load_dataset(dataset), params, params.seed)
        als = ALS(params.factors, **params.als.model_dump(), seed=params.seed)
        models: tuple[Recommender, ...] = (als, Popularity())
        for model in models:
            scores = evaluate_model(model.fit(bed.train), bed).by_user["ndcg@10"]
            results.setdefault(dataset, {})[model.name] = compare_methods(scores[~np.isnan(scores)], params.seed)
            print(dataset, model.name, results[dataset][model.name])
    write_json(results, RESULT)


def compare_methods(scores: npt.NDArray[np.float64], seed: int) -> dict[str, float]:
    """Return both 95 % intervals of the mean, and the larger distance of their ends as a share of the width."""
    ours = bootstrap_mean(scores, np.random.default_rng(seed), RESAMPLES)
    rng = np.random.default_rng(seed)
    found = stats.bootstrap((scores,), np.mean, n_resamples=RESAMPLES, method="BCa", rng=rng, batch=500)
    bca = found.confidence_interval
    apart = max(abs(ours.low - bca.low), abs(ours.high - bca.high)) / (ours.high - ours.low)
    return {
        "users": ours.n,
        "mean": ours.estimate,
        "skewness": float(stats.skew(scores)),
        "percentile_low": ours.low,
        "percentile_high": ours.high,
        "bca_low": float(bca.low),
        "bca_high": float(bca.high),
        "apart_share_of_width": float(apart),
    }


if __name__ == "__main__":
    run_command(main)
