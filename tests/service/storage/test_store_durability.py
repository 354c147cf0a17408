"""Whatever is acknowledged stays, and once: threads, stores and processes at once, a new start and kill -9."""

import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

from movierec.service.storage.store import ConflictError, Store, StoredRating
from tests.service.databases import read_acknowledged, start_adding
from tests.service.storage.sample_ratings import NEXT, RATING

Answer = TypeVar("Answer")


def run_at_once(threads: int, work: Callable[[int], Answer]) -> list[Answer]:
    barrier = Barrier(threads)

    def start(number: int) -> Answer:
        barrier.wait()
        return work(number)

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(start, range(threads)))


class TestBothDatabases:
    def test_changes_of_mind_at_once_are_all_stored(self, store: Store) -> None:
        stars = [half / 2 for half in range(1, 9)]
        receipts = run_at_once(8, lambda i: store.add_rating(StoredRating(7, 10, stars[i], 5), newest=True))
        assert all(receipt.new for receipt in receipts)
        latest = max(receipts, key=lambda receipt: receipt.rating.timestamp)
        assert sorted(receipt.rating.timestamp for receipt in receipts) == list(range(5, 13))
        assert store.ratings_of(7) == {10: latest.rating.rating}

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
