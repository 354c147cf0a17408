"""MLflow's side of tracking: a safe connection, and each record logged once; what there is to log, others know."""

import json
import math
import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from filelock import FileLock

from movierec.errors import MovierecError
from movierec.lockfile import hash_file, hash_listing
from movierec.paths import project_root, state_dir
from movierec.tracking.records import Record

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import DatasetInput, Metric, Run

EXPERIMENT: Final = "movierec"
KIND: Final = {"mlflow.experimentKind": "custom_model_development"}  # MLflow's page then opens on runs, not on chats
KEY: Final = "movierec.key"
SHOWN: Final = "movierec.figures"
EXPERIMENTS: Final = "dvc.exp"
LOCK_TIMEOUT_S = 60
DATABASE_TIMEOUT_S = 5
METRICS_A_CALL: Final = 900  # MLflow takes 1000 values, a hundred of them parameters
RUNS_A_PAGE: Final = 1000
QUIET_AND_QUICK: Final = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",  # s; by default 120,
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",  # and 7 retries, each after twice the pause
    "GIT_PYTHON_REFRESH": "quiet",
}


def tracking_database() -> Path:
    """Return where the default store lies, also from inside a queued experiment, whose checkout vanishes."""
    return project_root() / "mlflow.db"


def connect() -> "tuple[MlflowClient, str]":
    """Connect to ``MLFLOW_TRACKING_URI``, by default `tracking_database`; make the experiment `EXPERIMENT` if need be.

    Returns
    -------
    MlflowClient
        Of a store that answered just now.
    str
        The experiment's id.

    Raises
    ------
    Exception
        Of MLflow, SQLite or the file lock (after `LOCK_TIMEOUT_S`), if the store cannot be written.
    """
    for variable, default in QUIET_AND_QUICK.items():
        os.environ.setdefault(variable, default)
    from mlflow import MlflowClient  # noqa: PLC0415  # takes a second, and its settings come first

    uri = os.environ.get("MLFLOW_TRACKING_URI") or _own_uri()
    # Two processes that create the database at once break each other's migration.
    with _turn():
        _check_database(uri)
        client = MlflowClient(tracking_uri=uri, registry_uri=uri)
        experiment = client.get_experiment_by_name(EXPERIMENT)
        if experiment and uri == _own_uri():
            _check_artifacts(experiment.artifact_location)
        return client, experiment.experiment_id if experiment else _create_experiment(client, uri)


def _artifacts_uri() -> str:
    # By default a database's artifacts go to the working directory, which in a queued experiment vanishes.
    return (project_root() / "mlartifacts").as_uri()


def _check_artifacts(location: str) -> None:
    """Raise if our database came here from another folder, into which MLflow would go on writing."""
    if location != _artifacts_uri():
        raise MovierecError(
            f"mlflow.db keeps its files in {location.removeprefix('file://')}, since the project was moved or copied: "
            "delete mlflow.db and mlartifacts, then `movierec track sync`"
        )


def _create_experiment(client: "MlflowClient", uri: str) -> str:
    location = None if uri.startswith(("http:", "https:")) else _artifacts_uri()
    try:
        return str(client.create_experiment(EXPERIMENT, artifact_location=location, tags=KIND))
    except Exception:  # of MLflow, whatever the store: another machine may have been quicker
        experiment = client.get_experiment_by_name(EXPERIMENT)
        if not experiment:
            raise
        return str(experiment.experiment_id)


def _turn() -> FileLock:
    state_dir().mkdir(parents=True, exist_ok=True)
    return FileLock(state_dir() / "mlflow.lock", timeout=LOCK_TIMEOUT_S)


def _own_uri() -> str:
    path = str(tracking_database()).replace("%", "%25").replace("?", "%3F")  # a URI is unquoted and has a query
    return f"sqlite:///{path}"


def _check_database(uri: str) -> None:
    """Raise unless a SQLite store can be written now: MLflow would ask one that cannot be opened for 100 s."""
    from sqlalchemy.engine import make_url  # noqa: PLC0415  # MLflow needs it, too

    url = make_url(uri) if uri.startswith("sqlite:") else None
    if url and url.database:
        as_uri = url.database.startswith("file:")  # SQLite's own kind of address, with options such as mode=ro
        query = "&".join(f"{name}={value}" for name, value in url.query.items() if name != "uri")
        database = f"{url.database}?{query}" if as_uri else url.database
        if not as_uri:
            Path(database).parent.mkdir(parents=True, exist_ok=True)
        try:
            with closing(sqlite3.connect(database, DATABASE_TIMEOUT_S, uri=as_uri)) as connection:
                connection.execute("BEGIN IMMEDIATE")
                connection.execute("PRAGMA user_version = 0")  # a read-only one notices at a write; it is undone
        except sqlite3.Error as error:
            raise MovierecError(f"{database}: {error}") from error


@dataclass(frozen=True)
class Mirror:
    """The runs of the experiment, and how records become runs.

    A run is FINISHED only when all of it is logged; one that is not is the leftover of a process that died.
    """

    client: Any = field(repr=False)  # MlflowClient
    experiment_id: str

    def find_runs(self, key: str = "") -> "Iterator[Run]":
        """Yield the runs whose keys begin with `key`."""
        token, query = None, f"tags.`{KEY}` LIKE '{key}%'"
        while token is None or token:
            page = self.client.search_runs([self.experiment_id], query, max_results=RUNS_A_PAGE, page_token=token)
            yield from page
            token = page.token or ""

    def log_once(self, record: Record, experiments: str) -> bool:
        """Log a record with its children unless there is a finished run of it; tell whether there was none.

        Leftovers of the same record are deleted. Of several processes one logs it.
        """
        with _turn():
            leftovers = list(self.find_runs(record.key))
            if any(run.data.tags[KEY] == record.key and run.info.status == "FINISHED" for run in leftovers):
                return False
            for run in leftovers:
                self.client.delete_run(run.info.run_id)
            self._log(record, experiments, {})
            return True

    def _log(self, record: Record, experiments: str, nesting: dict[str, str]) -> None:
        tags = {KEY: record.key, "dvc.stage": record.stage, EXPERIMENTS: experiments, **record.tags, **nesting}
        if record.commit:
            tags["mlflow.source.git.commit"] = record.commit
        run_id = self.client.create_run(self.experiment_id, run_name=record.name, tags=tags).info.run_id
        self._log_values(run_id, record)
        self.client.log_inputs(run_id, [_describe_dataset(*record.dataset)])
        for path in record.artifacts:
            self.client.log_artifact(run_id, str(path), "plots")
        for child in record.children:
            self._log(child, experiments, {"mlflow.parentRunId": run_id})
        self.client.set_terminated(run_id, "FINISHED")

    def _log_values(self, run_id: str, record: Record) -> None:
        from mlflow.entities import Param  # noqa: PLC0415

        params = [Param(name, _write_param(value)) for name, value in record.params.items()]
        metrics = list(_list_metrics(record))
        for start in range(0, max(1, len(metrics)), METRICS_A_CALL):
            self.client.log_batch(run_id, metrics[start : start + METRICS_A_CALL], params if start == 0 else ())

    def show_figures(self, run: "Run", figures: Sequence[Path]) -> bool:
        """Attach figures to a run unless it has these very ones; tell whether it had not."""
        digest = hash_listing({str(path): hash_file(path) or "" for path in figures}) if figures else ""
        if not figures or run.data.tags.get(SHOWN) == digest:
            return False
        with _turn():  # two that set a new tag at once would both insert it
            if self.client.get_run(run.info.run_id).data.tags.get(SHOWN) == digest:
                return False
            for path in figures:
                self.client.log_artifact(run.info.run_id, str(path), "figures")
            self.client.set_tag(run.info.run_id, SHOWN, digest)
        return True

    def name_experiments(self, run: "Run", experiments: str) -> bool:
        """Say which DVC experiments contain a run's result; tell whether it said something else."""
        if run.data.tags.get(EXPERIMENTS, "") == experiments:
            return False
        self.client.set_tag(run.info.run_id, EXPERIMENTS, experiments)
        return True


def _list_metrics(record: Record) -> "Iterator[Metric]":
    from mlflow.entities import Metric  # noqa: PLC0415

    now = int(time.time() * 1000)
    steps = [(name, value, step) for name, curve in record.curves.items() for step, value in enumerate(curve, start=1)]
    for name, value, step in [*((name, value, 0) for name, value in record.metrics.items()), *steps]:
        with suppress(TypeError, ValueError):  # an unknown value, or the infinite error of what diverged
            if math.isfinite(number := float(value)):
                yield Metric(name.replace("@", "_at_"), number, now, step)


def _describe_dataset(name: str, digest: str) -> "DatasetInput":
    from mlflow.entities import Dataset, DatasetInput, InputTag  # noqa: PLC0415

    source = json.dumps({"path": "data/split", "md5": digest})
    dataset = Dataset(name[:500], digest, "local", source)  # MLflow's limit
    return DatasetInput(dataset, [InputTag("mlflow.data.context", "experiment")])


def _write_param(value: object) -> str:
    """Write a value as it may stand behind ``dvc exp run -S name=``, as far as MLflow takes it."""
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
    return text[:6000]  # MLflow's limit
