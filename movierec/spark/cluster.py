"""An open session of Spark and what every step does with it: read, map blocks, share and collect arrays."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from platform import python_version
from typing import Any, Final

import pyarrow as pa

from movierec import io
from movierec.columns import MOVIE_ID, RATING, USER_ID
from movierec.data.parts import Files
from movierec.errors import MovierecError
from movierec.spark.exchange import Exchange, apply_away, read_away

Frame = Any  # pyspark.sql.DataFrame, which is not there unless it is asked for
Batches = Iterable[pa.RecordBatch]
TASKS_A_CORE: Final = 3  # so that a slow one does not keep the others waiting
_RATINGS: Final = {USER_ID: "int", MOVIE_ID: "int", RATING: "float"}
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
    exchange : Exchange or None
        By which files come and go; None where workers see the driver's folders.
    """

    session: Any
    partitions: int
    threads: int
    exchange: Exchange | None = None

    def read_ratings(self, path: Path) -> Frame:
        """Return users, movies and ratings of a folder of parts."""
        if self.exchange is None:
            return self.session.read.parquet(str(path.resolve())).select(*_RATINGS)
        parts = io.list_parts(path.resolve())
        self.exchange.send(parts)
        rows = self.session.sparkContext.parallelize([(str(part),) for part in parts], self._count_tasks(parts))
        schema = ", ".join(f"{name} {kind}" for name, kind in _RATINGS.items())
        function = partial(_read_parts, self.exchange.address)
        return self.map(self.session.createDataFrame(rows, "part string"), function, schema)

    def map(self, frame: Frame, function: Callable[[Batches], Batches], schema: str) -> Frame:
        """Apply a function of a module to the record batches of each partition, on workers of the driver's versions."""
        return frame.mapInArrow(partial(_run_checked, list_versions(), function), schema)

    def scatter(self, frame: Frame, column: str) -> Frame:
        """Put every row into the partition whose number is in a column of ints."""
        return frame.repartitionById(self.partitions, frame[column])

    def run(self, function: Callable[[Any], Any], items: Sequence[Any]) -> list[Any]:
        """Apply a function of a module to each item, one task for several of them; return the results in order."""
        tasks = self.session.sparkContext.parallelize(items, self._count_tasks(items))
        return list(tasks.map(partial(_run_checked, list_versions(), function)).collect())

    def run_on_files(self, function: Callable[[Files], Any], steps: Iterable[Files]) -> list[Any]:
        """Apply a function of a module to each step's files; return the results in order."""
        steps = [Files(*(tuple(path.resolve() for path in paths) for paths in files)) for files in steps]
        if self.exchange is None:
            return self.run(function, steps)
        self.exchange.send(chain.from_iterable(files.reads for files in steps))
        found = self.run(partial(apply_away, self.exchange.address, function), steps)
        self.exchange.fetch(chain.from_iterable(written for _, written in found))
        return [result for result, _ in found]

    @contextmanager
    def share(self, *values: Any) -> Iterator[Any]:  # noqa: ANN401  # whatever can be sent
        """Broadcast values for as long as the block lasts; tasks find them in ``.value``."""
        shared = self.session.sparkContext.broadcast(values)
        try:
            yield shared
        finally:
            shared.destroy()

    def _count_tasks(self, items: Sequence[Any]) -> int:
        return max(1, min(len(items), TASKS_A_CORE * self.partitions))


def _read_parts(address: str, batches: Batches) -> Batches:
    for batch in batches:
        for part in batch["part"].to_pylist():
            yield from read_away(address, Path(part), tuple(_RATINGS))


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
