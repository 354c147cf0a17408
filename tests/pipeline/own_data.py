"""Small data of one's own, and every stage of the pipeline run on it in this process."""

import os
from collections.abc import Callable
from contextlib import chdir
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from ruamel.yaml import YAML

from tests.shop import lock_shop

ROOT = Path(__file__).parents[2]
STAGES = (
    "fetch", "clean", "split", "train_svd", "train_als", "train_ease", "tune", "train_bayes", "train_blend",
    "evaluate", "abtest", "plot",
)  # fmt: skip
USERS, ITEMS, EACH = 80, 40, 12
FEW = {
    "factors": 4,
    "svd": {"epochs": 2},
    "als": {"iterations": 2},
    "bayes": {"sweeps": 6, "burn_in": 2, "directions": 4, "samples": 2},
    "tune": {
        "svd": {"one": {"factors": 4, "epochs": 2, "learning_rate": 0.005, "regularization": 0.02}},
        "als": {
            "one": {"factors": 4, "iterations": 2, "regularization": 9.0, "alpha": 1.0, "relevance_threshold": "auto"}
        },
        "bayes": {"one": {"factors": 4, "directions": 4}},
    },
    "evaluate": {"bootstrap_samples": 100},
}


def make_events(user_of: Callable[[int], Any], item_of: Callable[[int], Any]) -> pl.DataFrame:
    """Let each of 80 users choose 12 of 40 items, most of them from the half of the items that suits the user."""
    rng = np.random.default_rng(5)
    rows = [
        (user_of(user), item_of(item))
        for user in range(USERS)
        for item in rng.choice(ITEMS, EACH, replace=False, p=np.where(np.arange(ITEMS) % 2 == user % 2, 0.045, 0.005))
    ]
    return pl.DataFrame(rows, schema=["user_id", "item_id"], orient="row")


def run_pipeline(folder: Path, dataset: Path, **changes: Any) -> Path:
    """Run all stages in a new folder on one file and return the folder, locked as `dvc repro` leaves it."""
    yaml = YAML(typ="safe", pure=True)
    params = yaml.load(ROOT / "params.yaml")
    for name, value in (FEW | changes | {"dataset": str(dataset)}).items():
        params[name] = params[name] | value if isinstance(params[name], dict) and name != "tune" else value
    params["tune"] = {"search": "grid", "trials": 1, "workers": 1, "most_ratings": 10_000} | FEW["tune"]  # type: ignore[operator]
    folder.mkdir()
    yaml.dump(params, folder / "params.yaml")
    root = os.environ.pop("DVC_ROOT", None)
    try:
        with chdir(folder):
            for stage in STAGES:
                import_module(f"stages.{stage}").main()
    finally:
        if root is not None:
            os.environ["DVC_ROOT"] = root
    lock_shop(folder)
    return folder
