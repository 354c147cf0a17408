"""The figure of the experiment between two models."""

from collections.abc import Mapping
from typing import Any, Final

import pandas as pd
from matplotlib.figure import Figure

from movierec.figures.intervals import Interval, draw_interval, finish_rows
from movierec.figures.style import BLUE, GRID, INK, MUTED, Look, find_limits, house_style, new_figure, set_title

_VERDICT: Final = Look(BLUE, "o", "solid")
_SECOND: Final = Look(MUTED, "o", "solid")
_ESTIMATORS: Final[Mapping[str, str]] = {
    "welch": "Welch's t",
    "cuped": "CUPED\n(adjusted for activity)",
    "bootstrap": "bootstrap",
    "anytime_valid": "anytime-valid\n(safe to peek)",
}


@house_style()
def draw_abtest(intervals: pd.DataFrame, report: Mapping[str, Any]) -> Figure:
    """Draw the difference between the two arms as each estimator sees it.

    Parameters
    ----------
    intervals : DataFrame
        `quantity` (only rows of ``"difference"`` are drawn, in their order; the first is the verdict's), `label` (the
        estimator), `estimate`, `low`, `high` in units of the outcome.
    report : mapping
        What the abtest stage found: `metric`, `control`, `treatment`, and `confidence` and `minimum_effect` of its
        `design`.

    Returns
    -------
    Figure
        An interval an estimator, with lines at no difference and at the smallest difference worth having.
    """
    rows = intervals[intervals["quantity"] == "difference"].reset_index(drop=True)
    smallest, percent = report["design"]["minimum_effect"], f"{report['design']['confidence'] * 100:g}%"
    found = [Interval(*ends) for ends in zip(rows["estimate"], rows["low"], rows["high"], strict=True)]
    figure, axes = new_figure(8.6, 2.3 + 0.62 * len(rows))
    axes.axvspan(-smallest, smallest, color=GRID, linewidth=0)
    axes.axvline(0, color=INK, linewidth=1.4)
    for row, interval in enumerate(found):
        is_verdict = row == 0
        draw_interval(axes, row, interval, _VERDICT if is_verdict else _SECOND, filled=is_verdict, number="+z.4f")
    finish_rows(axes, [_ESTIMATORS.get(label, label) for label in rows["label"]])
    axes.set_xlim(*find_limits([-smallest, smallest, *rows["low"], *rows["high"]], smallest))
    axes.set_title(f"Grey band: less than the smallest effect worth having, {smallest:g}", color=MUTED)
    arms = f"{report['treatment']} minus {report['control']}"
    axes.set_xlabel(f"difference in {report['metric']} ({arms}), with {percent} interval")
    set_title(figure, f"{report['metric']}, {arms}: {found[0].write(f'{percent} interval ', '+.4f')}")
    return figure
