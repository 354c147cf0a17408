"""Real data for the benchmarks: a MovieLens release, and its split as the pipeline makes it; nothing is measured here.

Needs MOVIELENS_MIRROR or a network.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from movierec.columns import MOVIE_ID, USER_ID
from movierec.data.clean import clean_ratings
from movierec.data.download import fetch_dataset
from movierec.data.readers import RawRatings, read_movies, read_ratings
from movierec.data.split import PARTS, split_ratings
from movierec.data.tags import read_tags
from movierec.evaluation.bed import TestBed
from movierec.params import Params


def load_dataset(dataset: str) -> tuple[RawRatings, pd.DataFrame]:
    """Return a release's ratings as read, and its movies."""
    with TemporaryDirectory() as folder:
        content = Path(folder) / dataset
        fetch_dataset(dataset, content)
        return read_ratings(content), read_movies(content)


def load_tags(dataset: str) -> pd.DataFrame:
    """Return a release's tags, no rows where it has none."""
    with TemporaryDirectory() as folder:
        content = Path(folder) / dataset
        fetch_dataset(dataset, content)
        return read_tags(content)


def split_dataset(raw: RawRatings, movies: pd.DataFrame, params: Params, seed: int) -> TestBed:
    """Clean and split as the stages do with this seed in params.yaml."""
    tables, _ = clean_ratings(raw, **params.clean.model_dump(), seed=seed)
    parts = split_ratings(pd.concat(tables, ignore_index=True), **params.split.model_dump(), seed=seed)
    train, validation, test = (parts[name] for name in PARTS)
    return TestBed(train, validation, test, movies, params.evaluate.relevance_threshold)


def hold_out_movies(ratings: pd.DataFrame, movies: pd.DataFrame, seed: int) -> TestBed:
    """Hold out all ratings of 10 % of the movies for test and of 5 % for validation, which is part of train, too.

    Whatever is measured on it has its settings fixed.
    """
    ordered = ratings.sort_values([USER_ID, MOVIE_ID], ignore_index=True)
    parts = split_ratings(ordered, "cold_movies", 0.05, 0.1, seed)
    train = pd.concat([parts["train"], parts["validation"]]).sort_values([USER_ID, MOVIE_ID], ignore_index=True)
    return TestBed(train, parts["validation"], parts["test"], movies, relevance_threshold=4.0)
