from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from movierec.errors import MovierecError
from movierec.figures.evaluation import draw_accuracy, draw_predicted_actual

Check = Callable[[Callable[[], Figure]], Figure]
MODELS = ("svd", "svd_tuned", "als", "bias", "popularity")


def xy(line: Line2D) -> list[list[float]]:
    points: list[list[float]] = np.asarray(line.get_xydata()).tolist()
    return points


def accuracy(rmse: dict[str, float], half: float = 0.002) -> pd.DataFrame:
    rows = [
        {"model": model, "rmse": value, "rmse_low": value - half, "rmse_high": value + 2 * half}
        | {"mae": value / 2, "mae_low": value / 2 - half, "mae_high": value / 2 + 2 * half}
        for model, value in rmse.items()
    ]
    return pd.DataFrame(rows)


NORMAL = dict(zip(MODELS, [0.85, 0.83, 0.87, 0.88, 1.04], strict=True))


def test_dots_and_intervals_are_the_table(check_figure: Check) -> None:
    figure = check_figure(lambda: draw_accuracy(accuracy(NORMAL)))
    order = ["svd_tuned", "svd", "als", "bias", "popularity"]
    for axes, scale in zip(figure.axes, (1, 0.5), strict=True):
        assert [label.get_text() for label in axes.get_yticklabels()] == order
        for row, model in enumerate(order):
            value = NORMAL[model] * scale
            span, dot = axes.lines[2 * row : 2 * row + 2]
            assert xy(span) == [pytest.approx([value - 0.002, row]), pytest.approx([value + 0.004, row])]
            assert xy(dot) == [[value, row]]
    assert figure.get_suptitle() == "Lowest RMSE on test: svd_tuned, 0.8300 stars"


def test_models_differ_without_colour() -> None:
    axes = draw_accuracy(accuracy(NORMAL)).axes[0]
    assert len({line.get_marker() for line in axes.lines[1::2]}) == len(MODELS)


def test_noise_floor_is_drawn_where_it_is_known(check_figure: Check) -> None:
    figure = check_figure(lambda: draw_accuracy(accuracy(NORMAL), {"rmse": 0.8, "realised_rmse": 0.81}))
    rmse, mae = figure.axes
    assert rmse.lines[-1].get_xdata() == [0.8, 0.8]
    assert rmse.texts[-1].get_text() == "noise floor 0.8000"
    assert rmse.get_xlim()[0] < 0.8
    assert len(mae.lines) == 2 * len(MODELS)


@pytest.mark.parametrize(
    ("table", "floor"),
    [
        (accuracy({"svd": 0.85}), None),
        (accuracy({model: 0.85 + 1e-6 * n for n, model in enumerate(MODELS)}, 0), {"rmse": 0.85}),
        (accuracy(dict.fromkeys(MODELS, 0.85)), {"rmse": 0.2}),
        (accuracy({**NORMAL, "als": 3.49}), None),
        (accuracy({**NORMAL, "als": 123.4}, 20), None),
    ],
    ids=["one", "nearly equal", "equal, low floor", "outlier", "wide"],
)
def test_extreme_accuracy(check_figure: Check, table: pd.DataFrame, floor: dict[str, float] | None) -> None:
    axes = check_figure(lambda: draw_accuracy(table, floor)).axes[0]
    low, high = axes.get_xlim()
    assert low < table["rmse_low"].min()
    assert high > table["rmse_high"].max()


def test_unknown_model_has_no_figure() -> None:
    with pytest.raises(MovierecError, match="no figure knows model 'oracle'"):
        draw_accuracy(accuracy({"oracle": 0.5}))


def calibration(models: tuple[str, ...], bins: int = 10, tilt: float = 0.9) -> pd.DataFrame:
    predicted = np.linspace(1, 5, bins)
    table = {"predicted": predicted, "actual": 3 + (predicted - 3) * tilt, "ratings": np.arange(1, bins + 1)}
    return pd.concat([pd.DataFrame({"model": model, **table}) for model in models], ignore_index=True)


def dots_of(figure: Figure, panel: int) -> PathCollection:
    (dots,) = (child for child in figure.axes[panel].collections if isinstance(child, PathCollection))
    return dots


def test_bins_are_the_table(check_figure: Check) -> None:
    table = calibration(MODELS)
    figure = check_figure(lambda: draw_predicted_actual(table))
    for panel, model in enumerate(MODELS):
        bins = table.loc[table["model"] == model, ["predicted", "actual"]]
        np.testing.assert_array_equal(np.asarray(dots_of(figure, panel).get_offsets()), bins)
        diagonal, curve = figure.axes[panel].lines
        np.testing.assert_array_equal(diagonal.get_xdata(), diagonal.get_ydata())
        np.testing.assert_array_equal(xy(curve), bins)
    markers = {np.asarray(dots_of(figure, panel).get_paths()[0].vertices).tobytes() for panel in range(len(MODELS))}
    assert len(markers) == len(MODELS)


def test_area_of_a_dot_grows_with_its_ratings() -> None:
    sizes = dots_of(draw_predicted_actual(calibration(("als",))), 0).get_sizes()
    assert (np.diff(sizes) > 0).all()


def test_gap_is_the_mean_over_ratings(check_figure: Check) -> None:
    table = pd.DataFrame(
        {
            "model": ["svd", "svd", "als"],
            "predicted": [4.0, 2.0, 3.0],
            "actual": [4.4, 2.1, 2.0],
            "ratings": [1, 3, 5],
        }
    )
    figure = check_figure(lambda: draw_predicted_actual(table))
    # the svd's gap is (1 * 0.4 + 3 * 0.1) / 4 = 0.175 stars
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["svd: 0.175 stars off", "als: 1.000 stars off"]
    assert figure.get_suptitle().replace("\n", " ") == (
        "Smallest mean gap between predicted and actual: svd, 0.175 stars"
    )


@pytest.mark.parametrize(("count", "bins"), [(1, 1), (1, 12), (2, 1), (3, 12), (4, 1), (5, 12)])
def test_any_number_of_models_and_bins(check_figure: Check, count: int, bins: int) -> None:
    figure = check_figure(lambda: draw_predicted_actual(calibration(MODELS[:count], bins)))
    assert sum(axes.axison for axes in figure.axes) == count


def test_equal_predictions(check_figure: Check) -> None:
    table = pd.DataFrame({"model": "bias", "predicted": 3.5, "actual": [3.5, 3.500001], "ratings": 7})
    figure = check_figure(lambda: draw_predicted_actual(table))
    assert len(np.asarray(dots_of(figure, 0).get_offsets())) == 2
