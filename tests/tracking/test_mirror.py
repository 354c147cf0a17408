import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock, Timeout

from movierec.errors import MovierecError
from movierec.tracking import mirror
from movierec.tracking.mirror import KEY, Mirror, connect
from movierec.tracking.records import Record
from tests.tracking.conftest import ROOT, finish, start_process

CHILD = Record("k/svd", "tune", "svd", ("data", "abc"), "", {"factors": 3}, {"rmse": 1}, {"rmse_by_epoch": [2.0, 1.0]})
RECORD = Record(
    "k", "tune", "tune svd", ("synthetic/tiny", "abc"), "1" * 40,
    params={"factors": 50, "learning_rate": 1e-05, "engine": "fast", "threshold": None},
    metrics={"ndcg@10": 0.25, "unknown": None, "infinite": float("inf"), "word": "no"},  # type: ignore[dict-item]
    tags={"verdict.decision": "ship"},
    children=[CHILD],
)  # fmt: skip


def runs_of(store: Mirror, key: str) -> list[Any]:
    return sorted(store.find_runs(key), key=lambda run: str(run.data.tags[KEY]))


def test_eight_processes_on_a_fresh_database_all_log_and_what_they_share_once(
    fresh: tuple[Path, list[tuple[str, str]]],
) -> None:
    folder, outputs = fresh
    assert outputs == [("finished True\n", "")] * 8
    with closing(sqlite3.connect(folder / "mlflow.db")) as database:
        runs = database.execute("select name, status, value from runs join metrics using (run_uuid)").fetchall()
        experiments = database.execute("select name from experiments").fetchall()
    assert sorted(runs) == [(name, "FINISHED", 0.25) for name in [*(f"process {i}" for i in range(8)), "shared"]]
    assert sorted(experiments) == [("Default",), ("movierec",)]
    assert {path.name for path in folder.iterdir()} - {"mlartifacts"} == {".movierec", "mlflow.db"}  # of other tests


def test_a_record_becomes_a_run_with_nested_ones(project: Path) -> None:
    store = Mirror(*connect())
    assert store.log_once(RECORD, "moody-pulp,workspace")
    assert not store.log_once(RECORD, "another")
    parent, child = runs_of(store, "k")
    assert (parent.info.run_name, parent.info.status, child.info.status) == ("tune svd", "FINISHED", "FINISHED")
    expected = {"factors": "50", "learning_rate": "1e-05", "engine": "fast", "threshold": "null"}
    assert (parent.data.params, parent.data.metrics) == (expected, {"ndcg_at_10": 0.25})
    assert parent.data.tags["mlflow.source.git.commit"] == "1" * 40
    assert parent.data.tags["dvc.exp"] == child.data.tags["dvc.exp"] == "moody-pulp,workspace"
    assert parent.data.tags["verdict.decision"] == "ship"
    assert child.data.tags["mlflow.parentRunId"] == parent.info.run_id
    assert "mlflow.user" not in parent.data.tags
    history = store.client.get_metric_history(child.info.run_id, "rmse_by_epoch")
    assert [(each.step, each.value) for each in history] == [(1, 2.0), (2, 1.0)]
    (data,) = parent.inputs.dataset_inputs
    assert (data.dataset.name, data.dataset.digest) == ("synthetic/tiny", "abc")
    assert mirror.tracking_database() == project / "mlflow.db"
    assert not list(Path.cwd().iterdir())


def test_more_metrics_than_mlflow_takes_at_once(project: Path) -> None:
    del project
    store = Mirror(*connect())
    store.log_once(replace(CHILD, key="long", curves={"loss": [float(i) for i in range(2500)]}), "")
    (run,) = runs_of(store, "long")
    assert len(store.client.get_metric_history(run.info.run_id, "loss")) == 2500


def test_files_are_kept_and_figures_once(project: Path, tmp_path: Path) -> None:
    del project
    table, figure = tmp_path / "table.csv", tmp_path / "curve.png"
    table.write_text("a\n")
    figure.write_bytes(b"one")
    store = Mirror(*connect())
    store.log_once(replace(CHILD, key="files", artifacts=[table]), "")
    for content, changed in ((b"one", True), (b"one", False), (b"two", True)):
        figure.write_bytes(content)
        assert store.show_figures(runs_of(store, "files")[0], [figure]) == changed
    run_id = runs_of(store, "files")[0].info.run_id
    listed = [file.path for kind in ("plots", "figures") for file in store.client.list_artifacts(run_id, kind)]
    assert listed == ["plots/table.csv", "figures/curve.png"]


KILLED = """
import os, signal
from movierec.tracking import mirror
from movierec.tracking.mirror import Mirror, connect
from tests.tracking.test_mirror import RECORD
store = Mirror(*connect())
original = Mirror._log_values
def die(self, run_id, record):
    original(self, run_id, record)
    if record.key == "k/svd":
        os.kill(os.getpid(), signal.SIGKILL)
Mirror._log_values = die
store.log_once(RECORD, "workspace")
"""


def test_a_run_whose_process_was_killed_is_logged_again(project: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    killed = subprocess.run([sys.executable, "-c", KILLED], env=environment, check=False, capture_output=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    store = Mirror(*connect())
    assert {run.info.status for run in runs_of(store, "k")} == {"RUNNING"}
    assert store.log_once(RECORD, "workspace")
    assert [run.info.status for run in runs_of(store, "k")] == ["FINISHED", "FINISHED"]
    assert (project / ".movierec/mlflow.lock").exists()


def test_the_address_in_the_environment_is_used(project: Path) -> None:
    (project / "mlflow.db").rename(project / "other.db")
    os.environ["MLFLOW_TRACKING_URI"] = f"sqlite:///{project}/other.db"
    assert Mirror(*connect()).log_once(RECORD, "")
    assert not (project / "mlflow.db").exists()


def assert_one_warning(output: str, *words: str) -> None:
    assert output.startswith("warning: train not logged to MLflow: ")
    assert output.endswith("\n")
    assert output.count("\n") == 1
    for word in words:
        assert word in output


def test_a_broken_store_costs_one_line_and_no_stage(tmp_path: Path) -> None:
    """Each in a process of its own, with Python's and MLflow's own logging as a user sees them."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "corrupt.db").write_bytes(b"this is no database " * 1000)
    (folder / "file").touch()
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound but not listening: refuses
        addresses = {
            f"sqlite:///{folder}/corrupt.db": ("corrupt.db", "file is not a database"),
            f"sqlite:///file:{folder}/absent.db?mode=ro&uri=true": ("absent.db", "unable to open database file"),
            f"sqlite:///{folder}/file/mlflow.db": (str(folder / "file"),),
            f"http://127.0.0.1:{unused.getsockname()[1]}": ("127.0.0.1",),
            "gopher://127.0.0.1": (),
        }
        processes = [start_process(folder, MLFLOW_TRACKING_URI=address) for address in addresses]
        outputs = [finish(process) for process in processes]
    for output, words in zip(outputs, addresses.values(), strict=True):
        assert output[0] == "finished True\n"
        assert_one_warning(output[1], *words)
    assert sorted(path.name for path in folder.iterdir()) == [".movierec", "corrupt.db", "file"]


def test_a_read_only_database(project: Path) -> None:
    os.environ["MLFLOW_TRACKING_URI"] = f"sqlite:///file:{project}/mlflow.db?mode=ro&uri=true"
    with pytest.raises(MovierecError, match="attempt to write a readonly database"):
        connect()


def test_a_locked_database(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mirror, "DATABASE_TIMEOUT_S", 0.1)
    with closing(sqlite3.connect(project / "mlflow.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(MovierecError, match=r"mlflow\.db: database is locked"):
            connect()


def test_a_turn_that_never_comes(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mirror, "LOCK_TIMEOUT_S", 0.1)
    (project / ".movierec").mkdir()
    with FileLock(project / ".movierec" / "mlflow.lock"), pytest.raises(Timeout, match=r"mlflow\.lock"):
        connect()


@pytest.fixture
def rude_server() -> Iterator[tuple[str, list[int]]]:
    """Return the address of a server that hangs up at once, and a list that grows with each connection."""
    connections: list[int] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hang_up() -> None:
            while True:
                connection, (_, port) = server.accept()
                with connection:
                    if port == stopping[0]:
                        return
                    connections.append(port)  # before the client can notice

        stopping = [0]
        thread = threading.Thread(target=hang_up)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}", connections
        with socket.socket() as last:
            last.bind(("127.0.0.1", 0))
            stopping[0] = last.getsockname()[1]
            last.connect(server.getsockname())
            thread.join()


@pytest.mark.parametrize(("retries", "expected"), [(None, 2), ("0", 1)], ids=["by default", "as set by the user"])
def test_a_server_that_fails_is_not_asked_for_minutes(
    retries: str | None, expected: int, project: Path, rude_server: tuple[str, list[int]]
) -> None:
    os.environ["MLFLOW_TRACKING_URI"], connections = rude_server
    if retries is not None:
        os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = retries
    with pytest.raises(Exception, match=r"127\.0\.0\.1"):
        connect()
    assert len(connections) == expected
    assert not (project / "mlruns").exists()


def test_a_server_that_never_answers(project: Path) -> None:
    assert int(mirror.QUIET_AND_QUICK["MLFLOW_HTTP_REQUEST_TIMEOUT"]) <= 10
    with socket.create_server(("127.0.0.1", 0)) as server:
        os.environ["MLFLOW_TRACKING_URI"] = f"http://127.0.0.1:{server.getsockname()[1]}"
        os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] = "1"
        os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = "0"
        with pytest.raises(Exception, match=r"127\.0\.0\.1"):
            connect()
    assert (project / "mlflow.db").exists()
