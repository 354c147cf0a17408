"""Ranking on Spark: the local engine's chunks of users, each scored and selected from by the model's own kernels."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, Literal

from movierec.models.chunks import Chunk, Places, RankChunks, Ranker, rank_by_threads
from movierec.models.top_k import TopK
from movierec.spark.cluster import Cluster
from movierec.spark.session import open_cluster


@contextmanager
def open_ranking(engine: Literal["local", "spark"]) -> Iterator[RankChunks]:
    """Give what ranks chunks of users on an engine, for as long as the block lasts.

    Parameters
    ----------
    engine : {"local", "spark"}
        Threads of this process, or workers.

    Raises
    ------
    MovierecError
        As `open_cluster` does.
    """
    if engine == "local":
        yield rank_by_threads
        return
    with open_cluster() as cluster:
        yield partial(rank_on_workers, cluster)


def rank_on_workers(
    cluster: Cluster, model: Ranker, make: Callable[[Places], Chunk], parts: Sequence[Places], k: int
) -> list[list[TopK]]:
    """Rank chunks on the workers, who are sent the model once; see `RankChunks`."""
    with cluster.share(model, k) as shared:
        return cluster.run(partial(_rank, shared), [make(part) for part in parts])


def _rank(shared: Any, chunk: Chunk) -> list[TopK]:  # noqa: ANN401  # a broadcast
    model, k = shared.value
    found: list[TopK] = model.rank_chunk(chunk, k)
    return found
