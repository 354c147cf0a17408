"""How much memory the stages may use that work on data of any size; it changes no result."""

import os
from pathlib import Path
from typing import Final

from movierec.errors import MovierecError

VARIABLE: Final = "MOVIEREC_MEMORY_LIMIT_GB"
SHARE: Final = 0.6
LEAST_GB: Final = 1.0
BASE_BYTES: Final = 700_000_000  # the process itself and the pieces that pass through it
GB: Final = 1e9
_CGROUPS: Final = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def read_memory_limit() -> float:
    """Return the bytes that a stage may use.

    Returns
    -------
    float
        What ``MOVIEREC_MEMORY_LIMIT_GB`` says (GB of 10^9 bytes); else 0.6 of what the machine or its container has.

    Raises
    ------
    MovierecError
        If that is no number, or less than `LEAST_GB`.
    """
    said = os.environ.get(VARIABLE, "")
    try:
        limit = float(said) if said else SHARE * _find_memory() / GB
    except ValueError as error:
        raise MovierecError(f"{VARIABLE} is {said!r}: give a number of gigabytes, such as 4") from error
    if not LEAST_GB <= limit < float("inf"):
        source = f"{VARIABLE} is {said}" if said else f"this machine leaves {limit:.1f} GB"
        raise MovierecError(f"{source}, but cleaning and splitting need at least {LEAST_GB:g} GB of memory")
    return limit * GB


def rows_that_fit(bytes_each: int) -> int:
    """Return how many rows of a size fit into the memory that is allowed, the process itself subtracted."""
    return int((read_memory_limit() - BASE_BYTES) / bytes_each)


def _find_memory() -> int:
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min([machine, *_read_cgroups()])


def _read_cgroups() -> list[int]:
    """Return the limits that control groups of version 2 or 1 set; "max" and absent ones are none."""
    texts = [Path(path).read_text(encoding="ascii").strip() for path in _CGROUPS if Path(path).is_file()]
    return [int(text) for text in texts if text.isdigit()]
