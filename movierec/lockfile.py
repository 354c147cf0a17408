"""DVC's record of the last run: each stage's parameters and the hashes of its inputs and outputs, from dvc.lock."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from movierec.errors import MovierecError
from movierec.paths import PARAMS

LOCK: Final = "dvc.lock"
_REMEDY: Final = "take the committed one, or delete it and run `dvc repro`"


@dataclass(frozen=True)
class Stage:
    """What a stage was run with and what it made.

    Attributes
    ----------
    name : str
        In dvc.yaml.
    params : mapping of str to value
        Those that it declares, by their dotted keys.
    deps, outs : mapping of str to str
        md5 by path.
    """

    name: str
    params: Mapping[str, Any]
    deps: Mapping[str, str]
    outs: Mapping[str, str]

    @property
    def key(self) -> str:
        """SHA-256 over name, parameters and outputs: the same result has the same key, whatever code made it."""
        content = [self.name, self.params, sorted(self.outs.items())]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def read_lock(folder: Path) -> dict[str, Stage]:
    """Read dvc.lock.

    Parameters
    ----------
    folder : Path
        The root of the project, or a copy of its small files.

    Returns
    -------
    dict of str to Stage
        By name, in the order of the file.

    Raises
    ------
    MovierecError
        If there is no dvc.lock or it cannot be read as one.
    """
    content = read_yaml(folder / LOCK)
    try:
        return {name: _read_stage(name, entry) for name, entry in content["stages"].items()}
    except (KeyError, TypeError, AttributeError) as error:
        raise MovierecError(f"{folder / LOCK} is damaged: {_REMEDY}") from error


def list_outputs(stages: Iterable[Stage]) -> dict[str, str]:
    """Return the md5 of every output by path, in the order of the stages."""
    return {path: md5 for stage in stages for path, md5 in stage.outs.items()}


def read_yaml(path: Path) -> Any:  # noqa: ANN401  # whatever the file holds
    """Read a YAML file of DVC's.

    Raises
    ------
    MovierecError
        If it is absent or no YAML.
    """
    try:
        return YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise MovierecError(f"{path} is missing: run `dvc repro` to make it") from error
    except (YAMLError, ValueError) as error:
        raise MovierecError(f"{path} is damaged: {_REMEDY}") from error


def hash_file(path: Path) -> str | None:
    """Return the md5 of a file's bytes, which is DVC 3's hash of it; None if there is no such file."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None


def hash_output(path: Path) -> str | None:
    """Return DVC's hash of a file, or of a folder of files; None if there is neither."""
    if not path.is_dir():
        return hash_file(path)
    return hash_listing({each.name: hash_file(each) or "" for each in path.iterdir()})


def hash_listing(files: Mapping[str, str]) -> str:
    """Return DVC's hash of a folder from the md5 of each of its files by path; the folder is all but the last part."""
    listing = [{"md5": md5, "relpath": path.rsplit("/", 1)[-1]} for path, md5 in sorted(files.items())]
    return hashlib.md5(json.dumps(listing).encode(), usedforsecurity=False).hexdigest() + ".dir"


def _read_stage(name: str, entry: Mapping[str, Any]) -> Stage:
    deps, outs = ({each["path"]: each["md5"] for each in entry.get(kind, [])} for kind in ("deps", "outs"))
    return Stage(name, entry.get("params", {}).get(PARAMS.name, {}), deps, outs)
