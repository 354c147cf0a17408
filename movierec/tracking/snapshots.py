"""DVC's side of tracking: which results dvc.lock and the DVC experiments hold, and under which key."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from movierec.errors import MovierecError
from movierec.lockfile import LOCK, Stage, hash_listing, hash_output, list_outputs, read_lock, read_yaml
from movierec.params import read_params_yaml
from movierec.paths import PARAMS, TEST, TRAIN, VALIDATION
from movierec.tracking.git import extract_files, is_edited, list_experiments, read_commit

TRACKED: Final = ("train_svd", "train_als", "train_ease", "train_bayes", "tune", "train_blend", "evaluate", "abtest")
WORKSPACE: Final = "workspace"
HEAD: Final = "HEAD"
PIPELINE: Final = "dvc.yaml"
KEPT_IN_GIT: Final = (PIPELINE, LOCK, PARAMS.name, "metrics", "plots")
_PARTS: Final = tuple(path.as_posix() for path in (TRAIN, VALIDATION, TEST))


@dataclass(frozen=True)
class Snapshot:
    """One state of the project: the workspace, what is committed, or a DVC experiment.

    Attributes
    ----------
    name : str
        `WORKSPACE`, `HEAD` or the experiment's name.
    commit : str
        Git's hash of it; of the workspace that of HEAD; empty without git.
    folder : Path
        Where its files are.
    stages : mapping of str to Stage
        By name.
    """

    name: str
    commit: str
    folder: Path
    stages: Mapping[str, Stage]

    @property
    def outs(self) -> dict[str, str]:
        """md5 of every output by path, in the order of the stages."""
        return list_outputs(self.stages.values())

    @property
    def dataset(self) -> tuple[str, str]:
        """Name and digest of the data: of embedded data the name ends in the preset; the digest is of the three parts.

        Raises
        ------
        MovierecError
            If the data has not been made.
        """
        if not {"fetch", "split"} <= set(self.stages):
            raise MovierecError(f"{LOCK} knows no data: run `dvc repro`")
        params = self.stages["fetch"].params
        name = str(params["dataset"])
        name = f"{name}/{params['synthetic.preset']}" if name == "synthetic" else name
        made = self.stages["split"].outs
        return name, hash_listing({path: made[path] for path in _PARTS}).removesuffix(".dir")

    def find_obstacle(self, stage: Stage) -> str | None:
        """Return why the files here do not belong to a stage's recorded result; None if they do.

        Its inputs must be what the other stages made last, and its small outputs must be the recorded ones.
        """
        made = self.outs
        for path, md5 in stage.deps.items():
            if made.get(path, md5) != md5:
                return f"it is older than {path}"
        for path in stage.outs:
            if path.startswith(("metrics/", "plots/")) and not self.has_intact(stage.name, path):
                return f"{path} is not what {LOCK} says"
        return None

    def has_intact(self, stage: str, path: str) -> bool:
        """Tell whether a file is the very output of a stage that dvc.lock knows."""
        made = self.stages[stage].outs.get(path) if stage in self.stages else None
        return made is not None and hash_output(self.folder / path) == made


def read_snapshot(folder: Path, name: str = WORKSPACE, commit: str = "") -> Snapshot:
    """Read what dvc.lock in a folder says.

    Raises
    ------
    MovierecError
        If there is no dvc.lock or it cannot be read as one.
    """
    return Snapshot(name, commit, folder, read_lock(folder))


def read_running(stage: str, folder: Path, name: str) -> Snapshot:
    """Read the state of the project at the end of a stage, which dvc.lock does not know yet.

    Parameters
    ----------
    stage : str
        The stage whose outputs have just been written.
    folder : Path
        The root of the checkout.
    name : str
        Of the experiment, or `WORKSPACE`.

    Raises
    ------
    MovierecError
        If dvc.yaml, dvc.lock or params.yaml is missing or damaged, or an output is missing.
    """
    declared = read_yaml(folder / PIPELINE)["stages"][stage]
    params = read_params_yaml(folder / PARAMS)
    paths = [path for kind in ("outs", "metrics", "plots") for path in _list_paths(declared.get(kind, []))]
    outs = {path: hash_output(folder / path) for path in paths}
    if missing := [path for path, md5 in outs.items() if md5 is None]:
        raise MovierecError(f"{missing[0]} is missing")
    values = {key: _look_up(params, key) for key in declared.get("params", [])}
    running = Stage(stage, values, {}, {path: md5 for path, md5 in outs.items() if md5})
    snapshot = read_snapshot(folder, name, read_commit(folder))
    return replace(snapshot, stages={**snapshot.stages, stage: running})


def read_committed(folder: Path, scratch: Path) -> Iterator[Snapshot]:
    """Read `HEAD` where the workspace's dvc.lock has gone on from it, and every DVC experiment, by name.

    Parameters
    ----------
    folder : Path
        The repository; it has a commit.
    scratch : Path
        An empty folder; each one's small files are put below it.

    Yields
    ------
    Snapshot
        Those that hold no dvc.lock are left out.
    """
    head = [(HEAD, read_commit(folder))] if is_edited(folder, LOCK) else []
    for name, commit in head + list_experiments(folder):
        target = scratch / commit
        extract_files(folder, commit, KEPT_IN_GIT, target)
        if (target / LOCK).exists():
            yield read_snapshot(target, name, commit)


def flatten_mapping(content: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each leaf of nested mappings with its dotted key."""
    for name, value in content.items():
        if isinstance(value, dict):
            yield from flatten_mapping(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _list_paths(entries: Iterable[str | Mapping[str, Any]]) -> list[str]:
    return [entry if isinstance(entry, str) else next(iter(entry)) for entry in entries]


def _look_up(params: Mapping[str, Any], key: str) -> object:
    value: Any = params
    for part in key.split("."):
        value = value[part]
    return value
