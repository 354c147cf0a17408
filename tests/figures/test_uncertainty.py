from collections.abc import Callable

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from movierec.figures.training import draw_bayes_learning_curve
from movierec.figures.uncertainty import draw_uncertainty

Check = Callable[[Callable[[], Figure]], Figure]
INTERVALS = pd.DataFrame(
    {"model": "bayes", "stated": [0.5, 0.8, 0.95], "observed": [0.49, 0.81, 0.94], "width": [1.0, 2.0, 3.0]}
)
DEVIATIONS = pd.DataFrame(
    {"model": "bayes", "decile": range(1, 11), "stated": np.linspace(0.6, 1.2, 10), "ratings": 7}
).assign(observed=lambda table: table["stated"] + 0.01)


def test_both_panels_show_the_tables_and_the_diagonal(check_figure: Check) -> None:
    figure = check_figure(lambda: draw_uncertainty(INTERVALS, DEVIATIONS))
    for axes, table in zip(figure.axes, (INTERVALS, DEVIATIONS), strict=True):
        diagonal, points = axes.lines
        assert np.array_equal(diagonal.get_xdata(), diagonal.get_ydata())
        np.testing.assert_allclose(np.asarray(points.get_xdata()), table["stated"])
        np.testing.assert_allclose(np.asarray(points.get_ydata()), table["observed"])
    title = figure._suptitle.get_text()  # type: ignore[attr-defined]
    assert "stated to hold 95% of the ratings hold 94.0%" in " ".join(title.split())


def test_the_learning_curve_names_where_it_ends(check_figure: Check) -> None:
    curve = pd.DataFrame({"sweep": range(1, 51), "validation_rmse": 0.9 - 0.001 * np.arange(50)})
    figure = check_figure(lambda: draw_bayes_learning_curve(curve))
    assert figure._suptitle.get_text().startswith("bayes: validation RMSE 0.8510 stars after 50 sweeps")  # type: ignore[attr-defined]
