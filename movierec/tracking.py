"""Logging runs to MLflow: a record beside the pipeline that may fail without failing a stage."""

import os
import sqlite3
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from filelock import FileLock

from movierec.errors import MovierecError
from movierec.paths import project_root, state_dir

EXPERIMENT = "movierec"
LOCK_TIMEOUT_S = 60
DATABASE_TIMEOUT_S = 5
QUIET_AND_QUICK = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",  # s; by default 120,
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",  # and 7 retries, each after twice the pause
    "GIT_PYTHON_REFRESH": "quiet",
}


def is_tracking() -> bool:
    """Tell whether runs are logged: unless the environment says ``MOVIEREC_TRACKING=off``."""
    return os.environ.get("MOVIEREC_TRACKING", "on").lower() not in {"off", "0", "false", "no"}


def log_run(
    stage: str,
    params: Mapping[str, Any],
    metrics: Mapping[str, float],
    curves: Mapping[str, Sequence[float]] | None = None,
    children: Mapping[str, tuple[Mapping[str, Any], Mapping[str, float]]] | None = None,
) -> None:
    """Log one run in the experiment `EXPERIMENT`; on any failure print one warning and go on.

    The store is ``MLFLOW_TRACKING_URI``, or ``mlflow.db`` in the root of the repository (also from a queued
    DVC experiment, whose temporary checkout vanishes).

    Parameters
    ----------
    stage : str
        The run's name.
    params : mapping
        What was set.
    metrics : mapping of str to float
        What came out; the keys must be MLflow's (letters, digits, ``_-. /``), so ``@`` becomes ``_at_``.
    curves : mapping of str to sequence of float, optional
        Values by step, the first being step 1.
    children : mapping of str to (params, metrics), optional
        Nested runs, such as the trials of a search.
    """
    if not is_tracking():
        return
    try:
        _log(stage, params, metrics, curves or {}, children or {})
    except Exception as error:  # noqa: BLE001  # a stage must not fail for its diary
        print(f"warning: run not logged to MLflow: {' '.join(str(error).split())[:200]}", file=sys.stderr)


def _log(
    stage: str,
    params: Mapping[str, Any],
    metrics: Mapping[str, float],
    curves: Mapping[str, Sequence[float]],
    children: Mapping[str, tuple[Mapping[str, Any], Mapping[str, float]]],
) -> None:
    for variable, default in QUIET_AND_QUICK.items():
        os.environ.setdefault(variable, default)
    import mlflow  # noqa: PLC0415  # takes a second

    own = _own_uri()
    uri = os.environ.get("MLFLOW_TRACKING_URI") or own
    mlflow.set_tracking_uri(uri)
    state_dir().mkdir(parents=True, exist_ok=True)
    # Two processes that create the database at once break each other's migration.
    with FileLock(state_dir() / "mlflow.lock", timeout=LOCK_TIMEOUT_S):
        _check_database(uri)
        if uri == own and not mlflow.get_experiment_by_name(EXPERIMENT):
            # By default artifacts go to the working directory, which in a queued experiment vanishes.
            mlflow.create_experiment(EXPERIMENT, artifact_location=(project_root() / "mlartifacts").as_uri())
        mlflow.set_experiment(EXPERIMENT)
    with mlflow.start_run(run_name=stage, tags={"dvc.stage": stage, "dvc.exp": os.environ.get("DVC_EXP_NAME", "")}):
        mlflow.log_params(dict(params))
        mlflow.log_metrics(_mlflow_names(metrics))
        for name, values in curves.items():
            for step, value in enumerate(values, start=1):
                mlflow.log_metrics(_mlflow_names({name: value}), step=step)
        for name, (child_params, child_metrics) in children.items():
            with mlflow.start_run(run_name=name, nested=True):
                mlflow.log_params(dict(child_params))
                mlflow.log_metrics(_mlflow_names(child_metrics))


def _own_uri() -> str:
    path = str(tracking_database()).replace("%", "%25").replace("?", "%3F")  # a URI is unquoted and has a query
    return f"sqlite:///{path}"


def _check_database(uri: str) -> None:
    """Raise unless a SQLite store can be written now: MLflow would ask one that cannot be opened for 100 s."""
    from sqlalchemy.engine import make_url  # noqa: PLC0415  # MLflow needs it, too

    database = make_url(uri).database if uri.startswith("sqlite:") else None
    if database:
        Path(database).parent.mkdir(parents=True, exist_ok=True)
        try:
            with closing(sqlite3.connect(database, DATABASE_TIMEOUT_S)) as connection:
                connection.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            raise MovierecError(f"{database}: {error}") from error


def _mlflow_names(metrics: Mapping[str, float]) -> dict[str, float]:
    return {name.replace("@", "_at_"): float(value) for name, value in metrics.items()}


def tracking_database() -> Path:
    """Return where the default store lies."""
    return project_root() / "mlflow.db"
