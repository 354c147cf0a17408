"""DVC experiments side by side: what each changed, and how its test results differ from the committed ones."""

import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np
import pandas as pd
from statsmodels.stats.multitest import multipletests

from movierec import io, paths
from movierec.columns import MODEL, TEST_RATINGS, USER_ID
from movierec.errors import MovierecError
from movierec.metrics.bootstrap import UserBootstrap
from movierec.metrics.comparison import SIGNIFICANCE, Comparison, compare_models, pair_errors, pair_means
from movierec.metrics.rating import UserErrors
from movierec.params import read_params_yaml
from movierec.roster import BY_NAME
from movierec.text import align_columns, find_nearest
from movierec.tracking.snapshots import (
    HEAD,
    WORKSPACE,
    Snapshot,
    flatten_mapping,
    read_committed,
    read_snapshot,
)

METRICS: Final = ("rmse", "ndcg@10")
_ERRORS: Final = ("squared_error", "absolute_error")
_READ: Final = (USER_ID, MODEL, TEST_RATINGS, *_ERRORS, "ndcg@10")
_PER_USER: Final = paths.PER_USER.as_posix()
_NOTE: Final = "* real: below 0.05 after Holm's adjustment for every difference shown"


@dataclass(frozen=True)
class _Result:
    """One experiment's results on one model, and how they differ from the base."""

    experiment: str
    changed: str
    metrics: Mapping[str, float]
    differences: Mapping[str, Comparison]
    why_not: str = ""


def compare_experiments(model: str | None = None) -> str:
    """Compare the workspace and every DVC experiment with what is committed.

    Parameters
    ----------
    model : str, optional
        Only this one; by default every model whose results differ somewhere.

    Returns
    -------
    str
        For each model a table with a row an experiment: the parameters that differ, RMSE and NDCG@10 on test, their
        differences with 95 % intervals from resampled users, and a star where chance is ruled out.

    Raises
    ------
    MovierecError
        If there is no such model, no dvc.lock, no commit, or git or DVC cannot be asked.
    """
    if model is not None and model not in BY_NAME:
        raise MovierecError(f"there is no model {model!r}: did you mean {find_nearest(model, BY_NAME)!r}?")
    with TemporaryDirectory(prefix="movierec-compare-") as scratch:
        committed = list(read_committed(Path(), Path(scratch)))
        workspace = read_snapshot(Path(), WORKSPACE)
        base = next((each for each in committed if each.name == HEAD), workspace)
        others = [each for each in committed if each.name != HEAD]
        if all(workspace.outs != each.outs for each in (base, *others)):
            others.insert(0, workspace)
        if not others:
            return "There is no experiment yet. Try one: dvc exp run -S factors=100"
        cache = _find_cache()
        tables = [_tabulate(name, base, others, cache) for name in ([model] if model else BY_NAME)]
    shown = [table for table in tables if table]
    return "\n\n".join([*shown, _NOTE]) if shown else f"Every experiment's results equal those of {base.name}."


def _tabulate(model: str, base: Snapshot, others: Sequence[Snapshot], cache: Path) -> str:
    """Return the table of one model; empty if no experiment's result differs from the base's."""
    results = [_judge(model, base, other, cache) for other in others]
    results = [each for each in results if each.why_not or any(each.differences.values())]
    if not any(each.differences for each in results):
        return ""
    found = [difference for each in results for difference in each.differences.values()]
    adjusted = iter(multipletests([one.p_value for one in found], method="holm")[1])
    rows = [["experiment", "changed", "RMSE", "difference (95 %)", "NDCG@10", "difference (95 %)"]]
    for each in results:
        written = {name: _write_difference(each.differences[name], next(adjusted)) for name in each.differences}
        figures = [f"{each.metrics[name]:.4f}" if name in each.metrics else "-" for name in METRICS]
        cells = [written.get(name, "-" if written else each.why_not) for name in METRICS]
        rows.append([each.experiment, each.changed, figures[0], cells[0], figures[1], cells[1]])
    return f"{model}, compared with {base.name}\n{align_columns(rows)}"


def _write_difference(found: Comparison, p_adjusted: float) -> str:
    one = found.difference
    star = "*" if p_adjusted < SIGNIFICANCE else " "
    return f"{one.estimate:+.4f} ({one.low:+.4f} to {one.high:+.4f}){star}"


def _judge(model: str, base: Snapshot, other: Snapshot, cache: Path) -> _Result:
    changed = ", ".join(_list_changes(base, other)) or "-"
    metrics = io.read_json(other.folder / paths.METRICS / "evaluate.json").get(model, {})
    if other.stages["split"].outs != base.stages["split"].outs:
        return _Result(other.name, changed, metrics, {}, "other data")
    first, second = (_read_users(each, model, cache) for each in (other, base))
    if first is None or second is None:
        return _Result(other.name, changed, metrics, {}, "not in the cache")
    if first.equals(second):
        return _Result(other.name, changed, metrics, {})
    return _Result(other.name, changed, metrics, _compare(first, second))


def _compare(first: pd.DataFrame, second: pd.DataFrame) -> dict[str, Comparison]:
    scores = pair_means({"first": first["ndcg@10"].to_numpy(), "second": second["ndcg@10"].to_numpy()})
    rng = np.random.default_rng(0)
    bootstrap = UserBootstrap(len(first), rng)
    metrics = {"ndcg@10": scores}
    if all(_ERRORS[0] in table for table in (first, second)):  # there are ratings
        errors = {"first": _sum_errors(first), "second": _sum_errors(second)}
        metrics = {"rmse": pair_errors(errors)["rmse"], **metrics}
    return {one.metric: one for one in compare_models(["first", "second"], metrics, bootstrap, rng)}


def _sum_errors(users: pd.DataFrame) -> UserErrors:
    count = users[TEST_RATINGS].to_numpy()
    squared, absolute = (users[name].to_numpy() for name in _ERRORS)
    return UserErrors(count, squared * count, absolute * count)


def _read_users(snapshot: Snapshot, model: str, cache: Path) -> pd.DataFrame | None:
    """Read one model's results by user from DVC's cache; None if they are not there, or have no such model."""
    md5 = snapshot.outs.get(_PER_USER, "")
    path = cache / "files/md5" / md5[:2] / md5[2:]
    if not md5 or not path.is_file():
        return None
    users = io.read_parquet(path)
    own = users[users[MODEL] == model][[name for name in _READ if name in users]].reset_index(drop=True)
    return own if len(own) else None


def _list_changes(base: Snapshot, other: Snapshot) -> Iterator[str]:
    before, after = (dict(flatten_mapping(read_params_yaml(each.folder / paths.PARAMS))) for each in (base, other))
    for name in sorted(before.keys() | after.keys()):
        if before.get(name) != after.get(name):
            yield f"{name}={after.get(name)}"


def _find_cache() -> Path:
    command = [sys.executable, "-m", "dvc", "cache", "dir"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    if found.returncode:
        raise MovierecError(f"DVC does not name its cache: {found.stderr.strip()}")
    return Path(found.stdout.strip())
