import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from filelock import FileLock

from movierec import tracking

# Of SQLAlchemy, about MLflow's own code; Python hides it outside of tests.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning")

ROOT = Path(__file__).parents[1]
HANG_S = 95  # left alone, MLflow asks a broken store for 104 s and a broken server for minutes
LOG_ONE_RUN = """
import sys
from movierec import tracking
tracking.log_run(sys.argv[1], {"factors": 3}, {"ndcg@10": 0.25})
print("finished", "mlflow" in sys.modules)
"""


def start_process(folder: Path, name: str = "train", **environment: str) -> subprocess.Popen[str]:
    """Start a process that logs one run, with its default store in `folder`, working elsewhere."""
    inherited = {
        key: value for key, value in os.environ.items() if not key.startswith(("MLFLOW_", "MOVIEREC_", "DVC_"))
    }
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


@pytest.fixture(scope="session")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[tuple[str, str]]]:
    """Return a project whose database three processes made at once, and their outputs."""
    folder = tmp_path_factory.mktemp("fresh") / "own data [%20] *"
    folder.mkdir()
    processes = [start_process(folder, f"process {i}") for i in range(3)]
    return folder, [finish(process) for process in processes]


@pytest.fixture
def project(
    fresh: tuple[Path, list[tuple[str, str]]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """Return a project with a database of its own; MLflow writes its address into the environment."""
    with mock.patch.dict(os.environ):
        for variable in [key for key in os.environ if key.startswith(("MLFLOW_", "MOVIEREC_", "DVC_"))]:
            del os.environ[variable]
        folder, elsewhere = tmp_path / "project", tmp_path / "elsewhere"
        folder.mkdir()
        elsewhere.mkdir()
        shutil.copy(fresh[0] / "mlflow.db", folder)
        monkeypatch.chdir(elsewhere)
        os.environ |= {"DVC_ROOT": str(folder), "no_proxy": "127.0.0.1"}
        yield folder


@pytest.fixture
def read_runs(project: Path) -> Callable[..., dict[str, Any]]:
    """Read the runs in a project's database by name, without those of `fresh`."""
    from mlflow import MlflowClient  # takes a second, and its settings come first  # noqa: PLC0415

    def read(uri: str = f"sqlite:///{project}/mlflow.db") -> dict[str, Any]:
        client = MlflowClient(tracking_uri=uri)
        experiment = client.get_experiment_by_name("movierec")
        assert experiment is not None
        runs = client.search_runs([experiment.experiment_id])
        return {run.info.run_name: run for run in runs if not run.info.run_name.startswith("process ")}

    return read


def read_steps(project: Path, run: Any, metric: str) -> list[tuple[int, float]]:
    from mlflow import MlflowClient  # noqa: PLC0415

    history = MlflowClient(tracking_uri=f"sqlite:///{project}/mlflow.db").get_metric_history(run.info.run_id, metric)
    return sorted((each.step, each.value) for each in history)


def test_processes_that_start_on_a_fresh_database_at_once_all_log(fresh: tuple[Path, list[tuple[str, str]]]) -> None:
    folder, outputs = fresh
    assert outputs == [("finished True\n", "")] * 3
    with closing(sqlite3.connect(folder / "mlflow.db")) as database:
        runs = database.execute("select name, status, value from runs join metrics using (run_uuid)").fetchall()
        experiments = database.execute("select name from experiments").fetchall()
    assert sorted(runs) == [(f"process {i}", "FINISHED", 0.25) for i in range(3)]
    assert sorted(experiments) == [("Default",), ("movierec",)]


def test_the_store_lies_in_the_project_wherever_a_stage_runs(
    fresh: tuple[Path, list[tuple[str, str]]], read_runs: Callable[..., dict[str, Any]], project: Path
) -> None:
    # As in a queued experiment: a checkout elsewhere, with DVC_ROOT naming the project.
    assert sorted(path.name for path in fresh[0].iterdir()) == [".movierec", "mlflow.db"]
    assert tracking.tracking_database() == project / "mlflow.db"
    tracking.log_run("train", {}, {})
    assert not list(Path.cwd().iterdir())
    artifacts = f"{fresh[0].as_uri()}/mlartifacts/"
    assert read_runs()["train"].info.artifact_uri.startswith(artifacts)


def test_a_run_is_readable(
    project: Path, read_runs: Callable[..., dict[str, Any]], capfd: pytest.CaptureFixture[str]
) -> None:
    os.environ["DVC_EXP_NAME"] = "moody-pulp"
    tracking.log_run(
        "train_svd",
        {"factors": 50, "learning_rate": 0.005, "engine": "fast"},
        {"rmse": 0.875, "epochs": 3},
        {"train_rmse": [1.0, 0.75, 0.5], "ndcg@10": [0.25, 0.5]},
    )
    assert capfd.readouterr() == ("", "")
    (run,) = read_runs().values()
    assert (run.info.run_name, run.info.status) == ("train_svd", "FINISHED")
    assert run.data.params == {"factors": "50", "learning_rate": "0.005", "engine": "fast"}
    assert run.data.metrics == {"rmse": 0.875, "epochs": 3.0, "train_rmse": 0.5, "ndcg_at_10": 0.5}
    assert (run.data.tags["dvc.stage"], run.data.tags["dvc.exp"]) == ("train_svd", "moody-pulp")
    assert read_steps(project, run, "train_rmse") == [(1, 1.0), (2, 0.75), (3, 0.5)]
    assert read_steps(project, run, "ndcg_at_10") == [(1, 0.25), (2, 0.5)]


def test_an_at_sign_is_spelt_out(read_runs: Callable[..., dict[str, Any]]) -> None:
    children = {"als": ({"factors": 50}, {"precision@5": 0.5})}
    tracking.log_run("evaluate", {}, {"ndcg@10": 0.25, "hit_rate@20": 1}, children=children)
    runs = read_runs()
    assert runs["evaluate"].data.metrics == {"ndcg_at_10": 0.25, "hit_rate_at_20": 1.0}
    assert runs["als"].data.metrics == {"precision_at_5": 0.5}


def test_children_are_nested(read_runs: Callable[..., dict[str, Any]]) -> None:
    trials = {"baseline": ({"factors": 50}, {"rmse": 0.875}), "wide": ({"factors": 100}, {"rmse": 0.75})}
    tracking.log_run("tune", {"factors": 100}, {"rmse": 0.75}, children=trials)
    tracking.log_run("later", {}, {})
    runs = read_runs()
    assert set(runs) == {"tune", "baseline", "wide", "later"}
    parents = {name: run.data.tags.get("mlflow.parentRunId") for name, run in runs.items()}
    tune = runs["tune"].info.run_id
    assert parents == {"tune": None, "baseline": tune, "wide": tune, "later": None}
    for name, (params, metrics) in trials.items():
        assert runs[name].data.params == {key: str(value) for key, value in params.items()}
        assert runs[name].data.metrics == metrics
        assert runs[name].info.status == "FINISHED"


def test_the_address_in_the_environment_is_used(project: Path, read_runs: Callable[..., dict[str, Any]]) -> None:
    shutil.move(project / "mlflow.db", project / "other.db")
    os.environ["MLFLOW_TRACKING_URI"] = f"sqlite:///{project}/other.db"
    tracking.log_run("train", {}, {"rmse": 0.5})
    assert set(read_runs(os.environ["MLFLOW_TRACKING_URI"])) == {"train"}
    assert not (project / "mlflow.db").exists()


@pytest.mark.parametrize("value", ["off", "OFF", "0", "false", "no"])
def test_tracking_can_be_switched_off(
    value: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MOVIEREC_TRACKING", value)
    assert not tracking.is_tracking()
    tracking.log_run("train", {}, {"rmse": float("nan"), "": "no number"})  # type: ignore[dict-item]
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("value", [None, "", "on", "1"])
def test_tracking_is_on_otherwise(value: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOVIEREC_TRACKING", value or "")
    if value is None:
        monkeypatch.delenv("MOVIEREC_TRACKING")
    assert tracking.is_tracking()


def test_switched_off_it_costs_nothing(tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    output = finish(start_process(tmp_path / "project", MOVIEREC_TRACKING="off"))
    assert output == ("finished False\n", "")  # not even the import
    assert not list((tmp_path / "project").iterdir())


def assert_one_warning(output: str, *words: str) -> None:
    assert output.startswith("warning: run not logged to MLflow: ")
    assert output.endswith("\n")
    assert output.count("\n") == 1
    for word in words:
        assert word in output


def test_a_broken_store_costs_one_line_and_no_stage(tmp_path: Path) -> None:
    """Each in a process of its own, with Python's and MLflow's own logging as a user sees them."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "corrupt.db").write_bytes(b"this is no database " * 1000)
    (folder / "folder.db").mkdir()
    (folder / "file").touch()
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound but not listening: refuses
        addresses = {
            f"sqlite:///{folder}/corrupt.db": ("corrupt.db", "file is not a database"),
            f"sqlite:///{folder}/folder.db": ("folder.db", "unable to open database file"),
            f"sqlite:///{folder}/file/mlflow.db": (str(folder / "file"),),
            f"http://127.0.0.1:{unused.getsockname()[1]}": ("127.0.0.1",),
        }
        processes = [start_process(folder, MLFLOW_TRACKING_URI=address) for address in addresses]
        outputs = [finish(process) for process in processes]
    for output, words in zip(outputs, addresses.values(), strict=True):
        assert output[0] == "finished True\n"
        assert_one_warning(output[1], *words)
    assert sorted(path.name for path in folder.iterdir()) == [".movierec", "corrupt.db", "file", "folder.db"]


@pytest.mark.parametrize("address", ["gopher://127.0.0.1", "sqlite:////proc/no/such/mlflow.db", "no address at all"])
def test_an_address_without_a_store(address: str, project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    os.environ["MLFLOW_TRACKING_URI"] = address
    tracking.log_run("train", {}, {})
    assert_one_warning(capfd.readouterr().err)
    assert sorted(path.name for path in project.iterdir()) == [".movierec", "mlflow.db"]


def test_a_project_that_cannot_hold_a_store(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (project / "file").touch()
    os.environ["DVC_ROOT"] = str(project / "file")
    tracking.log_run("train", {}, {})
    output = capfd.readouterr()
    assert output.out == ""
    assert_one_warning(output.err, "Not a directory")


def test_a_locked_database(
    project: Path,
    read_runs: Callable[..., dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(tracking, "DATABASE_TIMEOUT_S", 0.1)
    with closing(sqlite3.connect(project / "mlflow.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        tracking.log_run("train", {}, {})
        other.execute("ROLLBACK")
    assert_one_warning(capfd.readouterr().err, "mlflow.db: database is locked")
    tracking.log_run("again", {}, {})
    assert set(read_runs()) == {"again"}


def test_a_turn_that_never_comes(
    project: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tracking, "LOCK_TIMEOUT_S", 0.1)
    (project / ".movierec").mkdir()
    with FileLock(project / ".movierec" / "mlflow.lock"):
        tracking.log_run("train", {}, {})
    assert_one_warning(capfd.readouterr().err, "mlflow.lock")


@pytest.fixture
def rude_server() -> Iterator[tuple[str, list[int]]]:
    """Return the address of a server that hangs up at once, and a list that grows with each connection."""
    connections: list[int] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hang_up() -> None:
            while True:
                connection, (_, port) = server.accept()
                connection.close()
                if port == stopping[0]:
                    return
                connections.append(port)

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
    retries: str | None,
    expected: int,
    project: Path,
    rude_server: tuple[str, list[int]],
    capfd: pytest.CaptureFixture[str],
) -> None:
    os.environ["MLFLOW_TRACKING_URI"], connections = rude_server
    if retries is not None:
        os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = retries
    tracking.log_run("train", {}, {})
    assert_one_warning(capfd.readouterr().err, "127.0.0.1")
    assert len(connections) == expected
    assert not (project / "mlruns").exists()


def test_a_server_that_never_answers(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert int(tracking.QUIET_AND_QUICK["MLFLOW_HTTP_REQUEST_TIMEOUT"]) <= 10
    with socket.create_server(("127.0.0.1", 0)) as server:
        os.environ["MLFLOW_TRACKING_URI"] = f"http://127.0.0.1:{server.getsockname()[1]}"
        os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] = "1"
        os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = "0"
        tracking.log_run("train", {}, {})
    assert_one_warning(capfd.readouterr().err, "127.0.0.1")
    assert (project / "mlflow.db").exists()


BAD_RUNS: dict[str, Callable[[], None]] = {
    "bad param": lambda: tracking.log_run("bad", {"factors!": 50}, {"rmse": 1.0}),
    "no number": lambda: tracking.log_run("bad", {}, {"rmse": None}),  # type: ignore[dict-item]
    "bad name": lambda: tracking.log_run("bad", {}, {"rmse (stars)!": 1.0}),
    "in a child": lambda: tracking.log_run("bad", {}, {}, children={"trial": ({}, {"": 1.0})}),
}


@pytest.mark.parametrize("bad", BAD_RUNS)
def test_a_run_that_cannot_be_logged_does_not_spoil_the_next(
    bad: str, read_runs: Callable[..., dict[str, Any]], capfd: pytest.CaptureFixture[str]
) -> None:
    BAD_RUNS[bad]()
    assert_one_warning(capfd.readouterr().err)
    tracking.log_run("good", {}, {"rmse": 0.5})
    assert capfd.readouterr().err == ""
    runs = read_runs()
    assert runs["bad"].info.status == "FAILED"
    assert runs["good"].info.status == "FINISHED"
    assert "mlflow.parentRunId" not in runs["good"].data.tags
