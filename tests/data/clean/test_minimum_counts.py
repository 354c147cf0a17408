"""Users and movies with few ratings."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from movierec.data import clean
from tests.data.clean.rows import Row, pairs_of, run

# User 1 rated movies 1 2 3, user 2 movies 1 2 4, user 3 movies 1 2, user 4 movie 1. At least two each, one pass:
# user 4 goes, then movies 3 and 4 (once each). Three a user: users 3 and 4 go, then movies 3 and 4, and now users 1
# and 2 have two ratings only; repeated, all goes.
CHAIN: list[Row] = [
    (user, movie, 3, 0) for user, movies in enumerate(("123", "124", "12", "1"), 1) for movie in map(int, movies)
]


@pytest.mark.usefixtures("few_suffice")
@pytest.mark.parametrize(
    ("min_user", "iterate", "left"),
    [
        (2, False, {(1, 1), (1, 2), (2, 1), (2, 2), (3, 1), (3, 2)}),
        (2, True, {(1, 1), (1, 2), (2, 1), (2, 2), (3, 1), (3, 2)}),
        (3, False, {(1, 1), (1, 2), (2, 1), (2, 2)}),
        (3, True, set()),
    ],
)
def test_minimum_counts_by_hand(min_user: int, iterate: bool, left: set[tuple[int, int]]) -> None:  # noqa: FBT001
    ratings, report = run(CHAIN, min_user_ratings=min_user, min_movie_ratings=2, iterate=iterate)
    assert pairs_of(ratings) == left
    assert report.dropped["too_few_ratings"] == len(CHAIN) - len(left)


def drop_once(pairs: set[tuple[int, int]], min_user: int, min_movie: int) -> set[tuple[int, int]]:
    users = Counter(user for user, _ in pairs)
    pairs = {pair for pair in pairs if users[pair[0]] >= min_user}
    movies = Counter(movie for _, movie in pairs)
    return {pair for pair in pairs if movies[pair[1]] >= min_movie}


@given(st.sets(st.tuples(st.integers(1, 9), st.integers(1, 9)), max_size=60), st.integers(1, 6), st.integers(1, 6))
def test_minimum_counts_agree_with_sets(pairs: set[tuple[int, int]], min_user: int, min_movie: int) -> None:
    rows: list[Row] = [(*pair, 3.0, 0) for pair in pairs]
    once = stable = drop_once(pairs, min_user, min_movie)
    while (fewer := drop_once(stable, min_user, min_movie)) != stable:
        stable = fewer
    limits = {"min_user_ratings": min_user, "min_movie_ratings": min_movie}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clean, "FEWEST_RATINGS", 0)
        assert pairs_of(run(rows, iterate=False, **limits)[0]) == once
        assert pairs_of(run(rows, iterate=True, **limits)[0]) == stable
