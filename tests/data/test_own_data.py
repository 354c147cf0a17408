"""Any table of who rated what comes in with its own ids, whatever its format and its columns' names."""

from collections.abc import Callable, Mapping
from pathlib import Path

import polars as pl
import pytest

from movierec.data.catalogue import list_movies
from movierec.data.describe import describe_reading
from movierec.data.readers import read_ratings
from movierec.errors import MovierecError
from movierec.scales import Scale
from tests.data.own import clean, expected, own_rows, source
from tests.data.shapes import (
    ITEMS,
    USERS,
    as_parquet,
    as_text,
    files_of_every_format,
    make_rows,
    mean_of,
    renamed,
    without,
)

FolderOf = Callable[[Mapping[str, bytes]], Path]

KINDS = ["integers", "texts", "zeros", "long"]
FORMATS = list(files_of_every_format(make_rows()))


# --- formats and ids ---


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", FORMATS)
def test_every_format_gives_every_kind_of_id_back(folder_of: FolderOf, name: str, kind: str) -> None:
    rows = make_rows(kind)
    raw = read_ratings(folder_of({name: files_of_every_format(rows)[name]}))
    ratings, report = clean(raw)
    assert own_rows(raw, ratings) == expected(rows)
    assert [str(dtype) for dtype in ratings.dtypes] == ["int32", "int32", "float32", "int64"]
    assert report.scale == Scale(1, 10, 1)
    assert report.rows_in == len(rows) == len(ratings)
    assert ratings["rating"].mean() == pytest.approx(mean_of(rows))
    assert (ratings["user_id"].nunique(), ratings["movie_id"].nunique()) == (USERS, ITEMS)
    if kind == "integers":
        assert set(ratings["user_id"]) == {row["user_id"] for row in rows}
    else:
        assert set(ratings["user_id"]) == set(range(1, USERS + 1))


def test_codes_follow_the_order_of_the_own_ids(folder_of: FolderOf) -> None:
    texts = ["b", "a", "B", "é", "a ", "10", "9", "\U0001f600"]
    rows = [{"user": text, "item": number} for text in texts for number in (-5, 2**33, 7)]
    raw = read_ratings(folder_of({"own.csv": as_text(rows * 5)}))
    assert raw.own_users is not None
    assert raw.own_users.to_list() == sorted(texts)
    assert raw.own_movies is not None
    assert raw.own_movies.to_list() == [-5, 7, 2**33]
    assert raw.table["movie_id"].head(3).tolist() == [1, 3, 2]


def test_zero_and_the_largest_code_are_their_own_codes(folder_of: FolderOf) -> None:
    raw = read_ratings(folder_of({"own.csv": b"user,item\n0,2147483647\n5,0\n"}))
    assert raw.table[["user_id", "movie_id"]].to_numpy().tolist() == [[0, 2147483647], [5, 0]]
    assert raw.own_users is raw.own_movies is None


def test_ids_may_be_declared_texts(folder_of: FolderOf) -> None:
    raw = read_ratings(folder_of({"own.csv": as_text(make_rows())}), source(ids="text"))
    assert raw.own_users is not None
    assert raw.own_users[:3].to_list() == ["1", "10", "11"]


def test_a_parquet_of_unsigned_64_bits_keeps_its_ids(folder_of: FolderOf) -> None:
    users = pl.Series("user", [2**64 - 1, 2**63, 5] * 40, dtype=pl.UInt64)
    frame = pl.DataFrame([users, pl.Series("item", ["x", "y", "z"] * 40).cast(pl.Categorical)])
    folder = folder_of({})
    frame.write_parquet(folder / "own.parquet")
    raw = read_ratings(folder)
    assert raw.own_users is not None
    assert raw.own_users.to_list() == ["18446744073709551615", "5", "9223372036854775808"]


# --- columns ---


@pytest.mark.parametrize(
    ("user", "item", "rating", "time"),
    [
        ("user", "item", "rating", "timestamp"),
        ("userId", "movieId", "rating", "timestamp"),
        ("User-ID", "ISBN", "Book-Rating", "Date"),
        ("reviewerID", "asin", "overall", "unixReviewTime"),
        ("user_id", "movie_id", "stars", "date"),
        ("customer_id", "product_id", "score", "purchase_date"),
        ("respondent", "film", "grade", "time"),
    ],
)
def test_usual_names_are_guessed(folder_of: FolderOf, user: str, item: str, rating: str, time: str) -> None:
    rows = renamed(make_rows("texts"), user_id=user, item_id=item, rating=rating, timestamp=time)
    rows = [{"number": place, **dict(reversed(row.items()))} for place, row in enumerate(rows)]
    raw = read_ratings(folder_of({"own.csv": as_text(rows)}))
    assert own_rows(raw, clean(raw)[0]) == expected(make_rows("texts"))


def test_what_was_read_is_said_in_one_line(folder_of: FolderOf) -> None:
    folder = folder_of({"own.csv": as_text(without(make_rows(), "timestamp"))})
    raw = read_ratings(folder)
    said = "read user_id as the user, item_id as the item; no timestamps; ratings from 1 to 10 in steps of 1"
    assert describe_reading(raw, clean(raw)[1].scale) == said
    raw = read_ratings(folder_of({"own.csv": as_text(renamed(make_rows(), rating="score"))}))
    assert describe_reading(raw, Scale(1, 10, 0)) == (
        "read user_id as the user, item_id as the item, score as the rating, timestamp as the time in seconds; "
        "ratings from 1 to 10"
    )


@pytest.mark.parametrize(
    ("header", "problem"),
    [
        ("user,userId,item", r"own\.csv: column 'user' and 'userId' could both be the user: set source\.columns\.user"),
        ("user,movie,item", r"column 'movie' and 'item' could both be the item: set source\.columns\.item"),
        (
            "user,item,rating,score",
            r"column 'rating' and 'score' could both be the rating: set source\.columns\.rating",
        ),
        ("user,item,ts,time", r"column 'ts' and 'time' could both be the timestamp"),
        ("user,item,plays,views", r"column 'plays' and 'views' could both be the count: set source\.columns\.rating"),
        ("user,item,title,user", r"column 'user' appears twice"),
        (
            "who,item",
            r"no column is called like the user \(there are who, item\): set source\.columns\.user to its name",
        ),
        ("user,what", r"no column is called like the item \(there are user, what\)"),
    ],
)
def test_what_cannot_be_told_is_asked_for_by_name(folder_of: FolderOf, header: str, problem: str) -> None:
    rows = f"{header}\n" + ",".join(["1"] * len(header.split(","))) + "\n"
    with pytest.raises(MovierecError, match=problem):
        read_ratings(folder_of({"own.csv": rows.encode()}))


def test_columns_may_be_named(folder_of: FolderOf) -> None:
    rows = renamed(make_rows(), user_id="who", item_id="what", rating="how", timestamp="when")
    raw = read_ratings(folder_of({"x.csv": as_text(rows)}), source(user="who", item="what", rating="how", timestamp=4))
    assert own_rows(raw, clean(raw)[0]) == expected(make_rows())
    with pytest.raises(MovierecError, match="column 'hwo' is missing: did you mean 'who'. correct source.columns.user"):
        read_ratings(folder_of({"x.csv": as_text(rows)}), source(user="hwo"))


def test_a_file_without_a_header_is_read_by_numbers(folder_of: FolderOf) -> None:
    folder = folder_of({"x.csv": as_text(make_rows("texts")).partition(b"\n")[2]})
    with pytest.raises(MovierecError, match="holds no names, only values of 4 columns: set source.columns.user to its"):
        read_ratings(folder)
    raw = read_ratings(folder, source(user=1, item=2, rating=3, timestamp=4))
    assert own_rows(raw, clean(raw)[0]) == expected(make_rows("texts"))


def test_separator_and_decimal_may_be_named(folder_of: FolderOf) -> None:
    folder = folder_of({"x.csv": b"user;item;rating,x\n" + b"1;2;3,5\n" * 100})
    assert read_ratings(folder, source(rating=3)).table["rating"].iloc[0] == 3.5
    raw = read_ratings(folder, source(rating=3, decimal="."))
    assert raw.broken["unreadable"] == 100
    with pytest.raises(MovierecError, match=r"its fields could be separated by ',' or ';': set source\.separator"):
        read_ratings(folder_of({"x.csv": b"user,item;rating\n1,2;3\n"}))


# --- the recipes of docs/data.md ---


def test_a_shops_purchases(folder_of: FolderOf) -> None:
    lines = ["order_date;customer_id;sku;qty"]
    lines += [
        f"2024-03-{day:02d};C{n:03d};{n % 7:04d};{qty}" for n in range(120) for day, qty in ((1, 2), (5, 3), (9, -1))
    ]
    raw = read_ratings(folder_of({"orders.csv": "\n".join(lines).encode()}))
    ratings, report = clean(raw)
    assert raw.is_implicit
    assert (report.dropped["unrated"], report.dropped["duplicate"]) == (120, 120)
    assert set(ratings["rating"]) == {5.0}


def test_a_music_services_plays(folder_of: FolderOf) -> None:
    rows = [
        {"user_id": n % 20, "artist_id": f"a{n % 9}", "track_id": f"t{n}", "played_at": 1.7e12 + n} for n in range(500)
    ]
    folder = folder_of({"plays.parquet": as_parquet(rows)})
    with pytest.raises(MovierecError, match="column 'artist_id' and 'track_id' could both be the item"):
        read_ratings(folder)
    raw = read_ratings(folder, source(item="artist_id"))
    ratings, _ = clean(raw)
    assert (raw.is_implicit, raw.time_form, ratings["rating"].sum()) == (True, "milliseconds", 500)


def test_a_survey_with_films(folder_of: FolderOf) -> None:
    grades = "respondent,film,grade\n" + "".join(f"R{n},F{n % 6},{n % 11}\n" for n in range(220))
    films = "film,title\n" + "".join(f"F{n},Film {n} ({1990 + n})\n" for n in range(6))
    raw = read_ratings(folder_of({"grades.csv": grades.encode(), "films.csv": films.encode()}))
    ratings, report = clean(raw, unrated=0.0, rating_scale=Scale(1, 10, 1))
    movies, without_title = list_movies(raw, ratings["movie_id"])
    assert (report.dropped["unrated"], report.scale, without_title) == (20, (1, 10, 1), 0)
    assert movies[["title", "year", "source_id"]].iloc[2].tolist() == ["Film 2", 1992, "F2"]
