"""Answers in memory: found until their time is over, and never more of them than there is room for."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from setu.store.cache import MemoryCache


class Time:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def kept(cache: MemoryCache, *keys: str) -> list[bytes | None]:
    async def main() -> list[bytes | None]:
        return [await cache.get(key) for key in keys]

    return asyncio.run(main())


def put(cache: MemoryCache, *keys: str, value: bytes = b"v", ttl: float = 10) -> None:
    async def main() -> None:
        for key in keys:
            await cache.put(key, value, ttl)

    asyncio.run(main())


def test_a_value_is_found_until_its_time_is_over() -> None:
    time = Time()
    cache = MemoryCache(time)
    put(cache, "a", ttl=10)
    time.now = 9.9
    before = kept(cache, "a", "b")
    time.now = 10

    assert before == [b"v", None]
    assert kept(cache, "a") == [None]
    assert (len(cache), cache.size) == (0, 0)


def test_the_one_that_was_not_asked_for_longest_makes_room() -> None:
    cache = MemoryCache(Time(), max_items=2)
    put(cache, "a", "b")
    kept(cache, "a")
    put(cache, "c")

    assert kept(cache, "a", "b", "c") == [b"v", None, b"v"]


def test_a_value_that_is_put_again_counts_once() -> None:
    cache = MemoryCache(Time())
    put(cache, "a", value=b"x" * 1000)
    put(cache, "a", value=b"y")

    assert kept(cache, "a") == [b"y"]
    assert cache.size < 1000


def test_a_value_larger_than_all_room_pushes_nothing_out() -> None:
    cache = MemoryCache(Time(), max_bytes=1000)
    put(cache, "a")
    put(cache, "b", value=b"x" * 1000)

    assert kept(cache, "a", "b") == [b"v", None]


def test_what_is_over_is_swept_away_without_being_asked_for() -> None:
    time = Time()
    cache = MemoryCache(time, sweep=60)
    put(cache, "a", "b", ttl=10)
    put(cache, "c", ttl=100)
    time.now = 60
    kept(cache, "other")

    assert len(cache) == 1
    assert kept(cache, "c") == [b"v"]


def test_what_is_deleted_is_gone_and_closing_forgets_all() -> None:
    cache = MemoryCache(Time())
    put(cache, "a", "b")
    asyncio.run(cache.delete("a"))
    found = kept(cache, "a", "b")
    asyncio.run(cache.aclose())

    assert found == [None, b"v"]
    assert (kept(cache, "b"), cache.size) == ([None], 0)


KEYS = st.sampled_from("abcdef")


class AnyUse(RuleBasedStateMachine):
    """Whatever is put and asked, in whichever order: it answers only with the last put, in its time, within its room."""

    def __init__(self) -> None:
        super().__init__()
        self.time = Time()
        self.cache = MemoryCache(self.time, max_items=4, max_bytes=2000, sweep=30)
        self.last: dict[str, tuple[bytes, float]] = {}

    @rule(key=KEYS, size=st.integers(0, 900), ttl=st.integers(1, 50))
    def put(self, key: str, size: int, ttl: int) -> None:
        value = key.encode() * size
        put(self.cache, key, value=value, ttl=ttl)
        self.last[key] = (value, self.time.now + ttl)

        assert kept(self.cache, key) == [value]

    @rule(key=KEYS)
    def get(self, key: str) -> None:
        found = kept(self.cache, key)[0]

        if found is not None:
            value, until = self.last[key]
            assert (found, self.time.now < until) == (value, True)

    @rule(seconds=st.integers(1, 40))
    def wait(self, seconds: int) -> None:
        self.time.now += seconds

    @invariant()
    def it_keeps_within_its_room(self) -> None:
        assert len(self.cache) <= 4
        assert self.cache.size <= 2000
        assert (self.cache.size == 0) is (len(self.cache) == 0)


TestAnyUse = AnyUse.TestCase


@given(st.lists(KEYS, max_size=30))
def test_the_youngest_puts_are_there(keys: list[str]) -> None:
    cache = MemoryCache(Time(), max_items=3)
    put(cache, *keys)
    young = list(dict.fromkeys(reversed(keys)))[:3]

    assert kept(cache, *young) == [b"v"] * len(young)
