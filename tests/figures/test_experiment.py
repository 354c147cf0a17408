from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from movierec.abtest.analysis import compare_arms
from movierec.abtest.design import Design, Observations
from movierec.abtest.power_curve import choose_sizes, power_curve, tabulate_power
from movierec.figures.experiment import draw_abtest, draw_abtest_power

Check = Callable[[Callable[[], Figure]], Figure]
REPORT: dict[str, Any] = {
    "metric": "ndcg@10",
    "control": "popularity",
    "treatment": "als",
    "design": {"confidence": 0.95, "minimum_effect": 0.01},
}


def xy(line: Line2D) -> list[list[float]]:
    points: list[list[float]] = np.asarray(line.get_xydata()).tolist()
    return points


def intervals(*rows: tuple[str, float, float, float]) -> pd.DataFrame:
    arms = [("mean", "popularity", 0.18, 0.16, 0.2), ("mean", "als", 0.37, 0.35, 0.39)]
    table = [*arms, *(("difference", *row) for row in rows)]
    return pd.DataFrame(table, columns=["quantity", "label", "estimate", "low", "high"])


NORMAL = intervals(
    ("welch", 0.19, 0.165, 0.22),
    ("cuped", 0.188, 0.16, 0.21),
    ("bootstrap", 0.19, 0.166, 0.222),
    ("other", 0.19, 0.15, 0.24),
)


def test_intervals_are_the_table(check_figure: Check) -> None:
    figure = check_figure(lambda: draw_abtest(NORMAL, REPORT))
    axes = figure.axes[0]
    spans = [xy(line) for line in axes.lines[1::2]]
    dots = [xy(line) for line in axes.lines[2::2]]
    assert spans == [[[0.165, 0], [0.22, 0]], [[0.16, 1], [0.21, 1]], [[0.166, 2], [0.222, 2]], [[0.15, 3], [0.24, 3]]]
    assert dots == [[[0.19, 0]], [[0.188, 1]], [[0.19, 2]], [[0.19, 3]]]
    names = [label.get_text().split("\n")[0] for label in axes.get_yticklabels()]
    assert names == ["Welch's t", "CUPED", "bootstrap", "other"]
    assert figure.get_suptitle() == "ndcg@10, als minus popularity: +0.1900 (95% interval +0.1650 to +0.2200)"


def test_zero_and_the_smallest_effect_are_marked() -> None:
    axes = draw_abtest(NORMAL, REPORT).axes[0]
    assert axes.lines[0].get_xdata() == [0, 0]
    (band,) = axes.patches
    assert band.get_extents().width > 0
    corners = band.get_path().vertices if not hasattr(band, "get_bbox") else band.get_bbox().corners()
    assert {round(float(x), 9) for x in np.asarray(corners)[:, 0]} == {-0.01, 0.01}
    assert axes.get_title(loc="left") == "Grey band: less than the smallest effect worth having, 0.01"


@pytest.mark.parametrize(
    "table",
    [
        intervals(("welch", 0.0652, 0.0611, 0.0693)),
        intervals(("welch", 0.0, -1e-6, 1e-6), ("bootstrap", 0.0, 0.0, 0.0)),
        intervals(("welch", -0.0045, -0.0255, 0.0165), ("anytime_valid", -0.0045, -0.04, 0.03)),
        intervals(("welch", 0.5, -12.5, 13.5), ("anytime_valid", 0.5, -99.0, 100.0)),
    ],
    ids=["one", "nothing", "negative", "wide"],
)
def test_extreme_intervals(check_figure: Check, table: pd.DataFrame) -> None:
    axes = check_figure(lambda: draw_abtest(table, REPORT)).axes[0]
    low, high = axes.get_xlim()
    assert low < min(table["low"].tail(2).min(), -0.01)
    assert high > max(0.01, table["high"].iloc[2:].max())


def test_what_the_abtest_stage_reports_can_be_drawn(check_figure: Check) -> None:
    rng = np.random.default_rng(7)
    control, treatment = (Observations(rng.normal(mean, 1, 200), rng.normal(0, 1, 200)) for mean in (0, 0.3))
    design = Design("rmse", 0.1, significance=0.1, control="bias", treatment="svd_tuned")
    report = compare_arms(control, treatment, design, rng)
    figure = check_figure(lambda: draw_abtest(report.to_table(), report.to_details()))
    shown = f"{report.difference.estimate:+.4f} (90% interval {report.difference.low:+.4f}".replace(
        "-", "\N{MINUS SIGN}"
    )
    assert figure.get_suptitle().startswith(f"rmse, svd_tuned minus bias: {shown}")
    assert len(figure.axes[0].lines) == 1 + 2 * 4
    check_figure(lambda: draw_abtest_power(tabulate_power(report), report.to_details()))


def power_report(needed: int, *arms: int) -> dict[str, Any]:
    design = {"minimum_effect": 0.01, "power": 0.8, "users_needed_per_arm": needed}
    return {**REPORT, "design": design, "arms": dict(zip("ab", ({"n": n} for n in arms), strict=True))}


def test_power_curves_are_the_table(check_figure: Check) -> None:
    curve = power_curve([100, 1000, 8000, 50_000], [0.005, 0.01, 0.02], std=0.22)
    figure = check_figure(lambda: draw_abtest_power(curve, power_report(7607, 469, 451)))
    axes = figure.axes[0]
    wanted, actual, *curves, needed = axes.lines
    assert (wanted.get_ydata(), actual.get_xdata()) == ([0.8, 0.8], [451, 451])
    assert xy(needed) == [[7607, 0.8]]
    for line, (_, rows) in zip(curves, curve.groupby("effect"), strict=True):
        np.testing.assert_array_equal(xy(line), rows[["users_per_arm", "power"]])
    assert len({line.get_linestyle() for line in curves}) == 3
    assert [line.get_color() == needed.get_color() for line in curves] == [False, True, False]
    assert {text.get_text() for text in axes.texts} == {"effect 0.005", "effect 0.01", "effect 0.02"}
    assert axes.get_xscale() == "log"
    assert " ".join(figure.get_suptitle().split()) == (
        "ndcg@10: 7,607 users in each arm see an effect of 0.01 with a chance of 80%; there are 451"
    )


@pytest.mark.parametrize(("needed", "actual"), [(2, 2), (3, 900_000), (7607, 7607), (900_000, 2), (10**7, 10**7)])
def test_power_of_extreme_designs(check_figure: Check, needed: int, actual: int) -> None:
    std = 0.01 * np.sqrt(needed / 15.7)  # n = 15.7 (std / effect)^2 for power 0.8
    curve = power_curve(choose_sizes(needed, actual), [0.005, 0.01, 0.02], std)
    axes = check_figure(lambda: draw_abtest_power(curve, power_report(needed, actual, actual))).axes[0]
    low, high = axes.get_xlim()
    assert low <= min(needed, actual) <= max(needed, actual) < high
