"""A cluster of processes of their own, and a session on it, for all tests here."""

from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import pytest

from movierec.spark.cluster import Cluster
from movierec.spark.exchange import Exchange, open_exchange
from movierec.spark.loopback import SHORT_LIVED, start_loopback_cluster
from movierec.spark.session import open_cluster
from movierec.spark.settings import SparkSettings, load_spark_settings
from tests.conftest import miss
from tests.object_storage import Storage


@pytest.fixture(scope="session")
def master(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start a master and two workers; return the master's address."""
    if find_spec("pyspark") is None:
        miss("run `make spark`")
    with start_loopback_cluster(tmp_path_factory.mktemp("spark")) as address:
        yield address


@pytest.fixture(scope="session")
def cluster(master: str) -> Iterator[Cluster]:
    """Open a session on the cluster, with two partitions."""
    with open_cluster(settings_for(master)) as found:
        yield found


@pytest.fixture
def exchange(storage: Storage) -> Iterator[Exchange]:
    """Open an exchange in object storage."""
    with open_exchange(storage.address("exchange")) as found:
        yield found


def settings_for(master: str, **others: Any) -> SparkSettings:
    """Return settings for executors that start soon."""
    conf = {f"spark.{process}.extraJavaOptions": SHORT_LIVED for process in ("driver", "executor")}
    return load_spark_settings(**{"master": master, "partitions": 2, "executor_memory": "512m", "conf": conf} | others)
