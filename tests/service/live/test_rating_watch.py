from collections.abc import Callable
from pathlib import Path

import anyio
import pytest

from movierec.errors import MovierecError
from movierec.ids import OwnId
from movierec.service.live import rating_watch
from movierec.service.live.rating_watch import RatingWatch
from movierec.service.storage.store import Store, StoredRating
from tests.service.clients import NEW_USER, post_rating, ready, recommend, set_up, until


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'service.db'}"


def rate(store: Store, *users: int) -> None:
    for user_id in users:
        store.add_rating(StoredRating(user_id, 1, 4.0, 5))


def test_each_rating_is_seen_once_and_at_first_everyone_is_forgotten(
    url: str, opened: Callable[[str], Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rating_watch, "OVERLAP", 3)
    store, other = opened(url), opened(url)
    watch = RatingWatch(store, lambda _: None, 1)
    rate(other, 1, 2)
    assert watch._look() == {None}
    watch._look()
    assert watch._look() == set()
    rate(other, 3, 4, 5, 6, 7, 8)
    assert watch._look() == {3, 4, 5, 6, 7, 8}
    assert watch._look() == set()
    rate(store, 9)
    assert watch._look() == {9}


def test_a_row_that_is_seen_late_is_seen(
    url: str, opened: Callable[[str], Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = opened(url)
    watch = RatingWatch(store, lambda _: None, 1)
    assert watch._look() == {None}
    found = iter([{1: 11, 3: 13}, {1: 11, 2: 12, 3: 13}, {1: 11, 2: 12, 3: 13}])
    monkeypatch.setattr(store, "users_after", lambda _: next(found))
    assert [watch._look() for _ in range(3)] == [{11, 13}, {12}, set()]


def test_another_database_makes_everyone_forgotten(url: str, opened: Callable[[str], Store], tmp_path: Path) -> None:
    store = opened(url)
    rate(store, 1, 2, 3)
    watch = RatingWatch(store, lambda _: None, 1)
    assert [watch._look(), watch._look()] == [{None}, {1, 2, 3}]
    for file in tmp_path.glob("service.db*"):
        file.rename(tmp_path / f"away-{file.name}")
    rate(opened(url), 7)
    assert watch._look() == {None}
    rate(store, 8)
    assert 8 in watch._look()


@pytest.mark.anyio
async def test_what_one_process_stores_another_answers_by(shop: Path, tmp_path: Path) -> None:
    settings = set_up(shop, tmp_path)
    async with ready(settings) as here, ready(settings) as there:
        before = await recommend(there, NEW_USER)
        assert (await post_rating(here, before["items"][0]["movie"]["movie_id"], 5)).status_code == 201

        async def reflects() -> bool:
            return bool((await recommend(there, NEW_USER))["strategy"] == "folded_in")

        await until(reflects)
        movies = [item["movie"]["movie_id"] for item in (await recommend(there, NEW_USER))["items"]]
        assert before["items"][0]["movie"]["movie_id"] not in movies


@pytest.mark.anyio
async def test_it_outlives_a_database_that_is_away_and_a_defect(
    url: str, opened: Callable[[str], Store], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, forgotten = opened(url), list[OwnId | None]()
    rate(store, 1)
    watch = RatingWatch(store, forgotten.append, 0.01)

    stumbles = list[int]()

    def stumble() -> set[int | None]:
        stumbles.append(1)
        raise ZeroDivisionError

    async def stumbled() -> bool:
        return len(stumbles) > 1

    async def forgot(user_id: int | None) -> bool:
        return user_id in forgotten

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(watch.watch)
        await until(lambda: forgot(1))
        (tmp_path / "service.db").rename(tmp_path / "away.db")
        with pytest.raises(MovierecError, match="database"):
            store.check()
        (tmp_path / "away.db").rename(tmp_path / "service.db")
        with monkeypatch.context() as patch:
            patch.setattr(watch, "_look", stumble)
            await until(stumbled)
        rate(store, 2)
        await until(lambda: forgot(2))
        tasks.cancel_scope.cancel()
    assert forgotten[0] is None
