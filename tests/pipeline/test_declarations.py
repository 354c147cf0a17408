"""dvc.yaml says all that a stage depends on and no more: code, data and parameters."""

import ast
from pathlib import Path
from typing import Any

import pytest
import yaml

from movierec.champion import choose_champion
from movierec.io import read_json

ROOT = Path(__file__).parents[2]
PIPELINE: dict[str, Any] = yaml.safe_load((ROOT / "dvc.yaml").read_text())
STAGES = ("fetch", "clean", "split", "train_svd", "train_als", "tune", "evaluate", "abtest", "plot")
FIRST_PARTY = ("movierec", "stages")


def find_module(name: str) -> Path | None:
    base = ROOT / Path(*name.split("."))
    return next((path for path in (base.with_suffix(".py"), base / "__init__.py") if path.is_file()), None)


def imported_modules(path: Path) -> set[str]:
    """Name every module that a file imports anywhere in it, with the packages around it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names |= {node.module or ""} | {f"{node.module}.{alias.name}" for alias in node.names}
    parts = [name.split(".") for name in names]
    return {".".join(part[:n]) for part in parts for n in range(1, len(part) + 1)}


def import_closure(stage: str) -> set[str]:
    """Find the first-party files that a stage's script runs, directly or not."""
    todo, closure = [ROOT / "stages/__init__.py", ROOT / f"stages/{stage}.py"], set[Path]()
    while todo:
        path = todo.pop()
        if path in closure:
            continue
        closure.add(path)
        names = {name for name in imported_modules(path) if name.split(".")[0] in FIRST_PARTY}
        todo += [module for name in names if (module := find_module(name))]
    return {path.relative_to(ROOT).as_posix() for path in closure}


def declared_code(stage: str) -> set[str]:
    return {dep for dep in PIPELINE["stages"][stage]["deps"] if dep.split("/")[0] in FIRST_PARTY}


def leaf_keys(content: dict[str, Any], prefix: str = "") -> set[str]:
    keys: set[str] = set()
    for key, value in content.items():
        nested = isinstance(value, dict) and f"{prefix}{key}" not in {"tune.configurations", "tune.als"}
        keys |= leaf_keys(value, f"{prefix}{key}.") if nested else {f"{prefix}{key}"}
    return keys


def test_the_nine_stages_are_there_and_described() -> None:
    assert tuple(PIPELINE["stages"]) == STAGES
    for name, stage in PIPELINE["stages"].items():
        assert stage["desc"]
        assert stage["cmd"] == f"python -m stages.{name}"


@pytest.mark.parametrize("stage", STAGES)
def test_declared_code_is_the_import_closure(stage: str) -> None:
    assert declared_code(stage) == import_closure(stage)


def test_every_parameter_belongs_to_a_stage() -> None:
    declared = {key for stage in PIPELINE["stages"].values() for key in stage.get("params", [])}
    without_influence = {"tune.workers"}
    assert declared == leaf_keys(yaml.safe_load((ROOT / "params.yaml").read_text())) - without_influence


@pytest.mark.parametrize("stage", STAGES)
def test_stage_scripts_are_short(stage: str) -> None:
    assert len((ROOT / f"stages/{stage}.py").read_text().splitlines()) <= 60


def test_the_artifact_is_the_champion() -> None:
    artifact = PIPELINE["artifacts"]["movie-recommender"]
    assert artifact["path"] == f"models/{choose_champion(read_json(ROOT / 'metrics/evaluate.json'))}.npz"
    assert artifact["type"] == "model"


def test_the_artifact_is_an_output_of_a_stage() -> None:
    outputs = [out for stage in PIPELINE["stages"].values() for out in stage.get("outs", [])]
    assert PIPELINE["artifacts"]["movie-recommender"]["path"] in outputs
