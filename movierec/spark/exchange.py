"""Files that driver and workers hand to each other through a place that all reach, where they share no folder."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow.fs import FileSystem, LocalFileSystem, copy_files

from movierec.data.object_storage import open_storage
from movierec.data.parts import Files
from movierec.errors import MovierecError

_AT_ONCE: Final = 8  # files on their way


class Exchange:
    """A folder in object storage, or wherever else Arrow reads and writes; files are known by their absolute paths.

    Parameters
    ----------
    address : str
        Such as ``s3://bucket/prefix``.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self._sent = dict[Path, tuple[int, int]]()

    def send(self, paths: Iterable[Path]) -> None:
        """Copy files there, unless they are there and have not changed."""
        stamps = {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in paths}
        new = [path for path, stamp in stamps.items() if self._sent.get(path) != stamp]
        _send(self.address, {path: path for path in new})
        self._sent |= {path: stamps[path] for path in new}

    def fetch(self, paths: Iterable[Path]) -> None:
        """Copy files from there."""
        _fetch(self.address, {path: path for path in paths})


@contextmanager
def open_exchange(address: str) -> Iterator[Exchange]:
    """Give a folder below an address that is gone when the block ends.

    Raises
    ------
    MovierecError
        If it cannot be made.
    """
    parts = urlsplit(address)
    own = parts._replace(path=f"{parts.path.rstrip('/')}/movierec-{uuid4().hex}").geturl()
    with _reach(own) as (storage, root):
        storage.create_dir(root)
    try:
        yield Exchange(own)
    finally:
        with _reach(own) as (storage, root):
            storage.delete_dir(root)


def apply_away(address: str, function: Callable[[Files], Any], files: Files) -> tuple[Any, list[Path]]:
    """Apply a function on a worker to copies of the files that it reads, and send what it writes; tell which."""
    with TemporaryDirectory(prefix="movierec-") as folder:
        here = Files(*(_place(Path(folder, kind), paths) for kind, paths in files._asdict().items()))
        _fetch(address, dict(zip(here.reads, files.reads, strict=True)))
        found = function(here)
        written = {own: path for own, path in zip(here.writes, files.writes, strict=True) if own.exists()}
        _send(address, written)
    return found, list(written.values())


def read_away(address: str, path: Path, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """Yield columns of a parquet file that has been sent."""
    with _reach(address) as (storage, root), storage.open_input_file(_name(root, path)) as file:
        yield from pq.ParquetFile(file, page_checksum_verification=True).iter_batches(columns=list(columns))


@contextmanager
def _reach(address: str) -> Iterator[tuple[FileSystem, str]]:
    try:
        yield open_storage(address)
    except (OSError, ValueError) as error:
        parts = urlsplit(address)  # without what may be secret
        place = parts._replace(netloc=parts.netloc.rpartition("@")[2], query="").geturl()
        raise MovierecError(f"the exchange {place} cannot be used: {str(error).splitlines()[0]}") from error


def _name(root: str, path: Path) -> str:
    return f"{root}/{sha256(bytes(path)).hexdigest()[:20]}-{path.name}"


def _place(folder: Path, paths: Sequence[Path]) -> tuple[Path, ...]:
    """Return a path in a folder for each of some paths, which may have the same name."""
    placed = tuple(folder / str(number) / path.name for number, path in enumerate(paths))
    for path in placed:
        path.parent.mkdir(parents=True)
    return placed


def _send(address: str, files: Mapping[Path, Path]) -> None:
    """Copy files to the exchange: from where each is to what it is known by."""
    if files:
        with _reach(address) as (storage, root):
            _copy(LocalFileSystem(), storage, [(str(own), _name(root, known)) for own, known in files.items()])


def _fetch(address: str, files: Mapping[Path, Path]) -> None:
    """Copy files from the exchange: to where each belongs, by what it is known by."""
    if files:
        with _reach(address) as (storage, root):
            _copy(storage, LocalFileSystem(), [(_name(root, known), str(own)) for own, known in files.items()])


def _copy(source: FileSystem, target: FileSystem, pairs: Iterable[tuple[str, str]]) -> None:
    def copy(pair: tuple[str, str]) -> None:
        copy_files(*pair, source_filesystem=source, destination_filesystem=target)

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(copy, pairs))
