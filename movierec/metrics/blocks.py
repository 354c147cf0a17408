"""Work by threads on blocks too large to be held all at once."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, TypeVar

THREADS: Final = 2
Block = TypeVar("Block")
Result = TypeVar("Result")


def map_blocks(task: Callable[[Block], Result], blocks: Iterable[Block]) -> Iterator[Result]:
    """Yield what `task` returns of each block, in their order, while the next block is made.

    Parameters
    ----------
    task : callable
        Lets other threads run, as NumPy's products do.
    blocks : iterable
        Taken by the caller's thread; at most `THREADS` of them are held beside the one that is made.

    Yields
    ------
    object
        A result a block. What `task` or `blocks` raises is raised here.

    Examples
    --------
    >>> list(map_blocks(abs, iter([-1, 2, -3])))
    [1, 2, 3]
    """
    waiting: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(THREADS) as pool:
        for block in blocks:
            if len(waiting) == THREADS:
                yield waiting.popleft().result()
            waiting.append(pool.submit(task, block))
        while waiting:
            yield waiting.popleft().result()
