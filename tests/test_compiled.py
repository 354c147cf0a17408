"""Compiled code is never older than a source of it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.pipeline.conftest import ROOT

# The square of 1 + 2 * 3 by a compiled function, whose product is another module's, and the folder of compiled code.
PROBE = """
import os, movierec, numpy as np
from movierec.models.sgd.float32 import PaddedFactors, compile_kernels, pad
zero, none = np.zeros(1, np.int32), np.zeros(1, np.float32)
model = PaddedFactors(none, none, pad(np.array([[2.0]])), pad(np.array([[3.0]])))
one, low, high = np.float32([1, -99, 99])
print(compile_kernels(8).sum_squares(zero, zero, none, low, high, one, model), os.environ["NUMBA_CACHE_DIR"])
"""
PRODUCT = "return builder.extract_element(total, _INT32(0))"
OPPOSITE = "return builder.fneg(builder.extract_element(total, _INT32(0)))"


def probe(folder: Path, chosen: Path | None) -> tuple[float, Path]:
    """Run in a new process, which inherits a folder of compiled code or none."""
    environment = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}
    environment |= {"NUMBA_CACHE_DIR": str(chosen)} if chosen else {}
    command = [sys.executable, "-c", PROBE]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True, timeout=300)
    value, used = done.stdout.split()
    return float(value), Path(used)


def test_a_change_of_another_file_is_compiled(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "movierec", tmp_path / "movierec", ignore=shutil.ignore_patterns("__pycache__"))
    value, first = probe(tmp_path, None)
    assert (value, first.parent) == (49.0, tmp_path / "movierec/__pycache__")
    compiled = {path: path.stat().st_mtime_ns for path in first.rglob("*.nbc")}
    assert compiled
    assert probe(tmp_path, None) == (49.0, first)
    assert {path: path.stat().st_mtime_ns for path in first.rglob("*.nbc")} == compiled
    tiles = tmp_path / "movierec/models/tiles.py"
    tiles.write_text(tiles.read_text().replace(PRODUCT, OPPOSITE))
    value, second = probe(tmp_path, first)  # as a child of a process of before
    assert value == 25.0
    assert second.parent == first.parent
    assert second != first


def test_a_chosen_folder_stays(tmp_path: Path) -> None:
    assert probe(ROOT, tmp_path) == (49.0, tmp_path)
    assert list(tmp_path.rglob("*.nbc"))
