"""The figures of the experiment between two models: what it found, and what it could see."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, Final

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter

from movierec.figures.intervals import DrawnInterval, draw_interval, finish_rows
from movierec.figures.labels import Label, place_labels
from movierec.figures.style import BLUE, GRID, INK, MUTED, find_limits, house_style, new_figure, set_title
from movierec.roster import Look

_VERDICT: Final = Look(BLUE, "o", "solid")
_SECOND: Final = Look(MUTED, "o", "solid")
_LINES: Final = ("dashed", "solid", "dashdot")
_WIDEST_WITH_STEPS, _LONGEST_WITH_STEPS = 2e3, 1e6
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
    found = [DrawnInterval(*ends) for ends in zip(rows["estimate"], rows["low"], rows["high"], strict=True)]
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


@house_style()
def draw_abtest_power(curve: pd.DataFrame, report: Mapping[str, Any]) -> Figure:
    """Draw the chance to see an effect against the users in each arm.

    Parameters
    ----------
    curve : DataFrame
        `effect` in units of the outcome, `users_per_arm` (ascending within an effect) and `power` in [0, 1].
    report : mapping
        What the abtest stage found: `metric`, `n` of both `arms`, and `power`, `minimum_effect` and
        `users_needed_per_arm` of its `design`.

    Returns
    -------
    Figure
        A line an effect, the smallest worth having in colour; lines at the wanted power and at the smaller arm's users.
    """
    design, actual = report["design"], min(arm["n"] for arm in report["arms"].values())
    smallest, wanted, needed = (design[name] for name in ("minimum_effect", "power", "users_needed_per_arm"))
    figure, axes = new_figure()
    ends = [float(curve["users_per_arm"].min()), float(curve["users_per_arm"].max())]
    axes.axhline(wanted, color=MUTED, linewidth=1.4, linestyle="dotted")
    axes.axvline(actual, color=MUTED, linewidth=1.4, linestyle="dotted")
    labels, lines = [], [(ends, [wanted, wanted]), ([actual, actual], [0.0, 1.0])]
    for effect, line in zip(curve["effect"].unique(), itertools.cycle(_LINES), strict=False):
        rows = curve[curve["effect"] == effect]
        color = BLUE if abs(effect - smallest) < 1e-6 else INK
        axes.plot(rows["users_per_arm"], rows["power"], color=color, linestyle=line)
        lines.append((rows["users_per_arm"].tolist(), rows["power"].tolist()))
        middle = rows.iloc[(rows["power"] - 0.5).abs().argmin()]
        labels.append(Label(middle["users_per_arm"], middle["power"], f"effect {effect:g}", color))
    axes.plot(needed, wanted, "o", color=BLUE)
    _set_users(axes, ends)
    axes.set_title(f"Dotted: the wanted power, {wanted:g}, and the users of the smaller arm, {actual:,}", color=MUTED)
    chance = f"{needed:,} users in each arm see an effect of {smallest:g} with a chance of {100 * wanted:g}%"
    set_title(figure, f"{report['metric']}: {chance}; there are {actual:,}")
    place_labels(axes, labels, lines)
    return figure


def _set_users(axes: Axes, ends: Sequence[float]) -> None:
    has_room = ends[1] / ends[0] < _WIDEST_WITH_STEPS and ends[1] < _LONGEST_WITH_STEPS
    axes.set(xscale="log", ylim=(0, 1.03), xlim=(ends[0], ends[1]))
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if has_room else (1.0,)))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel("users in each arm (log scale)")
    axes.set_ylabel("power (chance to see the effect)")
