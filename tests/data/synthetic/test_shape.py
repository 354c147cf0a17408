"""The shape of a generated data set: counts, tails, years and limits."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from movierec.data.clean import clean_ratings
from movierec.data.readers import read_ratings
from movierec.data.synthetic import Shape, write_synthetic
from movierec.data.titles import GENRES
from tests.data.synthetic.generated import NOISE, STARS, Made, make


def test_counts_are_exact(made: Made) -> None:
    assert len(made.ratings) == made.shape.ratings
    assert made.ratings["user_id"].unique().tolist() == list(range(1, made.shape.users + 1))
    assert made.movies["movie_id"].tolist() == list(range(1, made.shape.movies + 1))
    assert not made.ratings["title"].isna().any()


def test_every_user_has_20_ratings_of_different_movies(made: Made) -> None:
    assert made.ratings["user_id"].value_counts().min() >= 20
    assert not made.ratings.duplicated(["user_id", "movie_id"]).any()


def test_ratings_are_half_stars(made: Made) -> None:
    assert sorted(made.ratings["rating"].unique()) == STARS.tolist()


def test_nobody_rates_a_movie_before_its_year(made: Made) -> None:
    rated = made.ratings["timestamp"].to_numpy().astype("datetime64[s]").astype("datetime64[Y]").astype(int) + 1970
    assert (made.ratings["year"] <= rated).all()
    assert (rated.min(), made.movies["year"].max()) >= (1996, 2000)


@pytest.mark.parametrize("seed", range(25))
def test_nobody_rates_too_early_where_movies_are_scarce(seed: int, tmp_path: Path) -> None:
    # the busiest users rate two fifths of the movies, and fewer than that may have been out when they joined
    table = make(tmp_path / "scarce", Shape(1_200, 50, 96), seed).ratings
    rated = table["timestamp"].to_numpy().astype("datetime64[s]").astype("datetime64[Y]").astype(int) + 1970
    assert (table["year"] <= rated).all()


def test_a_users_ratings_come_one_after_the_other(made: Made) -> None:
    assert made.ratings.groupby("user_id")["timestamp"].apply(lambda times: times.is_monotonic_increasing).all()
    in_2020 = pd.Timestamp("2020-01-02").timestamp()
    assert made.ratings["timestamp"].between(pd.Timestamp("1996-01-01").timestamp(), in_2020).all()


def test_activity_and_popularity_have_long_tails(small: Made) -> None:
    by_movie = small.ratings["movie_id"].value_counts().to_numpy()
    by_user = small.ratings["user_id"].value_counts().to_numpy()
    # evenly spread, a tenth would hold a tenth
    assert by_movie[: small.shape.movies // 10].sum() > 0.3 * small.shape.ratings
    assert by_user[: small.shape.users // 10].sum() > 0.3 * small.shape.ratings


def test_users_choose_what_they_like(small: Made) -> None:
    # 3.0 stars would be the mean over all pairs
    assert 3.15 < small.ratings["rating"].mean() < 3.6
    assert small.mean.mean() == pytest.approx(small.ratings["rating"].mean(), abs=0.05)


def test_movies_have_genres_and_years(made: Made) -> None:
    assert set(made.movies["genres"].map(len)) == {1, 2, 3}
    assert set(made.movies["genres"].explode()) <= set(GENRES)
    assert made.movies["genres"].map(lambda genres: len(set(genres)) == len(genres)).all()
    assert made.movies["year"].between(1915, 2019).all()
    assert made.movies["title"].is_unique


def test_the_next_stage_reads_it_whole(made: Made) -> None:
    names = ("ratings.csv", "movies.csv")
    headers = [(made.folder / name).read_text(encoding="utf-8").partition("\n")[0] for name in names]
    assert headers == ["userId,movieId,rating,timestamp", "movieId,title,genres"]
    assert {path.name for path in made.folder.iterdir()} == set(names)
    limits: dict[str, Any] = {
        "sample_fraction": 1.0,
        "min_user_ratings": 20,
        "min_movie_ratings": 1,
        "max_bad_fraction": 0.0,
    }
    tables, report = clean_ratings(read_ratings(made.folder), **limits, iterate=True, seed=0)
    ratings = pd.concat(tables, ignore_index=True)
    assert len(ratings) == report.rows_in == made.shape.ratings


@pytest.mark.parametrize(
    "shape",
    [
        Shape(20, 1, 80),  # one user
        Shape(2_000, 100, 80),  # 20 ratings each
        Shape(2_000, 20, 400),  # a quarter of all pairs
        Shape(20_000, 200, 400),
        Shape(2_001, 100, 2_000),
    ],
)
def test_any_shape_within_the_limits_can_be_made(shape: Shape, tmp_path: Path) -> None:
    made = make(tmp_path / "made", shape, seed=3)
    counts = made.ratings["user_id"].value_counts()
    assert (len(made.ratings), len(counts), len(made.movies)) == (shape.ratings, shape.users, shape.movies)
    assert counts.min() >= 20
    assert counts.max() <= max(shape.movies * 2 // 5, shape.ratings // shape.users + 1)
    assert not made.ratings.duplicated(["user_id", "movie_id"]).any()


@pytest.mark.parametrize(
    "shape",
    [
        Shape(19, 1, 1_000),
        Shape(1_999, 100, 1_000),
        Shape(20, 1, 79),
        Shape(2_001, 20, 400),
        Shape(0, 0, 0),
        Shape(0, 0, 100),
        Shape(100, 0, 100),
        Shape(-20, -1, -100),
        Shape(100, 5, 0),
    ],
)
def test_refuses_a_shape_beyond_the_limits(shape: Shape, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"cannot be made: 20 ratings a user at least, a quarter of all pairs at most"):
        write_synthetic(tmp_path, shape, NOISE, 1)
    assert list(tmp_path.iterdir()) == []
