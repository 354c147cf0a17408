import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from movierec.errors import MovierecError
from movierec.lockfile import Stage, hash_listing, hash_output
from movierec.tracking.snapshots import read_running, read_snapshot

PARTS = {f"data/split/{part}": part[0] * 32 for part in ("test", "train", "validation")}


def write_project(folder: Path, **changes: Any) -> Path:
    """Write a project of three stages whose evaluate has a metrics file."""
    (folder / "metrics").mkdir()
    (folder / "metrics/evaluate.json").write_text("{}")
    (folder / "params.yaml").write_text("seed: 1\nsvd: {learning_rate: 1e-05, patience: 0}\n")
    declared = {"params": ["seed", "svd.learning_rate"], "metrics": [{"metrics/evaluate.json": {"cache": False}}]}
    (folder / "dvc.yaml").write_text(json.dumps({"stages": {"evaluate": declared}}))
    outs: dict[str, dict[str, str]] = {
        "fetch": {},
        "split": PARTS,
        "train_svd": {"models/svd.npz": "5" * 32},
        "evaluate": {"metrics/evaluate.json": hashlib.md5(b"{}", usedforsecurity=False).hexdigest()},
    }
    deps = {"evaluate": {**PARTS, "models/svd.npz": "5" * 32, **changes}}
    params = {
        "fetch": {"dataset": "synthetic", "synthetic.preset": "tiny"},
        "evaluate": {"svd.learning_rate": 1e-05, "seed": 1},
    }
    stages = {
        name: {
            "deps": [{"path": path, "md5": md5} for path, md5 in deps.get(name, {}).items()],
            "params": {"params.yaml": params.get(name, {})},
            "outs": [{"path": path, "md5": md5} for path, md5 in made.items()],
        }
        for name, made in outs.items()
    }
    (folder / "dvc.lock").write_text(json.dumps({"stages": stages}))
    return folder


def test_a_running_stage_has_the_key_that_the_lock_will_have(tmp_path: Path) -> None:
    folder = write_project(tmp_path)
    locked = read_snapshot(folder)
    assert read_running("evaluate", folder, "workspace").stages["evaluate"].key == locked.stages["evaluate"].key
    assert locked.dataset == ("synthetic/tiny", hash_listing(PARTS).removesuffix(".dir"))
    assert locked.find_obstacle(locked.stages["evaluate"]) is None


@pytest.mark.parametrize(
    "other",
    [
        Stage("b", {"x": 1}, {}, {"o": "1"}),
        Stage("a", {"x": 2}, {}, {"o": "1"}),
        Stage("a", {"y": 1}, {}, {"o": "1"}),
        Stage("a", {"x": 1}, {}, {"o": "2"}),
        Stage("a", {"x": 1}, {}, {"p": "1"}),
    ],
)
def test_another_result_has_another_key(other: Stage) -> None:
    one = Stage("a", {"x": 1}, {}, {"o": "1"})
    assert one.key != other.key
    assert one.key == Stage("a", {"x": 1}, {"code.py": "other"}, {"o": "1"}).key


@pytest.mark.parametrize(
    ("path", "obstacle"),
    [
        ("models/svd.npz", "it is older than models/svd.npz"),
        ("data/split/train", "it is older than data/split/train"),
    ],
)
def test_a_result_from_other_inputs_is_not_attributed(path: str, obstacle: str, tmp_path: Path) -> None:
    snapshot = read_snapshot(write_project(tmp_path, **{path: "0" * 32}))
    assert snapshot.find_obstacle(snapshot.stages["evaluate"]) == obstacle


@pytest.mark.parametrize("content", [None, "{", ""])
def test_an_output_that_is_not_the_recorded_one(content: str | None, tmp_path: Path) -> None:
    snapshot = read_snapshot(write_project(tmp_path))
    file = tmp_path / "metrics/evaluate.json"
    file.unlink()
    if content is not None:
        file.write_text(content)
    expected = "metrics/evaluate.json is not what dvc.lock says"
    assert snapshot.find_obstacle(snapshot.stages["evaluate"]) == expected


def test_a_missing_output_of_a_running_stage(tmp_path: Path) -> None:
    (write_project(tmp_path) / "metrics/evaluate.json").unlink()
    with pytest.raises(MovierecError, match=r"metrics/evaluate\.json is missing"):
        read_running("evaluate", tmp_path, "workspace")


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "is missing: run `dvc repro`"), ("[", "is damaged"), ("a: 1", "is damaged"), ("", "is damaged")],
)
def test_a_bad_lock(content: str | None, message: str, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "dvc.lock").write_text(content)
    with pytest.raises(MovierecError, match=message):
        read_snapshot(tmp_path)


def test_what_is_absent_has_no_hash(tmp_path: Path) -> None:
    assert hash_output(tmp_path / "absent") is None
