"""No test rating reaches a fit: by what stages may read, and by what their models were given."""

import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from movierec.columns import MOVIE_ID, USER_ID
from movierec.models.als import ALS
from movierec.models.base import Recommender
from movierec.models.bias import Bias
from movierec.models.blend import Blend
from movierec.models.ease import EASE
from movierec.models.indexed import IndexedRatings
from movierec.models.popularity import Popularity
from movierec.models.svd import SVD
from stages import evaluate, train_als, train_blend, train_ease, train_svd, tune
from tests.pipeline.conftest import ROOT, Project

STAGES: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]


def readers(path: str) -> set[str]:
    return {name for name, stage in STAGES.items() if any(f"{path}/".startswith(f"{dep}/") for dep in stage["deps"])}


def test_only_evaluate_may_read_the_test_part() -> None:
    # That a stage reads nothing else than it declares is tested in test_isolation.py.
    assert readers("data/split/test") == {"evaluate"}
    assert readers("data/clean/ratings") == {"split"}
    assert readers("data/raw") == {"clean", "split"}  # which reads the tags, and keeps none of a held-out rating


def pairs(ratings: pd.DataFrame) -> set[tuple[int, int]]:
    return set(zip(ratings[USER_ID], ratings[MOVIE_ID], strict=True))


def test_models_are_fitted_on_train_alone(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[tuple[str, set[tuple[int, int]]]] = []

    def spy(model: type[Recommender], method: str) -> None:
        original = getattr(model, method)

        def record(self: Recommender, ratings: Any, *rest: object, **options: object) -> object:  # or indexed
            given.append((f"{model.__name__}.{method}", pairs(IndexedRatings.of(ratings).table)))
            return original(self, ratings, *rest, **options)

        monkeypatch.setattr(model, method, record)

    for model in (SVD, ALS, EASE, Bias, Popularity):
        spy(model, "fit")
    for ranker in (ALS, EASE, Blend):
        spy(ranker, "calibrate")
    shutil.rmtree(project.folder / ".movierec")  # finished trials would not be fitted again
    monkeypatch.chdir(project.folder)
    monkeypatch.setenv("DVC_ROOT", str(project.folder))
    monkeypatch.setenv("MOVIEREC_TRACKING", "off")
    for stage in (train_svd, train_als, train_ease, tune, train_blend, evaluate):
        stage.main()
    train, validation, test = (
        pairs(pd.read_parquet(Path("data/split") / part)) for part in ("train", "validation", "test")
    )
    assert not (train | validation) & test
    fits = {"SVD.fit", "ALS.fit", "EASE.fit", "Bias.fit", "Popularity.fit"}
    assert {name for name, _ in given} == fits | {"ALS.calibrate", "EASE.calibrate", "Blend.calibrate"}
    for name, seen in given:
        assert seen == (train if name in fits else validation), name
