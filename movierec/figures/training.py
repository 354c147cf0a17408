"""Figures of how models were trained and tuned."""

import math
from typing import Final

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from movierec.figures.labels import Label, place_labels
from movierec.figures.style import (
    GRID,
    MUTED,
    find_limits,
    house_style,
    look_of,
    name_best,
    needs_ratings,
    new_figure,
    set_title,
    show_plain_numbers,
)

MARKED_POINTS: Final = 30  # markers of longer curves would hide them
RING: Final = "#d55e00"
_HEADERS: Final = {
    "configuration": ("", "configuration"),
    "factors": ("", "factors"),
    "epochs": ("", "epochs"),
    "learning_rate": ("learning", "rate"),
    "regularization": ("regular-", "ization"),
    "iterations": ("itera-", "tions"),
    "alpha": ("", "alpha"),
    "relevance_threshold": ("liked", "from"),
    "content_weight": ("", "content"),
    "directions": ("", "directions"),
}


@house_style()
@needs_ratings
def draw_svd_learning_curve(curve: pd.DataFrame) -> Figure:
    """Draw the SVD's error on train and on validation after each epoch.

    Parameters
    ----------
    curve : DataFrame
        `epoch`, ascending; `train_rmse` and `validation_rmse` in stars; at least one row.

    Returns
    -------
    Figure
        Both curves; a ring marks the lowest validation RMSE.
    """
    figure, axes = new_figure()
    look = look_of("svd")
    best = curve.iloc[curve["validation_rmse"].argmin()]
    marker = "o" if len(curve) <= MARKED_POINTS else ""
    axes.plot(curve["epoch"], curve["validation_rmse"], "-", color=look.color, marker=marker)
    axes.plot(curve["epoch"], curve["train_rmse"], "--", color=MUTED, marker=marker, markersize=6, mfc="white")
    axes.plot(best["epoch"], best["validation_rmse"], "o", mfc="none", mec=RING, markersize=15)
    axes.set_xlim(*find_limits(curve["epoch"], 1.0, (0.04, 0.2)))
    axes.set_ylim(*find_limits(curve[["train_rmse", "validation_rmse"]], 0.01, 0.1))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    show_plain_numbers(axes.yaxis)
    axes.set_xlabel("epoch")
    axes.set_ylabel("RMSE (stars)")
    last = curve.iloc[-1]
    labels = [
        Label(last["epoch"], last["validation_rmse"], "validation"),
        Label(last["epoch"], last["train_rmse"], "train", MUTED),
        Label(best["epoch"], best["validation_rmse"], "lowest", RING),
    ]
    set_title(figure, f"svd: lowest validation RMSE {best['validation_rmse']:.4f} stars, at epoch {best['epoch']:.0f}")
    place_labels(axes, labels, [(curve["epoch"], curve[column]) for column in ("train_rmse", "validation_rmse")])
    return figure


@house_style()
def draw_als_learning_curve(curve: pd.DataFrame) -> Figure:
    """Draw the ALS's loss after each iteration.

    Parameters
    ----------
    curve : DataFrame
        `iteration`, ascending, and `loss`; at least one row.

    Returns
    -------
    Figure
        One curve.
    """
    figure, axes = new_figure()
    look = look_of("als")
    iteration, loss = curve["iteration"], curve["loss"]
    axes.plot(iteration, loss, color=look.color, marker=look.marker if len(curve) <= MARKED_POINTS else "")
    axes.set_xlim(*find_limits(iteration, 1.0, 0.04))
    axes.set_ylim(*find_limits(loss, 0.001 * abs(loss.iloc[0]) or 1.0, 0.1))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    show_plain_numbers(axes.yaxis)
    axes.set_xlabel("iteration (one sweep over users and movies)")
    axes.set_ylabel("training loss (weighted squared error)")
    ends = curve.iloc[[0, -1] if len(curve) > 1 else [0]].itertuples(index=False)
    set_title(figure, "als: training loss " + ", ".join(f"{value:.4g} after iteration {n}" for n, value in ends))
    return figure


@house_style()
@needs_ratings
def draw_bayes_learning_curve(curve: pd.DataFrame) -> Figure:
    """Draw the error on validation of the mean of all sweeps so far.

    Parameters
    ----------
    curve : DataFrame
        `sweep`, ascending, and `validation_rmse` in stars; at least one row.

    Returns
    -------
    Figure
        One curve; during the burn-in it is that of the last sweep alone.
    """
    figure, axes = new_figure()
    look = look_of("bayes")
    sweep, error = curve["sweep"], curve["validation_rmse"]
    axes.plot(sweep, error, color=look.color, marker=look.marker if len(curve) <= MARKED_POINTS else "")
    axes.set_xlim(*find_limits(sweep, 1.0, 0.04))
    axes.set_ylim(*find_limits(error, 0.01, 0.1))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    show_plain_numbers(axes.yaxis)
    axes.set_xlabel("sweep (one draw of every parameter)")
    axes.set_ylabel("RMSE on validation (stars)")
    set_title(figure, f"bayes: validation RMSE {error.iloc[-1]:.4f} stars after {sweep.iloc[-1]:.0f} sweeps")
    return figure


@house_style()
@needs_ratings
def draw_svd_tuning(trials: pd.DataFrame) -> Figure:
    """Draw what each configuration of the SVD reached on validation, the best on top.

    Parameters
    ----------
    trials : DataFrame
        A row a trial: `configuration`, its settings `factors`, `epochs`, `learning_rate`, `regularization`, and
        `validation_rmse` in stars; at least one row.

    Returns
    -------
    Figure
        A dot a trial, its settings at the left, its RMSE at the right; the best is filled, the others are hollow.
    """
    figure, best = _draw_trials(trials, "validation_rmse", "svd_tuned", lowest=True)
    figure.axes[0].set_xlabel("RMSE on validation (stars)")
    set_title(figure, f"svd: lowest validation RMSE among {best} stars")
    return figure


@house_style()
def draw_als_tuning(trials: pd.DataFrame) -> Figure:
    """Draw what each configuration of the ALS reached on validation, the best on top.

    Parameters
    ----------
    trials : DataFrame
        A row a trial: `configuration`, its settings `factors`, `iterations`, `regularization`, `alpha`,
        `relevance_threshold` (NaN for none), `content_weight`, and `validation_ndcg@10` in [0, 1]; at least one row.

    Returns
    -------
    Figure
        As `draw_svd_tuning`.
    """
    figure, best = _draw_trials(trials, "validation_ndcg@10", "als_tuned", lowest=False)
    figure.axes[0].set_xlabel("NDCG@10 on validation (0 to 1)")
    set_title(figure, f"als: highest validation NDCG@10 among {best}")
    return figure


@house_style()
@needs_ratings
def draw_bayes_tuning(trials: pd.DataFrame) -> Figure:
    """Draw what each configuration of the Bayesian factorisation reached on validation, the best on top.

    Parameters
    ----------
    trials : DataFrame
        A row a trial: `configuration`, its settings `factors` and `directions`, and `validation_rmse` in stars; at
        least one row.

    Returns
    -------
    Figure
        As `draw_svd_tuning`.
    """
    figure, best = _draw_trials(trials, "validation_rmse", "bayes", lowest=True)
    figure.axes[0].set_xlabel("RMSE on validation (stars)")
    set_title(figure, f"bayes: lowest validation RMSE among {best} stars")
    return figure


def _draw_trials(trials: pd.DataFrame, score: str, model: str, *, lowest: bool) -> tuple[Figure, str]:
    """Draw the dots; return also the number of trials and the best one in words."""
    trials = trials.sort_values([score, "configuration"], ascending=[lowest, True], ignore_index=True)
    names = _tabulate_settings(trials.drop(columns=score))
    look = look_of(model)
    figure, axes = new_figure(4.8 + 0.085 * len(names[-1]), 1.6 + 0.34 * len(names))
    scores = trials[score]
    is_best = scores == scores[0]
    for chosen, face in ((is_best, look.color), (~is_best, "white")):
        axes.plot(scores[chosen], trials.index[chosen] + 1, look.marker, color=look.color, mfc=face)
    for row, value in enumerate(scores, start=1):
        axes.annotate(f"{value:.4f}", (value, row), (8, 0), textcoords="offset points", va="center")
    axes.set_xlim(*find_limits(scores, 0.002, (0.08, 0.3)))
    axes.set_yticks(range(len(names)), names, family="DejaVu Sans Mono", fontsize=10)
    axes.get_yticklabels()[0].set_color(MUTED)
    axes.grid(visible=False, axis="y")
    axes.hlines(trials.index + 1, axes.get_xlim()[0], scores, color=GRID, linewidth=1.2, zorder=1)
    axes.set_ylim(len(names) - 0.4, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.xaxis.set_major_locator(MaxNLocator(5))
    show_plain_numbers(axes.xaxis)
    count = f"{len(trials)} configuration{'s' if len(trials) > 1 else ''}"
    return figure, f"{count}: {name_best(trials['configuration'], scores, lowest=lowest)}, {scores[0]:.4f}"


def _tabulate_settings(trials: pd.DataFrame) -> list[str]:
    columns = []
    for name in trials:
        cells = [*_HEADERS[str(name)], *map(_write_setting, trials[name])]
        width = max(map(len, cells))
        columns.append([cell.ljust(width) if name == "configuration" else cell.rjust(width) for cell in cells])
    first, second, *rows = ("  ".join(cells) for cells in zip(*columns, strict=True))
    return [f"{first}\n{second}", *rows]


def _write_setting(value: str | float) -> str:
    if isinstance(value, str):
        return value
    return "none" if math.isnan(value) else f"{value:g}"
