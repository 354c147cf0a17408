"""Logging DVC's results in MLflow: one stage's after it ran, or all that are missing."""

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from movierec import io
from movierec.errors import MovierecError
from movierec.lockfile import Stage
from movierec.paths import state_dir
from movierec.tracking.git import read_commit
from movierec.tracking.mirror import KEY, Mirror, connect
from movierec.tracking.records import Record, build_records
from movierec.tracking.snapshots import (
    TRACKED,
    WORKSPACE,
    Snapshot,
    read_committed,
    read_running,
    read_snapshot,
)


@dataclass
class SyncReport:
    """What a synchronisation did.

    Attributes
    ----------
    new, known, updated : int
        Results that were logged, that had been before, and runs, also of past results, whose tags or figures changed.
    models : int
        Versions that were registered.
    skipped : list of str
        What could not be logged, and why.
    """

    new: int = 0
    known: int = 0
    updated: int = 0
    models: int = 0
    skipped: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        """Return the counts in one line."""
        counts = f"{self.new} new, {self.known} known, {self.updated} updated"
        return f"{self.new + self.known} results: {counts}; {self.models} new model versions"


def sync_stage(name: str, measured: Mapping[str, Any]) -> None:
    """Log the result of the stage that has just written its outputs in the working directory.

    Its seconds and megabytes are stored first, so that a later `sync_all` has them if MLflow cannot be reached now.

    Parameters
    ----------
    name : str
        One of `snapshots.TRACKED`.
    measured : mapping
        As `records.build_records` takes it.

    Raises
    ------
    Exception
        Of any kind, if the result cannot be read or MLflow cannot be reached.
    """
    snapshot = read_running(name, Path(), os.environ.get("DVC_EXP_NAME") or WORKSPACE)
    stage = snapshot.stages[name]
    io.write_json(measured, _measured_path(stage.key))
    records = build_records(snapshot, stage, io.read_json(_measured_path(stage.key)))  # the digits that sync knows
    mirror = Mirror(*connect())
    for record in records:
        mirror.log_once(replace(record, figures=()), snapshot.name)


def sync_all() -> SyncReport:
    """Bring MLflow to what dvc.lock, as it is and as committed, and the DVC experiments say; twice changes nothing.

    Returns
    -------
    SyncReport
        What was done.

    Raises
    ------
    MovierecError
        If there is no dvc.lock, or the store cannot be read or written.
    """
    outcome = SyncReport()
    folder = Path()
    with TemporaryDirectory(prefix="movierec-sync-") as scratch:
        snapshots = [read_snapshot(folder, WORKSPACE, read_commit(folder))]
        if snapshots[0].commit:
            snapshots += read_committed(folder, Path(scratch))
        wanted = list(_list_wanted(snapshots, outcome))
        try:
            mirror = Mirror(*connect())
            _apply(mirror, wanted, _list_names(snapshots), outcome)
            _register(mirror, snapshots[0], outcome)
        except Exception as error:  # of MLflow, whatever the store
            raise MovierecError(f"MLflow cannot be synchronised: {' '.join(str(error).split())[:200]}") from error
    return outcome


def _list_names(snapshots: list[Snapshot]) -> dict[str, str]:
    """Name the experiments that contain each result, by the result's key."""
    names: dict[str, set[str]] = {}
    for snapshot in snapshots:
        for stage in _tracked(snapshot):
            names.setdefault(stage.key, set()).add(snapshot.name)
    return {key: ",".join(sorted(each)) for key, each in names.items()}


def _tracked(snapshot: Snapshot) -> list[Stage]:
    return [snapshot.stages[name] for name in TRACKED if name in snapshot.stages]


def _list_wanted(snapshots: list[Snapshot], outcome: SyncReport) -> list[Record]:
    """Build the records of each result from the first snapshot whose files can tell it."""
    found: dict[str, list[Record]] = {}
    obstacles: dict[str, str] = {}
    for snapshot in snapshots:
        for stage in _tracked(snapshot):
            if stage.key not in found:
                try:
                    found[stage.key] = _build(snapshot, stage)
                except (MovierecError, OSError, LookupError, ValueError) as error:
                    obstacles.setdefault(stage.key, f"{stage.name} of {snapshot.name} skipped: {error}")
    outcome.skipped += [reason for key, reason in obstacles.items() if key not in found]
    return [record for records in found.values() for record in records]


def _build(snapshot: Snapshot, stage: Stage) -> list[Record]:
    if obstacle := snapshot.find_obstacle(stage):
        raise MovierecError(obstacle)
    measured: dict[str, Any] = {}
    with suppress(MovierecError):  # the run was not measured
        measured = io.read_json(_measured_path(stage.key))
    return build_records(snapshot, stage, measured)


def _apply(mirror: Mirror, wanted: list[Record], names: Mapping[str, str], outcome: SyncReport) -> None:
    logged = {run.data.tags[KEY] for run in mirror.find_runs() if run.info.status == "FINISHED"}
    missing = [record for record in wanted if record.key not in logged]
    fresh = {record.key for record in missing if mirror.log_once(record, names[_root(record.key)])}
    runs = {run.data.tags[KEY]: run for run in mirror.find_runs()}
    moved = {key for key, run in runs.items() if mirror.name_experiments(run, names.get(_root(key), ""))}
    drawn = {record.key for record in wanted if mirror.show_figures(runs[record.key], record.figures)}
    nested = {key for key, run in runs.items() if "mlflow.parentRunId" in run.data.tags}
    outcome.new, outcome.known = len(fresh), len(wanted) - len(fresh)
    outcome.updated = len((moved | drawn) - fresh - nested)


def _register(mirror: Mirror, workspace: Snapshot, outcome: SyncReport) -> None:
    """Register the workspace's evaluated models, each as the outcome of the run that tells how it did."""
    if "evaluate" not in workspace.stages:
        return
    from movierec.tracking.registry import register_models  # noqa: PLC0415  # which a stage need not wait for

    key = workspace.stages["evaluate"].key
    run_ids = {run.data.tags[KEY].removeprefix(f"{key}/"): run.info.run_id for run in mirror.find_runs(f"{key}/")}
    try:
        found = register_models(mirror.client, mirror.experiment_id, workspace.folder, run_ids)
    except MovierecError as error:
        outcome.skipped.append(f"no model registered: {error}")
        return
    outcome.models = len(found.new)
    outcome.skipped += found.skipped


def _root(key: str) -> str:
    return key.split("/", 1)[0]


def _measured_path(key: str) -> Path:
    return state_dir() / "measured" / f"{key}.json"
