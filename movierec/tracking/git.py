"""What git knows: the commit, DVC's experiments and the files of both."""

import io
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from zipfile import ZipFile

from movierec.errors import MovierecError

_EXPERIMENT: Final = re.compile(r"([0-9a-f]{40}) refs/exps/[0-9a-f]{2}/[0-9a-f]{38}/(.+)")


def read_commit(folder: Path) -> str:
    """Return the hash of the commit that is checked out; empty without one."""
    try:
        return _git(folder, "rev-parse", "--verify", "--quiet", "HEAD").decode().strip()
    except MovierecError:
        return ""


def is_edited(folder: Path, path: str) -> bool:
    """Tell whether a tracked file is another than the one that is committed.

    Raises
    ------
    MovierecError
        If there is no commit.
    """
    return bool(_git(folder, "diff", "--name-only", "HEAD", "--", path))


def list_experiments(folder: Path) -> list[tuple[str, str]]:
    """List the DVC experiments of a repository by name, each with its commit.

    Raises
    ------
    MovierecError
        If it is no repository or git is not installed.
    """
    refs = _git(folder, "for-each-ref", "--format=%(objectname) %(refname)", "refs/exps").decode().splitlines()
    return sorted((match[2], match[1]) for ref in refs if (match := _EXPERIMENT.fullmatch(ref)))


def extract_files(folder: Path, commit: str, paths: Sequence[str], target: Path) -> None:
    """Put those of some files and folders that a commit has into the folder `target`.

    Raises
    ------
    MovierecError
        If there is no such commit.
    """
    listed = _git(folder, "ls-tree", "--name-only", commit, "--", *paths).decode().splitlines()
    if listed:  # without a path git would archive everything
        with ZipFile(io.BytesIO(_git(folder, "archive", "--format=zip", "-0", commit, "--", *listed))) as archive:
            archive.extractall(target)  # whatever a member is called, it stays inside


def _git(folder: Path, *arguments: str) -> bytes:
    try:
        return subprocess.run(["git", *arguments], cwd=folder, capture_output=True, check=True).stdout
    except FileNotFoundError as error:
        raise MovierecError("git is not installed, which knows the DVC experiments") from error
    except subprocess.CalledProcessError as error:
        raise MovierecError(f"git {arguments[0]}: {error.stderr.decode(errors='replace').strip()}") from error
