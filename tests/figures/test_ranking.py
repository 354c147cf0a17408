from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from movierec.errors import MovierecError
from movierec.figures.ranking import draw_coverage_accuracy, draw_precision_recall

Check = Callable[[Callable[[], Figure]], Figure]
MODELS = ("svd", "svd_tuned", "als", "bias", "popularity")
REAL = dict(zip(MODELS, [(0.06, 0.02), (0.061, 0.022), (0.34, 0.19), (0.06, 0.021), (0.15, 0.09)], strict=True))
APART = dict(zip(MODELS, [(0.012, 0.009), (0.02, 0.016), (0.3, 0.2), (0.008, 0.007), (0.13, 0.08)], strict=True))
EXTREMES = {
    "real": REAL,
    "orders of magnitude": APART,
    "one model": {"als": (0.3, 0.2)},
    "nothing found": dict.fromkeys(MODELS, (0.0, 0.0)),
    "one finds nothing": {**REAL, "bias": (0.0, 0.0)},
    "equal": dict.fromkeys(MODELS, (0.1, 0.1)),
    "nearly equal": {model: (0.1 + 1e-6 * n, 0.1 - 1e-6 * n) for n, model in enumerate(MODELS)},
    "close": {model: (0.1 + 0.002 * n, 0.1 - 0.003 * n) for n, model in enumerate(MODELS)},
    "perfect": dict.fromkeys(MODELS, (1.0, 1.0)),
}


def xy(line: Line2D) -> list[list[float]]:
    points: list[list[float]] = np.asarray(line.get_xydata()).tolist()
    return points


def table_at_k(scores: Mapping[str, tuple[float, float]]) -> pd.DataFrame:
    rows = [
        {"model": model, "k": k, "precision": precision * 0.8**n, "recall": min(1.0, recall * 1.5**n)}
        | {"ndcg": precision, "coverage": recall * (1 + n)}
        for model, (precision, recall) in scores.items()
        for n, k in enumerate((5, 10, 20))
    ]
    return pd.DataFrame(rows)


@pytest.mark.parametrize("name", EXTREMES)
def test_lines_and_points_are_the_table(check_figure: Check, name: str) -> None:
    table = table_at_k(EXTREMES[name])
    axes = check_figure(lambda: draw_precision_recall(table.sample(frac=1, random_state=1))).axes[0]
    lines = {str(line.get_label()): xy(line) for line in axes.lines if len(xy(line)) == 3}
    assert set(lines) == set(EXTREMES[name])
    for model, drawn in lines.items():
        np.testing.assert_array_equal(drawn, table.loc[table["model"] == model, ["recall", "precision"]])
    points = [xy(line)[0] for line in axes.lines if len(xy(line)) == 1]
    assert sorted(points) == sorted(table[["recall", "precision"]].to_numpy().tolist())
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    assert all(left < recall < right and bottom < precision < top for recall, precision in points)


@pytest.mark.parametrize("name", EXTREMES)
def test_every_model_and_every_k_is_named(name: str) -> None:
    figure = draw_precision_recall(table_at_k(EXTREMES[name]))
    named = "\n".join(text.get_text() for text in figure.axes[0].texts).split("\n")
    assert sorted(named) == sorted([*EXTREMES[name], "k = 5", "k = 10", "k = 20"])


def test_k_is_written_at_the_line_of_highest_precision() -> None:
    axes = draw_precision_recall(table_at_k(REAL)).axes[0]
    ((x, y),) = (text.xy for text in axes.texts if text.get_text() == "k = 10")  # type: ignore[attr-defined]
    assert (x, y) == pytest.approx((0.19 * 1.5, 0.34 * 0.8))


def test_scale_is_logarithmic_only_between_orders_of_magnitude_above_zero() -> None:
    scales = {name: draw_precision_recall(table_at_k(scores)).axes[0].get_xscale() for name, scores in EXTREMES.items()}
    assert {name for name, scale in scales.items() if scale == "log"} == {"orders of magnitude"}


def test_logarithmic_axes_say_so() -> None:
    axes = draw_precision_recall(table_at_k(APART)).axes[0]
    assert "log scale" in axes.get_xlabel()
    assert "log scale" in axes.get_ylabel()


def test_models_differ_without_colour() -> None:
    axes = draw_precision_recall(table_at_k(REAL)).axes[0]
    lines = [line for line in axes.lines if len(xy(line)) == 3]
    dashes = {(line._dash_pattern[0], tuple(line._dash_pattern[1] or ())) for line in lines}  # type: ignore[attr-defined]
    assert len(dashes) == len(MODELS)
    markers = {line.get_marker() for line in axes.lines if len(xy(line)) == 1}
    assert len(markers) == len(MODELS)


def test_highest_are_named() -> None:
    title = draw_precision_recall(table_at_k(REAL)).get_suptitle()
    # at k = 10 precision is 0.34 * 0.8, recall 0.19 * 1.5
    assert title == "Highest precision@10: als, 0.2720. Highest recall@10: als, 0.2850"


@pytest.mark.parametrize("name", EXTREMES)
def test_points_are_the_rows_of_ten(check_figure: Check, name: str) -> None:
    figure = check_figure(lambda: draw_coverage_accuracy(table_at_k(EXTREMES[name])))
    axes = figure.axes[0]
    drawn = {str(line.get_label()): xy(line) for line in axes.lines}
    assert drawn == {model: [[2 * recall, precision]] for model, (precision, recall) in EXTREMES[name].items()}
    assert len({line.get_marker() for line in axes.lines}) == len(drawn)
    assert sorted("\n".join(text.get_text() for text in axes.texts).split("\n")) == sorted(drawn)


def test_most_accurate_and_widest_are_named() -> None:
    scores = {"als": (0.3, 0.1), "svd": (0.1, 0.25)}
    title = draw_coverage_accuracy(table_at_k(scores)).get_suptitle()
    assert title == "Highest ndcg@10: als, 0.3000. Highest coverage@10: svd, 50.0%"


@pytest.mark.parametrize("draw", [draw_precision_recall, draw_coverage_accuracy])
def test_list_of_ten_is_needed(draw: Callable[[pd.DataFrame], Figure]) -> None:
    table = table_at_k(REAL)
    with pytest.raises(MovierecError, match=r"evaluate_at_k\.csv has no row with k = 10"):
        draw(table[table["k"] != 10])


@pytest.mark.parametrize("draw", [draw_precision_recall, draw_coverage_accuracy])
def test_unknown_model_has_no_figure(draw: Callable[[pd.DataFrame], Figure]) -> None:
    with pytest.raises(MovierecError, match="no figure knows model 'oracle'"):
        draw(table_at_k({"oracle": (1.0, 1.0)}))
