"""Running a tracked stage: its costs are measured, and then `movierec.tracking.sync` logs its result in MLflow."""

import gc
import importlib
import os
import resource
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from time import perf_counter
from typing import Any

from movierec.errors import run_command

KIB = 1024
_noted: dict[str, Any] = {}  # of this process, which runs one stage


def is_tracking() -> bool:
    """Tell whether runs are logged: unless the environment says ``MOVIEREC_TRACKING=off`` or the like."""
    return os.environ.get("MOVIEREC_TRACKING", "on").lower() not in {"off", "0", "false", "no"}


@contextmanager
def timed(name: str) -> Iterator[None]:
    """Note how long a block takes, in s, as the metric `name` of this stage's run."""
    started = perf_counter()
    yield
    _noted[name] = perf_counter() - started


def note_trial(model: str, configuration: str, training_time_s: float | None) -> None:
    """Note how long the fit of one trial took, in s; None if it is not known any more."""
    if training_time_s is not None:
        _noted.setdefault("trials", {})[f"{model}/{configuration}"] = {"training_time_s": training_time_s}


def run_stage(name: str, main: Callable[[], None]) -> None:
    """Run a stage as `run_command` does, then mirror its result in MLflow; on any failure of that, warn and go on.

    Noted are the wall time of `main` (``stage_time_s``, s) and the process's peak resident memory
    (``peak_memory_mb``, 10^6 bytes). Without tracking nothing is written and MLflow is not imported.

    Parameters
    ----------
    name : str
        Of the stage in dvc.yaml.
    main : callable
        Called without arguments; writes all outputs.

    Raises
    ------
    SystemExit
        As `run_command` does.
    """
    with timed("stage_time_s"):
        run_command(main)
    if is_tracking():
        _noted["peak_memory_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KIB / 1e6
        run_command(partial(_mirror, name))  # for Ctrl-C


def _mirror(name: str) -> None:
    gc.disable()  # the process ends soon, and collecting takes a third of the time in which MLflow is imported
    try:
        # By name: what MLflow is told changes no output, so it is a dependency of no stage.
        importlib.import_module("movierec.tracking.sync").sync_stage(name, dict(_noted))
    except Exception as error:  # noqa: BLE001  # a stage must not fail because its result cannot be logged
        print(f"warning: {name} not logged to MLflow: {' '.join(str(error).split())[:200]}", file=sys.stderr)
