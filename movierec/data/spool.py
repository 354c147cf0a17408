"""Frames kept in their order, in memory or on disk, to be gone through again and again."""

from collections.abc import Iterator
from pathlib import Path

import polars as pl


class Spool:
    """Frames of the same columns.

    Parameters
    ----------
    folder : Path, optional
        An empty folder; by default they are kept in memory.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._held: list[pl.DataFrame] = []
        self._written = 0

    def append(self, frame: pl.DataFrame) -> None:
        """Keep a frame behind the others."""
        if self._folder is None:
            self._held.append(frame)
            return
        frame.write_ipc(self._path(self._written), compression="uncompressed")
        self._written += 1

    def __iter__(self) -> Iterator[pl.DataFrame]:
        """Yield the frames in their order."""
        yield from self._held
        for number in range(self._written):
            yield pl.read_ipc(self._path(number))

    def _path(self, number: int) -> Path:
        return (self._folder or Path()) / f"piece-{number:05d}.arrow"
