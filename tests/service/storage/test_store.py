import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from tempfile import TemporaryDirectory
from threading import Barrier
from typing import TypeVar
from unittest import mock

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from movierec.errors import MovierecError
from movierec.service.storage import store as module
from movierec.service.storage.store import ConflictError, Event, Receipt, Store, StoredRating, StoreUnavailableError
from tests.service.databases import read_acknowledged, start_adding

pytestmark = pytest.mark.xdist_group("postgresql")

Answer = TypeVar("Answer")
RATING = StoredRating(7, 10, 4.5, 1_000)
NEXT = StoredRating(7, 11, 3.0, 1_001)


@pytest.fixture
def store(url: str, opened: Callable[[str], Store]) -> Store:
    return opened(url)


def run_at_once(threads: int, work: Callable[[int], Answer]) -> list[Answer]:
    barrier = Barrier(threads)

    def start(number: int) -> Answer:
        barrier.wait()
        return work(number)

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(start, range(threads)))


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

    def test_changes_of_mind_at_once_are_all_stored(self, store: Store) -> None:
        stars = [half / 2 for half in range(1, 9)]
        receipts = run_at_once(8, lambda i: store.add_rating(StoredRating(7, 10, stars[i], 5), newest=True))
        assert all(receipt.new for receipt in receipts)
        latest = max(receipts, key=lambda receipt: receipt.rating.timestamp)
        assert sorted(receipt.rating.timestamp for receipt in receipts) == list(range(5, 13))
        assert store.ratings_of(7) == {10: latest.rating.rating}

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

    def test_what_is_stored_outlives_the_store(self, store: Store, url: str, opened: Callable[[str], Store]) -> None:
        store.add_rating(RATING, "key")
        store.close()
        again = opened(url)
        assert not again.add_rating(RATING, "key").new
        assert again.ratings_of(7) == {10: 4.5}
        assert store.ratings_of(7) == {10: 4.5}

    def test_one_of_many_equal_requests_is_new(self, store: Store) -> None:
        assert sorted(run_at_once(8, lambda _: store.add_rating(RATING).new)) == [False] * 7 + [True]
        assert sorted(run_at_once(8, lambda _: store.add_rating(NEXT, "key").new)) == [False] * 7 + [True]
        assert list(store.all_ratings()) == [RATING, NEXT]

    def test_one_of_many_requests_gets_a_key(self, store: Store) -> None:
        def add(number: int) -> str:
            try:
                return str(store.add_rating(StoredRating(number + 1, 10, 4.0, 5), "key").new)
            except ConflictError:
                return "conflict"

        assert sorted(run_at_once(8, add)) == ["True"] + ["conflict"] * 7
        assert len(list(store.all_ratings())) == 1

    def test_many_stores_create_the_tables_at_once(self, url: str, opened: Callable[[str], Store]) -> None:
        stores = [opened(url) for _ in range(8)]
        assert run_at_once(8, lambda i: stores[i].add_rating(StoredRating(i + 1, 1, 4.0, 5)).new) == [True] * 8
        assert len(list(stores[0].all_ratings())) == 8

    def test_two_processes_create_and_fill_it_at_once(self, url: str, store: Store) -> None:
        processes = [start_adding(url, 200) for _ in range(2)]
        answers = [process.communicate(timeout=60) for process in processes]
        assert [errors for _, errors in answers] == [b"", b""]
        assert [len(acknowledged.split()) for acknowledged, _ in answers] == [200, 200]
        assert sorted(rating.user_id for rating in store.all_ratings()) == list(range(1, 201))

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
        for rating in (StoredRating(1, 1, 0.5, 0), StoredRating(2**31 - 1, 2**31 - 1, 5.0, 2**62)):
            assert store.add_rating(rating).new
            assert store.ratings_of(rating.user_id) == {rating.movie_id: rating.rating}

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

    def test_whatever_is_acknowledged_outlives_kill_9(self, url: str, store: Store) -> None:
        process = start_adding(url)
        acknowledged = read_acknowledged(process, 150)
        process.send_signal(signal.SIGKILL)
        rest, errors = process.communicate(timeout=60)
        acknowledged |= {int(line) for line in rest.splitlines(keepends=True) if line.endswith(b"\n")}
        stored = [rating.user_id for rating in store.all_ratings()]
        assert errors == b""
        assert acknowledged <= set(stored) <= set(range(1, 1001))
        assert len(stored) == len(set(stored)) < 1000
        for user_id in range(1, 1001, 5):
            again = StoredRating(user_id, 1, 4.0, 5)
            assert store.add_rating(again, str(user_id)).new == (user_id not in stored)


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
