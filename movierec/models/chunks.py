"""Chunks of users, in which models rank: whoever does the work, the chunks are the same, and with them every bit."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from movierec.models.top_k import TopK, available_cores

Rows = npt.NDArray[np.int32]
Places = npt.NDArray[np.integer[Any]]  # of users among those asked for


class Chunk(NamedTuple):
    """Some known users.

    Attributes
    ----------
    users : ndarray of int32, shape (n,)
        Their rows.
    seen : list of scipy.sparse.csr_array, shape (n, movies)
        What is not to be recommended, for each of several lists.
    """

    users: Rows
    seen: list["sp.csr_array[Any]"]


class Ranker(Protocol):
    """A model, or its scores as products."""

    def rank_chunk(self, chunk: Chunk, k: int) -> list[TopK]:
        """Return the best `k` movies of a chunk's users, for each of several lists."""


class RankChunks(Protocol):
    """Who ranks chunks: threads of this process, or other machines."""

    def __call__(
        self, model: Ranker, make: Callable[[Places], Chunk], parts: Sequence[Places], k: int
    ) -> Iterable[list[TopK]]:
        """Return what the model's `rank_chunk` returns of ``make(part)`` for each part, in their order."""


def rank_by_threads(
    model: Ranker, make: Callable[[Places], Chunk], parts: Sequence[Places], k: int
) -> Iterator[list[TopK]]:
    """Rank chunks by as many threads as there are cores; see `RankChunks`."""
    with ThreadPoolExecutor(available_cores()) as pool:
        yield from pool.map(lambda part: model.rank_chunk(make(part), k), parts)
