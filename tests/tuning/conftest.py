"""Ratings, configurations and a memory to tune with; every fit is counted."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from movierec.columns import MOVIE_ID, RATING, TIMESTAMP, USER_ID
from movierec.data.content import Content
from movierec.ids import IdIndex
from movierec.models.als import ALS
from movierec.models.svd import SVD
from movierec.settings import AlsConfiguration, BayesConfiguration, SvdConfiguration
from movierec.tuning.als import AlsObjective
from movierec.tuning.bayes import BayesObjective
from movierec.tuning.svd import SvdObjective

SEED = 3
THRESHOLD = 4.0


def draw_ratings(count: int, seed: int, users: int = 40, movies: int = 30) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    pair = np.sort(rng.choice(users * movies, count, replace=False))
    columns = {USER_ID: pair // movies + 1, MOVIE_ID: pair % movies + 1, RATING: rng.integers(1, 11, count) / 2}
    table = pd.DataFrame({**columns, TIMESTAMP: rng.integers(10**9, size=count)})
    return table.astype({USER_ID: "int32", MOVIE_ID: "int32", RATING: "float32"})


TRAIN, VALIDATION = draw_ratings(600, seed=0), draw_ratings(100, seed=1)
_NOTHING = np.zeros((0, 2), dtype=np.float32)
CONTENT = Content(
    IdIndex(np.arange(1, 31)),
    np.random.default_rng(2).standard_normal((30, 2)).astype(np.float32),
    np.empty(0, dtype=np.str_),
    _NOTHING[:, 0],
    _NOTHING,
)


def configure(factors: int = 3, epochs: int = 2, rate: float = 0.01, penalty: float = 0.02) -> SvdConfiguration:
    return SvdConfiguration(factors=factors, epochs=epochs, learning_rate=rate, regularization=penalty)


CONFIGURATIONS = {
    "plain": configure(),
    "wide": configure(factors=9),
    "long": configure(epochs=7),
    "fast": configure(rate=0.03),
    "tame": configure(penalty=0.5),
}
SETTINGS = configure().model_dump()
WILD = configure(epochs=20, rate=1.0)  # diverges


def configure_als(
    factors: int = 3, iterations: int = 2, penalty: float = 1.0, threshold: float | None = 4.0
) -> AlsConfiguration:
    return AlsConfiguration(
        factors=factors, iterations=iterations, regularization=penalty, alpha=1.0, relevance_threshold=threshold
    )


ALS_CONFIGURATIONS = {
    "plain": configure_als(),
    "wide": configure_als(factors=6),
    "tame": configure_als(penalty=300.0),
    "all": configure_als(threshold=None),
}
BAYES_CONFIGURATIONS = {
    "plain": BayesConfiguration(factors=3, directions=4),
    "wide": BayesConfiguration(factors=7, directions=0),
}


def svd_objective(train: pd.DataFrame = TRAIN, validation: pd.DataFrame = VALIDATION, seed: int = SEED) -> SvdObjective:
    return SvdObjective(train, validation, seed)


def als_objective(threshold: float = THRESHOLD, seed: int = SEED, content: Content | None = None) -> AlsObjective:
    return AlsObjective(TRAIN, VALIDATION, seed, threshold, content)


def bayes_objective(train: pd.DataFrame = TRAIN, validation: pd.DataFrame = VALIDATION) -> BayesObjective:
    return BayesObjective(train, validation, SEED)


def results_in(folder: Path) -> dict[str, dict[str, Any]]:
    """Read what a memory holds, but for the seconds that it took."""
    stored = {file.name: json.loads(file.read_bytes()) for file in folder.iterdir()}
    return {name: {**each, "training_time_s": None} for name, each in stored.items()}


@pytest.fixture
def fits(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Collect the settings of every fit."""
    settings: list[dict[str, Any]] = []

    def count(model: type[SVD | ALS]) -> None:
        original: Callable[..., Any] = model.fit

        def fit(self: SVD | ALS, *args: Any, **options: Any) -> Any:
            settings.append(self._settings())
            return original(self, *args, **options)

        monkeypatch.setattr(model, "fit", fit)

    count(SVD)
    count(ALS)
    return settings
