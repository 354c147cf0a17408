"""A table of ratings, and how it is written as each kind of file."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from movierec import io

RATINGS = pd.DataFrame(
    {
        "user_id": np.array([1, 1, 2], dtype=np.int32),
        "movie_id": np.array([10, 20, 10], dtype=np.int32),
        "rating": np.array([4, 0.5, 5], dtype=np.float32),
        "timestamp": np.array([964982703, 0, 2**40], dtype=np.int64),
    },
)
WRITERS: dict[str, Callable[[Path], None]] = {
    "parquet": lambda path: io.write_parquet(RATINGS, path),
    "csv": lambda path: io.write_csv(RATINGS, path),
    "json": lambda path: io.write_json({"svd": {"rmse": 0.75, "movies": 3}}, path),
}


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}
