"""Ids that are text beside those that are integers, in SQLite and PostgreSQL."""

from collections.abc import Callable

import pytest

from movierec.ids import OwnId
from movierec.service.storage.store import ConflictError, Event, Store, StoredRating


def test_text_ids_come_back_as_they_were(url: str, opened: Callable[[str], Store]) -> None:
    store = opened(url)
    pairs: list[tuple[OwnId, OwnId]] = [("U1", "B1"), ("U1", 7), (3, "B1"), (3, 7), ("007", "é ☂")]
    for place, pair in enumerate(pairs):
        assert store.add_rating(StoredRating(*pair, 9.0, place)).new
    again = opened(url)
    assert [(each.user_id, each.movie_id) for each in again.all_ratings()] == pairs
    assert again.ratings_of("U1") == {"B1": 9.0, 7: 9.0}
    assert again.ratings_of("é ☂") == again.ratings_of("U2") == {}
    assert list(again.users_after(0).values()) == [pair[0] for pair in pairs]


def test_an_integer_written_as_text_is_the_same_id(url: str, opened: Callable[[str], Store]) -> None:
    store = opened(url)
    store.add_rating(StoredRating("42", "7", 1.0, 5))
    assert store.ratings_of(42) == store.ratings_of("42") == {7: 1.0}
    assert store.ratings_of("042") == {}


def test_rules_of_repeated_ratings_hold_for_text(url: str, opened: Callable[[str], Store]) -> None:
    store = opened(url)
    assert store.add_rating(StoredRating("U", "B", 4.0, 5), newest=True).rating.timestamp == 5
    assert store.add_rating(StoredRating("U", "B", 2.0, 5), newest=True).rating.timestamp == 6
    assert not store.add_rating(StoredRating("U", "B", 2.0, 6)).new
    with pytest.raises(ConflictError, match="at the same time"):
        store.add_rating(StoredRating("U", "B", 3.0, 6))


def test_events_of_text_ids_are_counted(url: str, opened: Callable[[str], Store]) -> None:
    store = opened(url)
    shown = [Event(user, "B", "impression", "x", "a", 1) for user in ("U", "V", 3)]
    assert store.add_events([*shown, Event("V", "B", "click", "x", "a", 2)]) == 4
    assert sorted(store.outcomes("x")["clicks"]) == [0, 0, 1]
