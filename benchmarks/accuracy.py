"""Accuracy on the real ml-100k and ml-latest-small, by fixed protocols that other work can repeat.

Rating: 90/10 of all ratings, `numpy.random.default_rng(0).permutation`, the first tenth is the test.
Ranking: the same permutation's first 20 % is the test, the next 10 % validation, the rest train; docs/protocol.md
defines the rest. Seconds are those of the fit, without compiling. Needs MOVIELENS_MIRROR or a network. Writes
benchmarks/results/accuracy.json.
"""

import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.data import load_dataset
from benchmarks.references import list_references
from movierec.columns import MOVIE_ID, RATING, TIMESTAMP, USER_ID
from movierec.errors import run_command
from movierec.evaluation.bed import TestBed
from movierec.evaluation.judge import evaluate_model
from movierec.evaluation.uncertainty import state_uncertainty
from movierec.io import write_json
from movierec.metrics.rating import mae, rmse
from movierec.models.als import ALS
from movierec.models.base import Recommender
from movierec.models.bayes import Bayes
from movierec.models.bias import Bias
from movierec.models.popularity import Popularity
from movierec.models.svd import SVD
from movierec.params import load_params
from movierec.scales import HALF_STARS

RESULT = Path(__file__).parent / "results/accuracy.json"
DATASETS = ("ml-100k", "ml-latest-small")


def main() -> None:
    """Measure both protocols on both data sets, print and store the figures."""
    results: dict[str, Any] = {}
    for dataset in DATASETS:
        raw, movies = load_dataset(dataset)
        ratings = raw.table
        results[dataset] = {
            "rating_90_10": {**dict(measure_rating(ratings)), **dict(measure_bayes(ratings, movies))},
            "ranking_70_10_20": dict(measure_ranking(ratings, movies)),
        }
        for protocol, models in results[dataset].items():
            print(f"\n{dataset}, {protocol}")
            print(pd.DataFrame(models).T.round(4).to_string())
    write_json(results, RESULT)


def measure_rating(ratings: pd.DataFrame) -> Iterator[tuple[str, dict[str, float]]]:
    """Yield RMSE and MAE of the bias model and of each configuration in params.yaml, and the choice among them.

    A configuration's number of epochs comes from a fit on 80 % that watches the permutation's second tenth; then it is
    fitted on all 90 %. ``svd tuned`` is the configuration with the lowest RMSE on that tenth: the test has no say.
    """
    params = load_params(scale=HALF_STARS)
    test, train = take_parts(ratings, [0.1])
    _, validation, most = take_parts(ratings, [0.1, 0.2])
    yield "bias", judge(Bias().fit(train), test)
    watched: dict[float, dict[str, float]] = {}
    for name, configuration in params.tune.svd.items():
        best = SVD(**configuration.model_dump(), seed=params.seed).fit(most, validation).best_epoch
        settings = {**configuration.model_dump(), "epochs": best.epoch, "patience": 0}
        figures = judge(SVD(**settings, seed=params.seed).fit(train), test)
        watched[best.validation_rmse or 0.0] = {"epochs": best.epoch, **figures}
        yield f"svd {name}", {"epochs": best.epoch, **figures}
    yield "svd tuned", watched[min(watched)]


def measure_bayes(ratings: pd.DataFrame, movies: pd.DataFrame) -> Iterator[tuple[str, dict[str, float]]]:
    """Yield accuracy, intervals and costs of the Bayesian factorisation, and of other libraries in the same run."""
    test, train = take_parts(ratings, [0.1])
    for name, by_day in (("bayes without times", False), ("bayes", True)):
        model = Bayes(day_effects=by_day)
        Bayes(sweeps=4, burn_in=2, day_effects=by_day).fit(train, movies=movies)  # compiles
        costs = clock(partial(model.fit, train, movies=movies))
        found = evaluate_intervals(model, test)
        yield name, {**found, **costs}
    for name, reference in list_references():
        costs = clock(partial(reference.fit, train))
        yield name, {**reference.judge(test), **costs}


def clock(fit: Callable[[], object]) -> dict[str, float]:
    """Return wall and processor seconds of a call."""
    wall, processor = time.perf_counter(), time.process_time()
    fit()
    return {"wall_s": time.perf_counter() - wall, "processor_s": time.process_time() - processor}


def evaluate_intervals(model: Bayes, test: pd.DataFrame) -> dict[str, float]:
    """Return RMSE, MAE, and coverage and width of the intervals on the test ratings."""
    known = test if model.day_effects else test.drop(columns=TIMESTAMP)
    predicted = model.predict(known[USER_ID], known[MOVIE_ID], known.get(TIMESTAMP))
    stated = state_uncertainty(model, known, predicted)
    actual = test[RATING].to_numpy(dtype=np.float64)
    return {"rmse": rmse(actual, predicted), "mae": mae(actual, predicted), **stated.judge(actual)}


def judge(model: Recommender, test: pd.DataFrame) -> dict[str, float]:
    """Return RMSE and MAE on the test ratings, in stars."""
    predicted = model.predict(test[USER_ID], test[MOVIE_ID])
    return {"rmse": rmse(test[RATING], predicted), "mae": mae(test[RATING], predicted)}


def measure_ranking(ratings: pd.DataFrame, movies: pd.DataFrame) -> Iterator[tuple[str, dict[str, float]]]:
    """Yield NDCG, precision and recall at 10 of popularity and of the ALS with the defaults of params.yaml."""
    params = load_params(scale=HALF_STARS)
    test, validation, train = take_parts(ratings, [0.2, 0.3])
    bed = TestBed(train, validation, test, movies, params.evaluate.relevance_threshold)
    als = ALS(params.factors, **params.als.model_dump(), seed=params.seed)
    for model in (Popularity(), als):
        by_user = evaluate_model(model.fit(train), bed).by_user
        yield (
            model.name,
            {metric: float(np.nanmean(by_user[metric])) for metric in ("ndcg@10", "precision@10", "recall@10")},
        )


def take_parts(ratings: pd.DataFrame, cuts: list[float]) -> list[pd.DataFrame]:
    """Cut a seeded permutation of the file's rows at these shares; each part sorted by user and movie."""
    order = np.random.default_rng(0).permutation(len(ratings))
    parts = np.split(order, [round(cut * len(ratings)) for cut in cuts])
    return [ratings.iloc[part].sort_values([USER_ID, MOVIE_ID], ignore_index=True) for part in parts]


if __name__ == "__main__":
    run_command(main)
