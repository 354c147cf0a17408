"""A stage that is killed while it writes leaves nothing that looks whole, and the next run clears what is left."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from movierec import io
from movierec.data.synthetic import PRESETS, write_synthetic
from movierec.memory import VARIABLE
from tests.pipeline.conftest import ROOT
from tests.sample_files import names_in

RUN = """
import importlib, os, signal, sys
from movierec import io
from movierec.data import parts
parts.PART_ROWS = 1000
write = io.write_parquet
def die_at(table, path):
    if path.name == sys.argv[2]:
        os.kill(os.getpid(), signal.SIGKILL)
    write(table, path)
io.write_parquet = die_at
importlib.import_module("stages." + sys.argv[1]).main()
"""


def run(root: Path, stage: str, die_at: str = "") -> int:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "MOVIEREC_TRACKING": "off", VARIABLE: "2"}
    command = [sys.executable, "-c", RUN, stage, die_at]
    return subprocess.run(command, cwd=root, env=environment, check=False, stdout=subprocess.PIPE).returncode


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a folder with raw data and parameters."""
    (tmp_path / "data/raw").mkdir(parents=True)
    write_synthetic(tmp_path / "data/raw", PRESETS["tiny"], 0.8, 42)
    (tmp_path / "params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())
    return tmp_path


def test_clean_and_split_killed_in_the_middle(root: Path) -> None:
    assert run(root, "clean", "part-00002.parquet") == -signal.SIGKILL
    assert any(name.startswith(".clean.") for name in names_in(root / "data"))
    assert not (root / "data/clean/ratings").exists()
    assert run(root, "clean") == 0
    assert names_in(root / "data") == {"raw", "clean"}
    assert names_in(root / "data/clean") == {"ratings", "movies.parquet", "users.parquet"}
    assert run(root, "split", "part-00003.parquet") == -signal.SIGKILL
    assert not any((root / "data/split" / name).exists() for name in ("train", "validation", "test"))
    assert run(root, "split") == 0
    assert names_in(root / "data/split") == {"train", "validation", "test"}
    sizes = [len(io.read_parquet(root / "data/split" / name)) for name in ("train", "validation", "test")]
    assert sizes == [3500, 500, 1000]


def test_a_stage_refuses_a_limit_that_is_too_small(root: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "MOVIEREC_TRACKING": "off", VARIABLE: "0.3"}
    command = [sys.executable, "-m", "stages.clean"]
    done = subprocess.run(command, cwd=root, env=environment, check=False, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert f"{VARIABLE} is 0.3, but cleaning and splitting need at least 1 GB of memory" in done.stderr
    assert names_in(root / "data") == {"raw"}
