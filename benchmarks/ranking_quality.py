"""NDCG@10 of every ranking model on two real data sets and four splits, with what a list offers beside accuracy.

Protocol: a random permutation of all ratings in the file's order (``default_rng(seed)``), the first 20 % are test, the
next 10 % validation. Models are fitted on train alone. The catalogue is every movie in train, less what the user rated
in train or validation; relevant is a test rating of at least 4 stars of a movie in the catalogue. Settings are the same
for both data sets; the blend's weight is chosen on validation, and so is the model to put to use (`chosen`). Tags of
held-out ratings are dropped. Models are compared user by user, each user's NDCG@10 averaged over the splits, by the
paired bootstrap and the sign flips of `movierec.metrics.comparison`. Writes benchmarks/results/ranking_quality.json.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from time import perf_counter
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd

from benchmarks.data import load_dataset, load_tags
from movierec.columns import MOVIE_ID, USER_ID
from movierec.data.content import Content, describe_movies
from movierec.data.tags import drop_held_out_tags
from movierec.errors import run_command
from movierec.evaluation.bed import TestBed
from movierec.io import write_json
from movierec.metrics.bootstrap import UserBootstrap
from movierec.metrics.comparison import compare_models, pair_means
from movierec.metrics.diversity import coverage, intra_list_diversity_by_genre, mean_popularity, novelty
from movierec.metrics.ranking import ranking_metrics_by_user
from movierec.metrics.relevance import Relevance
from movierec.models.als import ALS
from movierec.models.base import Recommender
from movierec.models.blend import Blend
from movierec.models.ease import EASE
from movierec.models.popularity import Popularity
from movierec.models.rerank import rerank_by_mmr
from movierec.tuning.blend import choose_weight

RESULT: Final = Path(__file__).parent / "results/ranking_quality.json"
DATASETS: Final = ("ml-100k", "ml-latest-small")
SEEDS: Final = (0, 1, 2, 3)
K: Final = 10
THRESHOLD: Final = 4.0
ALS_PLAIN: Final = {"factors": 64}
ALS_CONTENT: Final[dict[str, Any]] = {"factors": 64, "regularization": 40.0, "alpha": 1.5, "content_weight": 0.05}
COMPARED: Final = ("als", "als_content", "ease", "ease_content", "blend", "blend_content")
CANDIDATES: Final = 50
STRENGTHS: Final = (0.1, 0.2, 0.3)


class Measured(NamedTuple):
    """What one model did on one split."""

    figures: dict[str, float]
    ndcg: pd.Series  # of each test user, by id


def main() -> None:
    """Measure every data set and seed, print and store the figures."""
    results = {}
    for dataset in DATASETS:
        measured = [measure(make_bed(dataset, seed), seed) for seed in SEEDS]
        results[dataset] = summarize(measured)
        for name, figures in results[dataset]["mean"].items():
            print(f"{dataset:<16} {name:<22}", {key: round(value, 4) for key, value in figures.items()})
    write_json(results, RESULT)


def make_bed(dataset: str, seed: int) -> tuple[TestBed, Content]:
    """Split by the protocol, and describe the movies without what is held out."""
    raw, movies = load_dataset(dataset)
    order = np.random.default_rng(seed).permutation(len(raw.table))
    ends = round(0.2 * len(order)), round(0.3 * len(order))
    parts = (raw.table.iloc[rows] for rows in np.split(order, ends))
    test, validation, train = (part.sort_values([USER_ID, MOVIE_ID], ignore_index=True) for part in parts)
    bed = TestBed(train, validation, test, movies, THRESHOLD)
    listed = movies[movies[MOVIE_ID].isin(bed.catalogue.ids)]
    return bed, describe_movies(listed, drop_held_out_tags(load_tags(dataset), validation, test))


def measure(data: tuple[TestBed, Content], seed: int) -> dict[str, Measured]:
    """Fit every model on one split and judge it."""
    bed, content = data
    measured = {"popularity": judge(Popularity().fit(bed.train), bed, 0.0)}
    for suffix, given in (("", None), ("_content", content)):
        ease, of_ease = fit(EASE(), bed, given)
        als, of_als = fit(ALS(**(ALS_CONTENT if given else ALS_PLAIN), seed=seed), bed, given)
        blend = Blend().adopt(ease, als)
        blend.weight, _ = choose_weight(blend, bed.validation_relevance)
        measured |= {f"ease{suffix}": of_ease, f"als{suffix}": of_als}
        measured[f"blend{suffix}"] = judge(blend, bed, of_ease.figures["fit_s"] + of_als.figures["fit_s"])
        measured[f"blend{suffix}"].figures["ease_weight"] = blend.weight
    for strength in STRENGTHS:
        measured[f"blend_content_mmr_{strength:g}"] = judge(blend, bed, 0.0, strength, content)
    return measured


def fit(
    model: Any,  # noqa: ANN401  # of its own kind
    bed: TestBed,
    content: Content | None,
    clock: Callable[[], float] = perf_counter,
) -> tuple[Any, Measured]:
    """Fit on train and judge."""
    start = clock()
    model.fit(bed.train, content=content)
    return model, judge(model, bed, clock() - start)


def judge(
    model: Recommender, bed: TestBed, fit_s: float, strength: float = 0.0, content: Content | None = None
) -> Measured:
    """Rank for every test user, re-rank where a strength is given, and take the means."""
    users = bed.users.ids
    if content is None:
        lists = bed.catalogue.rows(model.recommend(users, K, exclude=bed.seen)[0])
    else:
        ids, scores = model.recommend(users, CANDIDATES, exclude=bed.seen)
        vectors = content.of(bed.catalogue.ids)
        lists = rerank_by_mmr(bed.catalogue.rows(ids), scores, vectors, K, strength)
    by_user = ranking_metrics_by_user(lists, bed.relevance.matrix, ks=(K,))
    figures = {f"{name}@{K}": float(np.nanmean(by_user[f"{name}@{K}"])) for name in ("ndcg", "precision", "recall")}
    figures |= {
        f"coverage@{K}": coverage(lists, len(bed.catalogue)),
        f"diversity@{K}": float(np.nanmean(intra_list_diversity_by_genre(lists, bed.genre_matrix))),
        f"novelty@{K}": float(np.nanmean(novelty(lists, bed.popularity, bed.train[USER_ID].nunique()))),
        f"popularity@{K}": float(np.nanmean(mean_popularity(lists, bed.popularity))),
        f"validation_ndcg@{K}": rank_validation(model, bed.validation_relevance),
        "fit_s": fit_s,
    }
    return Measured(figures, pd.Series(by_user[f"ndcg@{K}"], index=users))


def rank_validation(model: Recommender, relevance: Relevance) -> float:
    """Return NDCG@10 on validation as on test: relevant are movies of the catalogue."""
    lists = relevance.catalogue.rows(model.recommend(relevance.users.ids, K, exclude=relevance.train)[0])
    return float(np.nanmean(ranking_metrics_by_user(lists, relevance.matrix, ks=(K,))[f"ndcg@{K}"]))


def summarize(measured: list[dict[str, Measured]]) -> dict[str, Any]:
    """Take means and deviations over the splits, name what validation chooses, and compare models by user."""
    every = {name: pd.DataFrame([split[name].figures for split in measured]) for name in measured[0]}
    validation = pd.DataFrame({name: every[name][f"validation_ndcg@{K}"] for name in COMPARED})
    test = pd.DataFrame({name: table[f"ndcg@{K}"] for name, table in every.items()})
    chosen = dict(enumerate(validation.idxmax(axis=1).tolist()))
    return {
        "mean": {name: table.mean().to_dict() for name, table in every.items()},
        "ndcg_by_seed": {name: test[name].to_dict() for name in test},
        "ndcg_deviation": test.std().to_dict(),
        "chosen": chosen,
        "chosen_ndcg": {seed: float(test[name][seed]) for seed, name in chosen.items()},
        "comparisons": compare({name: average_by_user([split[name].ndcg for split in measured]) for name in COMPARED}),
    }


def average_by_user(splits: list[pd.Series]) -> pd.Series:
    """Average each user's figure over the splits that have one."""
    return pd.concat(splits, axis=1).mean(axis=1).sort_index()


def compare(by_user: Mapping[str, pd.Series]) -> dict[str, dict[str, float]]:
    """Compare every two models on the same users."""
    values = pair_means({name: series.to_numpy(dtype=np.float64) for name, series in by_user.items()})
    rng = np.random.default_rng(0)
    bootstrap = UserBootstrap(len(next(iter(by_user.values()))), rng, 2000)
    found = compare_models(list(by_user), {f"ndcg@{K}": values}, bootstrap, rng)
    return {
        f"{each.first} - {each.second}": {
            "difference": each.difference.estimate,
            "low": each.difference.low,
            "high": each.difference.high,
            "p_adjusted": each.p_adjusted,
        }
        for each in found
    }


if __name__ == "__main__":
    run_command(main)
