"""Temporary folders beside the data: a process that is killed leaves one behind, and the next to come removes it."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp


@contextmanager
def open_scratch(parent: Path, name: str) -> Iterator[Path]:
    """Give an empty folder ``parent/.name.RANDOM`` that is gone when the block ends.

    Parameters
    ----------
    parent : Path
        Made if it is absent.
    name : str
        What the folder is for; those of the same name whose process has died are removed first.

    Yields
    ------
    Path
        Held by a lock on the folder itself, which the system lifts when the process ends in any way.
    """
    parent.mkdir(parents=True, exist_ok=True)
    for old in parent.glob(f".{name}.*"):
        _remove_if_left(old)
    folder, lock = _make_locked(parent, name)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _make_locked(parent: Path, name: str) -> tuple[Path, int]:
    while True:
        folder = Path(mkdtemp(prefix=f".{name}.", dir=parent))
        with suppress(FileNotFoundError):  # another process took it for left behind: once more
            lock = os.open(folder, os.O_RDONLY)
            fcntl.flock(lock, fcntl.LOCK_EX)
            if folder.exists():
                return folder, lock
            os.close(lock)


def _remove_if_left(folder: Path) -> None:
    with suppress(FileNotFoundError, NotADirectoryError, BlockingIOError):
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(lock)
