"""A session of Spark, set up for the same bits: what it needs is checked, and what goes wrong is told in a line."""

import os
import re
import shutil
import subprocess
import sys
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import movierec
from movierec.errors import MovierecError
from movierec.spark.cluster import Cluster
from movierec.spark.exchange import open_exchange
from movierec.spark.settings import MOST_PARTITIONS, SparkSettings, load_spark_settings
from movierec.spark.watch import ExecutorWatch

LEAST_JAVA: Final = 17
LOOPBACK: Final = "127.0.0.1"
_LOOPBACK: Final = re.compile(r"local\b|spark://(127\.|localhost)")
_OURS: Final = re.compile(r"MovierecError: (.+)")
_JAVA_OPTIONS: Final = "spark.driver.extraJavaOptions"
_FIXED: Final = {
    "spark.driver.maxResultSize": "0",
    "spark.executorEnv.PYTHONWARNINGS": "ignore::FutureWarning",  # pyspark's, of the version of pandas
    "spark.executorEnv.XDG_CACHE_HOME": "cache",  # in the executor's own folder: what Numba compiles goes with it
    "spark.log.level": "ERROR",
    "spark.sql.adaptive.enabled": "false",  # it merges small partitions, and tasks are counted here
    "spark.sql.ansi.enabled": "true",
    "spark.sql.execution.arrow.maxRecordsPerBatch": "1000000",
    "spark.sql.session.timeZone": "UTC",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}
_LOG: Final = """\
rootLogger.level = error
rootLogger.appenderRef.stderr.ref = stderr
appender.stderr.type = Console
appender.stderr.name = stderr
appender.stderr.target = SYSTEM_ERR
appender.stderr.layout.type = PatternLayout
appender.stderr.layout.pattern = %d{HH:mm:ss} %p %c{1}: %m%n
"""


@contextmanager
def open_cluster(settings: SparkSettings | None = None, *, is_compiled: bool = True) -> Iterator[Cluster]:
    """Start a session, ship the package to its workers, and stop it in the end.

    Parameters
    ----------
    settings : SparkSettings, optional
        By default those of this machine.
    is_compiled : bool
        Whether tasks run compiled kernels, which use all threads of an executor; otherwise each task takes one.

    Yields
    ------
    Cluster
        The session.

    Raises
    ------
    MovierecError
        If something is missing, no executor is there for too long, a task met a user's mistake, or Spark gave up.
    """
    settings = settings or load_spark_settings()
    check_requirements()
    threads = settings.executor_cores if is_compiled else 1
    with TemporaryDirectory() as folder, _explain_failures() as watch:
        session = _start(settings, threads, Path(folder))
        watch.start(session.sparkContext, settings)
        partitions = settings.partitions or count_tasks(session, threads)
        session.conf.set("spark.sql.shuffle.partitions", partitions)
        try:
            with open_exchange(settings.exchange) if settings.exchange else nullcontext() as exchange:
                yield Cluster(session, partitions, threads, exchange)
        finally:
            watch.stop()
            session.stop()


def check_requirements() -> None:
    """Refuse to start without pyspark or a Java that it runs on.

    Raises
    ------
    MovierecError
        Names what is missing, and how to get it.
    """
    if find_spec("pyspark") is None:
        raise MovierecError("engine: spark needs pyspark: run `make spark`, or install movierec[spark]")
    home = os.environ.get("JAVA_HOME")
    java = shutil.which(f"{home}/bin/java" if home else "java")
    if java is None:
        raise MovierecError("engine: spark needs Java: install openjdk-17-jre-headless, or set JAVA_HOME")
    told = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    version = re.search(r'version "(\d+)', told)
    if version is None or int(version[1]) < LEAST_JAVA:
        found = version[1] if version else "unknown"
        raise MovierecError(f"engine: spark needs Java {LEAST_JAVA} or newer, and {java} is of version {found}")


def count_tasks(session: Any, threads: int) -> int:  # noqa: ANN401  # pyspark's
    """Return how many tasks of so many threads run at a time, at least 2 and at most as many as there are blocks."""
    return int(min(max(2, session.sparkContext.defaultParallelism // threads), MOST_PARTITIONS))


def zip_package(target: Path) -> Path:
    """Write the package's modules into a zip file that Python imports from."""
    root = Path(movierec.__file__).parent
    with zipfile.ZipFile(target, "w") as file:
        for path in sorted(root.rglob("*.py")):
            file.write(path, path.relative_to(root.parent))
    return target


def _start(settings: SparkSettings, threads: int, folder: Path) -> Any:  # noqa: ANN401  # pyspark's
    warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
    from pyspark.sql import SparkSession  # noqa: PLC0415  # not there unless it is asked for

    os.environ["PYSPARK_PYTHON"] = settings.python
    os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
    os.environ.setdefault("PYTHONWARNINGS", "ignore::FutureWarning")  # local workers inherit it
    if _LOOPBACK.match(settings.master):
        os.environ.setdefault("SPARK_LOCAL_IP", LOOPBACK)  # else the host's name must resolve
    elif os.environ.get("SPARK_LOCAL_IP") == LOOPBACK:  # pandera sets it when it is imported: no worker could answer
        del os.environ["SPARK_LOCAL_IP"]
    is_local = settings.master.startswith("local")
    if is_local:  # workers on this machine import what the driver does, and share what Numba has compiled
        os.environ["PYTHONPATH"] = str(Path(movierec.__file__).parents[1])
    builder = SparkSession.builder.appName("movierec").master(settings.master)
    log = folder / "log4j2.properties"
    log.write_text(_LOG)
    conf = _FIXED | _describe(settings, threads) | settings.conf
    conf[_JAVA_OPTIONS] = f"{conf.get(_JAVA_OPTIONS, '')} -Dlog4j2.configurationFile={log}".strip()
    for key, value in conf.items():
        builder = builder.config(key, value)
    session = builder.getOrCreate()
    if not is_local:
        session.sparkContext.addPyFile(str(zip_package(folder / "movierec.zip")))
    return session


def _describe(settings: SparkSettings, threads: int) -> dict[str, str]:
    found = {
        "spark.driver.memory": settings.driver_memory,
        "spark.executor.memory": settings.executor_memory,
        "spark.executor.cores": str(settings.executor_cores),
        "spark.task.cpus": str(threads),
    }
    if settings.packages:
        found["spark.jars.packages"] = settings.packages
    return found | {f"spark.executorEnv.{name}": value for name, value in movierec.PINNED.items()}


@contextmanager
def _explain_failures() -> Iterator[ExecutorWatch]:
    watch = ExecutorWatch()
    try:
        yield watch
    except Exception as error:
        if watch.reason:
            raise MovierecError(watch.reason) from error
        told = explain_failure(error)
        if told:
            raise MovierecError(told) from error
        raise


def explain_failure(error: Exception) -> str | None:
    """Return what went wrong on the cluster in one line; None for a defect, which keeps its traceback."""
    from py4j.protocol import Py4JError, Py4JNetworkError  # noqa: PLC0415  # comes with pyspark

    text = str(error)
    if mistake := _OURS.search(text):
        return mistake[1]
    if isinstance(error, Py4JNetworkError | ConnectionError):
        return "Spark's driver has ended: was it out of memory? Raise driver_memory"
    if isinstance(error, Py4JError) and "Traceback" not in text and "SparkException" in text:
        reason = re.search(r"SparkException: (.+)", text)
        return f"Spark gave up: {reason[1] if reason else text}"
    return None
