import re

import numpy as np
import pytest

from movierec.data.movies import split_title
from movierec.data.titles import GENRES, make_titles

MOST = 65_536  # 4 sequels x 4 forms x 64 qualities x 64 things


def test_all_titles_are_distinct() -> None:
    titles = make_titles(MOST, np.random.default_rng(0))
    assert len({title.casefold() for title in titles}) == MOST


def test_titles_are_words_and_a_sequel() -> None:
    form = re.compile(r"(The |A |Return to the )?[A-Z][a-z]+ [A-Z][a-z]+( II| III| IV)?")
    titles = make_titles(2000, np.random.default_rng(1))
    assert [title for title in titles if not form.fullmatch(title)] == []
    assert all(split_title(f"{title} (1999)") == (title, 1999) for title in titles)
    assert all(split_title(title) == (title, None) for title in titles)


def test_same_generator_same_titles() -> None:
    first, second, other = (make_titles(50, np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert first == second
    assert first != other


def test_titles_come_in_no_order() -> None:
    titles = make_titles(200, np.random.default_rng(5))
    assert titles != sorted(titles)
    assert {title.rpartition(" ")[2] for title in titles} >= {"II", "III", "IV"}


def test_no_titles() -> None:
    assert make_titles(0, np.random.default_rng(0)) == []


@pytest.mark.parametrize("n", [MOST + 1, 10**6])
def test_refuses_more_than_there_are(n: int) -> None:
    with pytest.raises(ValueError, match="larger sample than population"):
        make_titles(n, np.random.default_rng(0))


def test_genres_are_those_of_movielens() -> None:
    # the list in the README of ml-25m, without "(no genres listed)"
    assert list(GENRES) == sorted(set(GENRES))
    assert len(GENRES) == 18
    assert {"Children", "Film-Noir", "Sci-Fi", "Western"} <= set(GENRES)
    assert not any("|" in genre for genre in GENRES)
