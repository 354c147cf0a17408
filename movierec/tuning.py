"""Trying out hyperparameters: each trial scored on the whole validation part, and never run twice.

Finished trials are remembered by content: the training and validation data, the configuration, the seed and
the code that trains. The memory lies in a git-ignored folder and changes no result, only the time to it.
"""

import hashlib
import importlib
import inspect
import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Event

import numpy as np
import pandas as pd

from movierec.columns import MOVIE_ID, RATING, RATING_COLUMNS, USER_ID
from movierec.errors import MovierecError
from movierec.io import replace_atomically
from movierec.metrics.rating import mae, rmse
from movierec.models.svd import SVD, EpochResult
from movierec.params import SvdConfiguration

TRAINING_CODE = (
    "movierec.ids",
    "movierec.metrics.rating",
    "movierec.models.base",
    "movierec.models.sgd",
    "movierec.models.svd",
    "movierec.tuning",
)


@dataclass(frozen=True)
class Trial:
    """A configuration and its result on the validation part, in stars; the curve is RMSE by epoch."""

    configuration: str
    settings: dict[str, float]
    validation_rmse: float
    validation_mae: float
    curve: list[float]
    remembered: bool = False


class TrialMemory:
    """Results of finished trials on disk, one file each, named by the hash of what they depend on.

    Parameters
    ----------
    folder : Path
        Made when the first trial is stored.
    train, validation : DataFrame
        The data of all trials.
    seed : int
        The seed of all trials.
    """

    def __init__(self, folder: Path, train: pd.DataFrame, validation: pd.DataFrame, seed: int) -> None:
        self.folder = folder
        # The lengths keep a row from moving between the parts unnoticed.
        digest = hashlib.sha256(f"{seed} {len(train)} {len(validation)} ".encode())
        for table in (train, validation):
            for column in RATING_COLUMNS[:3]:
                digest.update(np.ascontiguousarray(table[column].to_numpy()).data)
        for module in TRAINING_CODE:
            digest.update(inspect.getsource(importlib.import_module(module)).encode())
        self._common = digest.hexdigest()

    def recall(self, settings: Mapping[str, float]) -> tuple[float, float, list[float]] | None:
        """Return RMSE, MAE and curve of the trial with these settings, or None if it is not finished.

        A damaged file counts as none.
        """
        try:
            stored = json.loads(self._path(settings).read_text(encoding="utf-8"))
            return float(stored["rmse"]), float(stored["mae"]), [float(value) for value in stored["curve"]]
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def remember(self, settings: Mapping[str, float], rmse: float, mae: float, curve: list[float]) -> None:
        """Store a finished trial; two processes may store the same one."""
        with replace_atomically(self._path(settings)) as temporary:
            temporary.write_text(json.dumps({"rmse": rmse, "mae": mae, "curve": curve}), encoding="utf-8")

    def _path(self, settings: Mapping[str, float]) -> Path:
        name = hashlib.sha256((self._common + json.dumps(settings, sort_keys=True)).encode()).hexdigest()
        return self.folder / f"{name}.json"


def run_trials(
    configurations: Mapping[str, SvdConfiguration],
    train: pd.DataFrame,
    validation: pd.DataFrame,
    memory: TrialMemory,
    seed: int,
    workers: int,
) -> Iterator[Trial]:
    """Run the trials that are not remembered, several at a time, and yield each as it is done.

    Parameters
    ----------
    configurations : mapping of str to SvdConfiguration
        By name.
    train, validation : DataFrame
        What to fit on and what to score on, completely.
    memory : TrialMemory
        Asked first, told afterwards.
    seed : int
        Of every fit.
    workers : int
        Threads, at least 1; the compiled loop releases the interpreter. No result depends on it.

    Yields
    ------
    Trial
        In order of completion; names with equal settings share one fit.

    Raises
    ------
    MovierecError
        If a configuration diverges; the trials finished by then are remembered.
    """
    names: dict[SvdConfiguration, list[str]] = {}
    for name, configuration in configurations.items():
        names.setdefault(configuration, []).append(name)

    stopped = Event()

    def stop_early(_result: EpochResult) -> None:
        if stopped.is_set():
            raise InterruptedError("the search was stopped")

    def run(configuration: SvdConfiguration) -> list[Trial]:
        settings = configuration.model_dump()
        known = memory.recall(settings)
        result = known
        if not result:
            try:
                model = SVD(**settings, seed=seed).fit(train, validation, on_epoch=stop_early)
            except MovierecError as error:
                raise MovierecError(f"tune.configurations.{names[configuration][0]}: {error}") from error
            result = _score(model, validation)
            memory.remember(settings, *result)
        return [Trial(name, settings, *result, remembered=known is not None) for name in names[configuration]]

    pool = ThreadPoolExecutor(workers)
    try:
        for future in as_completed([pool.submit(run, configuration) for configuration in names]):
            yield from future.result()
    finally:
        stopped.set()  # what still runs ends after its epoch
        pool.shutdown(cancel_futures=True)


def _score(model: SVD, validation: pd.DataFrame) -> tuple[float, float, list[float]]:
    predicted = model.predict(validation[USER_ID], validation[MOVIE_ID])
    actual = validation[RATING].to_numpy()
    curve = [epoch.validation_rmse for epoch in model.history if epoch.validation_rmse is not None]
    return rmse(actual, predicted), mae(actual, predicted), curve


def choose_best(trials: list[Trial]) -> Trial:
    """Return the trial with the lowest validation RMSE, the first by name among equals."""
    return min(trials, key=lambda trial: (trial.validation_rmse, trial.configuration))


def tabulate_trials(trials: list[Trial]) -> pd.DataFrame:
    """Return one row a trial, by name: ``configuration``, its settings, ``validation_rmse``, ``validation_mae``."""
    rows = [
        {"configuration": trial.configuration, **trial.settings}
        | {"validation_rmse": trial.validation_rmse, "validation_mae": trial.validation_mae}
        for trial in sorted(trials, key=lambda trial: trial.configuration)
    ]
    return pd.DataFrame(rows)


def summarize_trials(trials: list[Trial]) -> dict[str, object]:
    """Return the metrics of the tune stage: the winner with its settings and results, and the number of trials."""
    best = asdict(choose_best(trials))
    results = {name: best[name] for name in ("configuration", "validation_rmse", "validation_mae")}
    return {"best": {**results, **best["settings"]}, "trials": len(trials)}
