"""Ratings on the workers in blocks of rows, once by user and once by movie, as the local engine divides them."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import chain, pairwise
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from movierec.columns import MOVIE_ID, RATING, USER_ID
from movierec.ids import IdIndex, find_rows
from movierec.models.als_sides import BLOCKS
from movierec.models.indexed import Grouped
from movierec.spark.cluster import Batches, Cluster, Frame

Counts = npt.NDArray[np.int64]
_PLACED: Final = "row int, column int, rating float, partition int"
_PACKED: Final = "block int, indptr binary, indices binary, stars binary"


class Block(NamedTuple):
    """Some rows of a side.

    Attributes
    ----------
    number : int
        From 0, in the order of rows.
    ratings : Grouped
        Rows from 0.
    """

    number: int
    ratings: Grouped


@dataclass(frozen=True)
class BlockedRatings:
    """One side's ratings in blocks.

    Attributes
    ----------
    cluster : Cluster
        Where they lie.
    frame : DataFrame of Spark
        One row a block, kept by the workers.
    bounds : list of int
        The blocks' first rows, and the end.
    indptr : ndarray of int64, shape (rows + 1,)
        Where each row's ratings start.
    """

    cluster: Cluster
    frame: Frame
    bounds: list[int]
    indptr: Counts

    def compute(self, function: Callable[[Block], dict[str, Any]], schema: str) -> list[dict[str, Any]]:
        """Apply a function of a module to every block, several at a time; return the rows that it makes in order."""
        run = partial(_compute_blocks, function, self.cluster.threads)
        table = self.cluster.map(self.frame, run, f"block long, {schema}").toArrow()
        rows: list[dict[str, Any]] = table.sort_by("block").to_pylist()
        return rows

    def gather(self, function: Callable[[Block], dict[str, Any]], out: npt.NDArray[Any]) -> list[float]:
        """Compute `out`, row by row; `function` returns its bytes as ``rows`` and a number as ``part``."""
        found = self.compute(function, "rows binary, part double")
        for row in found:
            first, last = self.bounds[row["block"]], self.bounds[row["block"] + 1]
            out[first:last] = np.frombuffer(row["rows"], dtype=out.dtype).reshape(last - first, *out.shape[1:])
        return [row["part"] for row in found]


def count_by(ratings: Frame, column: str) -> tuple[npt.NDArray[Any], Counts]:
    """Return the distinct values of a column in ascending order, and how many ratings have each."""
    table = ratings.groupBy(column).count().toArrow().sort_by(column)
    return table[column].to_numpy(), table["count"].to_numpy()


@contextmanager
def block_ratings(
    cluster: Cluster,
    ratings: Frame,
    sides: tuple[str, str],
    ids: tuple[IdIndex, IdIndex],
    counts: Counts,
    divide: Callable[[Counts], list[int]],
) -> Iterator[BlockedRatings]:
    """Bring each row's ratings together, in order of column, and keep them on the workers while the block lasts.

    Parameters
    ----------
    cluster : Cluster
        Where the ratings are.
    ratings : DataFrame of Spark
        ``user_id``, ``movie_id``, ``rating``.
    sides : tuple of str
        The columns whose ids are rows and columns.
    ids : tuple of IdIndex
        Of both, in ascending order.
    counts : ndarray of int64, shape (rows,)
        Ratings of each row.
    divide : callable
        Makes the blocks' bounds, `BLOCKS` and one, of where each row's ratings start.
    """
    indptr = np.concatenate(([0], np.cumsum(counts)))
    bounds = divide(indptr)
    with cluster.share(*(index.ids for index in ids), np.array(bounds), cluster.partitions) as shared:
        columns = ratings.select(*sides, RATING)
        placed = cluster.map(columns, partial(_place_ratings, shared), _PLACED)
        frame = cluster.map(cluster.scatter(placed, "partition"), partial(_pack_blocks, shared), _PACKED).persist()
        try:
            yield BlockedRatings(cluster, frame, bounds, indptr)
        finally:
            frame.unpersist()


def rows_of_users(users: IdIndex, movies: IdIndex) -> dict[str, Any]:
    """Return the arguments of `block_ratings` for blocks of users."""
    return {"sides": (USER_ID, MOVIE_ID), "ids": (users, movies)}


def rows_of_movies(users: IdIndex, movies: IdIndex) -> dict[str, Any]:
    """Return the arguments of `block_ratings` for blocks of movies."""
    return {"sides": (MOVIE_ID, USER_ID), "ids": (movies, users)}


def _place_ratings(shared: Any, batches: Batches) -> Batches:  # noqa: ANN401  # a broadcast
    rows, columns, bounds, partitions = shared.value
    for batch in batches:
        row, column = find_rows(rows, batch[0].to_numpy()), find_rows(columns, batch[1].to_numpy())
        number = np.searchsorted(bounds, row, side="right") - 1
        partition = (number * partitions // BLOCKS).astype(np.int32)
        arrays = [pa.array(array) for array in (row, column)]
        yield pa.RecordBatch.from_arrays(
            [*arrays, batch[2], pa.array(partition)], ["row", "column", RATING, "partition"]
        )


def _pack_blocks(shared: Any, batches: Batches) -> Batches:  # noqa: ANN401  # a broadcast
    filled = [batch for batch in batches if batch.num_rows]
    if not filled:
        return
    table = pa.Table.from_batches(filled)
    bounds = shared.value[2]
    row, column, stars = (table[name].to_numpy() for name in ("row", "column", RATING))
    order = np.argsort((row.astype(np.int64) << 32) + column)
    row, column, stars = row[order], column[order], stars[order]
    starts = np.searchsorted(row, bounds)
    for number, (first, last) in enumerate(pairwise(starts.tolist())):
        if first < last:
            indptr = np.searchsorted(row[first:last], np.arange(bounds[number], bounds[number + 1] + 1))
            arrays = (indptr.astype(np.int64), column[first:last], stars[first:last])
            packed = [pa.array([number], pa.int32()), *(pa.array([array.tobytes()], pa.binary()) for array in arrays)]
            yield pa.RecordBatch.from_arrays(packed, ["block", "indptr", "indices", "stars"])


def _unpack(row: dict[str, Any]) -> Block:
    kinds = {"indptr": np.int64, "indices": np.int32, "stars": np.float32}
    # copied: Numba would compile once more for arrays that cannot be written to
    return Block(row["block"], Grouped(*(np.frombuffer(row[name], kind).copy() for name, kind in kinds.items())))


def _compute_blocks(function: Callable[[Block], dict[str, Any]], threads: int, batches: Batches) -> Batches:
    def run(row: dict[str, Any]) -> pa.RecordBatch:
        return pa.RecordBatch.from_pylist([{"block": row["block"], **function(_unpack(row))}])

    rows = chain.from_iterable(batch.to_pylist() for batch in batches)
    with ThreadPoolExecutor(threads) as pool:
        yield from pool.map(run, rows)
