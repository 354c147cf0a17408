"""The verified archives of registered data sets: in a mirror, in the cache, or from the network into the cache."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pooch
from filelock import FileLock

from movierec.data.registry import Dataset
from movierec.data.transfer import download_file
from movierec.data.unpack import check_genuine
from movierec.errors import MovierecError, UnreachableError
from movierec.paths import project_root

MIRROR_VARIABLE: Final = "MOVIELENS_MIRROR"
CACHE_VARIABLE: Final = "MOVIEREC_CACHE"


def find_archive(dataset: Dataset) -> Path:
    """Give the verified archive of a registered data set: in the mirror's folder, or in the cache.

    Parameters
    ----------
    dataset : Dataset
        Where it is published, and its hash.

    Returns
    -------
    Path
        Of a file that is not the caller's to change.

    Raises
    ------
    MovierecError
        If the mirror's folder is absent, no address answers, or what arrives has the wrong hash.
    """
    mirror = os.environ.get(MIRROR_VARIABLE, "")
    archive_name = f"{dataset.name}.zip"
    if "://" in mirror:
        return _find_in_cache(dataset, [f"{mirror.rstrip('/')}/{archive_name}", dataset.url])
    if mirror:
        folder = project_root() / Path(mirror).expanduser()
        if not folder.is_dir():
            raise MovierecError(f"{MIRROR_VARIABLE} is {mirror}, which is no folder: correct it or unset it")
        if (folder / archive_name).is_file():
            check_genuine(folder / archive_name, dataset)
            return folder / archive_name
    return _find_in_cache(dataset, [dataset.url])


def make_cache_folder() -> Path:
    """Return the folder that downloads go to, which is there afterwards: `MOVIEREC_CACHE`, or the user's own cache."""
    folder = Path(os.environ.get(CACHE_VARIABLE) or pooch.os_cache("movierec"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _find_in_cache(dataset: Dataset, addresses: Sequence[str]) -> Path:
    """Give the verified archive in the cache, downloaded if need be; processes that want it take turns."""
    archive = make_cache_folder() / f"{dataset.name}.zip"
    with FileLock(archive.with_suffix(".lock")):
        if archive.exists():
            try:
                check_genuine(archive, dataset)
            except MovierecError as error:
                print(f"{error}: downloading it again", file=sys.stderr)
            else:
                return archive
        archive.unlink(missing_ok=True)
        address = _download_from_any(addresses, archive)
        try:
            check_genuine(archive, dataset, label=address)
        except MovierecError:
            archive.unlink()
            raise
    return archive


def _download_from_any(addresses: Sequence[str], target: Path) -> str:
    """Download from the first address that answers, and return it."""
    failures = []
    for address in addresses:
        try:
            download_file(address, target)
        except UnreachableError as error:
            failures.append(str(error))
        else:
            return address
    raise MovierecError(
        f"{'; '.join(failures)}. Try again later, or get {target.name} by hand and set {MIRROR_VARIABLE} to the folder "
        "or address that holds it; `dataset: synthetic` needs no network"
    )
