"""Ratings to fit models on: small and made up, or real."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from movierec.columns import MOVIE_ID, RATING, RATING_COLUMNS, USER_ID


def make_ratings(seed: int, users: int = 40, movies: int = 30, n: int = 500) -> pd.DataFrame:
    """Draw distinct pairs with half-star ratings, sorted by user and movie; ids are not contiguous."""
    rng = np.random.default_rng(seed)
    pairs = np.sort(rng.choice(users * movies, size=n, replace=False))
    return pd.DataFrame(
        {
            USER_ID: (pairs // movies * 3 + 7).astype(np.int32),
            MOVIE_ID: (pairs % movies * 5 + 2).astype(np.int32),
            RATING: (rng.integers(1, 11, n) / 2).astype(np.float32),
            "timestamp": np.arange(n, dtype=np.int64),
        },
    )


@pytest.fixture(scope="session")
def ratings() -> pd.DataFrame:
    return make_ratings(0)


@pytest.fixture(scope="session")
def ml_100k(mirror: Path) -> pd.DataFrame:
    """Return ml-100k in the file's order, read without movierec's readers."""
    with zipfile.ZipFile(mirror / "ml-100k.zip") as archive:
        content = archive.read("ml-100k/u.data")
    table = pd.read_csv(io.BytesIO(content), sep="\t", names=list(RATING_COLUMNS))
    return table.astype({USER_ID: np.int32, MOVIE_ID: np.int32, RATING: np.float32})


def split_ninety_ten(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Split by the protocol of docs/protocol.md: default_rng(0).permutation, the first tenth is the test."""
    order = np.random.default_rng(0).permutation(len(table))
    cut = len(table) // 10
    train, test = table.iloc[order[cut:]], table.iloc[order[:cut]]
    return train.sort_values([USER_ID, MOVIE_ID], ignore_index=True), test
