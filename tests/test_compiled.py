"""Compiled code serves all copies of its sources, and is never older than any of them."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from movierec.compiled import hash_sources
from tests.pipeline.conftest import ROOT

# The square of 1 + 2 * 3 by a compiled function, whose product is another module's.
PROBE = """
import movierec, numpy as np
from movierec.models.sgd.float32 import PaddedFactors, compile_kernels, pad
zero, none = np.zeros(1, np.int32), np.zeros(1, np.float32)
model = PaddedFactors(none, none, pad(np.array([[2.0]])), pad(np.array([[3.0]])))
one, low, high = np.float32([1, -99, 99])
print(compile_kernels(8).sum_squares(zero, zero, none, low, high, one, model))
"""
PRODUCT = "return builder.extract_element(total, _INT32(0))"
OPPOSITE = "return builder.fneg(builder.extract_element(total, _INT32(0)))"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return a folder with a copy of the package."""
    shutil.copytree(ROOT / "movierec", tmp_path / "copy/movierec", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "copy"


def probe(folder: Path, **variables: str) -> float:
    """Run in a new process."""
    kept = {name: value for name, value in os.environ.items() if name not in {"NUMBA_CACHE_DIR", "XDG_CACHE_HOME"}}
    command = [sys.executable, "-c", PROBE]
    done = subprocess.run(
        command, cwd=folder, env=kept | variables, capture_output=True, text=True, check=True, timeout=300
    )
    return float(done.stdout)


def list_compiled(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*.nbc")}


@pytest.mark.parametrize("variable", ["XDG_CACHE_HOME", "NUMBA_CACHE_DIR"])
def test_copies_share_compiled_code_until_a_source_changes(copy: Path, tmp_path: Path, variable: str) -> None:
    caches = tmp_path / "caches"
    chosen = {variable: str(caches)}
    assert probe(ROOT, **chosen) == 49
    assert [path.name for path in (caches / "movierec").iterdir()] == [hash_sources()]
    compiled = list_compiled(caches)
    assert compiled
    assert probe(copy, **chosen) == 49
    assert list_compiled(caches) == compiled
    assert not list_compiled(copy)
    tiles = copy / "movierec/models/tiles.py"
    tiles.write_text(tiles.read_text().replace(PRODUCT, OPPOSITE))
    assert probe(copy, **chosen) == 25
    assert probe(ROOT, **chosen) == 49
    assert len(list(caches.glob("movierec/*"))) == 2


def test_without_a_folder_to_write_to_numba_chooses(copy: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert probe(copy, XDG_CACHE_HOME=str(tmp_path / "file")) == 49
    assert list_compiled(copy)


def test_what_no_version_used_for_a_month_goes(copy: Path, tmp_path: Path) -> None:
    for days in (20, 40):
        folder = tmp_path / f"movierec/{days}"
        folder.mkdir(parents=True)
        then = folder.stat().st_mtime - days * 86_400
        os.utime(folder, (then, then))
    assert probe(copy, XDG_CACHE_HOME=str(tmp_path)) == 49
    assert {path.name for path in (tmp_path / "movierec").iterdir()} == {"20", hash_sources()}
