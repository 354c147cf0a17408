"""Comparisons as metrics, as a table and in words."""

from pathlib import Path

import pytest

from movierec import io
from movierec.evaluation.comparisons import format_comparisons, summarize_comparisons, tabulate_comparisons
from movierec.metrics.comparison import Comparison
from movierec.metrics.intervals import Interval

COMPARISONS = [
    Comparison("rmse", "svd", "als", Interval(-0.02, -0.03, -0.01, 9), 0.001, 0.004),
    Comparison("mae", "svd", "als", Interval(-0.01, -0.02, 0.01, 9), 0.3, 0.6),
    Comparison("ndcg@10", "svd", "als", Interval(0.01, -0.01, 0.03, 7), 0.2, 0.6),
    Comparison("ndcg@10", "svd", "bias", Interval(0.0, 0.0, 0.0, 7), 1.0, 1.0),
]


def test_the_metrics_file_says_which_headline_differences_are_real(tmp_path: Path) -> None:
    found = summarize_comparisons(COMPARISONS)
    assert found == {
        "rmse": {"svd_vs_als": {"difference": -0.02, "p_value": 0.004, "real": True}},
        "ndcg@10": {
            "svd_vs_als": {"difference": 0.01, "p_value": 0.6, "real": False},
            "svd_vs_bias": {"difference": 0.0, "p_value": 1.0, "real": False},
        },
    }
    io.write_json(found, tmp_path / "comparisons.json")


def test_tabulate_comparisons() -> None:
    table = tabulate_comparisons(COMPARISONS)
    assert list(table)[:3] == ["metric", "first", "second"]
    assert list(table)[3:] == ["difference", "low", "high", "users", "p_value", "p_adjusted", "real"]
    assert table.iloc[1].tolist() == ["mae", "svd", "als", -0.01, -0.02, 0.01, 9, 0.3, 0.6, False]
    assert len(table) == len(COMPARISONS)


def differ(metric: str, *p_values: float) -> list[Comparison]:
    return [
        Comparison(metric, "svd", f"m{n}", Interval(0.1, 0.0, 0.2, 9), p_value, p_value)
        for n, p_value in enumerate(p_values)
    ]


@pytest.mark.parametrize(
    ("p_values", "told"),
    [
        ((0.01, 0.04), "all differences real"),
        ((0.05, 0.9), "all differences may be chance"),
        ((0.01, 0.9), "may be chance: svd and m1"),
        ((0.9, 0.01, 0.06), "may be chance, but for svd and m1"),
    ],
)
def test_the_fewer_are_named(p_values: tuple[float, ...], told: str) -> None:
    assert format_comparisons(differ("ndcg@10", *p_values)) == f"ndcg@10: {told}"


def test_a_line_for_each_headline_metric_that_was_compared() -> None:
    compared = [*differ("mae", 0.2), *differ("ndcg@10", 0.2), *differ("rmse", 0.01)]
    assert format_comparisons(compared) == "rmse: all differences real\nndcg@10: all differences may be chance"
    assert format_comparisons([]) == ""
