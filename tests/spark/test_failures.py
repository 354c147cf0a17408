"""A run that cannot go on ends in one line and leaves nothing half-written."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.spark.data import split

pytestmark = pytest.mark.xdist_group("spark")


def test_a_run_without_executors_ends_in_one_line(master: str, tmp_path: Path) -> None:
    split("tiny", tmp_path / "data")
    code = """
import movierec
from pathlib import Path
from movierec.errors import run_command
from movierec.spark.als import fit_als_on_spark
run_command(lambda: fit_als_on_spark(Path("data/train"), {}).save(Path("als.npz")))
"""
    variables = {"MASTER": master, "EXECUTOR_MEMORY": "900g", "PATIENCE_S": "1"}
    environment = os.environ | {f"MOVIEREC_SPARK_{name}": value for name, value in variables.items()}
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    last = result.stderr.strip().splitlines()[-1]
    assert last.startswith(f"error: no executor of {master} has been there for 1 s: are its workers running, with 1 ")
    assert "Traceback" not in result.stderr
    assert not list(tmp_path.glob("*.npz"))
