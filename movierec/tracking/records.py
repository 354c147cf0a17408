"""Results as records for a tracker, built from the files that stages wrote and from nothing else."""

import csv
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from movierec import io
from movierec.errors import MovierecError
from movierec.feedback import LEFT_OUT
from movierec.lockfile import Stage
from movierec.roster import TUNED
from movierec.tracking.model_settings import find_settings, name_settings, split_scores
from movierec.tracking.pictures import FIGURES
from movierec.tracking.snapshots import Snapshot, flatten_mapping

Rows = list[dict[str, Any]]

_CURVES: Final = "plots/tune_curves.csv"
_SETTINGS: Final = "plots/tune_trials.csv"


@dataclass(frozen=True)
class Record:
    """What a tracker is told of one result.

    Attributes
    ----------
    key : str
        The same for the same result.
    stage, name : str
        DVC's stage; the run's name.
    params, metrics : mapping
        What was set, what came out; values that are no finite numbers are no metrics.
    curves : mapping of str to sequence of float
        Values by step, the first being step 1.
    dataset : tuple of str
        Name and digest of the data.
    commit : str
        Of git, empty if unknown.
    tags : mapping of str to str
        Findings in words.
    artifacts, figures : sequence of Path
        Files to keep: tables of the stage itself; pictures that a later stage drew of it.
    children : sequence of Record
        Nested records, such as the trials of a search.
    """

    key: str
    stage: str
    name: str
    dataset: tuple[str, str]
    commit: str
    params: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    curves: Mapping[str, Sequence[float]] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    artifacts: Sequence[Path] = ()
    figures: Sequence[Path] = ()
    children: Sequence["Record"] = ()


def build_records(snapshot: Snapshot, stage: Stage, measured: Mapping[str, Any]) -> list[Record]:
    """Build what a tracker is told of a stage's result.

    Parameters
    ----------
    snapshot : Snapshot
        Whose files are read; `Snapshot.find_obstacle` must have found none.
    stage : Stage
        One of `snapshots.TRACKED`.
    measured : mapping
        Seconds and megabytes by metric, and of trials below ``trials``; empty where the run was not measured.

    Returns
    -------
    list of Record
        One; of tune one a model.

    Raises
    ------
    MovierecError, OSError, LookupError
        If a file is absent or does not hold what this version's stages write.
    """
    return list(_BUILDERS[stage.name](_Reader(snapshot, stage, measured)))


@dataclass(frozen=True)
class _Reader:
    """A stage's result and how to read its files."""

    snapshot: Snapshot
    stage: Stage
    measured: Mapping[str, Any]

    def details(self, stage: str) -> dict[str, Any]:
        return self.found(f"metrics/details/{stage}.json", stage)

    def found(self, path: str, stage: str) -> dict[str, Any]:
        if not self.snapshot.has_intact(stage, path):
            raise MovierecError(f"{path} is not what dvc.lock says")
        return io.read_json(self.snapshot.folder / path)

    def table(self, path: str) -> Rows:
        with (self.snapshot.folder / path).open(encoding="utf-8", newline="") as file:
            return [{name: _parse(text) for name, text in row.items()} for row in csv.DictReader(file)]

    def record(self, suffix: str = "", **content: Any) -> Record:  # noqa: ANN401  # fields of Record
        """Make a record of what every one has; `suffix` tells apart those of one stage."""
        own = {"key": f"{self.stage.key}{suffix}", "name": self.stage.name, "stage": self.stage.name}
        shared = {"dataset": self.snapshot.dataset, "commit": self.snapshot.commit}
        return Record(**{**own, **shared, **content})

    def parent(self, suffix: str = "", **content: Any) -> Record:  # noqa: ANN401  # fields of Record
        """Make a record with the stage's costs, tables and figures, but for those that `content` names."""
        metrics = content.pop("metrics", {}) | {name: cost for name, cost in self.measured.items() if name != "trials"}
        tables = [self.snapshot.folder / path for path in sorted(self.stage.outs) if path.endswith(".csv")]
        drawn = list(self.figures(content.get("name", self.stage.name)))
        return self.record(suffix, **{"metrics": metrics, "artifacts": tables, "figures": drawn, **content})

    def figures(self, name: str) -> Iterator[Path]:
        """Find the figures that were drawn of this very result."""
        plot = self.snapshot.stages.get("plot")
        if plot and all(plot.deps.get(path, md5) == md5 for path, md5 in self.stage.outs.items()):
            for figure in FIGURES[name]:
                path = f"plots/{figure}.png"
                if self.snapshot.has_intact("plot", path):
                    yield self.snapshot.folder / path


def _build_training(reader: _Reader) -> Iterator[Record]:
    name = reader.stage.name
    table = f"plots/{name}.csv"
    rows = reader.table(table) if table in reader.stage.outs else [{}]
    curves = {column: [row[column] for row in rows] for column in list(rows[0])[1:]}
    path = "metrics/{}.json" if f"metrics/details/{name}.json" not in reader.stage.outs else "metrics/details/{}.json"
    final = reader.found(path.format(name), name)[name.removeprefix("train_")]
    metrics = {metric: value for metric, value in final.items() if metric not in curves}
    yield reader.parent(params=reader.stage.params, metrics=metrics, curves=curves)


def _build_tuning(reader: _Reader) -> Iterator[Record]:
    found = reader.details("tune")
    for model in TUNED:
        if LEFT_OUT in found[model]:
            continue
        winner, trials = found[model], list(_build_trials(reader, model))
        tables = (f"plots/tune_{model}.csv", _CURVES, _SETTINGS)
        settings, scores = split_scores(winner)
        listed = {f"tune.{each}" for each in TUNED}
        counts = {name: settings.pop(name) for name in ("trials", "pruned", "diverged")}
        own = {name: value for name, value in reader.stage.params.items() if name not in listed}
        yield reader.parent(
            f"/{model}",
            name=f"tune {model}",
            params=own | {"configuration": settings.pop("configuration")} | name_settings(model, settings),
            metrics=scores | counts,
            artifacts=[reader.snapshot.folder / each for each in tables],
            children=trials,
        )


def _build_trials(reader: _Reader, model: str) -> Iterator[Record]:
    scores = {row["configuration"]: split_scores(row)[1] for row in reader.table(f"plots/tune_{model}.csv")}
    curves: dict[str, list[float]] = {}
    for row in reader.table(_CURVES):
        if row["model"] == model:
            curves.setdefault(row["configuration"], []).append(row["score"])
    times = reader.measured.get("trials", {})
    for row in reader.table(_SETTINGS):
        name, curve = str(row["configuration"]), curves.get(row["configuration"])
        if row["model"] == model:
            yield reader.record(
                f"/{model}/{name}",
                name=name,
                params={"configuration": name} | name_settings(model, json.loads(row["settings"])),
                metrics=scores.get(row["configuration"], {}) | times.get(f"{model}/{name}", {}),
                curves={f"{TUNED[model].decided_by}_by_step": curve} if curve else {},
                tags={"state": row["state"]},
            )


def _build_evaluation(reader: _Reader) -> Iterator[Record]:
    found = reader.details("evaluate")
    data, _ = found.pop("data") | found.pop("cold_movies", {}), found.pop("comparisons")
    found.pop(LEFT_OUT, None)
    settings = find_settings(reader.snapshot.stages, reader.details("tune"))
    models = [
        reader.record(
            f"/{model}",
            name=model,
            params={"model": model, **settings.get(model, {})},
            metrics={name: value for name, value in figures.items() if not name.endswith("_ci")},
        )
        for model, figures in found.items()
    ]
    yield reader.parent(params=reader.stage.params, metrics=data, children=models)


def _build_experiment(reader: _Reader) -> Iterator[Record]:
    found = reader.details("abtest")
    leaves = dict(flatten_mapping(found))
    words = {name: value for name, value in leaves.items() if isinstance(value, str)}
    yield reader.parent(
        params=reader.stage.params,
        metrics={name: value for name, value in leaves.items() if name not in words},
        tags={name: value for name, value in words.items() if name.startswith("verdict.")},
    )


def _parse(text: str) -> Any:  # noqa: ANN401  # a cell
    """Read a cell of a table as the number that it is."""
    try:
        value = json.loads(text) if text else None
    except ValueError:
        return text
    return value if value is None or (isinstance(value, int | float) and math.isfinite(value)) else text


_BUILDERS: Final[dict[str, Callable[[_Reader], Iterator[Record]]]] = {
    "train_svd": _build_training,
    "train_als": _build_training,
    "train_ease": _build_training,
    "train_bayes": _build_training,
    "train_blend": _build_training,
    "tune": _build_tuning,
    "evaluate": _build_evaluation,
    "abtest": _build_experiment,
}
