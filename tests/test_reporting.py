import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from movierec import io, reporting
from movierec.evaluation import ModelResult, TestBed
from movierec.metrics.ranking import KS
from movierec.metrics.rating import UserErrors


def make_bed() -> TestBed:
    """Users 3, 5 and 8 with 2, 1 and 1 test ratings, and 1, 2 and none in train; user 9 is in train alone."""

    def ratings(*users: int) -> pd.DataFrame:
        return pd.DataFrame({"user_id": np.array(users, dtype=np.int32), "movie_id": range(len(users)), "rating": 4.0})

    return TestBed(ratings(5, 9, 3, 5), ratings(9), ratings(8, 3, 5, 3), pd.DataFrame(), 4.0)


def make_result(scale: float) -> ModelResult:
    errors = UserErrors(np.array([2, 1, 1]), np.array([1.0, 4.0, 0.25]) * scale, np.array([1.0, 2.0, 0.5]) * scale)
    calibration = pd.DataFrame({"predicted": [2.0, 4.0], "actual": [2.5, 3.5], "ratings": [1, 3]})
    by_user = {"ndcg@10": np.array([1.0, 0.5, math.nan]) * scale, "mrr": np.array([0.25, 0.5, math.nan])}
    return ModelResult(errors, by_user, {"coverage@10": 0.5}, calibration)


RESULTS = {"svd": make_result(1), "als": make_result(2)}
INTERVALS = {"rmse_ci": {"low": 0.75, "high": 1.0}, "mae_ci": {"low": 0.5, "high": 0.75}}
SUMMARY: dict[str, dict[str, Any]] = {
    "svd": {
        "rmse": 0.91234,
        "mae": 0.625,
        **INTERVALS,
        "ndcg@10": 0.05,
        "coverage@10": 0.5,
        "mrr": 0.25,
        "ndcg@20": 0.1,
    },
    "bias": {"rmse": 1, "mae": 0.8, **INTERVALS},
}


def test_tabulate_users() -> None:
    table = reporting.tabulate_users(RESULTS, make_bed())
    assert list(table)[:6] == ["user_id", "model", "n_train", "n_test", "squared_error", "absolute_error"]
    assert set(list(table)[6:]) == {"ndcg@10", "mrr"}
    assert table["user_id"].tolist() == [3, 5, 8] * 2
    assert table["model"].tolist() == ["svd"] * 3 + ["als"] * 3
    assert table["n_train"].tolist() == [1, 2, 0] * 2
    assert table["n_test"].tolist() == [2, 1, 1] * 2
    assert table["squared_error"].tolist() == [1 / 2, 4, 0.25, 1, 8, 0.5]  # sums by number of ratings
    assert table["absolute_error"].tolist() == [1 / 2, 2, 0.5, 1, 4, 1]
    np.testing.assert_array_equal(table["ndcg@10"], [1, 0.5, math.nan, 2, 1, math.nan])


def test_tabulate_users_survives_parquet(tmp_path: Path) -> None:
    table = reporting.tabulate_users(RESULTS, make_bed())
    io.write_parquet(table, tmp_path / "users.parquet")
    pd.testing.assert_frame_equal(io.read_parquet(tmp_path / "users.parquet"), table)


def test_tabulate_accuracy() -> None:
    table = reporting.tabulate_accuracy(SUMMARY)
    assert list(table) == ["model", "rmse", "rmse_low", "rmse_high", "mae", "mae_low", "mae_high"]
    assert table.to_numpy().tolist() == [
        ["svd", 0.91234, 0.75, 1.0, 0.625, 0.5, 0.75],
        ["bias", 1, 0.75, 1.0, 0.8, 0.5, 0.75],
    ]


def test_tabulate_by_k() -> None:
    table = reporting.tabulate_by_k(SUMMARY)
    metrics = ["precision", "recall", "ndcg", "map", "hit_rate", "coverage", "diversity", "novelty"]
    assert list(table) == ["model", "k", *metrics]
    assert table[["model", "k"]].to_numpy().tolist() == [[name, k] for name in SUMMARY for k in KS]
    np.testing.assert_array_equal(table["ndcg"].astype(float), [math.nan, 0.05, 0.1] + [math.nan] * 3)
    np.testing.assert_array_equal(table["coverage"].astype(float), [math.nan, 0.5] + [math.nan] * 4)


def test_tabulate_calibration() -> None:
    table = reporting.tabulate_calibration(RESULTS)
    assert list(table) == ["model", "predicted", "actual", "ratings"]
    rows = [[2.0, 2.5, 1], [4.0, 3.5, 3]]
    assert table.to_numpy().tolist() == [[name, *row] for name in RESULTS for row in rows]


def test_format_summary() -> None:
    lines = reporting.format_summary(SUMMARY, 0.8).splitlines()
    assert [line.split() for line in lines[:3]] == [
        ["model", "RMSE", "MAE", "NDCG@10", "coverage@10"],
        ["svd", "0.9123", "0.6250", "0.0500", "0.5000"],
        ["bias", "1.0000", "0.8000", "-", "-"],  # ranks nobody
    ]
    assert len({len(line) for line in lines[:3]}) == 1  # aligned
    assert lines[3].split()[:3] == ["noise", "floor", "0.8000"]


@pytest.mark.parametrize("floor", [None, 0.8])
def test_the_floor_is_told_where_it_is_known(floor: float | None) -> None:
    assert ("noise floor" in reporting.format_summary(SUMMARY, floor)) == (floor is not None)
