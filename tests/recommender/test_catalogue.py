import io
import zipfile
from collections import Counter
from dataclasses import astuple
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from movierec.columns import GENRES, MOVIE_ID, RATING, TITLE, YEAR
from movierec.data.movies import split_title
from movierec.errors import MovierecError
from movierec.recommender.catalogue import PRIOR_RATINGS, Catalogue

MOVIES = [
    (6, "Heat", 1995, ["Action", "Crime"]),
    (1, "Toy Story", 1995, ["Animation", "Comedy"]),
    (2571, "Matrix, The", 1999, ["Action", "Sci-Fi"]),
    (73, "Misérables, Les", 1995, ["Drama"]),
    (3114, "Toy Story 2", 1999, ["Animation", "Comedy"]),
    (541, "Blade Runner", 1982, ["Sci-Fi"]),
    (176371, "Blade Runner 2049", 2017, ["Sci-Fi"]),
    (260, "Star Wars: Episode IV - A New Hope", 1977, ["Action", "Sci-Fi"]),
    (900, "Star", 1998, []),
    (318, "Shawshank Redemption, The", 1994, ["Drama"]),
    (8482, "Heat and Dust", 1983, ["Drama"]),
    (40, "Babylon 5", None, ["Sci-Fi"]),
    (26662, "東京物語", 1953, ["Drama"]),
]
FILES = ("movies", "ratings")


def make_catalogue(movies: list[tuple[int, str, int | None, list[str]]], ratings: dict[int, list[float]]) -> Catalogue:
    rows = [(*row[:3], np.array(row[3], dtype=object)) for row in movies]  # as a parquet file gives them back
    table = pd.DataFrame(rows, columns=[MOVIE_ID, TITLE, YEAR, GENRES]).astype({MOVIE_ID: np.int32, YEAR: "Int16"})
    pairs = [(movie, stars) for movie, given in ratings.items() for stars in given]
    return Catalogue(table, pd.DataFrame(pairs, columns=[MOVIE_ID, RATING]).astype({MOVIE_ID: np.int32}))


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return make_catalogue(MOVIES, {1: [5.0, 4.0], 3114: [3.0], 6: [4.5] * 3, 7777: [2.0], 260: [5.0] * 5})


def test_a_movie_is_described_with_its_bayesian_average(catalogue: Catalogue) -> None:
    mean = (5 + 4 + 3 + 13.5 + 2 + 25) / 12
    average = (9 + PRIOR_RATINGS * mean) / (2 + PRIOR_RATINGS)
    movie = catalogue.get(1)
    assert movie
    assert astuple(movie) == (1, "Toy Story", 1995, ("Animation", "Comedy"), 2, pytest.approx(average))


def test_what_is_unknown_of_a_movie_is_none(catalogue: Catalogue) -> None:
    babylon = catalogue.get(40)
    assert babylon
    assert (babylon.year, babylon.ratings, babylon.mean) == (None, 0, None)
    assert catalogue.get(2) is None


def test_a_rated_movie_that_is_not_listed_is_there_under_its_id(catalogue: Catalogue) -> None:
    movie = catalogue.get(7777)
    assert movie
    assert (movie.title, movie.year, movie.genres, movie.ratings) == ("Movie 7777", None, (), 1)


def test_movies_are_in_ascending_order_of_id(catalogue: Catalogue) -> None:
    ids = catalogue.movie_ids.tolist()
    assert ids == sorted({movie[0] for movie in MOVIES} | {7777})
    assert [catalogue.at(row).movie_id for row in range(len(catalogue))] == ids
    assert catalogue.rows([1, 5, 176371]).tolist() == [0, -1, len(ids) - 1]


def test_averages_of_unknown_and_unrated_movies_are_the_mean_of_all_ratings(catalogue: Catalogue) -> None:
    unknown, unrated, rated = catalogue.average([5, 40, 260])
    assert unknown == pytest.approx(52.5 / 12)
    assert unrated == pytest.approx(unknown)
    assert unknown < rated < 5


def test_masks_join_genre_and_decade(catalogue: Catalogue) -> None:
    def ids(genre: str | None, decade: int | None) -> list[int]:
        return catalogue.movie_ids[catalogue.rows_of(genre, decade)].tolist()  # type: ignore[no-any-return]

    assert catalogue.genres == ("Action", "Animation", "Comedy", "Crime", "Drama", "Sci-Fi")
    assert catalogue.decades == (1950, 1970, 1980, 1990, 2010)
    assert ids("Action", None) == [6, 260, 2571]
    assert ids("sci-fi", 1980) == [541]
    assert ids(None, 1980) == [541, 8482]
    assert ids("Animation", 1950) == []
    assert len(ids(None, None)) == len(catalogue)


def test_a_mask_may_be_changed_without_effect_on_the_next(catalogue: Catalogue) -> None:
    catalogue.rows_of("Drama")[:] = True
    catalogue.rows_of()[:] = False
    assert catalogue.rows_of("Drama").sum() == 4
    assert catalogue.rows_of().all()


@pytest.mark.parametrize(
    ("genre", "decade", "message"),
    [
        ("Dramma", None, "no movie has the genre 'Dramma': did you mean 'Drama'?"),
        ("", None, "no movie has the genre '': did you mean"),
        (None, 1995, "no movie is of decade 1995: choose one of 1950, 1970, 1980, 1990, 2010"),
        ("Drama", 0, "no movie is of decade 0"),
    ],
)
def test_an_unknown_genre_or_decade_is_refused(
    catalogue: Catalogue, genre: str | None, decade: int | None, message: str
) -> None:
    with pytest.raises(MovierecError, match=message.replace("?", r"\?")):
        catalogue.rows_of(genre, decade)


def test_a_catalogue_without_genres_and_years_says_so() -> None:
    bare = make_catalogue([(1, "One", None, [])], {1: [3.0]})
    with pytest.raises(MovierecError, match="the data has no genres"):
        bare.rows_of("Drama")
    with pytest.raises(MovierecError, match="choose one of none"):
        bare.rows_of(None, 1990)


@pytest.mark.parametrize(
    ("query", "movie_id"),
    [
        ("Toy Story", 1),
        ("toy story 2", 3114),
        ("matrix the", 2571),
        ("The Matrix", 2571),
        ("matrxi", 2571),
        ("LES MISERABLES", 73),
        ("misérables", 73),
        ("Mise\u0301rables", 73),
        ("shawshenk", 318),
        ("star wars", 260),
        ("a new hope", 260),
        ("star", 900),
        ("heat", 6),
        ("heat 1983", 8482),
        ("blade runner", 541),
        ("blade runner 2049", 176371),
        ("blade runner (1982)", 541),
        ("Babylon 5", 40),
        ("東京", 26662),
        ("7777", 7777),
    ],
)
def test_a_title_is_found_whatever_is_wrong_with_it(catalogue: Catalogue, query: str, movie_id: int) -> None:
    found = catalogue.search(query, 3)
    assert found[0][0].movie_id == movie_id
    similarities = [similarity for _, similarity in found]
    assert similarities == sorted(similarities, reverse=True)
    assert 0.6 <= similarities[-1] <= similarities[0] <= 1


@pytest.mark.parametrize("query", ["", "   ", "?!,", "\u0301", "qqqqqqqq", "x" * 10_000])
def test_what_is_like_no_title_finds_nothing(catalogue: Catalogue, query: str) -> None:
    assert catalogue.search(query, 5) == []


def test_of_equal_titles_the_one_with_more_ratings_comes_first_then_the_lower_id() -> None:
    same = make_catalogue([(movie, "Emma", 1990 + movie, []) for movie in (3, 1, 2, 4)], {3: [4.0, 4.0], 9: [1.0]})
    assert [movie.movie_id for movie, _ in same.search("emma", 10)] == [3, 1, 2, 4]
    assert [movie.movie_id for movie, _ in same.search("emma", 2)] == [3, 1]
    assert same.search("emma 1992", 1)[0][0].movie_id == 2


def test_real_titles_are_found_with_typos(mirror: Path) -> None:
    with zipfile.ZipFile(mirror / "ml-latest-small.zip") as archive:
        listed, rated = (pd.read_csv(io.BytesIO(archive.read(f"ml-latest-small/{name}.csv"))) for name in FILES)
    named = zip(listed["movieId"].tolist(), listed["title"].tolist(), listed["genres"].tolist(), strict=True)
    movies = [(movie_id, *split_title(title), genres.split("|")) for movie_id, title, genres in named]
    ratings = {movie_id: [3.0] * count for movie_id, count in Counter(rated["movieId"].tolist()).items()}
    real = make_catalogue(movies, ratings)
    wanted = {
        "godfather": 858, "lord of the rings fellowship": 4993, "pulp fictoin": 296, "amelie": 4973,
        "silense of lambs": 593, "the usual suspects": 50, "forest gump": 356, "schindlers list": 527,
        "terminater 2": 589, "se7en": 47,
    }  # fmt: skip
    assert {query: real.search(query, 1)[0][0].movie_id for query in wanted} == wanted
