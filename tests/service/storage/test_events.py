"""Events are stored once and counted by user, arm and movie; any text is data."""

import pytest

from movierec.errors import MovierecError
from movierec.service.storage.store import Event, Store, StoreUnavailableError
from tests.service.storage.sample_ratings import RATING


class TestBothDatabases:
    def test_events_are_counted_by_user_arm_and_movie(self, store: Store) -> None:
        kinds = {"i": "impression", "c": "click"}
        log = [(2, 10, "i", "b"), (2, 10, "i", "b"), (2, 10, "c", "b"), (2, 11, "i", "b"), (1, 10, "i", "a")]
        log += [(1, 12, "c", "a"), (3, 10, "c", "a"), (2, 10, "c", "b")]
        events = [Event(user, movie, kinds[kind], "x", arm, 5) for user, movie, kind, arm in log]  # type: ignore[arg-type]
        assert store.add_events(events) == 8
        store.add_events([Event(1, 10, "click", "y", "a", 5)])
        assert store.outcomes("x").to_dict("list") == {
            "user_id": [1, 2],
            "arm": ["a", "b"],
            "impressions": [1, 2],
            "clicks": [0, 1],
        }

    def test_an_experiment_without_events_has_no_outcomes(self, store: Store) -> None:
        table = store.outcomes("x")
        assert table.empty
        assert [str(kind) for kind in table.dtypes] == ["int64", "str", "int64", "int64"]

    def test_events_with_a_known_key_are_not_stored_again(self, store: Store) -> None:
        events = [Event(1, movie, "impression", "x", "a", 5, str(movie % 400)) for movie in range(1, 501)]
        assert store.add_events([]) == 0
        assert store.add_events(events) == 400
        assert store.add_events([*reversed(events), Event(1, 1, "click", "x", "a", 5)]) == 1
        assert store.outcomes("x")["impressions"].tolist() == [400]

    def test_text_is_data(self, store: Store) -> None:
        name = "'); DROP TABLE events; --\" ü 電影"
        store.add_events([Event(1, 10, "impression", name, name, 5, name)])
        store.add_rating(RATING, name)
        assert store.outcomes(name)["arm"].tolist() == [name]

    def test_text_that_is_no_unicode_is_refused(self, store: Store) -> None:
        with pytest.raises(MovierecError, match="refuses a value") as refusal:
            store.add_events([Event(1, 10, "click", "\ud800", "a", 5)])
        assert not isinstance(refusal.value, StoreUnavailableError)
        assert store.add_rating(RATING, "\ud800").new
