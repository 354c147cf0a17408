"""MLflow after interruptions, races, edits and moves: nothing is lost, logged twice or a crash."""

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from tests.pipeline.conftest import Project, project_environment
from tests.pipeline.tracking.runs import MOVIEREC, ON, keys, read_runs, sync


def test_a_half_logged_run_is_logged_again(copy: Project) -> None:
    with closing(sqlite3.connect(copy.folder / "mlflow.db")) as database, database:
        database.execute("update runs set status = 'RUNNING', end_time = null where name = 'evaluate'")
        database.execute("delete from latest_metrics where run_uuid in (select run_uuid from runs where name = 'bias')")
    before = keys(copy)
    assert sync(copy).startswith("10 results: 1 new, 9 known")
    assert keys(copy) == before
    assert {run["status"] for run in read_runs(copy)} == {"FINISHED"}
    (bias,) = (run for run in read_runs(copy) if run["name"] == "bias")
    assert bias["metrics"]["rmse"] > 0


def test_two_synchronisations_at_once_log_each_result_once(built: Project, synced: Project, tmp_path: Path) -> None:
    subprocess.run(["cp", "-a", built.folder, tmp_path / "project"], check=True)
    project = Project(tmp_path / "project")
    environment = {**project_environment(project.folder), **ON}
    command = [sys.executable, *MOVIEREC[1:], "track", "sync"]
    both = [subprocess.Popen(command, cwd=project.folder, env=environment) for _ in range(2)]
    assert [process.wait(timeout=300) for process in both] == [0, 0]
    assert keys(project) == keys(synced)


def test_an_edited_file_is_skipped_and_named(copy: Project) -> None:
    (copy.folder / "mlflow.db").unlink()
    (copy.folder / "metrics/details/abtest.json").write_text("{}")
    output = sync(copy)
    assert "abtest of workspace skipped: metrics/details/abtest.json is not what dvc.lock says\n" in output
    assert "9 results: 9 new" in output


def test_a_store_that_cannot_be_written_costs_one_line(copy: Project) -> None:
    (copy.folder / "corrupt.db").write_bytes(b"this is no database " * 1000)
    stores = {
        "sqlite:///corrupt.db": "file is not a database",
        f"sqlite:///file:{copy.folder}/mlflow.db?mode=ro&uri=true": "attempt to write a readonly database",
    }
    for store, words in stores.items():
        output = copy.run(*MOVIEREC, "track", "sync", fails=True, variables={**ON, "MLFLOW_TRACKING_URI": store})
        assert output.startswith("error: MLflow cannot be synchronised: ")
        assert words in output
        assert output.count("\n") == 1
        stage = copy.run("python", "-m", "stages.abtest", variables={**ON, "MLFLOW_TRACKING_URI": store})
        assert stage.count("warning: abtest not logged to MLflow: ") == 1
        assert stage.splitlines()[-1].endswith(words)
    assert copy.run("git", "status", "--porcelain", "metrics", "plots") == ""


def test_a_moved_project_leaves_the_old_folder_alone(synced: Project, tmp_path: Path) -> None:
    project = Project(tmp_path / "moved")
    subprocess.run(["cp", "-a", synced.folder, project.folder], check=True)
    before = sorted(synced.folder.joinpath("mlartifacts").rglob("*"))
    output = sync(project, fails=True)
    assert output.count("\n") == 1
    assert output.endswith("delete mlflow.db and mlartifacts, then `movierec track sync`\n")
    assert "not logged to MLflow: mlflow.db keeps its files in " in project.run(
        "python", "-m", "stages.abtest", variables=ON
    )
    (project.folder / "mlflow.db").unlink()
    shutil.rmtree(project.folder / "mlartifacts")
    assert sync(project).startswith("10 results: 10 new")
    assert sorted(synced.folder.joinpath("mlartifacts").rglob("*")) == before


def test_without_tracking_nothing_is_synchronised(project: Project) -> None:
    assert project.run(*MOVIEREC, "track", "sync") == "tracking is off (MOVIEREC_TRACKING): nothing is logged\n"
    assert not (project.folder / "mlflow.db").exists()
