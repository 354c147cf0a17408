import dataclasses
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from movierec import io
from movierec.columns import MOVIE_ID, RATING, USER_ID
from movierec.evaluation import report
from movierec.evaluation.bed import TestBed
from movierec.evaluation.comparisons import compare_results
from movierec.evaluation.judge import ModelResult, evaluate_model
from movierec.evaluation.report import summarize_results
from movierec.evaluation.stars import StarResult, judge_stars
from movierec.metrics.ranking import KS
from movierec.metrics.rating import UserErrors, calibration_table
from movierec.models.als import ALS
from movierec.models.bias import Bias
from tests.beds import Fake, Oracle, random_bed, resample, small_bed, stars_of, summarize

RANKING = ("precision", "recall", "ndcg", "map", "hit_rate")
BEYOND = ("coverage", "diversity", "novelty")


def make_bed() -> TestBed:
    """Users 3, 5 and 8 with 2, 1 and 1 test ratings, and 1, 2 and none in train; user 9 is in train alone."""

    def ratings(*users: int) -> pd.DataFrame:
        return pd.DataFrame({"user_id": np.array(users, dtype=np.int32), "movie_id": range(len(users)), "rating": 4.0})

    return TestBed(ratings(5, 9, 3, 5), ratings(9), ratings(8, 3, 5, 3), pd.DataFrame(), 4.0)


def make_result(scale: float) -> ModelResult:
    errors = UserErrors(np.array([2, 1, 1]), np.array([1.0, 4.0, 0.25]) * scale, np.array([1.0, 2.0, 0.5]) * scale)
    by_user = {"ndcg@10": np.array([1.0, 0.5, math.nan]) * scale, "mrr": np.array([0.25, 0.5, math.nan])}
    stars = StarResult(errors, errors.squared[np.newaxis], calibration_table([4.0], [4.0]), {})
    return ModelResult(np.zeros((3, 20), np.int32), by_user, {"coverage@10": 0.5}, stars)


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
    table = report.tabulate_users(RESULTS, make_bed())
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
    table = report.tabulate_users(RESULTS, make_bed())
    io.write_parquet(table, tmp_path / "users.parquet")
    pd.testing.assert_frame_equal(io.read_parquet(tmp_path / "users.parquet"), table)


def test_tabulate_accuracy() -> None:
    table = report.tabulate_accuracy(SUMMARY)
    assert list(table) == ["model", "rmse", "rmse_low", "rmse_high", "mae", "mae_low", "mae_high"]
    assert table.to_numpy().tolist() == [
        ["svd", 0.91234, 0.75, 1.0, 0.625, 0.5, 0.75],
        ["bias", 1, 0.75, 1.0, 0.8, 0.5, 0.75],
    ]


def test_tabulate_by_k() -> None:
    table = report.tabulate_by_k(SUMMARY)
    metrics = ["precision", "recall", "ndcg", "map", "hit_rate", "coverage", "diversity", "novelty"]
    assert list(table) == ["model", "k", *metrics]
    assert table[["model", "k"]].to_numpy().tolist() == [[name, k] for name in SUMMARY for k in KS]
    np.testing.assert_array_equal(table["ndcg"].astype(float), [math.nan, 0.05, 0.1] + [math.nan] * 3)
    np.testing.assert_array_equal(table["coverage"].astype(float), [math.nan, 0.5] + [math.nan] * 4)


def test_calibration_covers_every_rating() -> None:
    bed = random_bed()
    results = {name: judge_stars(model.fit(bed.train), bed) for name, model in (("svd", Bias()), ("als", Fake()))}
    table = report.tabulate_calibration(results)
    assert list(table) == ["model", "predicted", "actual", "ratings"]
    assert table.groupby("model")["ratings"].sum().to_dict() == {"svd": len(bed.test), "als": len(bed.test)}
    assert (table["ratings"] > 0).all()
    assert table.to_numpy().tolist()[-1] == ["als", 3, pytest.approx(bed.test[RATING].mean()), len(bed.test)]


@pytest.mark.parametrize("stars", [0.5, 5.0])
def test_predictions_at_both_ends_of_the_scale_have_a_calibration_bin(stars: float) -> None:
    bed = small_bed(test=[(1, 4, stars)])
    table = report.tabulate_calibration({"svd": judge_stars(Oracle(bed.test).fit(bed.train), bed)})
    assert table.to_numpy().tolist() == [["svd", stars, stars, 1]]


def test_headline_is_rounded_as_it_is_stored_and_told() -> None:
    # 0.0769496 would be told as 0.0769 and its stored form 0.07695 as 0.0770 or 0.0769, by chance
    summary = {"als": {"rmse": 0.0769496, "ndcg@10": 0.07694951}}
    headline = report.select_headline(summary)
    assert headline == {"als": {"rmse": 0.07695, "ndcg@10": 0.07695}}
    for figures in (summary, headline):
        assert report.format_headline(figures, None).split("\n")[1].split() == ["als", "0.0770", "-", "0.0770", "-"]


def test_the_headline_leaves_out_what_would_not_fit_a_screen() -> None:
    assert report.select_headline(SUMMARY)["svd"] == {"rmse": 0.91234, "ndcg@10": 0.05, "coverage@10": 0.5}


def test_format_headline() -> None:
    lines = report.format_headline(SUMMARY, 0.8).splitlines()
    assert [line.split() for line in lines[:3]] == [
        ["model", "RMSE", "MAE", "NDCG@10", "coverage@10"],
        ["svd", "0.9123", "0.6250", "0.0500", "0.5000"],
        ["bias", "1.0000", "0.8000", "-", "-"],  # ranks nobody
    ]
    assert len({len(line) for line in lines[:3]}) == 1  # aligned
    assert lines[3].startswith("noise floor: 0.8000 stars")


@pytest.mark.parametrize("floor", [None, 0.8])
def test_the_floor_is_told_where_it_is_known(floor: float | None) -> None:
    assert ("noise floor" in report.format_headline(SUMMARY, floor)) == (floor is not None)


def test_summary_has_every_metric_and_the_headline_with_intervals(tmp_path: Path) -> None:
    bed = random_bed()
    figures = summarize(bed, bias=Bias().fit(bed.train))["bias"]
    with_interval = {"rmse", "mae", "precision@10", "recall@10", "ndcg@10"}
    assert set(figures) == (
        {f"{metric}@{k}" for metric in (*RANKING, *BEYOND) for k in KS}
        | {"mrr", "rmse", "mae", "gini@10", "popularity_lift@10", "validation_ndcg@10"}
        | {f"{metric}_ci" for metric in with_interval}
    )
    for metric in with_interval:
        interval = figures[f"{metric}_ci"]
        assert set(interval) == {"low", "high"}
        assert interval["low"] < figures[metric] < interval["high"], metric
    io.write_json({"bias": figures}, tmp_path / "evaluate.json")  # neither NaN nor list


def test_summary_means_users_and_pools_errors() -> None:
    bed = random_bed()
    result = evaluate_model(Bias().fit(bed.train), bed)
    figures = summarize_results({"bias": result}, resample(bed))["bias"]
    for metric, values in result.by_user.items():
        assert figures[metric] == pytest.approx(np.mean(values[~np.isnan(values)])), metric
    assert figures["rmse"] == pytest.approx(math.sqrt(stars_of(result).errors.squared.sum() / len(bed.test)))
    assert figures["mae"] == pytest.approx(stars_of(result).errors.absolute.sum() / len(bed.test))
    assert {metric: figures[metric] for metric in result.overall} == result.overall


def test_intervals_are_seeded_and_shared_between_models() -> None:
    bed = random_bed()
    model = Bias().fit(bed.train)
    summary = summarize(bed, one=model, same=model)
    assert summary["one"] == summary["same"]
    assert summary == summarize(bed, one=model, same=model)
    result = {"one": evaluate_model(model, bed)}
    other = summarize_results(result, resample(bed, 1, 200))["one"]
    assert other["rmse_ci"] != summary["one"]["rmse_ci"]
    assert other["rmse"] == summary["one"]["rmse"]


def test_compare_with_floor() -> None:
    summary: dict[str, dict[str, Any]] = {"svd": {"rmse": 0.75}, "bias": {"rmse": 1.0}}
    assert report.compare_with_floor(summary, {"name": "ml-100k"}) is None
    assert summary == {"svd": {"rmse": 0.75}, "bias": {"rmse": 1.0}}
    assert report.compare_with_floor(summary, {"noise_floor": {"rmse": 0.5}}) == 0.5
    assert summary["svd"] == {"rmse": 0.75, "rmse_above_floor": 0.25}
    assert summary["bias"]["rmse_above_floor"] == 0.5


def test_only_als_has_raw_scores() -> None:
    bed = random_bed()
    als = ALS(factors=4, iterations=3).fit(bed.train).calibrate(bed.validation)
    summary = summarize(bed, als=als, bias=Bias().fit(bed.train))
    scores = als.predict_raw(bed.test[USER_ID], bed.test[MOVIE_ID])
    assert summary["als"]["rmse_raw"] == pytest.approx(np.sqrt(np.mean((scores - bed.test[RATING]) ** 2)), rel=1e-6)
    assert summary["als"]["rmse_raw"] > summary["als"]["rmse"]
    assert "rmse_raw" not in summary["bias"]


def test_intervals_of_models_and_of_their_difference_share_resamples() -> None:
    # With one constant model, the difference's interval is the other model's, shifted.
    bed = random_bed()
    results = {"svd": evaluate_model(Bias().fit(bed.train), bed), "als": evaluate_model(Fake().fit(bed.train), bed)}
    zero = {metric: np.where(np.isnan(values), values, 0.0) for metric, values in results["als"].by_user.items()}
    results["als"] = dataclasses.replace(results["als"], by_user=zero)
    bootstrap, signs = report.start_resampling(bed, np.random.default_rng(5), 300)
    alone = summarize_results(results, bootstrap)["svd"]
    compared = {one.metric: one for one in compare_results(results, bootstrap, signs)}
    assert list(compared) == ["rmse", "mae", *report.WITH_INTERVAL]
    for metric in report.WITH_INTERVAL:
        difference = compared[metric].difference
        assert {"low": difference.low, "high": difference.high} == pytest.approx(alone[f"{metric}_ci"], abs=1e-12)
        assert difference.estimate == pytest.approx(alone[metric])
    worse = summarize_results(results, bootstrap)["als"]
    assert compared["rmse"].difference.estimate == pytest.approx(alone["rmse"] - worse["rmse"])
