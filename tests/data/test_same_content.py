"""MovieLens and the embedded data come out of the cleaning as they did when only their layouts were read."""

import hashlib
import json
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from movierec.data.catalogue import list_movies, list_users
from movierec.data.readers import read_ratings
from movierec.data.synthetic import PRESETS, write_synthetic
from tests.data.own import clean

# sha256 of what ratings.parquet and movies.parquet held at commit 693da77, as `digest` reads it
CONTENT = {
    "ml-100k": "354a35ce93edcd50 369da4cbbfc6bae0",
    "ml-latest-small": "d6efcd0534926e39 c49182dbece63315",
    "tiny": "c36691c6cf5bc133 7efeb4e87d4c04c8",
}


def digest(ratings: pd.DataFrame, movies: pd.DataFrame) -> str:
    """Hash names, types and values of both tables."""
    numbers = hashlib.sha256(str(ratings.dtypes.to_dict()).encode())
    for name in ratings.columns:
        numbers.update(ratings[name].to_numpy().tobytes())
    rows = zip(movies["movie_id"].tolist(), movies["title"], movies["year"], movies["genres"], strict=True)
    text = json.dumps(
        [[i, title, None if pd.isna(year) else int(year), list(genres)] for i, title, year, genres in rows]
    )
    words = hashlib.sha256(f"{list(movies.columns)} {text}".encode())
    return f"{numbers.hexdigest()[:16]} {words.hexdigest()[:16]}"


@pytest.fixture(params=list(CONTENT))
def folder(request: pytest.FixtureRequest, mirror: Path, tmp_path: Path) -> tuple[str, Path]:
    name: str = request.param
    if name == "tiny":
        (tmp_path / name).mkdir()
        write_synthetic(tmp_path / name, PRESETS["tiny"], 0.8, 42)
    else:
        with zipfile.ZipFile(mirror / f"{name}.zip") as archive:
            archive.extractall(tmp_path)
    return name, tmp_path / name


def test_ratings_and_movies_are_what_they_were(folder: tuple[str, Path]) -> None:
    name, path = folder
    raw = read_ratings(path)
    ratings, _ = clean(raw)
    movies, without_title = list_movies(raw, ratings["movie_id"])
    assert digest(ratings, movies) == CONTENT[name]
    assert without_title == 0
    users = list_users(raw, ratings["user_id"])
    assert users["source_id"].tolist() == [str(each) for each in sorted(set(ratings["user_id"]))]
