"""What a model says about the errors of its predictions, held against the errors that it makes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from movierec.columns import MODEL, MOVIE_ID, TIMESTAMP, USER_ID
from movierec.metrics.uncertainty import DeviationTable, interval_coverage, interval_width, tabulate_deviations
from movierec.models.posterior_predictive import PosteriorPredictive

COVERAGES: Final = (50, 80, 95)  # percent
GROUPS: Final = 10
Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Uncertainty:
    """Stated for each test rating, in stars.

    Attributes
    ----------
    deviation : ndarray of float64, shape (ratings,)
        Standard deviation of the rating around its prediction.
    intervals : mapping of int to pair of ndarray of float64, shape (ratings,)
        Ends of the intervals by their coverage in percent.
    """

    deviation: Values
    intervals: Mapping[int, tuple[Values, Values]]

    def judge(self, actual: Values) -> dict[str, float]:
        """Return the share of ratings within their intervals and the mean width, ``interval_coverage@95`` and so on."""
        found: dict[str, float] = {}
        for coverage, (low, high) in self.intervals.items():
            found[f"interval_coverage@{coverage}"] = interval_coverage(actual, low, high)
            found[f"interval_width@{coverage}"] = interval_width(low, high)
        return found

    def compare(self, predicted: Values, actual: Values) -> DeviationTable:
        """Return stated and observed errors by decile of the stated deviation; with fewer ratings, one a group."""
        return tabulate_deviations(actual, predicted, self.deviation, min(GROUPS, len(actual)))


def state_uncertainty(model: PosteriorPredictive, ratings: pd.DataFrame, predicted: Values) -> Uncertainty:
    """Return what a model says about the errors of its predictions of ratings, whose times it may use."""
    deviation = model.predict_deviation(ratings[USER_ID], ratings[MOVIE_ID], ratings.get(TIMESTAMP))
    intervals = {coverage: model.bound_interval(predicted, deviation, coverage / 100) for coverage in COVERAGES}
    return Uncertainty(deviation, intervals)


def tabulate_intervals(figures: Mapping[str, Mapping[str, float]]) -> pd.DataFrame:
    """Return ``model``, ``stated`` and ``observed`` coverage (0 to 1) and ``width`` (mean, stars) of each interval.

    Parameters
    ----------
    figures : mapping of str to mapping of str to float
        By model, among others what `Uncertainty.judge` returned; there is no row of a model without it.
    """
    rows = [
        (model, coverage / 100, found[f"interval_coverage@{coverage}"], found[f"interval_width@{coverage}"])
        for model, found in figures.items()
        for coverage in COVERAGES
        if f"interval_coverage@{coverage}" in found
    ]
    return pd.DataFrame(rows, columns=[MODEL, "stated", "observed", "width"])


def tabulate_errors(found: Mapping[str, DeviationTable]) -> pd.DataFrame:
    """Return ``model``, ``decile`` of the stated deviation, ``stated``, ``observed`` (stars) and ``ratings``.

    ``stated`` is the root mean square of the deviations in the decile, ``observed`` that of the errors.
    """
    tables = [pd.DataFrame(columns=[MODEL, "decile", "stated", "observed", "ratings"])]
    for model, each in found.items():
        columns = {"stated": each.stated, "observed": each.observed, "ratings": each.count}
        tables.append(pd.DataFrame({MODEL: model, "decile": np.arange(1, len(each.count) + 1), **columns}))
    return pd.concat(tables[1:] or tables, ignore_index=True)
