"""What MLflow holds of a project after `movierec track sync`."""

import sqlite3
from contextlib import closing
from typing import Any

from tests.pipeline.conftest import Project

ON = {"MOVIEREC_TRACKING": "on", "MLFLOW_TRACKING_URI": ""}
MOVIEREC = ("python", "-c", "from movierec.cli import main; main()")


def sync(project: Project, *, fails: bool = False) -> str:
    return project.run(*MOVIEREC, "track", "sync", fails=fails, variables=ON)


def dump(project: Project) -> list[str]:
    """Return the whole content of the database."""
    with closing(sqlite3.connect(project.folder / "mlflow.db")) as database:
        return list(database.iterdump())


def read_runs(project: Project) -> list[dict[str, Any]]:
    """Read the runs that are not deleted, each with its tags, parameters, metrics and inputs."""
    with closing(sqlite3.connect(project.folder / "mlflow.db")) as database:

        def pairs(table: str, run: str, columns: str = "key, value") -> dict[str, Any]:
            return dict(database.execute(f"select {columns} from {table} where run_uuid = ?", [run]).fetchall())  # noqa: S608

        found = "select run_uuid, name, status from runs where lifecycle_stage = 'active'"
        return [
            {"id": run, "name": name, "status": status, "tags": pairs("tags", run), "params": pairs("params", run)}
            | {"metrics": pairs("latest_metrics", run)}
            for run, name, status in database.execute(found).fetchall()
        ]


def parents(project: Project) -> list[dict[str, Any]]:
    return [run for run in read_runs(project) if "mlflow.parentRunId" not in run["tags"]]


def keys(project: Project) -> list[str]:
    return sorted(run["tags"]["movierec.key"] for run in read_runs(project))
