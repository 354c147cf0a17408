"""Does a second stage help? ALS candidates re-ranked by a blend with the SVD's predicted rating, against ALS alone.

For each seed the data is split as the pipeline does. The 200 best movies of the ALS are ranked again by
(1 - weight) x ALS score + weight x rating predicted by the SVD of the configuration that is best on validation, both
standardised within the user's candidates. The weight with the highest NDCG@10 on validation is judged on test, user by
user against ALS. `best_weight_gain` is what the weight that is best on test itself would gain: no choice on validation
can gain more. docs/decisions.md tells the outcome. Writes benchmarks/results/hybrid.json.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from benchmarks.data import load_dataset, split_dataset
from movierec.columns import MOVIE_ID, RATING, USER_ID
from movierec.errors import run_command
from movierec.evaluation.judge import TestBed
from movierec.io import write_json
from movierec.metrics.intervals import bootstrap_mean
from movierec.metrics.ranking import ranking_metrics_by_user
from movierec.metrics.rating import rmse
from movierec.models.als import ALS
from movierec.models.svd import SVD
from movierec.params import Params, load_params
from movierec.scales import HALF_STARS

RESULT = Path(__file__).parent / "results/hybrid.json"
DATASETS = ("ml-latest-small", "ml-100k")
SEEDS = (42, 43, 44, 45, 46)
CANDIDATES = 200
WEIGHTS = np.linspace(0, 1, 21)
Scores = npt.NDArray[np.float64]


class Candidates(NamedTuple):
    """The ALS's best movies of each user: rows of the catalogue, and two standardised scores, shape (users, n)."""

    rows: npt.NDArray[np.int32]
    als: Scores
    svd: Scores


def main() -> None:
    """Measure every data set and seed, print and store the figures."""
    params = load_params(scale=HALF_STARS)
    results: dict[str, dict[str, dict[str, float]]] = {}
    for dataset in DATASETS:
        raw, movies = load_dataset(dataset)
        for seed in SEEDS:
            measured = measure(split_dataset(raw, movies, params, seed), params, seed)
            results.setdefault(dataset, {})[str(seed)] = measured
            print(f"{dataset} {seed}", {name: round(value, 4) for name, value in measured.items()})
    write_json(results, RESULT)


def measure(bed: TestBed, params: Params, seed: int) -> dict[str, float]:
    """Choose the weight on validation, and compare with ALS on test."""
    als = ALS(params.factors, **params.als.model_dump(), seed=seed).fit(bed.train)
    svd = fit_best_svd(bed, params, seed)
    on_validation = replace(bed, validation=bed.validation[:0], test=bed.validation)
    candidates = find_candidates(on_validation, als, svd)
    weight = WEIGHTS[int(np.argmax([np.nanmean(judge(on_validation, candidates, each)) for each in WEIGHTS]))]
    candidates = find_candidates(bed, als, svd)
    alone, blended = judge(bed, candidates, 0.0), judge(bed, candidates, weight)
    difference = bootstrap_mean(blended - alone, np.random.default_rng(seed))
    best = max(float(np.nanmean(judge(bed, candidates, each))) for each in WEIGHTS)
    return {
        "als": float(np.nanmean(alone)),
        "hybrid": float(np.nanmean(blended)),
        "weight": float(weight),
        "difference": difference.estimate,
        "difference_low": difference.low,
        "difference_high": difference.high,
        "best_weight_gain": best - float(np.nanmean(alone)),
    }


def fit_best_svd(bed: TestBed, params: Params, seed: int) -> SVD:
    """Fit every configuration of params.yaml; return the one with the lowest RMSE on validation."""
    pairs = bed.validation[USER_ID], bed.validation[MOVIE_ID]
    fitted = [SVD(**each.model_dump(), seed=seed).fit(bed.train, bed.validation) for each in params.tune.svd.values()]
    return min(fitted, key=lambda model: rmse(bed.validation[RATING], model.predict(*pairs)))


def find_candidates(bed: TestBed, als: ALS, svd: SVD) -> Candidates:
    """Take the best movies of the ALS for every user, and score them by both models."""
    ids, scores = als.recommend(bed.users.ids, CANDIDATES, exclude=bed.seen)
    users = np.repeat(bed.users.ids, CANDIDATES)
    stars = svd.predict(users, ids.ravel()).reshape(ids.shape)
    missing = ids < 0
    return Candidates(bed.catalogue.rows(ids), standardize(scores, missing), standardize(stars, missing))


def standardize(scores: npt.NDArray[Any], missing: npt.NDArray[np.bool_]) -> Scores:
    """Shift and scale each row to mean 0 and standard deviation 1, without what is missing; 0 there."""
    kept = np.where(missing, 0.0, scores)
    n = np.maximum(1, (~missing).sum(axis=1, keepdims=True))
    gaps = np.where(missing, 0.0, kept - kept.sum(axis=1, keepdims=True) / n)
    spread = np.sqrt(np.square(gaps).sum(axis=1, keepdims=True) / n)
    return gaps / np.where(spread > 0, spread, 1.0)


def judge(bed: TestBed, candidates: Candidates, weight: float) -> Scores:
    """Rank the candidates again and return each user's NDCG@10."""
    rows, als, svd = candidates
    blend = np.where(rows >= 0, (1 - weight) * als + weight * svd, -np.inf)
    order = np.lexsort((rows, -blend), axis=1)[:, :10]  # ties by movie id
    lists = np.take_along_axis(rows, order, axis=1)
    return ranking_metrics_by_user(lists, bed.relevance.matrix, bed.relevance.counts, ks=(10,))["ndcg@10"]


if __name__ == "__main__":
    run_command(main)
