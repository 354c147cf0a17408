"""What all figures share: fonts, sizes, limits, saving."""

import re
import textwrap
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any, Final, ParamSpec

import numpy as np
import pandas as pd
from matplotlib import style
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import ScalarFormatter
from numpy.typing import ArrayLike

from movierec.errors import MovierecError
from movierec.feedback import NO_RATINGS, is_left_out
from movierec.io import replace_atomically
from movierec.roster import BY_NAME, Look
from movierec.scales import Scale

Drawn = ParamSpec("Drawn")

DPI: Final = 150
INK: Final = "#222222"
MUTED: Final = "#6b6b6b"
GRID: Final = "#e3e3e3"
BLUE: Final = "#0072b2"

WIDTH_IN: Final = 8.0
HEIGHT_IN: Final = 5.0
_TITLE_CHARACTERS_PER_INCH = 9.0


_RC = {
    "font.family": "DejaVu Sans",
    "font.size": 11,
    "text.color": INK,
    "text.parse_math": False,  # a name may hold a dollar sign
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "axes.titlepad": 9,
    "axes.unicode_minus": True,
    "figure.labelsize": 11,
    "figure.titlesize": 13.5,
    "figure.titleweight": "bold",
    "figure.constrained_layout.h_pad": 0.1,
    "figure.constrained_layout.w_pad": 0.12,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.color": MUTED,
    "ytick.labelcolor": INK,
    "lines.linewidth": 2,
    "lines.markersize": 8,
    "lines.markeredgewidth": 2,
    "legend.frameon": False,
}


@contextmanager
def house_style() -> Iterator[None]:
    """Apply the project's matplotlib settings, and no user's, to a ``with`` block or a decorated function."""
    with style.context(["default", _RC]):
        yield


def needs_ratings(draw: Callable[Drawn, Figure]) -> Callable[Drawn, Figure]:
    """Let a function that draws a table of ratings or their errors say so where the table was left out."""

    @wraps(draw)
    def draw_or_say(*given: Drawn.args, **named: Drawn.kwargs) -> Figure:
        if not (isinstance(given[0], pd.DataFrame) and is_left_out(given[0])):
            return draw(*given, **named)
        return draw_absence(NO_RATINGS.capitalize(), "The data has events alone, such as likes or plays.")

    return draw_or_say


def draw_absence(finding: str, reason: str) -> Figure:
    """Draw that there is nothing to draw, and why."""
    figure, axes = new_figure()
    axes.set_axis_off()
    axes.text(0.5, 0.5, reason, color=MUTED, ha="center")
    set_title(figure, finding)
    return figure


def name_unit(figure: Figure, scale: Scale) -> None:
    """Call the unit of ratings what it is on their scale, in every text that says stars."""
    for text in () if scale.has_stars else figure.findobj(Text):
        text.set_text(re.sub(r"\bstars\b", scale.unit, text.get_text()))


def new_figure(width_in: float = WIDTH_IN, height_in: float = HEIGHT_IN, **grid: Any) -> tuple[Figure, Any]:  # noqa: ANN401
    """Make an empty figure that no global state knows.

    Parameters
    ----------
    width_in, height_in : float
        Size in inches.
    **grid
        As `Figure.subplots` takes it.

    Returns
    -------
    Figure
        Drawn by Agg, laid out so that nothing is cut off.
    Axes or ndarray of Axes
        As `Figure.subplots` gives it.
    """
    figure = Figure(figsize=(width_in, height_in), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(**grid)


def set_title(figure: Figure, finding: str) -> None:
    """Put the finding above everything, flush left, in as many lines as it needs, all about as long."""
    width = int(figure.get_figwidth() * _TITLE_CHARACTERS_PER_INCH)
    lines = len(textwrap.wrap(finding, width))
    narrowest = next(narrow for narrow in range(1, width + 1) if len(textwrap.wrap(finding, narrow)) <= lines)
    figure.suptitle(textwrap.fill(finding, narrowest), x=0.015, ha="left")


def look_of(model: str) -> Look:
    """Return how a model is drawn.

    Raises
    ------
    MovierecError
        If the roster does not have it.
    """
    try:
        return BY_NAME[model].look
    except KeyError as error:
        raise MovierecError(f"no figure knows model {model!r}: give it a row in movierec/roster.py") from error


def find_limits(
    values: ArrayLike, smallest_span: float, margin: float | tuple[float, float] = 0.06
) -> tuple[float, float]:
    """Choose the limits of an axis.

    Parameters
    ----------
    values : array_like
        What must be inside; finite, at least one.
    smallest_span : float
        Between the lowest and the highest value, above 0, in units of the axis: equal values must not look different.
    margin : float or tuple of two float
        Added below and above, as a share of the span.

    Returns
    -------
    low, high : float

    Examples
    --------
    >>> find_limits([1, 3], smallest_span=1, margin=0.5)
    (0.0, 4.0)
    >>> find_limits([1], smallest_span=1, margin=0)
    (0.5, 1.5)
    """
    low, high = float(np.min(values)), float(np.max(values))
    missing = max(0.0, smallest_span - (high - low)) / 2
    low, high = low - missing, high + missing
    below, above = margin if isinstance(margin, tuple) else (margin, margin)
    return low - below * (high - low), high + above * (high - low)


def show_plain_numbers(axis: Axis) -> None:
    """Write tick labels in full: no offset, no power of ten."""
    formatter = ScalarFormatter(useOffset=False)
    formatter.set_scientific(b=False)
    axis.set_major_formatter(formatter)


def name_best(names: Iterable[str], scores: Iterable[float], *, lowest: bool = False) -> str:
    """Name who has the best score, each of them if several share it.

    Parameters
    ----------
    names : iterable of str
        At least one.
    scores : iterable of float
        One a name.
    lowest : bool
        Whether the lowest is the best.

    Returns
    -------
    str
        In the order of `names`; a count if all of three or more share it.

    Examples
    --------
    >>> name_best(["svd", "als"], [0.1, 0.3]), name_best(["svd", "als", "bias"], [0.1, 0.1, 0.0])
    ('als', 'svd and als')
    >>> name_best(["svd", "als", "bias"], [0.0, 0.0, 0.0])
    'all 3'
    """
    scored = list(zip(names, scores, strict=True))
    target = (min if lowest else max)(score for _, score in scored)
    best = [name for name, score in scored if score == target]
    if len(best) == len(scored) > 2:
        return f"all {len(best)}"
    return " and ".join(filter(None, [", ".join(best[:-1]), best[-1]]))


@house_style()
def save_figure(figure: Figure, path: Path) -> None:
    """Write a figure as PNG, the same bytes for the same figure.

    Parameters
    ----------
    figure : Figure
        From one of the package's functions.
    path : Path
        Replaced as a whole.
    """
    with replace_atomically(path) as temporary:
        figure.savefig(temporary, format="png", dpi=DPI, metadata={"Software": None})
