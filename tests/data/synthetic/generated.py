"""Generated data sets with the truth behind them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from movierec.data import synthetic
from movierec.data.readers import read_movies, read_ratings
from movierec.data.synthetic import NoiseFloor, Shape, write_synthetic

NOISE = 0.8
STARS = np.arange(1, 11) / 2


@dataclass(frozen=True)
class Made:
    """A generated data set as the next stage sees it, with the truth behind it."""

    shape: Shape
    folder: Path
    floor: NoiseFloor
    ratings: pd.DataFrame  # with the release year and genres of the movie, in the order of the file
    movies: pd.DataFrame
    mean: np.ndarray  # of each rating, before noise and rounding


def make(folder: Path, shape: Shape, seed: int, noise: float = NOISE) -> Made:
    folder.mkdir()
    means: list[np.ndarray] = []
    compute = synthetic._mean_ratings

    def remember(*world: Any) -> np.ndarray:
        means.append(compute(*world))
        return means[0]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(synthetic, "_mean_ratings", remember)
        floor = write_synthetic(folder, shape, noise, seed)
    raw, movies = read_ratings(folder), read_movies(folder)
    assert sum(raw.broken.values()) == 0
    ratings = raw.table.merge(movies, on="movie_id", how="left", validate="many_to_one")
    return Made(shape, folder, floor, ratings, movies, means[0])
