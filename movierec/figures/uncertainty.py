"""The figure of how honest a model's stated uncertainty is."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from movierec.figures.style import MUTED, find_limits, house_style, look_of, needs_ratings, new_figure, set_title


@house_style()
@needs_ratings
def draw_uncertainty(intervals: pd.DataFrame, deviations: pd.DataFrame) -> Figure:
    """Draw observed against stated coverage of intervals, and error against stated deviation by decile.

    Parameters
    ----------
    intervals : DataFrame
        A row an interval: `model`, `stated` and `observed` coverage in [0, 1]; at least one row.
    deviations : DataFrame
        A row a decile of the stated deviation: `model`, `stated` and `observed` root mean squares in stars.

    Returns
    -------
    Figure
        Two panels; an honest model's points lie on the diagonals.
    """
    figure, (left, right) = new_figure(10.0, 5.2, ncols=2)
    _draw_panel(left, intervals, (0.0, 1.0))
    left.set_xlabel("stated coverage of the interval")
    left.set_ylabel("share of test ratings inside")
    for row in intervals.itertuples(index=False):
        left.annotate(
            f"{row.observed:.1%}", (row.stated, row.observed), (-10, 6), textcoords="offset points", ha="right"
        )
    _draw_panel(right, deviations, find_limits(deviations[["stated", "observed"]], 0.1))
    right.set_xlabel("stated deviation (stars), by decile")
    right.set_ylabel("root mean squared error (stars)")
    widest = intervals.sort_values("stated").iloc[-1]
    promise = f"{widest['model']}: intervals stated to hold {widest['stated']:.0%} of the ratings"
    set_title(figure, f"{promise} hold {widest['observed']:.1%}")
    return figure


def _draw_panel(axes: Axes, table: pd.DataFrame, limits: tuple[float, float]) -> None:
    axes.plot(limits, limits, color=MUTED, linewidth=1)
    for model, rows in table.groupby("model", sort=False):
        look = look_of(str(model))
        axes.plot(rows["stated"], rows["observed"], color=look.color, marker=look.marker, label=model)
    axes.set_xlim(*limits)
    axes.set_ylim(*limits)
    axes.set_aspect("equal")
