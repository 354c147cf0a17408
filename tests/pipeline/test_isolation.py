"""A stage touches only what dvc.yaml declares: it runs in a folder that holds nothing else."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.pipeline.conftest import ROOT, Project

STAGES: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]

# Reports every path that Python opens, also the ones that are not there.
AUDIT = """
import atexit, json, os, runpy, sys
opened = set()
def hook(event, arguments):
    if event == "open" and isinstance(arguments[0], (str, bytes)):
        opened.add(os.path.relpath(os.path.realpath(os.fsdecode(arguments[0]))))
sys.addaudithook(hook)
atexit.register(lambda: open(os.environ["AUDIT_LOG"], "w").write(json.dumps(sorted(opened))))
sys.path.insert(0, "")
runpy.run_module(sys.argv[1], run_name="__main__")
"""


def names(entries: list[Any]) -> set[str]:
    return {entry if isinstance(entry, str) else next(iter(entry)) for entry in entries}


def files_below(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_touches_only_what_it_declares(built: Project, tmp_path: Path, stage: str) -> None:
    declaration = STAGES[stage]
    inputs = names(declaration["deps"]) | {"params.yaml"}
    outputs = names(declaration.get("outs", [])) | names(declaration.get("metrics", []))
    folder = tmp_path / "alone"
    for name in inputs:
        source, target = built.folder / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if source.is_dir() else shutil.copy)(source, target)
    before = files_below(folder)
    log = tmp_path / "opened.json"
    kernel = {"OPENBLAS_CORETYPE": "Sandybridge"}  # another one of BLAS, which movierec overrules
    variables = {"AUDIT_LOG": str(log), "DVC_ROOT": str(tmp_path / "root"), **kernel}
    Project(folder).run("python", "-c", AUDIT, f"stages.{stage}", variables=variables)
    after = files_below(folder)
    assert {name: after[name] for name in before} == before
    made = set(after) - set(before)
    assert {name for name in made if not is_within(name, outputs)} == set()
    assert all(any(is_within(name, {output}) for name in made) for output in outputs)
    assert after == {**before, **{name: (built.folder / name).read_bytes() for name in made}}
    opened = {name for name in json.loads(log.read_text()) if not name.startswith(os.pardir)}
    undeclared = {name for name in opened if not is_within(name, inputs | outputs) and not is_scratch(name)}
    assert undeclared == set()


def is_within(name: str, declared: set[str]) -> bool:
    return any(name == path or name.startswith(f"{path}/") for path in declared)


def is_scratch(name: str) -> bool:
    """Tell whether a path is a module cache, a folder, or a temporary sibling that `movierec.io` moves into place."""
    parts = Path(name).parts
    return "__pycache__" in parts or name == "." or any(part.startswith(".") for part in parts)
