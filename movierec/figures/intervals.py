"""Rows of estimates with their intervals, as the figures of accuracy and of the experiment show them."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from movierec.figures.style import MUTED, show_plain_numbers
from movierec.roster import Look


class DrawnInterval(NamedTuple):
    """An estimate and the ends of its interval."""

    estimate: float
    low: float
    high: float

    def write(self, kind: str = "", number: str = ".4f") -> str:
        """Write it as text.

        Examples
        --------
        >>> DrawnInterval(0.81234, 0.81, 0.82).write("95% interval ")
        '0.8123 (95% interval 0.8100 to 0.8200)'
        """
        estimate, low, high = (f"{value:{number}}".replace("-", "\N{MINUS SIGN}") for value in self)
        return f"{estimate} ({kind}{low} to {high})"


def draw_interval(
    axes: Axes, row: int, interval: DrawnInterval, look: Look, *, filled: bool, number: str = ".4f"
) -> None:
    """Draw an interval in its row and write its numbers right of the axes.

    Parameters
    ----------
    axes : Axes
        The row is its y.
    row : int
        From 0, on top.
    interval : DrawnInterval
        In units of the x axis.
    look : Look
        Colour and marker.
    filled : bool
        Whether the marker is, to set a row apart.
    number : str
        How the numbers are written.
    """
    axes.plot([interval.low, interval.high], [row, row], color=look.color, marker="|", markersize=14)
    face = look.color if filled else "white"
    axes.plot(interval.estimate, row, look.marker, color=look.color, mfc=face, markersize=7.5)
    place: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "va": "center"}
    axes.annotate(interval.write(number=number), (1.02, row), fontweight="bold" if filled else "normal", **place)


def finish_rows(axes: Axes, names: Sequence[str]) -> None:
    """Name the rows and leave the numbers of the x axis plain.

    Parameters
    ----------
    axes : Axes
        All rows are drawn.
    names : sequence of str
        From the top row on.
    """
    axes.set_yticks(range(len(names)), list(names))
    axes.set_ylim(len(names) - 0.3, -0.6)
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0)
    axes.xaxis.set_major_locator(MaxNLocator(6))
    show_plain_numbers(axes.xaxis)


def draw_reference(axes: Axes, x: float, text: str) -> None:
    """Draw a dashed line at a value to compare with, its name at the bottom."""
    axes.axvline(x, color=MUTED, linestyle="dashed", linewidth=1.4, zorder=1)
    place: dict[str, Any] = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points", "va": "bottom"}
    axes.annotate(text, (x, 0), (4, 2), color=MUTED, **place)
