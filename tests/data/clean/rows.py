"""Ratings to be cleaned, row by row."""

from typing import Any

import numpy as np
import pandas as pd

from movierec.data.clean import clean_ratings
from movierec.data.limits import CleanReport
from movierec.data.readers import RawRatings
from movierec.scales import Scale

Row = tuple[int, int, float, int]
KEEP_ALL: dict[str, Any] = {
    "rating_scale": Scale(0.5, 5, 0.5),
    "sample_fraction": 1.0,
    "min_user_ratings": 1,
    "min_movie_ratings": 1,
    "iterate": True,
    "max_bad_fraction": 0.0,
}
NOTHING_BROKEN = {"unreadable": 0, "rating_not_finite": 0}
ENOUGH: list[Row] = [(user, movie, 3.5, 1000 + movie) for user in range(1, 21) for movie in range(1, 11)]


def table_of(rows: list[Row]) -> pd.DataFrame:
    users, movies, stars, times = np.array(rows, dtype=np.float64).reshape(-1, 4).T
    return pd.DataFrame(
        {
            "user_id": users.astype(np.int32),
            "movie_id": movies.astype(np.int32),
            "rating": stars.astype(np.float32),
            "timestamp": times.astype(np.int64),
        },
    )


def run(rows: list[Row], seed: int = 0, **changes: Any) -> tuple[pd.DataFrame, CleanReport]:
    broken = {**NOTHING_BROKEN, **changes.pop("broken", {})}
    first_broken_line = changes.pop("first_broken_line", None)
    pieces = [table_of(part) for part in (rows[:7], rows[7:])]
    tables, report = clean_ratings(RawRatings(pieces, broken, first_broken_line), **{**KEEP_ALL, **changes}, seed=seed)
    return pd.concat(tables, ignore_index=True), report


def pairs_of(ratings: pd.DataFrame) -> set[tuple[int, int]]:
    return {*zip(ratings["user_id"].tolist(), ratings["movie_id"].tolist(), strict=True)}
