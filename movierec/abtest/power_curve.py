"""The table behind the figure of power: how the chance to see an effect grows with the users."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd

from movierec.abtest.power import mean_power
from movierec.abtest.report import Report
from movierec.errors import MovierecError

EFFECT_MULTIPLES: Final = (0.5, 1.0, 2.0)
_SIZES: Final = 40


def power_curve(
    users: Sequence[int],
    effects: Sequence[float],
    std: float = 1.0,
    *,
    significance: float = 0.05,
    ratio: float = 1.0,
) -> pd.DataFrame:
    """Tabulate the power of a two-sided t test for a figure.

    Parameters
    ----------
    users, effects, std, significance, ratio
        As in `mean_power`; a row for each pair.

    Returns
    -------
    DataFrame
        `effect`, `users_per_arm` (in the arm that `users` are in), `power`; by effect, then users, in the order given.
    """
    grid = [(effect, count) for effect in effects for count in users]
    table = pd.DataFrame(grid, columns=["effect", "users_per_arm"])
    table["power"] = mean_power(table["users_per_arm"], table["effect"], std, significance=significance, ratio=ratio)
    return table


def tabulate_power(report: Report) -> pd.DataFrame:
    """Tabulate the power of an experiment, for its minimum effect, half of it and twice as much.

    Parameters
    ----------
    report : Report
        Its design names a minimum effect; the outcome's standard deviation is the one found within the arms.

    Returns
    -------
    DataFrame
        As `power_curve`'s, for the smaller arm. The sizes hold the one that the design asks for and the one there is,
        and reach from where no effect is seen to where each is.

    Raises
    ------
    MovierecError
        If the design names no minimum effect, or one that no number of users shows.
    """
    smallest = report.design.minimum_effect
    if smallest is None or report.users_needed is None:
        reason = report.left_out.get("users_needed_per_arm", "without a minimum effect: name one")
        raise MovierecError(f"there is no power to tabulate: {reason}")
    found = report.difference
    sizes = choose_sizes(report.users_needed, min(found.control.n, found.treatment.n))
    effects = [multiple * smallest for multiple in EFFECT_MULTIPLES]
    design = report.design
    return power_curve(sizes, effects, found.pooled_std, significance=design.significance, ratio=design.ratio)


def choose_sizes(needed: int, actual: int) -> list[int]:
    """Choose sizes of an arm, evenly spaced on a logarithmic scale.

    Parameters
    ----------
    needed : int
        Users that the minimum effect takes; half the effect takes four times, twice the effect a quarter of it.
    actual : int
        Users there are.

    Returns
    -------
    list of int
        Ascending, distinct, at least 2, with `needed` and `actual` among them.

    Examples
    --------
    >>> sizes = choose_sizes(1000, 150)
    >>> sizes[0], sizes[-1], 1000 in sizes, 150 in sizes
    (20, 10000, True, True)
    """
    low, high = max(2.0, min(needed / 50, actual / 1.5)), max(10.0 * needed, 1.5 * actual)
    spaced = np.geomspace(low, high, _SIZES).round().astype(np.int64).tolist()
    return sorted({*spaced, max(2, needed), max(2, actual)})
