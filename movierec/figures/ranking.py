"""Figures of how well the models rank movies on test."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator, StrMethodFormatter

from movierec.errors import MovierecError
from movierec.figures.labels import Label, place_labels
from movierec.figures.style import MUTED, find_limits, house_style, look_of, name_best, new_figure, set_title

LIST_LENGTH: Final = 10
_MARKER_SIZES: Final = (6.0, 12.0)
_MARGINS: Final = ((0.05, 0.14), (0.06, 0.1))  # of x and of y: room for the names at the right
_SMALLEST_REACH: Final = 0.01
_LOG_FROM_RATIO: Final = 10.0
_SMALLEST_DECADES: Final = 0.3


@house_style()
def draw_precision_recall(at_k: pd.DataFrame) -> Figure:
    """Draw how precision and recall on test change with the length of the list.

    Parameters
    ----------
    at_k : DataFrame
        A row for each model and list length: `model`, `k`, `precision` and `recall` in [0, 1].

    Returns
    -------
    Figure
        A line a model, a marker for each k, the larger the longer the list; k is written at the top line.

    Raises
    ------
    MovierecError
        If a model has no look, or no list has length 10.
    """
    figure, axes = new_figure()
    at_k = at_k.sort_values("k", kind="stable")
    lengths = np.unique(at_k["k"])
    sizes = dict(zip(lengths, np.linspace(*_MARKER_SIZES, num=len(lengths)), strict=True))
    curves = {str(model): rows for model, rows in at_k.groupby("model", sort=False)}
    for model, rows in curves.items():
        color, marker, line = look_of(model)
        axes.plot(rows["recall"], rows["precision"], color=color, linestyle=line, label=model)
        for recall, precision, k in zip(rows["recall"], rows["precision"], rows["k"], strict=True):
            axes.plot(recall, precision, marker, color=color, mfc="none", markersize=sizes[k])
    scale = _set_scale(axes, at_k[["recall", "precision"]])
    axes.set_xlabel(f"recall@k (listed share of a user's relevant test movies{scale})")
    axes.set_ylabel(f"precision@k (relevant share of the list{scale})")
    lists = _take_lists(at_k)
    best, widest = (f"{_name_highest(lists, name)}, {lists[name].max():.4f}" for name in ("precision", "recall"))
    set_title(figure, f"Highest precision@{LIST_LENGTH}: {best}. Highest recall@{LIST_LENGTH}: {widest}")
    lines = [(rows["recall"], rows["precision"]) for rows in curves.values()]
    place_labels(axes, _label_curves(curves), lines)
    return figure


def _label_curves(curves: Mapping[str, pd.DataFrame]) -> list[Label]:
    names = [Label(rows["recall"].iloc[-1], rows["precision"].iloc[-1], model) for model, rows in curves.items()]
    top = max(curves.values(), key=lambda rows: float(rows["precision"].max()))
    points = zip(top["recall"], top["precision"], top["k"], strict=True)
    return names + [Label(recall, precision, f"k = {k}", MUTED) for recall, precision, k in points]


@house_style()
def draw_coverage_accuracy(at_k: pd.DataFrame) -> Figure:
    """Draw how much of the catalogue each model's lists cover, against how good they are.

    Parameters
    ----------
    at_k : DataFrame
        A row for each model and list length: `model`, `k`, `coverage` and `ndcg` in [0, 1]. Only k = 10 is drawn.

    Returns
    -------
    Figure
        A point a model.

    Raises
    ------
    MovierecError
        If a model has no look, or no list has length 10.
    """
    figure, axes = new_figure()
    lists = _take_lists(at_k)
    labels = [Label(*point) for point in zip(lists["coverage"], lists["ndcg"], lists["model"], strict=True)]
    for coverage, ndcg, model, _ in labels:
        look = look_of(model)
        axes.plot(coverage, ndcg, look.marker, color=look.color, mfc="none", markersize=10, label=model)
    _set_linear(axes, lists[["coverage", "ndcg"]])
    axes.xaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:g}%"))
    axes.set_xlabel(f"coverage@{LIST_LENGTH} (movies in at least one user's list, % of all movies)")
    axes.set_ylabel(f"ndcg@{LIST_LENGTH} (0 to 1)")
    best = f"{_name_highest(lists, 'ndcg')}, {lists['ndcg'].max():.4f}"
    widest = f"{_name_highest(lists, 'coverage')}, {lists['coverage'].max():.1%}"
    set_title(figure, f"Highest ndcg@{LIST_LENGTH}: {best}. Highest coverage@{LIST_LENGTH}: {widest}")
    place_labels(axes, labels)
    return figure


def _set_linear(axes: Axes, points: pd.DataFrame) -> None:
    limits = [
        find_limits([0, _SMALLEST_REACH, *points[column]], _SMALLEST_REACH, margin)
        for column, margin in zip(points, _MARGINS, strict=True)
    ]
    axes.set(xlim=limits[0], ylim=limits[1])


def _set_scale(axes: Axes, points: pd.DataFrame) -> str:
    """Choose logarithmic axes if both measures span an order of magnitude above 0; return what the labels add."""
    if points.to_numpy().min() <= 0 or (points.max() / points.min()).min() < _LOG_FROM_RATIO:
        _set_linear(axes, points)
        return ""
    axes.set(xscale="log", yscale="log")
    exponents = [
        find_limits(np.log10(points[column]), _SMALLEST_DECADES, margin)
        for column, margin in zip(points, _MARGINS, strict=True)
    ]
    axes.set(xlim=np.power(10, exponents[0]), ylim=np.power(10, exponents[1]))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axis.set_minor_locator(NullLocator())
    return ", log scale"


def _take_lists(at_k: pd.DataFrame) -> pd.DataFrame:
    lists = at_k[at_k["k"] == LIST_LENGTH]
    if lists.empty:
        raise MovierecError(f"plots/evaluate_at_k.csv has no row with k = {LIST_LENGTH}: run `dvc repro evaluate`")
    return lists


def _name_highest(lists: pd.DataFrame, column: str) -> str:
    return name_best(lists["model"], lists[column])
