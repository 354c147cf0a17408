"""Numba's compiler, with a cache that serves every copy of these sources and outlives no change of them.

Numba by itself keeps compiled code for each path, so that each experiment in DVC's queue would compile everything anew;
and it sees changes of a function's own file, not of what that function inlines from another.
"""

import hashlib
import os
import shutil
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Final, Self

import numba
from numba.core import caching

PACKAGE: Final = Path(__file__).parent
UNUSED_S: Final = 30 * 86_400  # age from which the compiled code of other versions goes


def njit(**options: Any) -> Any:  # noqa: ANN401  # a decorator of Numba's, which has no types
    """Compile a function that lets other threads run and divides as NumPy does; see `numba.njit` for the options.

    Constants are compiled in: one from another file must stand in a file that `hash_sources` reads.
    """
    return numba.njit(cache=True, nogil=True, error_model="numpy", **options)


@cache
def hash_sources() -> str:
    """Return a hash of Numba's version and of every source here that has to do with it."""
    digest = hashlib.sha256(f"numba {numba.__version__}".encode())
    for path in sorted(PACKAGE.rglob("*.py")):
        source = path.read_bytes()
        if b"njit" in source or b"numba" in source:
            digest.update(source)
    return digest.hexdigest()[:16]


@cache
def open_cache() -> Path:
    """Return the folder of compiled code, and delete what versions not used for a month left beside it.

    In ``NUMBA_CACHE_DIR``, or where the user's caches are.

    Raises
    ------
    OSError, RuntimeError
        If it cannot be written, or the user has no home.
    """
    chosen = numba.config.CACHE_DIR or os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(chosen) / "movierec" / hash_sources()
    folder.mkdir(parents=True, exist_ok=True)
    os.utime(folder)
    for other in folder.parent.iterdir():
        if time.time() - other.stat().st_mtime > UNUSED_S:
            shutil.rmtree(other, ignore_errors=True)
    return folder


class SharedLocator(caching._CacheLocator):  # type: ignore[misc] # noqa: SLF001  # Numba's way of extending its cache
    """Where the compiled code of a function of this package is kept: by what it was made of, not by its path."""

    def __init__(self, function: Callable[..., Any], path: Path) -> None:
        self._path, self._line = path, function.__code__.co_firstlineno

    @classmethod
    def from_function(cls, py_func: Callable[..., Any], py_file: str) -> Self | None:
        """Return the locator of a function, or None if it is not of this package or the cache cannot be written."""
        path = Path(py_file)
        if not path.is_relative_to(PACKAGE):
            return None
        locator = cls(py_func, path)
        try:
            locator.ensure_cache_path()
        except (OSError, RuntimeError):
            return None
        return locator

    def get_cache_path(self) -> str:
        """Return the folder."""
        return str(open_cache() / self._path.parent.relative_to(PACKAGE))

    def get_source_stamp(self) -> str:
        """Return what changes with the sources."""
        return hash_sources()

    def get_disambiguator(self) -> str:
        """Tell functions of one name in one module apart."""
        return str(self._line)


_NUMBAS: Final = [locator.__name__ for locator in caching.CacheImpl._locator_classes]  # noqa: SLF001
numba.config.CACHE_LOCATOR_CLASSES = ",".join([f"{__name__}.{SharedLocator.__name__}", *_NUMBAS])
