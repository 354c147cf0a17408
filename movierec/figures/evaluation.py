"""Figures of how well the models predict ratings on test."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MultipleLocator

from movierec.figures.intervals import DrawnInterval, draw_interval, draw_reference, finish_rows
from movierec.figures.style import (
    MUTED,
    find_limits,
    house_style,
    look_of,
    name_best,
    needs_ratings,
    new_figure,
    set_title,
)

_PANEL_COLUMNS: Final = 3


@house_style()
@needs_ratings
def draw_accuracy(accuracy: pd.DataFrame, noise_floor: Mapping[str, float] | None = None) -> Figure:
    """Draw every model's RMSE and MAE on test with their 95 % intervals, the lowest RMSE on top.

    Parameters
    ----------
    accuracy : DataFrame
        A row a model: `model`, and in stars `rmse`, `rmse_low`, `rmse_high`, `mae`, `mae_low`, `mae_high`.
    noise_floor : mapping of str to float, optional
        The lowest error that any model can reach, by the name of the measure, where it is known.

    Returns
    -------
    Figure
        A panel for each measure, the models in the same order; the lowest is filled, the others are hollow.

    Raises
    ------
    MovierecError
        If a model has no look.
    """
    accuracy = accuracy.sort_values(["rmse", "model"], ignore_index=True)
    figure, panels = new_figure(8.6, 2.0 + 0.74 * len(accuracy), nrows=2)
    for axes, measure in zip(panels, ("rmse", "mae"), strict=True):
        _draw_measure(axes, accuracy, measure, (noise_floor or {}).get(measure))
    best = name_best(accuracy["model"], accuracy["rmse"], lowest=True)
    set_title(figure, f"Lowest RMSE on test: {best}, {accuracy['rmse'].min():.4f} stars")
    return figure


def _draw_measure(axes: Axes, accuracy: pd.DataFrame, measure: str, floor: float | None) -> None:
    columns = [measure, f"{measure}_low", f"{measure}_high"]
    for row, model in enumerate(accuracy.to_dict("records")):
        interval = DrawnInterval(*(model[column] for column in columns))
        is_best = interval.estimate == accuracy[measure].min()
        draw_interval(axes, row, interval, look_of(model["model"]), filled=is_best)
    finish_rows(axes, accuracy["model"].tolist())
    shown = accuracy[columns].to_numpy().ravel()
    if floor is not None:
        draw_reference(axes, floor, f"noise floor {floor:.4f}")
        shown = np.append(shown, floor)
    axes.set_xlim(*find_limits(shown, 0.01))
    axes.set_xlabel(f"{measure.upper()} on test (stars), with 95% interval")


@house_style()
@needs_ratings
def draw_predicted_actual(calibration: pd.DataFrame) -> Figure:
    """Draw whether ratings come out as they were predicted.

    Parameters
    ----------
    calibration : DataFrame
        A row for each model and bin of predictions: `model`; `predicted` and `actual`, the bin's means in stars;
        `ratings`, how many there are, not all 0 for a model.

    Returns
    -------
    Figure
        A panel a model with the line on which every prediction comes true; a dot a bin, the larger the more ratings.

    Raises
    ------
    MovierecError
        If a model has no look.
    """
    models = calibration["model"].unique().tolist()
    columns = min(_PANEL_COLUMNS, len(models))
    rows = -(-len(models) // columns)
    figure, panels = new_figure(
        max(6.4, 1.0 + 2.45 * columns),
        1.6 + 2.5 * rows,
        nrows=rows,
        ncols=columns,
        sharex=True,
        sharey=True,
        squeeze=False,
    )
    limits = find_limits(calibration[["predicted", "actual"]], 0.5)
    gaps = {}
    for axes, model in zip(panels.flat, models, strict=False):
        bins = calibration[calibration["model"] == model].sort_values("predicted")
        gaps[model] = float(np.average((bins["predicted"] - bins["actual"]).abs(), weights=bins["ratings"]))
        _draw_bins(axes, bins, limits)
        axes.set_title(f"{model}: {gaps[model]:.3f} stars off")
    for axes, above in zip(panels.flat[len(models) :], panels.flat[len(models) - columns :], strict=False):
        axes.set_axis_off()
        above.tick_params(axis="x", labelbottom=True)
    figure.supxlabel("predicted rating (bin mean, stars; larger dots hold more ratings)")
    figure.supylabel("actual rating (bin mean, stars)")
    best = name_best(gaps, gaps.values(), lowest=True)
    set_title(figure, f"Smallest mean gap between predicted and actual: {best}, {min(gaps.values()):.3f} stars")
    return figure


def _draw_bins(axes: Axes, bins: pd.DataFrame, limits: tuple[float, float]) -> None:
    look = look_of(bins["model"].iloc[0])
    axes.plot(limits, limits, color=MUTED, linestyle="dashed", linewidth=1.2)
    axes.plot(bins["predicted"], bins["actual"], color=look.color, linewidth=1.2)
    area = 14 + 200 * bins["ratings"] / bins["ratings"].sum()
    axes.scatter(bins["predicted"], bins["actual"], area, color=look.color, marker=look.marker, zorder=3, linewidth=0)
    axes.set(xlim=limits, ylim=limits, aspect="equal")
    if limits[1] - limits[0] > 1:
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(MultipleLocator(1))
