"""A good params.yaml as a tree, what each of its keys may be, and how a bad file is refused."""

import copy
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from movierec.errors import MovierecError
from movierec.params import load_params

Tree = dict[str, Any]
Save = Callable[[str | Tree], Path]

COLUMNS = ("user", "item", "rating", "timestamp", "title", "genres", "year")
TRIAL = "tune.svd.one"
ALS_TRIAL = "tune.als.one"
GOOD: Tree = {
    "seed": 42,
    "dataset": "synthetic",
    "engine": "local",
    "factors": 50,
    "synthetic": {"preset": "tiny", "noise": 0.8},
    "source": {
        "ratings": "auto",
        "movies": "auto",
        "separator": "auto",
        "decimal": "auto",
        "ids": "auto",
        "columns": dict.fromkeys(COLUMNS, "auto"),
    },
    "feedback": "auto",
    "rating_scale": "auto",
    "clean": {
        "unrated": None,
        "duplicates": "auto",
        "sample_fraction": 1.0,
        "min_user_ratings": 1,
        "min_movie_ratings": 1,
        "iterate": True,
        "max_bad_fraction": 0.001,
    },
    "split": {"method": "random", "validation": 0.1, "test": 0.2},
    "svd": {
        "engine": "exact",
        "epochs": 10,
        "learning_rate": 0.005,
        "regularization": 0.02,
        "init_std_dev": 0.1,
        "patience": 0,
    },
    "als": {
        "engine": "fast",
        "iterations": 15,
        "regularization": 30.0,
        "alpha": 1.0,
        "relevance_threshold": 4.0,
        "content_weight": 0.0,
    },
    "ease": {
        "regularization": 200.0,
        "low": 0.4,
        "slope": 0.3,
        "relevance_threshold": 4.0,
        "dropout": 0.5,
        "user_power": 0.3,
        "popularity_power": 0.1,
        "content_weight": 5.0,
        "max_movies": 2000,
    },
    "bayes": {
        "factors": 31,
        "sweeps": 120,
        "burn_in": 20,
        "directions": 256,
        "day_effects": True,
        "samples": 16,
    },
    "tune": {
        "search": "grid",
        "trials": 32,
        "workers": 2,
        "most_ratings": 1_000_000,
        "svd": {
            "one": {
                "factors": 50,
                "epochs": 10,
                "learning_rate": 0.005,
                "regularization": 0.02,
                "init_std_dev": 0.1,
                "patience": 0,
            },
        },
        "als": {
            "one": {
                "factors": 50,
                "iterations": 15,
                "regularization": 30.0,
                "alpha": 1.0,
                "relevance_threshold": 4.0,
                "content_weight": 0.05,
            },
        },
        "bayes": {"one": {"factors": 15, "directions": 256}},
    },
    "evaluate": {"relevance_threshold": 4.0, "bootstrap_samples": 1000},
    "abtest": {
        "experiment": "als-against-popularity",
        "control": "popularity",
        "treatment": "als",
        "metric": "ndcg@10",
        "significance": 0.05,
        "power": 0.8,
        "minimum_effect": 0.01,
    },
}
MAY_BE_LEFT_OPEN = {
    "als.relevance_threshold",
    f"{ALS_TRIAL}.relevance_threshold",
    "bayes.factors",
    "bayes.sweeps",
    "bayes.directions",
    "clean.unrated",
}
# key: the values at both ends of its range, and values just outside
WHOLE_NUMBERS: dict[str, tuple[list[int], list[int]]] = {
    "seed": ([0, 2**32 - 1], [-1, 2**32]),
    "factors": ([1, 2000], [-1, 0, 2001]),
    "clean.min_user_ratings": ([1, 10**9], [0, -5]),
    "clean.min_movie_ratings": ([1, 10**9], [0, -5]),
    "svd.epochs": ([1, 10_000], [0, 10_001]),
    "als.iterations": ([1, 1000], [0, 1001]),
    "ease.max_movies": ([1, 100_000], [0, 100_001]),
    "bayes.factors": ([1, 2000], [0, 2001]),
    "bayes.sweeps": ([22, 100_000], [3, 100_001]),
    "bayes.burn_in": ([0, 118], [-1, 100_001]),
    "bayes.directions": ([0, 4000], [-1, 4001]),
    "bayes.samples": ([2, 1000], [1, 1001]),
    "tune.trials": ([1, 10_000], [0, 10_001]),
    "tune.workers": ([1, 256], [0, 257]),
    "tune.most_ratings": ([1_000, 2**31 - 1], [999, 2**31]),
    "tune.bayes.one.factors": ([1, 2000], [0, 2001]),
    "tune.bayes.one.directions": ([0, 4000], [-1, 4001]),
    f"{TRIAL}.factors": ([1, 2000], [0, 2001]),
    f"{ALS_TRIAL}.factors": ([1, 2000], [0, 2001]),
    f"{ALS_TRIAL}.iterations": ([1, 1000], [0, 1001]),
    f"{TRIAL}.epochs": ([1, 10_000], [0, 10_001]),
    "evaluate.bootstrap_samples": ([100, 100_000], [99, 100_001]),
}
NUMBERS: dict[str, tuple[list[float], list[float]]] = {
    "synthetic.noise": ([0.01, 1, 3], [0, 0.009, -0.1, 3.1]),
    "clean.unrated": ([0, -1, 99.5], []),
    "clean.sample_fraction": ([1e-9, 1], [0, -0.1, 1.1]),
    "clean.max_bad_fraction": ([0, 1], [-0.1, 1.1]),
    "split.validation": ([1e-9, 0.79], [0, -0.1, 1, 1.5]),
    "split.test": ([1e-9, 0.89], [0, -0.1, 1, 1.5]),
    "svd.learning_rate": ([1e-9, 1], [0, -0.1, 1.1]),
    "svd.regularization": ([0, 1e6], [-0.1, 1.1e6]),
    "svd.init_std_dev": ([0, 10], [-0.1, 10.1]),
    "als.regularization": ([0, 1e6], [-0.1, 1.1e6]),
    "als.alpha": ([1e-9, 1e6], [0, -1, 1.1e6]),
    "als.relevance_threshold": ([-3, 0.5, 80], []),
    "als.content_weight": ([0, 1e6], [-0.1, 1.1e6]),
    "ease.regularization": ([1e-9, 1e6], [0, -0.1, 1.1e6]),
    "ease.low": ([0, 10], [-0.1, 10.1]),
    "ease.slope": ([0, 10], [-0.1, 10.1]),
    "ease.relevance_threshold": ([-3, 0.5, 80], []),
    "ease.dropout": ([0, 0.99], [-0.1, 1]),
    "ease.user_power": ([0, 2], [-0.1, 2.1]),
    "ease.popularity_power": ([0, 2], [-0.1, 2.1]),
    "ease.content_weight": ([0, 1e6], [-0.1, 1.1e6]),
    f"{TRIAL}.learning_rate": ([1e-9, 1], [0, -0.1, 1.1]),
    f"{TRIAL}.regularization": ([0, 1e6], [-0.1, 1.1e6]),
    f"{TRIAL}.init_std_dev": ([0, 10], [-0.1, 10.1]),
    "svd.patience": ([0, 10_000], [-1, 10_001]),
    f"{TRIAL}.patience": ([0, 10_000], [-1, 10_001]),
    f"{ALS_TRIAL}.regularization": ([0, 1e6], [-0.1, 1.1e6]),
    f"{ALS_TRIAL}.alpha": ([1e-9, 1e6], [0, -1, 1.1e6]),
    f"{ALS_TRIAL}.relevance_threshold": ([-3, 0.5, 80], []),
    f"{ALS_TRIAL}.content_weight": ([0, 1e6], [-0.1, 1.1e6]),
    "evaluate.relevance_threshold": ([-3, 0.5, 80], []),
    "abtest.significance": ([1e-9, 0.49], [0, 0.5]),
    "abtest.power": ([0.51, 0.999], [0.5, 1]),
    "abtest.minimum_effect": ([1e-9, 100], [0, -0.1]),
}
WORDS: dict[str, tuple[list[str], list[str]]] = {
    "dataset": (["ml-25m", "../my data.zip"], [""]),
    "source.ratings": (["auto", "plays.csv"], [""]),
    "source.movies": (["auto", "films.csv"], [""]),
    "source.separator": (["auto", ";", "::", "tab", "\t"], ["", "comma"]),
    "source.decimal": (["auto", ".", ","], ["comma"]),
    "source.ids": (["auto", "text"], ["int"]),
    "feedback": (["auto", "explicit", "implicit"], ["none"]),
    "clean.duplicates": (["auto", "last", "first", "mean", "sum"], ["latest"]),
    **{f"source.columns.{name}": (["auto", "x y"], [""]) for name in COLUMNS},
    "synthetic.preset": (["tiny", "small", "headline", "ml-25m"], ["huge", "Tiny", ""]),
    "split.method": (["random", "temporal", "per_user_temporal"], ["tmporal"]),
    "engine": (["local", "spark"], ["yarn"]),
    "svd.engine": (["exact", "fast", "parallel", "surprise"], ["slow"]),
    "als.engine": (["fast", "implicit"], ["exact"]),
    "tune.search": (["grid", "tpe"], ["random"]),
    "abtest.experiment": (["a", "x" * 100], ["", "x" * 101]),
    "abtest.control": (["svd", "svd_tuned", "bias"], ["pop"]),
    "abtest.treatment": (["svd", "svd_tuned", "bias"], ["sdv"]),
    "abtest.metric": (["squared_error", "precision@10", "mrr"], ["rmse", "ndcg", "ndcg@11", "zzz"]),
}
NAMED = ["tune.svd", "tune.als", "tune.bayes"]
INNER = ["source.columns", *NAMED, TRIAL, ALS_TRIAL]
SECTIONS = [name for name, value in GOOD.items() if isinstance(value, dict)] + INNER


def leaves(tree: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{prefix}{name}.")
        else:
            yield prefix + name


def with_value(key: str, value: object) -> Tree:
    tree = copy.deepcopy(GOOD)
    *sections, name = key.split(".")
    inner = tree
    for section in sections:
        inner = inner[section]
    inner[name] = value
    return tree


def without(key: str) -> Tree:
    tree = with_value(key, None)
    *sections, name = key.split(".")
    inner = tree
    for section in sections:
        inner = inner[section]
    del inner[name]
    return tree


def get(params: object, key: str) -> object:
    for name in key.split("."):
        params = params[name] if isinstance(params, dict) else getattr(params, name)
    return params


def cases(table: Mapping[str, tuple[list[Any], list[Any]]], side: int) -> list[tuple[str, Any]]:
    return [(key, value) for key, sides in table.items() for value in sides[side]]


def refusal(path: Path) -> str:
    """Return the message less the path, having checked that it is one line."""
    with pytest.raises(MovierecError, match=re.escape(str(path))) as caught:
        load_params(path)
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    assert len(message) < 400
    return message.replace(str(path), "params.yaml")
