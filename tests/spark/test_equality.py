"""The engines give the same bits, whatever the partitions, and whatever happens to a worker meanwhile."""

import os
import signal
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil
import pytest

from movierec import io
from movierec.data.buckets import Workspace
from movierec.data.clean import Duplicates, clean_ratings
from movierec.data.content import Content
from movierec.data.parts import Run
from movierec.data.readers import RawRatings
from movierec.data.split import PARTS, Method, split_folder
from movierec.evaluation.bed import TestBed
from movierec.evaluation.judge import evaluate_model
from movierec.models.als import ALS
from movierec.models.base import Recommender
from movierec.models.bias import Bias
from movierec.models.ease import EASE
from movierec.models.popularity import Popularity
from movierec.params import load_params
from movierec.spark.als import fit_als
from movierec.spark.cluster import Cluster
from movierec.spark.exchange import Exchange
from movierec.spark.ranking import rank_on_workers
from tests.spark.data import split
from tests.waiting import wait_until

SETTINGS: dict[str, Any] = {"factors": 20, "iterations": 3, "alpha": 1.3, "seed": 42}
ARRAYS = ("user_factors", "movie_factors", "content_map", "mean", "scale", "user_bias", "movie_bias")

Data = tuple[TestBed, Content, Path]


@pytest.fixture(scope="module", params=["ml-latest-small", "small"])
def data(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Data:
    if request.param == "ml-latest-small":
        request.getfixturevalue("mirror")
    return split(request.param, tmp_path_factory.mktemp(request.param))


def assert_same_model(found: ALS, expected: ALS) -> None:
    np.testing.assert_array_equal(found.users.ids, expected.users.ids)
    np.testing.assert_array_equal(found.movies.ids, expected.movies.ids)
    for name in ARRAYS:
        assert getattr(found, name).dtype == getattr(expected, name).dtype
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name), err_msg=name)
    assert found.objective == expected.objective


@pytest.mark.parametrize("method", ["random", "temporal", "per_user_temporal"])
def test_split_writes_the_local_bytes(
    cluster: Cluster, exchange: Exchange, data: Data, tmp_path: Path, method: Method
) -> None:
    written: list[dict[str, bytes]] = []
    clusters = (replace(cluster, partitions=2, exchange=exchange), replace(cluster, partitions=5))
    runs: list[Run] = [map, *(each.run_on_files for each in clusters)]
    for run in runs:
        folder = tmp_path / f"{len(written)}"
        targets = {name: folder / name for name in PARTS}
        split_folder(data[2] / "ratings", targets, method, 0.1, 0.2, 42, run)
        written.append(read_files(folder))
    assert len(written[0]) == 3 * len(list((data[2] / "ratings").iterdir())) > 6
    assert written[0] == written[1] == written[2]


@pytest.mark.parametrize(("duplicates", "partitions"), [("last", 2), ("mean", 5)])
def test_clean_gives_the_local_ratings(
    cluster: Cluster, exchange: Exchange, data: Data, tmp_path: Path, duplicates: Duplicates, partitions: int
) -> None:
    ratings = io.read_parquet(data[2] / "ratings")
    ratings = ratings.sample(frac=1.3, replace=True, random_state=1)  # out of order, and many pairs twice
    raw = RawRatings([ratings.iloc[:70_000], ratings.iloc[70_000:]], {}, None)
    options = load_params().clean.model_dump() | {"duplicates": duplicates, "sample_fraction": 0.9}
    options |= {"min_user_ratings": 20, "min_movie_ratings": 3, "seed": 42}
    expected, told = clean_ratings(raw, **options)
    workspace = Workspace(tmp_path, bucket_rows=30_000)
    away = replace(cluster, partitions=partitions, exchange=exchange if partitions == 5 else None)
    found, told_on_spark = clean_ratings(raw, **options, workspace=workspace, run=away.run_on_files)
    assert found.buckets.number > 3
    pd.testing.assert_frame_equal(pd.concat(found, ignore_index=True), pd.concat(expected, ignore_index=True))
    assert told_on_spark == told
    assert told.dropped["duplicate"] > 0


def read_files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.parquet")}


def find_executors(cluster: Cluster) -> set[int]:
    """Return the processes that run tasks for a session."""
    kind, own = "org.apache.spark.executor.CoarseGrainedExecutorBackend", cluster.session.sparkContext.applicationId
    processes = [(process.pid, process.info["cmdline"] or []) for process in psutil.process_iter(["cmdline"])]
    return {number for number, command in processes if kind in command and own in command}


@pytest.mark.parametrize(("partitions", "weight"), [(2, 0.0), (5, 0.1)])
def test_factors_biases_and_losses_are_the_local_ones(
    cluster: Cluster, exchange: Exchange, data: Data, partitions: int, weight: float
) -> None:
    bed, content, folder = data
    settings = SETTINGS | {"content_weight": weight}
    expected = ALS(**settings).fit(bed.train, content=content)
    away = replace(cluster, partitions=partitions, exchange=exchange if partitions == 5 else None)
    found = fit_als(away, folder / "train", settings, content=content)
    assert_same_model(found, expected)


@pytest.mark.parametrize("partitions", [2, 5])
def test_lists_and_metrics_of_users_are_the_local_ones(cluster: Cluster, data: Data, partitions: int) -> None:
    bed, content, _ = data
    away = replace(bed, rank_chunks=partial(rank_on_workers, replace(cluster, partitions=partitions)))
    models: list[Recommender] = [ALS(**SETTINGS).fit(bed.train), Bias().fit(bed.train), Popularity().fit(bed.train)]
    models += [EASE(max_movies=200).fit(bed.train, content)] if partitions == 2 else []
    for model in models:
        found, expected = evaluate_model(model, away), evaluate_model(model, bed)
        np.testing.assert_array_equal(found.lists, expected.lists)
        assert found.overall == expected.overall
        for name, values in expected.by_user.items():
            np.testing.assert_array_equal(found.by_user[name], values, err_msg=name)


@pytest.mark.parametrize("data", ["ml-latest-small"], indirect=True)
def test_an_executor_killed_in_mid_fit_changes_nothing(cluster: Cluster, data: Data) -> None:
    bed, _, folder = data
    expected, killed = ALS(**SETTINGS).fit(bed.train), list[int]()

    def kill(_loss: float) -> None:
        if not killed:
            wait_until(lambda: bool(find_executors(cluster)))
            killed.append(find_executors(cluster).pop())
            os.kill(killed[0], signal.SIGKILL)

    found = fit_als(replace(cluster, partitions=5), folder / "train", SETTINGS, on_sweep=kill)
    assert_same_model(found, expected)
    assert killed[0] not in find_executors(cluster)
