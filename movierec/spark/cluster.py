"""An open session of Spark and what every step does with it: read, map blocks, share and collect arrays."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path
from platform import python_version
from typing import Any, Final

import pyarrow as pa

from movierec.errors import MovierecError

Frame = Any  # pyspark.sql.DataFrame, which is not there unless it is asked for
Batches = Iterable[pa.RecordBatch]
TASKS_A_CORE: Final = 3  # so that a slow one does not keep the others waiting
_OF_RESULTS: Final = ("numpy", "numba", "llvmlite", "scipy", "pandas", "pyarrow")  # whose versions may move bits


@dataclass(frozen=True)
class Cluster:
    """A session.

    Attributes
    ----------
    session : pyspark.sql.SparkSession
        Classic, not Connect, which cannot broadcast.
    partitions : int
        Tasks of a step; no result depends on it.
    threads : int
        Of a task.
    """

    session: Any
    partitions: int
    threads: int

    def read(self, path: Path) -> Frame:
        """Return a table that a stage wrote: a parquet file or a folder of them."""
        return self.session.read.parquet(str(path.resolve()))

    def map(self, frame: Frame, function: Callable[[Batches], Batches], schema: str) -> Frame:
        """Apply a function of a module to the record batches of each partition, on workers of the driver's versions."""
        return frame.mapInArrow(partial(_run_checked, list_versions(), function), schema)

    def scatter(self, frame: Frame, column: str) -> Frame:
        """Put every row into the partition whose number is in a column of ints."""
        return frame.repartitionById(self.partitions, frame[column])

    def run(self, function: Callable[[Any], Any], items: Sequence[Any]) -> list[Any]:
        """Apply a function of a module to each item, one task for several of them; return the results in order."""
        tasks = self.session.sparkContext.parallelize(items, max(1, min(len(items), TASKS_A_CORE * self.partitions)))
        return list(tasks.map(partial(_run_checked, list_versions(), function)).collect())

    @contextmanager
    def share(self, *values: Any) -> Iterator[Any]:  # noqa: ANN401  # whatever can be sent
        """Broadcast values for as long as the block lasts; tasks find them in ``.value``."""
        shared = self.session.sparkContext.broadcast(values)
        try:
            yield shared
        finally:
            shared.destroy()


def list_versions() -> tuple[tuple[str, str], ...]:
    """Return the versions of Python, without its patch level, and of every package that computes."""
    found = [("python", python_version().rpartition(".")[0])]
    return (*found, *((name, version(name)) for name in _OF_RESULTS))


def _run_checked(expected: tuple[tuple[str, str], ...], function: Callable[[Any], Any], given: Any) -> Any:  # noqa: ANN401
    _refuse_other_versions(expected)
    return function(given)


@cache
def _refuse_other_versions(expected: tuple[tuple[str, str], ...]) -> None:
    for (name, wanted), (_, found) in zip(expected, list_versions(), strict=True):
        if found != wanted:
            raise MovierecError(
                f"a worker has {name} {found} and the driver {wanted}: results would differ, install the same"
            )
