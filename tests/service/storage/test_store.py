"""Of ratings, what is stored, what counts and what is refused; at last against two dictionaries."""

from dataclasses import replace
from tempfile import TemporaryDirectory
from unittest import mock

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from movierec.service.storage import store as module
from movierec.service.storage.database import RATINGS
from movierec.service.storage.records import LATEST
from movierec.service.storage.store import ConflictError, Receipt, Store, StoredRating
from tests.service.storage.sample_ratings import NEXT, RATING


class TestBothDatabases:
    def test_a_rating_is_stored_once(self, store: Store) -> None:
        assert store.add_rating(RATING).new
        assert not store.add_rating(RATING).new
        assert store.ratings_of(7) == {10: 4.5}
        assert list(store.all_ratings()) == [RATING]

    def test_an_unknown_user_has_no_ratings(self, store: Store) -> None:
        store.add_rating(RATING)
        assert store.ratings_of(8) == {}

    @pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
    def test_the_newest_rating_of_a_movie_counts(self, store: Store, order: tuple[int, ...]) -> None:
        ratings = [StoredRating(7, 10, stars, time) for stars, time in ((1.0, 5), (2.0, 6), (3.0, 7))]
        for number in order:
            store.add_rating(ratings[number])
        assert store.ratings_of(7) == {10: 3.0}
        assert list(store.all_ratings()) == [ratings[number] for number in order]

    def test_another_rating_at_the_same_time_conflicts(self, store: Store) -> None:
        store.add_rating(RATING)
        with pytest.raises(ConflictError, match="4.5 at the same time"):
            store.add_rating(StoredRating(7, 10, 4.0, 1_000))
        assert store.ratings_of(7) == {10: 4.5}

    def test_a_key_stores_one_rating(self, store: Store) -> None:
        assert store.add_rating(RATING, "key").new
        assert not store.add_rating(RATING, "key").new
        assert not store.add_rating(RATING, "other key").new
        for key in ("key", "other key"):
            with pytest.raises(ConflictError, match="used for another request"):
                store.add_rating(NEXT, key)
        assert list(store.all_ratings()) == [RATING]

    def test_a_repeated_request_without_a_time_is_the_same_request(self, store: Store) -> None:
        for newest in (False, True):
            first = store.add_rating(replace(RATING, user_id=8 + newest), f"key {newest}", "now", newest=newest)
            later = replace(first.rating, timestamp=1_003)
            assert first.new
            again = store.add_rating(later, f"key {newest}", "now", newest=newest)
            assert again == Receipt(first.rating, new=False)
        assert len(list(store.all_ratings())) == 2

    def test_the_newest_rating_counts_however_fast_they_come(self, store: Store) -> None:
        said = [(4.0, 5), (3.0, 5), (2.0, 5), (2.0, 6), (3.0, 6), (3.0, 9), (5.0, 9)]
        receipts = [store.add_rating(StoredRating(7, 10, stars, now), newest=True) for stars, now in said]
        assert [(each.rating.timestamp, each.new) for each in receipts] == [
            (5, True), (6, True), (7, True), (7, False), (8, True), (9, True), (10, True),
        ]  # fmt: skip
        assert store.ratings_of(7) == {10: 5.0}
        assert store.add_rating(StoredRating(7, 11, 1.0, 5), newest=True).rating.timestamp == 5

    def test_a_key_of_another_request_is_refused_at_once(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        store.add_rating(RATING, "key")
        add = mock.Mock(wraps=store._add_rating)
        monkeypatch.setattr(store, "_add_rating", add)
        with pytest.raises(ConflictError, match="used for another request"):
            store.add_rating(NEXT, "key", newest=True)
        assert add.call_count == 1

    def test_a_refused_rating_leaves_its_key_free(self, store: Store) -> None:
        store.add_rating(RATING)
        with pytest.raises(ConflictError, match="same time"):
            store.add_rating(StoredRating(7, 10, 1.0, 1_000), "key")
        assert store.add_rating(NEXT, "key").new

    def test_long_tables_are_read_in_pages(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "PAGE_ROWS", 3)
        ratings = [StoredRating(1, movie, 0.5, 0) for movie in range(7, 0, -1)]
        for rating in ratings:
            store.add_rating(rating)
        assert list(store.all_ratings()) == ratings

    def test_rows_tell_who_rated_since(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        assert (store.last_row(), store.users_after(0)) == (0, {})
        for user in (5, 6, 5):
            store.add_rating(StoredRating(user, 1, 4.0, 1), newest=True)
        first, last = min(store.users_after(0)), store.last_row()
        assert store.users_after(0) == {first: 5, last: 6}
        assert store.users_after(first) == {last: 6}
        monkeypatch.setattr(module, "PAGE_ROWS", 1)
        assert store.users_after(0) == {first: 5}

    def test_the_ends_of_every_range_fit(self, store: Store) -> None:
        for rating in (StoredRating(1, 1, 0.5, 0), StoredRating(2**31 - 1, 2**31 - 1, 5.0, LATEST)):
            assert store.add_rating(rating).new
            assert store.ratings_of(rating.user_id) == {rating.movie_id: rating.rating}

    def test_no_rating_follows_the_latest_time_there_is(self, store: Store) -> None:
        last = StoredRating(7, 10, 4.0, LATEST)
        store.add_rating(last)
        assert store.add_rating(replace(last, timestamp=5), newest=True) == Receipt(last, new=False)
        with pytest.raises(ConflictError, match="latest time there is"):
            store.add_rating(StoredRating(7, 10, 3.0, 5), newest=True)
        assert list(store.all_ratings()) == [last]

    def test_a_time_that_an_older_version_stored_is_read_within_the_bounds(self, store: Store) -> None:
        store.add_rating(StoredRating(7, 10, 4.0, LATEST))
        with store._engine.begin() as connection:
            row = {"user_id": 7, "movie_id": 10, "rating": 3.0, "timestamp": LATEST + 1}
            connection.execute(RATINGS.insert(), [row])
        assert [rating.timestamp for rating in store.all_ratings()] == [LATEST, LATEST]
        assert store.ratings_of(7) == {10: 3.0}


class StoreMachine(RuleBasedStateMachine):
    """The store against two dictionaries."""

    @initialize()
    def open_store(self) -> None:
        self.folder = TemporaryDirectory()
        self.store = Store(f"sqlite:///{self.folder.name}/ratings.db")
        self.stars: dict[tuple[int, int, int], float] = {}
        self.keys: dict[str, StoredRating] = {}

    @rule(
        user=st.integers(1, 2),
        movie=st.integers(1, 2),
        stars=st.sampled_from([1.0, 4.5]),
        time=st.integers(0, 2),
        key=st.none() | st.sampled_from("abc"),
    )
    def add(self, user: int, movie: int, stars: float, time: int, key: str | None) -> None:
        rating, place = StoredRating(user, movie, stars, time), (user, movie, time)
        reused = key in self.keys
        if (self.keys[key] != rating) if key in self.keys else self.stars.get(place, stars) != stars:
            with pytest.raises(ConflictError, match="another request|same time"):
                self.store.add_rating(rating, key)
            return
        assert self.store.add_rating(rating, key).new == (not reused and place not in self.stars)
        self.stars[place] = stars
        if key is not None:
            self.keys[key] = rating

    @rule()
    def reopen(self) -> None:
        self.store.close()
        self.store = Store(f"sqlite:///{self.folder.name}/ratings.db")

    @rule(user=st.integers(1, 3))
    def read(self, user: int) -> None:
        newest = sorted(((place[2], place[1], stars) for place, stars in self.stars.items() if place[0] == user))
        assert self.store.ratings_of(user) == {movie: stars for _, movie, stars in newest}
        assert {(r.user_id, r.movie_id, r.timestamp): r.rating for r in self.store.all_ratings()} == self.stars

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()


TestStoreMachine = StoreMachine.TestCase
TestStoreMachine.settings = settings(max_examples=12, stateful_step_count=25, deadline=None)
