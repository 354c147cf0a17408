"""Getting a MovieLens data set into a folder: from a mirror, a cache, the network or the disk.

`movierec.data.archives` finds registered archives, `movierec.data.synthetic` generates the embedded data,
`movierec.data.readers` reads what arrives.
"""

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Final
from urllib.parse import unquote

from movierec.data import object_storage
from movierec.data.archives import find_archive, make_cache_folder
from movierec.data.layouts import GUESS_ALL, Source, find_source
from movierec.data.registry import DATASETS, find_dataset
from movierec.data.tables import find_format
from movierec.data.transfer import HTTP, download_file, split_address
from movierec.data.unpack import unpack
from movierec.errors import MovierecError, UnreachableError
from movierec.io import replace_folder
from movierec.paths import project_root
from movierec.settings import AUTO, SourceParams

SCHEMES: Final = (*HTTP, *object_storage.SCHEMES)


@dataclass(frozen=True)
class FetchReport:
    """What arrived: the same on every machine.

    Attributes
    ----------
    name : str
        The registered name, or the last part of the path or address without ``.zip``.
    layout : str
        Of MovieLens, ``csv``, ``dat`` or ``tab``; else ``own``.
    files : int
        In the folder.
    bytes : int
        Of all files.
    sha256 : str
        Of all files' paths below the folder and contents.
    has_times : bool
        Whether the ratings have times.
    """

    name: str
    layout: str
    files: int
    bytes: int
    sha256: str
    has_times: bool


def fetch_dataset(
    dataset: str, destination: Path, params: SourceParams = GUESS_ALL, feedback: str = AUTO, split: str = "random"
) -> FetchReport:
    """Put the files of a data set into a folder, all of them or none.

    Parameters
    ----------
    dataset : str
        A registered name: its archive is looked for in `MOVIELENS_MIRROR` (a folder or an http(s) address
        that holds NAME.zip), the cache, and at GroupLens's, and verified before it is unpacked. Or the http(s)
        or s3 address of a zip or a table, the s3 address of a prefix, or the path of a zip, a table or a folder,
        none of which can be verified. A relative path starts at the project's root. Of a folder or prefix, the
        files directly in it are copied.
    destination : Path
        Replaced when all is well, else left as it was. An archive's own top folder is left out.
    params, feedback
        How the files are read, which is checked as far as their first lines tell.
    split : str
        How the ratings are to be split; all but ``random`` needs times.

    Returns
    -------
    FetchReport
        What the folder holds now.

    Raises
    ------
    MovierecError
        If the name is unknown, the path absent, the address unreachable or its certificate refused; if the
        archive has the wrong hash, is damaged or unsafe; if its files hold no ratings that can be told, or no
        times that the split needs; or if a file may not be read or written.
    """
    try:
        with _local_source(dataset) as source, replace_folder(destination) as content:
            label = dataset if "://" in dataset else str(source)
            if source.is_dir():
                _copy_files(source, content)
            elif find_format(source.name):
                shutil.copyfile(source, content / source.name)
            else:
                unpack(source, content, label)
            try:
                found = find_source(content, params, feedback, label)
            except MovierecError as error:
                raise _name_original(error, content, source, label) from error
            if "temporal" in split and not found.has_times:
                raise MovierecError(
                    f"split.method {split} needs times, but {label} has none: choose random, or set "
                    "source.columns.timestamp if a column holds them"
                )
            return _describe(_short_name(dataset), content, found)
    except PermissionError as error:
        raise MovierecError(f"no permission to use {error.filename}: change it, or choose another folder") from error


@contextmanager
def open_dataset(dataset: str) -> Iterator[tuple[Path, str]]:
    """Give a folder that holds a data set's files, for as long as the block lasts, and what to call it in an error.

    Parameters
    ----------
    dataset : str
        As `fetch_dataset` takes it. What lies on this machine is not copied.
    """
    with _local_source(dataset) as source, TemporaryDirectory(dir=make_cache_folder()) as temporary:
        content = Path(temporary)
        label = dataset if "://" in dataset else str(source)
        if source.is_dir() or find_format(source.name):
            for path in source.iterdir() if source.is_dir() else [source]:
                if path.is_file():
                    (content / path.name).symlink_to(path.resolve())
        else:
            unpack(source, content, label)
        try:
            yield content, label
        except MovierecError as error:
            raise _name_original(error, content, source, label) from error


def _name_original(error: MovierecError, content: Path, source: Path, label: str) -> MovierecError:
    """Speak of the user's own file instead of its copy."""
    return MovierecError(str(error).replace(str(content / source.name), label).replace(str(content), label))


def hash_files(folder: Path) -> str:
    """Return the sha256 of all files below a folder, their paths and contents."""
    digest = hashlib.sha256()
    for path in _list_files(folder):
        with path.open("rb") as file:
            own = hashlib.file_digest(file, "sha256").hexdigest()
        digest.update(f"{own}  {path.relative_to(folder).as_posix()}\n".encode())
    return digest.hexdigest()


def _list_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _describe(name: str, content: Path, source: Source) -> FetchReport:
    sizes = [path.stat().st_size for path in _list_files(content)]
    return FetchReport(name, source.layout, len(sizes), sum(sizes), hash_files(content), source.has_times)


def _short_name(dataset: str) -> str:
    path = unquote(split_address(dataset, SCHEMES).path) if "://" in dataset else str(Path(dataset).absolute())
    return PurePosixPath(path).name.removesuffix(".zip") or "download"


@contextmanager
def _local_source(dataset: str) -> Iterator[Path]:
    """Give the path of a zip or folder on this machine for whatever the user named."""
    if dataset in DATASETS:
        yield find_archive(DATASETS[dataset])
    elif "://" in dataset:
        with TemporaryDirectory(dir=make_cache_folder()) as folder:
            try:
                yield _download(dataset, Path(folder))
            except UnreachableError as error:
                raise MovierecError(f"{error}; or download it by hand and set `dataset` to its path") from error
    else:
        yield _find_path(dataset)


def _download(address: str, folder: Path) -> Path:
    """Return the file, or for a prefix of object storage the folder, that an address was copied to."""
    parts = split_address(address, SCHEMES)
    if parts.scheme.lower() in object_storage.SCHEMES:
        return object_storage.copy_objects(address, folder)
    name = PurePosixPath(unquote(parts.path)).name
    target = folder / (name if find_format(name) else "archive.zip")
    download_file(address, target)
    return target


def _find_path(dataset: str) -> Path:
    path = project_root() / Path(dataset).expanduser()
    if not path.is_file() and not path.is_dir():
        if os.sep not in dataset and not dataset.endswith(".zip") and not find_format(dataset):
            find_dataset(dataset)
        raise MovierecError(f"there is no file or folder {path}: correct `dataset`")
    return path


def _copy_files(source: Path, content: Path) -> None:
    for path in sorted(source.iterdir()):
        if path.is_file():
            shutil.copyfile(path, content / path.name)
