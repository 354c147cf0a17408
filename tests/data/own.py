"""Reading and cleaning the user's own data as the clean stage does, for tests of both."""

from typing import Any

import pandas as pd

from movierec.data.catalogue import list_movies, list_users
from movierec.data.clean import clean_ratings
from movierec.data.layouts import GUESS_ALL
from movierec.data.limits import CleanReport
from movierec.data.readers import RawRatings
from movierec.data.source_ids import SourceIds
from movierec.settings import SourceParams

Rows = list[dict[str, Any]]


def source(**columns: Any) -> SourceParams:
    chosen = {name: columns.pop(name) for name in list(columns) if name in SourceParams.model_fields}
    return GUESS_ALL.model_copy(update={**chosen, "columns": GUESS_ALL.columns.model_copy(update=columns)})


def clean(raw: RawRatings, **changes: Any) -> tuple[pd.DataFrame, CleanReport]:
    few = {"sample_fraction": 1.0, "min_user_ratings": 1, "min_movie_ratings": 1, "iterate": True}
    tables, report = clean_ratings(raw, **{**few, "max_bad_fraction": 0.001, "seed": 0, **changes})
    return pd.concat(tables, ignore_index=True), report


def own_rows(raw: RawRatings, ratings: pd.DataFrame) -> set[tuple[Any, ...]]:
    """Give (own user id, own item id, rating, timestamp) of every cleaned rating."""
    users = SourceIds.from_table(list_users(raw, ratings["user_id"]), "user_id")
    movies = SourceIds.from_table(list_movies(raw, ratings["movie_id"])[0], "movie_id")
    columns = [users.decode(ratings["user_id"]), movies.decode(ratings["movie_id"])]
    return {*zip(*columns, *(ratings[name].tolist() for name in ratings.columns[2:]), strict=True)}


def expected(rows: Rows) -> set[tuple[Any, ...]]:
    return {tuple(str(value) if place < 2 else value for place, value in enumerate(row.values())) for row in rows}
