"""Work on files, on an engine: what each stage gives to the data layer in the place of `map`."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from movierec.data.parts import Run
from movierec.spark.session import open_cluster


@contextmanager
def open_mapping(engine: Literal["local", "spark"]) -> Iterator[Run]:
    """Give what applies a function to the files of many steps, for as long as the block lasts.

    Parameters
    ----------
    engine : {"local", "spark"}
        This process, one after another; or workers.

    Raises
    ------
    MovierecError
        As `open_cluster` does.
    """
    if engine == "local":
        yield map
        return
    with open_cluster(is_compiled=False) as cluster:
        yield cluster.run_on_files
