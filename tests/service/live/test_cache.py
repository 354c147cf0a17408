import asyncio

import pytest

from movierec.service.live.cache import UserCache

pytestmark = pytest.mark.anyio


class Source:
    """Gives numbered answers when it is let go."""

    def __init__(self) -> None:
        self.calls = 0
        self.gate = asyncio.Event()

    async def compute(self) -> bytes:
        self.calls += 1
        number = self.calls
        await self.gate.wait()
        if number == 13:
            raise ValueError("bad luck")
        return b"%d" % number


@pytest.fixture
async def source() -> Source:
    source = Source()
    source.gate.set()
    return source


def make_cache(size: int = 1000, ttl_s: float = 60.0) -> UserCache[bytes]:
    return UserCache(size, ttl_s, len)


async def test_twenty_at_once_compute_once(source: Source) -> None:
    cache = make_cache()
    source.gate.clear()
    waiting = [asyncio.ensure_future(cache.get(1, "q", source.compute)) for _ in range(20)]
    await asyncio.sleep(0)
    source.gate.set()
    assert await asyncio.gather(*waiting) == [(b"1", False)] * 20
    assert await cache.get(1, "q", source.compute) == (b"1", True)
    assert source.calls == 1


async def test_users_and_questions_are_kept_apart(source: Source) -> None:
    cache = make_cache()
    found = [(await cache.get(user, question, source.compute))[0] for user in (1, 2) for question in ("a", "b")]
    assert found == [b"1", b"2", b"3", b"4"]


async def test_forgetting_reaches_every_question_of_one_user_only(source: Source) -> None:
    cache = make_cache()
    for user, question in ((1, "a"), (1, "b"), (2, "a")):
        await cache.get(user, question, source.compute)
    cache.forget(1)
    cache.forget(7)
    assert [await cache.get(*key, source.compute) for key in ((1, "a"), (1, "b"), (2, "a"))] == [
        (b"4", False),
        (b"5", False),
        (b"3", True),
    ]


async def test_what_was_computed_before_a_rating_is_not_served_after_it(source: Source) -> None:
    cache = make_cache()
    source.gate.clear()
    before = asyncio.ensure_future(cache.get(1, "q", source.compute))
    await asyncio.sleep(0)
    cache.forget(1)
    after = asyncio.ensure_future(cache.get(1, "q", source.compute))
    await asyncio.sleep(0)
    source.gate.set()
    assert (await before, await after) == ((b"1", False), (b"2", False))
    assert await cache.get(1, "q", source.compute) == (b"2", True)


async def test_failure_is_told_to_all_and_not_kept(source: Source) -> None:
    cache = make_cache()
    source.calls = 12
    waiting = [cache.get(1, "q", source.compute) for _ in range(3)]
    assert {str(error) for error in await asyncio.gather(*waiting, return_exceptions=True)} == {"bad luck"}
    assert await cache.get(1, "q", source.compute) == (b"14", False)


async def test_who_goes_away_does_not_take_the_answer_from_the_others(source: Source) -> None:
    cache = make_cache()
    source.gate.clear()
    first, second = (asyncio.ensure_future(cache.get(1, "q", source.compute)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    source.gate.set()
    assert await second == (b"1", False)
    assert first.cancelled()


async def test_keeps_no_more_than_its_size(source: Source) -> None:
    cache = make_cache(size=3)
    for user in (1, 2, 3, 4):
        await cache.get(user, "q", source.compute)
    assert await cache.get(4, "q", source.compute) == (b"4", True)
    assert await cache.get(1, "q", source.compute) == (b"5", False)


async def test_size_zero_keeps_nothing(source: Source) -> None:
    cache = make_cache(size=0)
    assert [(await cache.get(1, "q", source.compute))[1] for _ in range(2)] == [False, False]


async def test_what_is_too_old_is_computed_again(source: Source) -> None:
    cache = make_cache(ttl_s=1e-9)
    assert [(await cache.get(1, "q", source.compute))[0] for _ in range(2)] == [b"1", b"2"]
