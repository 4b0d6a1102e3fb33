"""Answers in a real Redis, which is killed, frozen and started again."""

import asyncio
import time
from uuid import uuid4

import pytest

from setu.errors import ConfigError
from setu.store.redis_cache import PATIENCE, PREFIX, RedisCache
from tests.redis_server import RedisServer


class Time:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_what_one_process_keeps_another_finds_until_it_is_over(redis: RedisServer) -> None:
    key = uuid4().hex

    async def main() -> list[bytes | None]:
        one, other = (RedisCache(redis.url, Time(), patience=20) for _ in range(2))
        await one.put(key, b"\x00value\xff", 60)
        found = [await other.get(key), await other.get("nothing")]
        await other.put(key + "short", b"v", 0.03)
        await asyncio.sleep(0.1)
        found.append(await one.get(key + "short"))
        await one.delete(key)
        found.append(await other.get(key))
        await one.aclose()
        await other.aclose()
        return found

    assert asyncio.run(main()) == [b"\x00value\xff", None, None, None]


def test_a_value_expires_by_itself_under_a_name_of_ours(redis: RedisServer) -> None:
    key = uuid4().hex

    async def main() -> None:
        cache = RedisCache(redis.url, Time(), patience=20)
        await cache.put(key, b"v", 60)
        await cache.aclose()

    asyncio.run(main())
    left = int(redis.command("PTTL", PREFIX + key)[1:])

    assert 50_000 < left <= 60_000


def test_a_value_that_is_too_large_is_not_kept(redis: RedisServer) -> None:
    key = uuid4().hex

    async def main() -> bytes | None:
        cache = RedisCache(redis.url, Time(), max_item=10)
        await cache.put(key, b"x" * 11, 60)
        found = await cache.get(key)
        await cache.aclose()
        return found

    assert asyncio.run(main()) is None


def test_more_commands_at_once_than_connections_are_no_outage(redis: RedisServer) -> None:
    keys = [uuid4().hex for _ in range(200)]

    async def main() -> list[bytes | None]:
        cache = RedisCache(redis.url, Time(), patience=20)
        await asyncio.gather(*(cache.put(key, key.encode(), 60) for key in keys))
        found = await asyncio.gather(*(cache.get(key) for key in keys))
        await cache.aclose()
        return found

    assert asyncio.run(main()) == [key.encode() for key in keys]


def test_a_redis_that_was_killed_is_an_empty_cache_and_used_again_when_it_is_back(
    own_redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Time()

    async def main() -> list[bytes | None]:
        cache = RedisCache(own_redis.url, clock, patience=20)
        await cache.put("a", b"v", 60)
        found = [await cache.get("a")]
        own_redis.kill()
        found += [await cache.get("a"), await cache.get("a")]
        await cache.put("a", b"w", 60)
        own_redis.start()
        found.append(await cache.get("a"))
        clock.now = 5.1
        await cache.put("a", b"new", 60)
        found.append(await cache.get("a"))
        await cache.aclose()
        return found

    assert asyncio.run(main()) == [b"v", None, None, None, b"new"]
    assert len(caplog.messages) == 1
    assert str(own_redis.port) not in caplog.text


@pytest.mark.timed
def test_a_redis_that_hangs_delays_the_first_requests_a_little_and_no_others(own_redis: RedisServer) -> None:
    async def main() -> tuple[float, float]:
        cache = RedisCache(own_redis.url, Time())
        await cache.get("a")
        own_redis.stop()
        start = time.monotonic()
        await asyncio.gather(*(cache.get("a") for _ in range(100)))
        first = time.monotonic() - start
        start = time.monotonic()
        await asyncio.gather(*(cache.get("a") for _ in range(100)))
        await cache.put("a", b"v", 60)
        then = time.monotonic() - start
        own_redis.go_on()
        await cache.aclose()
        return first, then

    first, then = asyncio.run(main())

    assert first < 3 * PATIENCE
    assert then < 0.1


def test_a_url_of_something_else_is_named_without_repeating_it() -> None:
    with pytest.raises(ConfigError) as wrong:
        RedisCache("http://user:secret@h", Time())

    assert "secret" not in str(wrong.value)
