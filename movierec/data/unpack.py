"""Zip archives from anywhere, checked and unpacked without trusting them; where they come from is download.py's."""

import errno
import hashlib
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Final

from movierec.data.registry import Dataset
from movierec.errors import MovierecError

# The largest release, ml-32m, unpacks to 1 GB at 4 times its size; no text in a MovieLens layout nears these.
MAX_BYTES: Final = 8 * 10**9
MAX_RATIO: Final = 100
RATIO_FREE_BYTES: Final = 32 * 10**6  # a few repeated lines compress beyond any ratio
MAX_FILES: Final = 1000
MAX_NAME_BYTES: Final = 200

_Members = dict[PurePosixPath, zipfile.ZipInfo]

_BOMB: Final = (
    "unpacks to far more than any MovieLens release, as a decompression bomb does: if you trust it, unpack it yourself "
    "and set `dataset` to the folder"
)
_BLOCK: Final = 1 << 20
_ENCRYPTED: Final = 0x1
_BROKEN_ZIP: Final = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, ValueError,
)  # fmt: skip


class _RefusalError(Exception):
    """What is wrong with an archive, to be said of its name."""


def check_genuine(archive: Path, dataset: Dataset, label: str | None = None) -> None:
    """Check that an archive holds a registered data set, without unpacking it.

    Parameters
    ----------
    archive : Path
        A zip.
    dataset : Dataset
        The archive's md5 must be its `md5`; or its `members` must all be there with their sha256.
    label : str, optional
        What to call the archive in an error; its path by default.

    Raises
    ------
    MovierecError
        If neither holds, or the archive is damaged or unsafe.
    """
    with archive.open("rb") as file:
        md5 = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    if md5 == dataset.md5:
        return
    with _open_zip(archive, label) as (opened, members):
        if not dataset.members:
            raise _not_genuine(dataset, "md5", str(dataset.md5), md5)
        for name, expected in dataset.members.items():
            info = members.get(PurePosixPath(name))
            if info is None:
                raise _not_genuine(dataset, f"a file {name}", f"with sha256 {expected}", "none")
            sha256 = hashlib.sha256()
            _copy_member(opened, info, sha256.update, _size_limit(archive))
            if sha256.hexdigest() != expected:
                raise _not_genuine(dataset, f"sha256 of {name}", expected, sha256.hexdigest())


def _not_genuine(dataset: Dataset, what: str, expected: str, got: str) -> _RefusalError:
    return _RefusalError(
        f"is not the {dataset.name} that GroupLens published: expected {what} {expected}, got {got}; get {dataset.url} "
        "again or, if you trust this archive, set `dataset` to its path or address"
    )


def unpack(archive: Path, folder: Path, label: str | None = None) -> None:
    """Unpack every file of a zip, without the folders that all of them are in.

    Parameters
    ----------
    archive : Path
        A zip; it may be hostile. What macOS adds (``__MACOSX``, ``.DS_Store``) is left out.
    folder : Path
        Exists and is empty; half-filled after an error.
    label : str, optional
        What to call the archive in an error; its path by default.

    Raises
    ------
    MovierecError
        If the archive is no zip, truncated, damaged, empty or encrypted; if a member is a link, or its path
        is absolute, leads upwards, is too long or clashes with another; if one is compressed by another method than
        deflate; or if it would unpack to more than 8 GB or, beyond 32 MB, to more than 100 times its size.
    """
    left = _size_limit(archive)
    with _open_zip(archive, label) as (opened, members):
        for path, info in members.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("xb") as file:
                left -= _copy_member(opened, info, file.write, left)


def _size_limit(archive: Path) -> int:
    return min(MAX_BYTES, max(RATIO_FREE_BYTES, MAX_RATIO * archive.stat().st_size))


@contextmanager
def _open_zip(archive: Path, label: str | None) -> Iterator[tuple[zipfile.ZipFile, _Members]]:
    """Give a zip and its files by path below the common folder, all of them safe to unpack."""
    name = label or str(archive)
    if not archive.stat().st_size:
        raise MovierecError(f"{name} is an empty file: get it again")
    try:
        with zipfile.ZipFile(archive) as opened:
            yield opened, _list_members(opened, _size_limit(archive))
    except _RefusalError as error:
        raise MovierecError(f"{name} {error}") from error
    except (*_BROKEN_ZIP, OSError) as error:
        if isinstance(error, OSError) and error.errno != errno.EINVAL:  # a damaged offset, not a full disk
            raise
        raise MovierecError(f"{name} is no zip archive, or truncated or damaged ({error}): get it again") from error


def _list_members(opened: zipfile.ZipFile, limit: int) -> _Members:
    members: _Members = {}
    for info in opened.infolist():
        path = PurePosixPath(info.filename)
        problem = _find_danger(info, path) or ("is there twice" if path in members else None)
        if problem:
            raise _RefusalError(f"is unsafe: its member {info.filename[:80]!r} {problem}; get it elsewhere")
        if not info.is_dir() and path.parts[0] != "__MACOSX" and path.name != ".DS_Store":
            members[path] = info
    if not 1 <= len(members) <= MAX_FILES:
        raise _RefusalError(f"holds {len(members)} files, but 1 to {MAX_FILES} are allowed: get it again")
    if sum(info.file_size for info in members.values()) > limit:
        raise _RefusalError(_BOMB)
    if any(parent in members for path in members for parent in path.parents):
        raise _RefusalError("is unsafe: a member is both a file and a folder; get it elsewhere")
    return _without_top_folders(members)


def _find_danger(info: zipfile.ZipInfo, path: PurePosixPath) -> str | None:
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
        return "is a link or a device"
    if path.is_absolute() or not path.parts or ".." in path.parts or "\\" in info.filename or ":" in path.parts[0]:
        return "would leave the folder"
    if len(info.filename.encode(errors="replace")) > MAX_NAME_BYTES or not info.filename.isprintable():
        return "has no usable name"
    if info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        return "is neither stored nor deflated"  # zipfile unpacks a whole block of other methods at once, however large
    return "is encrypted" if info.flag_bits & _ENCRYPTED else None


def _without_top_folders(members: _Members) -> _Members:
    while len({path.parts[0] for path in members}) == 1 and all(len(path.parts) > 1 for path in members):
        members = {PurePosixPath(*path.parts[1:]): info for path, info in members.items()}
    return members


def _copy_member(opened: zipfile.ZipFile, info: zipfile.ZipInfo, sink: Callable[[bytes], object], limit: int) -> int:
    """Pass a member's content on block by block, as headers may lie about its size, and return its length."""
    length = 0
    with opened.open(info) as file:
        while block := file.read(_BLOCK):
            length += len(block)
            if length > limit:
                raise _RefusalError(_BOMB)
            sink(block)
    return length
