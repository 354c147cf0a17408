"""Work on tables part by part, on an engine: what each stage gives to the data layer in the place of `map`."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

from movierec.data.parts import Run
from movierec.spark.session import open_cluster


@contextmanager
def open_mapping(engine: Literal["local", "spark"]) -> Iterator[Run]:
    """Give what applies a function to many things, for as long as the block lasts.

    Parameters
    ----------
    engine : {"local", "spark"}
        This process, one after another; or workers, who must see the same folders.

    Raises
    ------
    MovierecError
        As `open_cluster` does.
    """
    if engine == "local":
        yield map
        return
    with open_cluster(is_compiled=False) as cluster:

        def run(function: Callable[[Any], Any], things: Iterable[Any]) -> Iterable[Any]:
            return cluster.run(function, list(things))

        yield run
