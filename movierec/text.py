"""Text for people: aligned tables, and the nearest known name to a misspelt one."""

import difflib
from collections.abc import Iterable, Sequence

from tabulate import tabulate


def align_columns(rows: Sequence[Sequence[str]]) -> str:
    """Write rows of cells below each other: the first column flush left, the others flush right.

    Parameters
    ----------
    rows : sequence of sequence of str
        At least one; short ones end early.

    Examples
    --------
    >>> print(align_columns([["user", "arm"], ["7", "treatment"]]))
    user        arm
    7     treatment
    """
    alignment = ("left", *["right"] * (max(map(len, rows)) - 1))
    table: str = tabulate(rows, tablefmt="plain", colalign=alignment, disable_numparse=True)
    return "\n".join(line.rstrip() for line in table.split("\n"))


def find_nearest(name: str, known: Iterable[str], n: int = 1) -> str:
    """Return the `n` known names nearest to a misspelt one, separated by commas; empty if none is known.

    Examples
    --------
    >>> find_nearest("svt", ["als", "svd"])
    'svd'
    """
    return ", ".join(difflib.get_close_matches(name, list(known), n=n, cutoff=0))
