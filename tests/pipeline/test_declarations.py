"""dvc.yaml says all that a stage depends on and no more: code, data and parameters."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from movierec.evaluation.champion import choose_champion
from movierec.io import read_json
from movierec.stage_code import renew_code_lists

ROOT = Path(__file__).parents[2]
PIPELINE: dict[str, Any] = yaml.safe_load((ROOT / "dvc.yaml").read_text())
STAGES = (
    "fetch", "clean", "split", "train_svd", "train_als", "train_ease", "tune", "train_bayes", "train_blend",
    "evaluate", "abtest", "plot",
)  # fmt: skip


def leaf_keys(content: dict[str, Any], prefix: str = "") -> set[str]:
    keys: set[str] = set()
    for key, value in content.items():
        nested = isinstance(value, dict) and f"{prefix}{key}" not in {"tune.svd", "tune.als", "tune.bayes"}
        keys |= leaf_keys(value, f"{prefix}{key}.") if nested else {f"{prefix}{key}"}
    return keys


def test_the_stages_are_there_and_described() -> None:
    assert tuple(PIPELINE["stages"]) == STAGES
    for name, stage in PIPELINE["stages"].items():
        assert stage["desc"]
        assert stage["cmd"] == f"python -m stages.{name}"


def test_declared_code_is_the_import_closure() -> None:
    text = (ROOT / "dvc.yaml").read_text()
    assert renew_code_lists(text, ROOT) == text, "run `make deps`"


def test_every_parameter_belongs_to_a_stage() -> None:
    declared = {key for stage in PIPELINE["stages"].values() for key in stage.get("params", [])}
    without_influence = {"engine", "tune.workers"}
    assert declared == leaf_keys(yaml.safe_load((ROOT / "params.yaml").read_text())) - without_influence


@pytest.mark.parametrize("stage", STAGES)
def test_stage_scripts_are_short(stage: str) -> None:
    assert len((ROOT / f"stages/{stage}.py").read_text().splitlines()) <= 60


def test_the_artifact_is_the_champion() -> None:
    artifact = PIPELINE["artifacts"]["movie-recommender"]
    assert artifact["path"] == f"models/{choose_champion(read_json(ROOT / 'metrics/details/evaluate.json'))}.npz"
    assert artifact["type"] == "model"


def test_the_artifact_is_an_output_of_a_stage() -> None:
    outputs = [out for stage in PIPELINE["stages"].values() for out in stage.get("outs", [])]
    assert PIPELINE["artifacts"]["movie-recommender"]["path"] in outputs
