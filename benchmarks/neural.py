"""NDCG@10 and cost of two neural ranking models, Mult-VAE and NeuMF, beside the linear ones of the same run.

Data, splits and judging are those of `benchmarks.ranking_quality`. Each network is searched on the first split: the
settings in `SEARCHED` are fitted, each stopped by NDCG@10 on validation, and the best on validation is fitted on all
four splits and judged on their test parts. The linear models keep the settings that `benchmarks.ranking_quality` gives
them. Seconds are the processor's, one core's; a network's include its compilation. Every data set has a process of its
own. Needs JAX, which `make bench` installs. Writes benchmarks/results/neural.json.
"""

import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from time import process_time
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from benchmarks.apart import measure_apart, run_script
from benchmarks.ranking_quality import (
    ALS_CONTENT,
    ALS_PLAIN,
    DATASETS,
    SEEDS,
    Measured,
    average_by_user,
    compare,
    fit,
    judge,
    make_bed,
)
from movierec.data.content import Content
from movierec.errors import MovierecError, run_command
from movierec.evaluation.bed import TestBed
from movierec.io import write_json
from movierec.models.als import ALS
from movierec.models.blend import Blend
from movierec.models.ease import EASE
from movierec.models.popularity import Popularity
from movierec.tuning.blend import choose_weight

if TYPE_CHECKING:
    from benchmarks.networks.training import Network

RESULT: Final = Path(__file__).parent / "results/neural.json"
Settings = dict[str, Any]
WEIGHED: Final = {"low": 0.4, "slope": 0.3}  # as EASE weighs ratings; without it, only those of 4 stars and more count
SEARCHED: Final[dict[str, tuple[Settings, ...]]] = {
    "mult_vae": (
        {"hidden": 600, "latent": 200, "penalty": 0.0},  # the authors'
        {},
        WEIGHED,
        {**WEIGHED, "penalty": 0.01},
        {**WEIGHED, "beta": 0.5},
        {**WEIGHED, "dropout": 0.7},
        {**WEIGHED, "latent": 200},
        {**WEIGHED, "popularity_power": 0.1},
    ),
    "neumf": (
        {"penalty": 0.0},  # the authors'
        {},
        WEIGHED,
        {**WEIGHED, "negatives": 8},
        {**WEIGHED, "loss": "bpr"},
        {**WEIGHED, "dropout": 0.3},
        {**WEIGHED, "factors": 64, "width": 64},
        {**WEIGHED, "popularity_power": 0.1},
    ),
}


def main() -> None:
    """Measure both data sets at once, each in a process of its own, print and store the results."""
    if find_spec("jax") is None or find_spec("optax") is None:
        raise MovierecError("the neural models need JAX: run `make jax`")
    with ThreadPoolExecutor() as pool:
        results = dict(zip(DATASETS, pool.map(partial(measure_apart, "neural"), DATASETS), strict=True))
    for dataset, found in results.items():
        for name, metrics in found["mean"].items():
            print(f"{dataset:<16} {name:<14}", {key: round(value, 4) for key, value in metrics.items()})
    write_json(results, RESULT)


def measure(dataset: str) -> dict[str, Any]:
    """Search, fit and judge on one data set."""
    from benchmarks.networks.mult_vae import MultVAE  # noqa: PLC0415  # JAX need not be there for the message of `main`
    from benchmarks.networks.neumf import NeuMF  # noqa: PLC0415

    data = [make_bed(dataset, seed) for seed in SEEDS]
    measured = [fit_linear(*each, seed) for seed, each in zip(SEEDS, data, strict=True)]
    searches = {}
    for kind in (MultVAE, NeuMF):
        searches[kind.name], chosen, measured[0][kind.name] = search(kind, data[0][0])
        for seed in SEEDS[1:]:
            measured[seed][kind.name] = fit_network(kind(**chosen, seed=seed), data[seed][0])
    return summarize(measured) | {"search": searches}


def search(kind: "type[Network]", bed: TestBed) -> tuple[dict[str, Any], Settings, Measured]:
    """Fit every configuration; return what became of each, the best settings on validation, and what these did."""
    searched = SEARCHED[kind.name]
    measured = [fit_network(kind(**settings, seed=SEEDS[0]), bed) for settings in searched]
    shown = "validation_ndcg@10", "fit_s", "best_epoch"
    trials = [{key: each.figures[key] for key in shown} for each in measured]
    best = int(np.argmax([trial["validation_ndcg@10"] for trial in trials]))
    result = {
        "configurations": {str(n): t | s for n, (t, s) in enumerate(zip(trials, searched, strict=True), 1)},
        "best": best + 1,
        "trials": len(trials),
        "fit_s": sum(trial["fit_s"] for trial in trials),
    }
    return result, searched[best], measured[best]


def fit_network(network: "Network", bed: TestBed) -> Measured:
    """Fit, stopped by validation, and judge."""
    start = process_time()
    network.fit(bed.train, bed.validation_relevance)
    measured = judge(network, bed, process_time() - start)
    measured.figures["best_epoch"] = network.best_epoch
    print(bed.movies.shape, network.name, measured.figures, file=sys.stderr, flush=True)
    return measured


def fit_linear(bed: TestBed, content: Content, seed: int) -> dict[str, Measured]:
    """Fit and judge the models that networks have to beat, which take no more than the ratings, and the best of all."""
    EASE().fit(bed.train[:1000])  # compiles
    ALS().fit(bed.train[:1000])
    measured = {"popularity": judge(Popularity().fit(bed.train), bed, 0.0)}
    for suffix, given in (("", None), ("_content", content)):
        ease, measured[f"ease{suffix}"] = fit(EASE(), bed, given, process_time)
        als: Any = ALS(**(ALS_CONTENT if given else ALS_PLAIN), seed=seed)
        als, measured[f"als{suffix}"] = fit(als, bed, given, process_time)
        blend = Blend().adopt(ease, als)
        blend.weight, _ = choose_weight(blend, bed.validation_relevance)
        cost = sum(measured[f"{name}{suffix}"].figures["fit_s"] for name in ("ease", "als"))
        measured[f"blend{suffix}"] = judge(blend, bed, cost)
    return measured


def summarize(measured: list[dict[str, Measured]]) -> dict[str, Any]:
    """Take means and deviations over the splits, and compare the models that are given ratings alone by user."""
    every = {name: pd.DataFrame([split[name].figures for split in measured]) for name in measured[0]}
    compared = ("als", "ease", "blend", "mult_vae", "neumf")
    return {
        "mean": {name: table.mean().to_dict() for name, table in every.items()},
        "ndcg_deviation": {name: float(np.std(table["ndcg@10"], ddof=1)) for name, table in every.items()},
        "comparisons": compare({name: average_by_user([split[name].ndcg for split in measured]) for name in compared}),
    }


if __name__ == "__main__":
    run_command(lambda: run_script(main, measure))
