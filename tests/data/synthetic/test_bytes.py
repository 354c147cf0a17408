"""The same seed gives the same bytes, on every machine."""

import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import pytest

from movierec.data import movie_choice
from movierec.data.synthetic import PRESETS
from tests.data.synthetic.generated import make


def digests(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_same_seed_same_bytes(tmp_path: Path) -> None:
    first, again, other = (
        make(tmp_path / name, PRESETS["tiny"], seed) for name, seed in (("a", 1), ("b", 1), ("c", 2))
    )
    assert digests(first.folder) == digests(again.folder)
    assert first.floor == again.floor
    for name in ("ratings.csv", "movies.csv"):
        assert digests(first.folder)[name] != digests(other.folder)[name]


def test_blocks_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = make(tmp_path / "whole", PRESETS["tiny"], 1)
    monkeypatch.setattr(movie_choice, "BLOCK_CELLS", 1)
    assert digests(make(tmp_path / "single", PRESETS["tiny"], 1).folder) == digests(whole.folder)


def test_noise_changes_the_ratings_and_nothing_else(tmp_path: Path) -> None:
    calm, wild = (make(tmp_path / str(noise), PRESETS["tiny"], 1, noise).ratings for noise in (0.1, 2.0))
    pd.testing.assert_frame_equal(calm.drop(columns="rating"), wild.drop(columns="rating"))
    assert (calm["rating"] != wild["rating"]).mean() > 0.5


FINGERPRINT = """
import sys
sys.path.insert(0, sys.argv[1])
import movierec
import hashlib, json
from pathlib import Path
from typing import Any
import numpy as np
from movierec.data.synthetic import Shape, write_synthetic

floor = write_synthetic(Path("."), Shape(2_000, 60, 200), 0.8, 3)
content = {path.name: path.read_bytes() for path in Path(".").iterdir()}
draw = np.random.default_rng(0).normal(size=(300, 300))
for kind in (np.float32, np.float64):  # what the generator is made of, whose last bits its ratings round away
    content[f"product {kind.__name__}"] = (draw.astype(kind) @ draw.astype(kind)).tobytes()
    content[f"exp and log {kind.__name__}"] = np.log1p(np.exp(draw.astype(kind))).tobytes()
print(json.dumps([repr(floor), {name: hashlib.sha256(each).hexdigest() for name, each in content.items()}]))
"""


MACHINES: dict[str, Mapping[str, str]] = {
    "unset": {},
    "old": {"OPENBLAS_CORETYPE": "Prescott", "OPENBLAS_NUM_THREADS": "2", "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4"},
    "new": {"OPENBLAS_CORETYPE": "SkylakeX", "OMP_NUM_THREADS": "2", "NPY_DISABLE_CPU_FEATURES": ""},
}


@pytest.mark.skipif(platform.machine() not in {"x86_64", "AMD64"}, reason="the kernels pinned are x86's")
def test_bytes_do_not_depend_on_the_machines_kernels(tmp_path: Path) -> None:
    pinned = {"OPENBLAS_CORETYPE", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "NPY_DISABLE_CPU_FEATURES"}
    rest = {name: value for name, value in os.environ.items() if name not in pinned}
    results = {}
    for machine, environment in MACHINES.items():
        folder = tmp_path / machine
        folder.mkdir()
        command = [sys.executable, "-W", "error", "-c", FINGERPRINT, str(Path.cwd())]
        done = subprocess.run(
            command, cwd=folder, env={**rest, **environment}, capture_output=True, text=True, check=False, timeout=120
        )
        assert (done.returncode, done.stderr) == (0, "")
        results[machine] = json.loads(done.stdout)
    assert len(results["unset"][1]) == 6
    assert results["old"] == results["unset"]
    assert results["new"] == results["unset"]
