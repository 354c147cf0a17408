"""Progress bars for work that takes longer than two seconds, and lines where a bar cannot be redrawn."""

import os
import sys
from typing import Final, Never, TextIO, TypeVar

from tqdm import tqdm

LINE_EVERY_S: Final = 10.0
LINE_WIDTH: Final = 80
Result = TypeVar("Result")


class _Lines:
    """Passes text on to a terminal that cannot go back to a line's start: each state of a bar is a line."""

    def __init__(self, terminal: TextIO) -> None:
        self._terminal = terminal

    def write(self, text: str) -> None:
        """Write a bar as a line of its own, and nothing of what only moves the cursor."""
        if shown := text.strip("\r\n "):
            self._terminal.write(f"{shown}\n")

    def flush(self) -> None:
        """Show what is written."""
        self._terminal.flush()


def make_bar(description: str, *, total: int, unit: str) -> "tqdm[Never]":
    """Return a progress bar on the standard error stream, to be used in a ``with`` statement.

    Parameters
    ----------
    description : str
        What is done.
    total : int
        Steps until it is done.
    unit : str
        What a step is.

    Returns
    -------
    tqdm
        Redrawn in place on a terminal; a line every 10 s on one without cursor control (``TERM=dumb``); silent where
        nobody watches.
    """
    if sys.stderr.isatty() and os.environ.get("TERM", "dumb") == "dumb":
        return tqdm(
            desc=description,
            total=total,
            unit=unit,
            file=_Lines(sys.stderr),
            mininterval=LINE_EVERY_S,
            maxinterval=LINE_EVERY_S,
            ncols=LINE_WIDTH,
        )
    return tqdm(desc=description, total=total, unit=unit, disable=None)


def count_step(bar: "tqdm[Never]", result: Result) -> Result:
    """Advance a bar by one step, and return what the step made."""
    bar.update()
    return result
