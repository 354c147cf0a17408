"""Files from S3, or from what speaks like it, by Arrow's client."""

import re
import shutil
from pathlib import Path, PurePosixPath
from typing import Final
from urllib.parse import urlsplit

from pyarrow.fs import FileInfo, FileSelector, FileSystem, FileType
from tqdm import tqdm
from tqdm.utils import CallbackIOWrapper

from movierec.errors import UnreachableError

SCHEMES: Final = ("s3", "s3a")  # Spark's name for it is s3a
_BLOCK: Final = 1 << 23


def copy_objects(address: str, folder: Path) -> Path:
    """Copy an object, or those directly below a prefix, with a progress bar on a terminal.

    Credentials, region and endpoint are those of AWS's own settings: ``AWS_ACCESS_KEY_ID``, ``AWS_PROFILE``,
    ``AWS_ENDPOINT_URL``, ``~/.aws`` and so on.

    Parameters
    ----------
    address : str
        Such as ``s3://bucket/ratings.parquet`` or ``s3://bucket/ratings/``.
    folder : Path
        Where the copies go, under the objects' names.

    Returns
    -------
    Path
        The copy of the object, or the folder.

    Raises
    ------
    UnreachableError
        If there is no such object, it may not be read, nothing answers, or the connection breaks off.
    """
    try:
        storage, path = open_storage(address)
        found = storage.get_file_info(path)
        objects = [found]
        if found.type == FileType.Directory:
            objects = [each for each in storage.get_file_info(FileSelector(path)) if each.type == FileType.File]
        if found.type == FileType.NotFound or not objects:
            raise UnreachableError(f"{address}: there is no such object")
        _copy(storage, objects, folder, PurePosixPath(urlsplit(address).path).name)
    except (OSError, ValueError) as error:
        raise UnreachableError(f"{address}: {str(error).splitlines()[0]}") from error
    return folder / found.base_name if found.type == FileType.File else folder


def open_storage(address: str) -> tuple[FileSystem, str]:
    """Return the file system of an address and the path in it; S3's goes by the name of s3a, too."""
    storage, path = FileSystem.from_uri(re.sub("^s3a:", "s3:", address))
    return storage, path


def _copy(storage: FileSystem, objects: list[FileInfo], folder: Path, label: str) -> None:
    total = sum(each.size for each in objects)
    with tqdm(total=total, unit="B", unit_scale=True, desc=label, disable=None) as bar:
        for each in objects:
            with storage.open_input_stream(each.path) as source, (folder / each.base_name).open("wb") as target:
                shutil.copyfileobj(CallbackIOWrapper(bar.update, source, "read"), target, _BLOCK)
