"""MLflow's runs in a table, best first: only runs on the data that dvc.lock names, as others are not comparable."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from movierec.errors import MovierecError
from movierec.roster import TUNED, VALIDATION_RMSE
from movierec.text import align_columns, find_nearest
from movierec.tracking.mirror import EXPERIMENTS, KEY, Mirror, connect
from movierec.tracking.snapshots import read_snapshot

HEADLINE: Final = ("rmse", "mae", "ndcg@10")
_LOW_IS_GOOD: Final = ("rmse", "mae", "loss")
_NO_SETTINGS: Final = {"configuration", "model", "seed"}


@dataclass(frozen=True)
class Row:
    """A finished run.

    Attributes
    ----------
    name, stage, key, experiments : str
        The run's name, DVC's stage, its key and the DVC experiments that contain it.
    params : mapping of str to str
        What was set.
    metrics : mapping of str to float
        By the project's names (``ndcg@10``).
    """

    name: str
    stage: str
    key: str
    experiments: str
    params: Mapping[str, str]
    metrics: Mapping[str, float]


def tabulate_runs(metric: str | None = None, top: int = 5) -> str:
    """Return a table of the models of all evaluations, best first; what is the same in several is one line.

    Parameters
    ----------
    metric : str, optional
        Any test metric, by default RMSE, or NDCG@10 where there are no ratings; errors and losses count as better when
        they are lower, all else when it is higher.
    top : int
        Lines at most, at least 1.

    Raises
    ------
    MovierecError
        If there is no run, no such metric or no store.
    """
    rows = [row for row in read_rows() if row.stage == "evaluate" and "/" in row.key]
    metric = metric or next((name for name in HEADLINE if any(name in row.metrics for row in rows)), HEADLINE[0])
    best = _merge(rank_rows(rows, metric))[:top]
    metrics = list(dict.fromkeys((metric, *HEADLINE)))
    differing = _list_differing(best)
    table = [["model", *metrics, *differing, "DVC experiments"]]
    for row in best:
        figures = [f"{row.metrics[name]:.4f}" if name in row.metrics else "-" for name in metrics]
        settings = [row.params.get(name, "-") for name in differing]
        table.append([row.name, *figures, *settings, row.experiments or "-"])
    return align_columns(table)


def name_best_params(model: str = "svd") -> str:
    """Return the parameters of a model's best training or tuning trial, as ``dvc exp run`` takes them.

    Parameters
    ----------
    model : {"svd", "als", "bayes"}
        The best is chosen on validation: by RMSE, or by NDCG@10, which ALS's tuning trials know; without any of
        them by RMSE. No test metric takes part, so that the test part stays untouched by the choice.

    Returns
    -------
    str
        Such as ``-S factors=100 -S svd.epochs=150``, in one line.

    Raises
    ------
    MovierecError
        If the model is no such one, or there is no run or no store.
    """
    if model not in TUNED:
        raise MovierecError(f"--model is {model!r}: give {' or '.join(TUNED)}")
    fits = set() if TUNED[model].stage == f"train_{model}" else {f"train_{model}"}  # its trials may be on less data
    rows = [row for row in read_rows() if row.stage in fits or f"/{model}/" in row.key]
    decided_by = str(TUNED[model].decided_by)
    metric = decided_by if any(decided_by in row.metrics for row in rows) else VALIDATION_RMSE
    best = rank_rows(rows, metric)[0]
    return " ".join(f"-S {name}={value}" for name, value in sorted(best.params.items()) if name not in _NO_SETTINGS)


def read_rows() -> list[Row]:
    """Read the finished runs on the data that the dvc.lock of the working directory names.

    Raises
    ------
    MovierecError
        If there is no dvc.lock, or the store cannot be read.
    """
    _, digest = read_snapshot(Path()).dataset
    try:
        runs = [run for run in Mirror(*connect()).find_runs() if run.info.status == "FINISHED"]
    except Exception as error:  # of MLflow, whatever the store
        raise MovierecError(f"MLflow cannot be read: {' '.join(str(error).split())[:200]}") from error
    return [_read_row(run) for run in runs if digest in {each.dataset.digest for each in run.inputs.dataset_inputs}]


def _read_row(run: Any) -> Row:  # noqa: ANN401  # MLflow's Run
    tags = run.data.tags
    metrics = {name.replace("_at_", "@"): value for name, value in run.data.metrics.items()}
    return Row(run.info.run_name, tags["dvc.stage"], tags[KEY], tags.get(EXPERIMENTS, ""), run.data.params, metrics)


def rank_rows(rows: Sequence[Row], metric: str) -> list[Row]:
    """Sort the rows that have a metric, best first, equals by name and key.

    Raises
    ------
    MovierecError
        If there are no rows, or none has the metric.
    """
    known = sorted({name for row in rows for name in row.metrics})
    if not rows:
        raise MovierecError("MLflow knows no such run on this data: run `dvc repro`, then `movierec track sync`")
    if metric not in known:
        raise MovierecError(f"no run has the metric {metric!r}: did you mean {find_nearest(metric, known, n=3)}?")
    sign = 1 if any(word in metric.split("_") for word in _LOW_IS_GOOD) else -1
    judged = [row for row in rows if metric in row.metrics]
    return sorted(judged, key=lambda row: (sign * row.metrics[metric], row.name, row.key))


def _merge(rows: Sequence[Row]) -> list[Row]:
    """Take for one what has the same name, parameters and headline metrics, and unite its experiments."""
    merged: dict[tuple[object, ...], Row] = {}
    for row in rows:
        same = (row.name, *sorted(row.params.items()), *(row.metrics.get(name) for name in HEADLINE))
        names = {*row.experiments.split(","), *(merged[same].experiments.split(",") if same in merged else ())}
        united = ",".join(sorted(names - {""}))
        merged[same] = Row(row.name, row.stage, row.key, united, row.params, row.metrics)
    return list(merged.values())


def _list_differing(rows: Sequence[Row]) -> list[str]:
    names = sorted({name for row in rows for name in row.params} - _NO_SETTINGS)
    return [name for name in names if len({row.params.get(name) for row in rows}) > 1]
