from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from movierec.figures.training import (
    draw_als_learning_curve,
    draw_als_tuning,
    draw_bayes_tuning,
    draw_svd_learning_curve,
    draw_svd_tuning,
)

Check = Callable[[Callable[[], Figure]], Figure]


def xy(line: Line2D) -> list[list[float]]:
    points: list[list[float]] = np.asarray(line.get_xydata()).tolist()
    return points


def svd_curve(train: list[float], validation: list[float]) -> pd.DataFrame:
    return pd.DataFrame({"epoch": range(1, len(train) + 1), "train_rmse": train, "validation_rmse": validation})


def points(figure: Figure) -> list[list[list[float]]]:
    return [xy(line) for line in figure.axes[0].lines]


def test_svd_curves_are_the_table(check_figure: Check) -> None:
    curve = svd_curve([0.95, 0.9, 0.85], [0.96, 0.93, 0.94])
    figure = check_figure(lambda: draw_svd_learning_curve(curve))
    validation, train, lowest = points(figure)
    assert validation == [[1, 0.96], [2, 0.93], [3, 0.94]]
    assert train == [[1, 0.95], [2, 0.9], [3, 0.85]]
    assert lowest == [[2, 0.93]]
    assert figure.get_suptitle() == "svd: lowest validation RMSE 0.9300 stars, at epoch 2"


@pytest.mark.parametrize(
    "curve",
    [
        svd_curve([0.93], [0.95]),
        svd_curve([0.9], [0.9]),
        svd_curve([0.873456] * 10, [0.873457] * 10),
        svd_curve([0.9 - 0.001 * n for n in range(100)], [0.9 - 0.01 * n + 0.0001 * n * n for n in range(100)]),
        svd_curve([1e3, 1e-3], [1e3, 2e3]),
    ],
    ids=["one epoch", "one epoch, equal", "equal", "long", "diverging"],
)
def test_extreme_svd_curves(check_figure: Check, curve: pd.DataFrame) -> None:
    figure = check_figure(lambda: draw_svd_learning_curve(curve))
    assert len(points(figure)[0]) == len(curve)
    ticks = figure.axes[0].get_xticks()
    np.testing.assert_array_equal(ticks, np.round(ticks))


def test_svd_curves_differ_without_colour() -> None:
    validation, train, _ = draw_svd_learning_curve(svd_curve([0.9, 0.8], [0.9, 0.85])).axes[0].lines
    assert validation.get_linestyle() != train.get_linestyle()


@pytest.mark.parametrize(
    ("loss", "title"),
    [
        ([0.0829, 0.0701], "als: training loss 0.0829 after iteration 1, 0.0701 after iteration 2"),
        ([0.0123], "als: training loss 0.0123 after iteration 1"),
        ([0.0123, 0.0123], "als: training loss 0.0123 after iteration 1, 0.0123 after iteration 2"),
        ([0.0, 0.0], "als: training loss 0 after iteration 1, 0 after iteration 2"),
        ([123456.0, 23456.0], "als: training loss 1.235e+05 after\niteration 1, 2.346e+04 after iteration 2"),
    ],
)
def test_als_curve_is_the_table(check_figure: Check, loss: list[float], title: str) -> None:
    curve = pd.DataFrame({"iteration": range(1, len(loss) + 1), "loss": loss})
    figure = check_figure(lambda: draw_als_learning_curve(curve))
    assert points(figure) == [[[n, value] for n, value in enumerate(loss, start=1)]]
    assert figure.get_suptitle() == title


def trials(*rows: tuple[Any, ...]) -> pd.DataFrame:
    columns = ["configuration", "factors", "epochs", "learning_rate", "regularization", "validation_rmse"]
    return pd.DataFrame(rows, columns=columns)


def many_trials(count: int, step: float) -> pd.DataFrame:
    return trials(*((f"trial_{n}", 50 + n, 10, 0.005, 0.02, 0.85 + step * n) for n in range(count)))


def test_trials_are_sorted_and_the_best_is_filled(check_figure: Check) -> None:
    table = trials(("slow", 50, 10, 0.005, 0.02, 0.88), ("fast", 100, 15, 0.007, 0.05, 0.86), ("mid", 1, 9, 1, 0, 0.87))
    figure = check_figure(lambda: draw_svd_tuning(table))
    best, others = figure.axes[0].lines
    assert xy(best) == [[0.86, 1]]
    assert xy(others) == [[0.87, 2], [0.88, 3]]
    assert (best.get_markerfacecolor(), others.get_markerfacecolor()) == (best.get_color(), "white")
    rows = [label.get_text().split() for label in figure.axes[0].get_yticklabels()]
    assert rows == [
        ["learning", "regular-", "configuration", "factors", "epochs", "rate", "ization"],
        ["fast", "100", "15", "0.007", "0.05"],
        ["mid", "1", "9", "1", "0"],
        ["slow", "50", "10", "0.005", "0.02"],
    ]
    assert [text.get_text() for text in figure.axes[0].texts] == ["0.8600", "0.8700", "0.8800"]
    assert figure.get_suptitle() == "svd: lowest validation RMSE among 3 configurations: fast, 0.8600 stars"


@pytest.mark.parametrize(
    "table",
    [
        trials(("baseline", 50, 10, 0.005, 0.02, 0.86)),
        many_trials(14, 1e-6),
        many_trials(14, 0.0),
        many_trials(60, 0.01),
        trials(("n" * 60, 2000, 10_000, 1e-6, 1e6, 0.86), ("costs $5 or $6", 1, 1, 1.0, 0.0, 12.5)),
    ],
    ids=["one", "nearly equal", "equal", "sixty", "long name and extreme settings"],
)
def test_extreme_trials(check_figure: Check, table: pd.DataFrame) -> None:
    figure = check_figure(lambda: draw_svd_tuning(table))
    drawn = np.concatenate([line.get_xdata() for line in figure.axes[0].lines])
    np.testing.assert_array_equal(np.sort(drawn), np.sort(table["validation_rmse"]))


def test_equally_good_trials_are_all_winners() -> None:
    figure = draw_svd_tuning(trials(("b", 1, 1, 1, 1, 0.8), ("a", 1, 1, 1, 1, 0.8), ("c", 1, 1, 1, 1, 0.9)))
    assert xy(figure.axes[0].lines[0]) == [[0.8, 1], [0.8, 2]]
    assert figure.get_suptitle() == "svd: lowest validation RMSE among 3 configurations: a and b, 0.8000 stars"


def test_single_trial_is_singular() -> None:
    title = draw_svd_tuning(many_trials(1, 0)).get_suptitle()
    assert title == "svd: lowest validation RMSE among 1 configuration: trial_0, 0.8500 stars"


def test_of_short_settings_the_lowest_is_the_best(check_figure: Check) -> None:
    columns = ["configuration", "factors", "directions", "validation_rmse"]
    table = pd.DataFrame([("many", 31, 256, 0.79), ("few", 15, 0, 0.78)], columns=columns)
    figure = check_figure(lambda: draw_bayes_tuning(table))
    assert xy(figure.axes[0].lines[0]) == [[0.78, 1]]
    title = figure.get_suptitle().replace("\n", " ")
    assert title == "bayes: lowest validation RMSE among 2 configurations: few, 0.7800 stars"


def als_trials(*rows: tuple[Any, ...]) -> pd.DataFrame:
    settings = ["factors", "iterations", "regularization", "alpha", "relevance_threshold", "content_weight"]
    return pd.DataFrame(rows, columns=["configuration", *settings, "validation_ndcg@10"])


def test_of_the_als_the_highest_is_the_best(check_figure: Check) -> None:
    table = als_trials(("low", 50, 15, 30.0, 1.0, 4.0, 0.0, 0.2), ("high", 16, 8, 0.5, 2.0, np.nan, 0.05, 0.25))
    figure = check_figure(lambda: draw_als_tuning(table))
    best, others = figure.axes[0].lines
    assert (xy(best), xy(others)) == ([[0.25, 1]], [[0.2, 2]])
    rows = [label.get_text().split() for label in figure.axes[0].get_yticklabels()]
    assert rows == [
        ["itera-", "regular-", "liked", "configuration", "factors", "tions", "ization", "alpha", "from", "content"],
        ["high", "16", "8", "0.5", "2", "none", "0.05"],
        ["low", "50", "15", "30", "1", "4", "0"],
    ]
    assert figure.get_suptitle() == "als: highest validation NDCG@10 among 2 configurations: high, 0.2500"


@pytest.mark.parametrize("step", [0.0, 1e-6, 0.01])
def test_extreme_trials_of_the_als(check_figure: Check, step: float) -> None:
    table = als_trials(*((f"trial_{n}", n + 1, 10, 1e-6, 1e6, None, 0.1 * n, step * n) for n in range(40)))
    figure = check_figure(lambda: draw_als_tuning(table.astype({"relevance_threshold": float})))
    drawn = np.concatenate([line.get_xdata() for line in figure.axes[0].lines])
    np.testing.assert_array_equal(np.sort(drawn), np.sort(table["validation_ndcg@10"]))
