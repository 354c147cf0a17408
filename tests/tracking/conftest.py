"""A project with a database of its own, and records to log in it."""

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from unittest import mock

import pytest

ROOT = Path(__file__).parents[2]
HANG_S = 600  # an end for what hangs; that MLflow gives up early is told by what it says and how often it asks
LOCATIONS = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
)
OURS = ("MLFLOW_", "MOVIEREC_", "DVC_")
LOG_ONE_RUN = """
import sys
from movierec.tracking import stage
from movierec.tracking.mirror import Mirror, connect
from movierec.tracking.records import Record
from movierec.tracking import sync

def log(name, _measured):
    for key in (name, "shared"):
        record = Record(key, "train", key, ("data", "abc"), "", {"factors": 3}, {"ndcg@10": 0.25})
        Mirror(*connect()).log_once(record, "workspace")

sync.sync_stage = log
stage.run_stage(sys.argv[1], lambda: None)
print("finished", "mlflow" in sys.modules)
"""


def start_process(folder: Path, name: str = "train", **environment: str) -> subprocess.Popen[str]:
    """Start a process that logs one run of its own and one of all, with its default store in `folder`."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(OURS)}
    return subprocess.Popen(
        [sys.executable, "-c", LOG_ONE_RUN, name],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder.parent,
        env={**inherited, "PYTHONPATH": str(ROOT), "DVC_ROOT": str(folder), "no_proxy": "127.0.0.1", **environment},
    )


def finish(process: subprocess.Popen[str]) -> tuple[str, str]:
    """Return what a process wrote to stdout and stderr; it must have ended well."""
    try:
        output = process.communicate(timeout=HANG_S)
    finally:
        process.kill()
    assert process.returncode == 0, output
    return output


def relocate_store(database: Path, old: Path, new: Path) -> None:
    """Let a copied database keep its runs' files beside the copy."""
    with closing(sqlite3.connect(database)) as connection, connection:
        for table, column in LOCATIONS:
            query = f"update {table} set {column} = replace({column}, ?, ?)"  # noqa: S608
            connection.execute(query, [old.as_uri(), new.as_uri()])
        assert old.as_uri() not in "".join(connection.iterdump())


@pytest.fixture(scope="session")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[tuple[str, str]]]:
    """Return a project whose database eight processes made at once, and their outputs."""
    folder = tmp_path_factory.mktemp("fresh") / "own data [%20] *"
    folder.mkdir()
    processes = [start_process(folder, f"process {i}") for i in range(8)]
    return folder, [finish(process) for process in processes]


@pytest.fixture
def project(
    fresh: tuple[Path, list[tuple[str, str]]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """Return a project with a database of its own; the working directory is elsewhere."""
    with mock.patch.dict(os.environ):
        for variable in [key for key in os.environ if key.startswith(OURS)]:
            del os.environ[variable]
        folder, elsewhere = tmp_path / "project", tmp_path / "elsewhere"
        folder.mkdir()
        elsewhere.mkdir()
        shutil.copy(fresh[0] / "mlflow.db", folder)
        relocate_store(folder / "mlflow.db", fresh[0], folder)
        monkeypatch.chdir(elsewhere)
        os.environ |= {"DVC_ROOT": str(folder), "no_proxy": "127.0.0.1"}
        yield folder
