"""Figures of where the models are accurate: for users of few and of many ratings, on rare and on popular movies."""

from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from movierec.figures.style import draw_absence, find_limits, house_style, look_of, name_best, new_figure, set_title

_SMALLEST_SPAN: Final = 0.01
_SHIFT: Final = 0.09  # between models, so that their intervals stand side by side


class _Wording(NamedTuple):
    few: str
    many: str
    axis: str
    empty: str


_ACTIVITY: Final = _Wording(
    "the tenth of users with the fewest ratings",
    "with the most",
    "decile of users by train ratings (below it, the mean train ratings of its users)",
    "No user of the test part has ratings in train.",
)
_POPULARITY: Final = _Wording(
    "the tenth of movies with the fewest ratings",
    "with the most",
    "decile of movies by train ratings (below it, the mean train ratings of its movies)",
    "No movie of the test part has ratings in train.",
)


@house_style()
def draw_by_activity(table: pd.DataFrame) -> Figure:
    """Draw each metric by decile of user activity, with 95 % intervals.

    Parameters
    ----------
    table : DataFrame
        A row for each model, metric and decile: `model`, `metric` (``"rmse"`` where there are ratings), `decile` from 1
        (0, users not in train, is not drawn), `n_train`, `estimate`, `low`, `high`.

    Returns
    -------
    Figure
        A panel a metric, a line a model.

    Raises
    ------
    MovierecError
        If a model has no look.
    """
    return _draw(table, _ACTIVITY)


@house_style()
def draw_by_popularity(table: pd.DataFrame) -> Figure:
    """Draw each metric by decile of movie popularity, with 95 % intervals; everything else as `draw_by_activity`."""
    return _draw(table, _POPULARITY)


def _draw(table: pd.DataFrame, wording: _Wording) -> Figure:
    table = table[table["decile"] > 0].sort_values("decile", kind="stable")
    if table.empty:
        return draw_absence("No test rating is in a decile", wording.empty)
    metrics = sorted(table["metric"].unique(), key=lambda name: name != "rmse")
    figure, panels = new_figure(8.6, 1.4 + 2.9 * len(metrics), nrows=len(metrics), sharex=True, squeeze=False)
    for axes, metric in zip(panels[:, 0], metrics, strict=True):
        _draw_metric(axes, table[table["metric"] == metric])
        axes.set_ylabel("RMSE on test (stars)" if metric == "rmse" else f"{metric} (0 to 1)")
    _name_deciles(panels[-1, 0], table)
    figure.supxlabel(wording.axis)
    panels[0, 0].legend(loc="lower left", bbox_to_anchor=(-0.03, 1), ncols=5, handlelength=3, columnspacing=1.4)
    shown = table[table["metric"] == metrics[0]]
    few, many = (_name_best(shown[shown["decile"] == end]) for end in (shown["decile"].min(), shown["decile"].max()))
    best = "Lowest RMSE" if metrics[0] == "rmse" else f"Highest {metrics[0]}"
    set_title(figure, f"{best} on {wording.few}: {few}; {wording.many}: {many}")
    return figure


def _draw_metric(axes: Axes, table: pd.DataFrame) -> None:
    models = table["model"].unique().tolist()
    for place, model in enumerate(models):
        rows = table[table["model"] == model]
        look = look_of(model)
        x = rows["decile"] + _SHIFT * (place - (len(models) - 1) / 2)
        axes.vlines(x, rows["low"], rows["high"], color=look.color, linewidth=1.2)
        axes.plot(x, rows["estimate"], look.marker, color=look.color, linestyle=look.line, markersize=5, label=model)
    axes.set_ylim(*find_limits(table[["low", "high"]], _SMALLEST_SPAN))


def _name_deciles(axes: Axes, table: pd.DataFrame) -> None:
    size = table.groupby("decile")["n_train"].first()
    names = [f"{decile:g}\n{mean:,.{0 if mean >= 10 else 1}f}" for decile, mean in size.items()]
    axes.set_xticks(np.asarray(size.index), names)
    axes.set_xlim(*find_limits(size.index, 1.0))


def _name_best(rows: pd.DataFrame) -> str:
    lowest = rows["metric"].iloc[0] == "rmse"
    best = rows["estimate"].min() if lowest else rows["estimate"].max()
    return f"{name_best(rows['model'], rows['estimate'], lowest=lowest)}, {best:.4f}"
