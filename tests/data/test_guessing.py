from pathlib import Path

import pytest

from movierec.data.guessing import find_column, find_rating, guess_column, require_column
from movierec.data.layouts import GUESS_ALL
from movierec.data.tables import Table
from movierec.errors import MovierecError


def table(*columns: str) -> Table:
    return Table(Path("x.csv"), "text", columns, header_lines=1)


@pytest.mark.parametrize(
    ("role", "columns", "found"),
    [
        ("user", ["a", "User-ID"], ("User-ID",)),
        ("user", ["username", "user id"], ("user id",)),  # a name is a weaker guess than an id
        ("user", ["username"], ("username",)),
        ("user", ["USER", "userId"], ("USER", "userId")),
        ("item", ["parent_asin", "asin"], ("asin",)),
        ("rating", ["ratings", "rate"], ("ratings",)),
        ("timestamp", ["reviewTime", "unixReviewTime"], ("unixReviewTime",)),
        ("title", ["name", "movie_title"], ("movie_title",)),
        ("genres", ["genre"], ("genre",)),
        ("year", ["Year-Of-Publication"], ("Year-Of-Publication",)),
        ("count", ["playcount"], ("playcount",)),
        ("user", ["used", "identifier", "id"], ()),
    ],
)
def test_names_are_guesses(role: str, columns: list[str], found: tuple[str, ...]) -> None:
    assert guess_column(role, columns) == found


def test_what_is_chosen_wins_over_what_is_guessed() -> None:
    columns = table("user", "id", "3")
    assert find_column(columns, "user", "auto") == "user"
    assert find_column(columns, "user", "id") == "id"
    assert find_column(columns, "user", 2) == "id"
    assert find_column(columns, "user", 3) == "3"
    assert find_column(columns, "user", None) is None
    assert find_column(columns, "rating", "auto") is None


@pytest.mark.parametrize(
    ("columns", "chosen", "problem"),
    [
        (
            ("user", "id"),
            "ids",
            r"^x\.csv: column 'ids' is missing: did you mean 'id'\? correct source\.columns\.user$",
        ),
        (("id", "id"), "id", r"^x\.csv: column 'id' appears twice: correct source\.columns\.user$"),
        (("user", "id"), 3, r"^x\.csv: column '3' is missing"),
        (
            ("user", "userid"),
            "auto",
            r"^x\.csv: column 'user' and 'userid' could both be the user: set source\.columns",
        ),
        (("name", "id"), "auto", r"^x\.csv: no column is called like the user \(there are name, id\)"),
    ],
)
def test_what_cannot_be_told_is_refused(columns: tuple[str, ...], chosen: str | int, problem: str) -> None:
    with pytest.raises(MovierecError, match=problem):
        require_column(table(*columns), "user", chosen)


@pytest.mark.parametrize(
    ("columns", "chosen", "feedback", "found"),
    [
        (("rating", "plays"), "auto", "auto", ("rating", False)),
        (("rating", "plays"), "plays", "auto", ("plays", True)),
        (("rating", "plays"), "plays", "explicit", ("plays", False)),
        (("rating", "plays"), "rating", "implicit", ("rating", True)),
        (("rating", "plays"), "auto", "implicit", ("plays", True)),
        (("rating", "plays"), None, "auto", (None, True)),
        (("plays",), "auto", "auto", ("plays", True)),
        (("x",), "auto", "auto", (None, True)),
        (("x",), "x", "auto", ("x", False)),
        (("x",), "x", "implicit", ("x", True)),
    ],
)
def test_ratings_counts_or_neither(
    columns: tuple[str, ...], chosen: str | None, feedback: str, found: tuple[str | None, bool]
) -> None:
    chosen_columns = GUESS_ALL.columns.model_copy(update={"rating": chosen})
    assert find_rating(table(*columns), chosen_columns, feedback) == found
