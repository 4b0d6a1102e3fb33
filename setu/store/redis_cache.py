"""Answers in Redis, shared by every worker and machine. A Redis that is down, or slow, is an empty cache."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from setu.store.redis_client import connect

if TYPE_CHECKING:
    from redis.asyncio import Redis

LOG = logging.getLogger("setu")

PATIENCE = 0.25
"""Seconds to wait for a connection, and for an answer."""

CONNECTIONS = 8
"""Commands at once; one takes some 100 µs, so more connections only cost time to open."""

PAUSE = 5.0
"""Seconds after a failure in which Redis is not asked at all."""

PREFIX = "setu:cache:1:"
"""`1` is the version of what is kept; another version's answers are never read, and expire."""

T = TypeVar("T")


class RedisCache:
    """Keep values no larger than `max_item` bytes; `monotonic` gives seconds, `patience` is in seconds.

    How many there are is Redis' own business: its `maxmemory` and `maxmemory-policy allkeys-lru`.

    Raises:
        ConfigError: redis-py is not installed, or the URL is none of Redis.
    """

    def __init__(
        self, url: str, monotonic: Callable[[], float], *, max_item: int = 2_000_000, patience: float = PATIENCE
    ) -> None:
        self._client: Redis = connect(url, connect_timeout=patience, command_timeout=patience)
        self._patience = patience
        self._monotonic = monotonic
        self._max_item = max_item
        self._paused_until = 0.0
        # A place to wait in: the client's own pool refuses where it is full, which would look like an outage.
        self._places = asyncio.Semaphore(CONNECTIONS)

    async def get(self, key: str) -> bytes | None:
        value = await self._asked(lambda: self._client.get(PREFIX + key))
        return value if isinstance(value, bytes) else None

    async def put(self, key: str, value: bytes, ttl: float) -> None:
        if len(value) <= self._max_item:
            await self._asked(lambda: self._client.set(PREFIX + key, value, px=max(1, round(ttl * 1000))))

    async def delete(self, key: str) -> None:
        await self._asked(lambda: self._client.delete(PREFIX + key))

    async def aclose(self) -> None:
        await self._client.aclose()

    async def _asked(self, command: Callable[[], Awaitable[T]]) -> T | None:
        """Return what Redis says; None where it says nothing in time, or did not lately."""
        if self._is_paused():
            return None
        try:
            async with asyncio.timeout(self._patience):
                await self._places.acquire()
        except TimeoutError:
            return None  # crowded, not down
        try:
            if self._is_paused():
                return None
            async with asyncio.timeout(self._patience):
                return await command()
        except Exception as error:  # noqa: BLE001 - whatever is wrong with Redis, the upstream can still be asked
            self._pause(error)
            return None
        finally:
            self._places.release()

    def _is_paused(self) -> bool:
        return self._monotonic() < self._paused_until

    def _pause(self, error: Exception) -> None:
        """Leave Redis alone for a while, and say so once. Its message may hold an address: only its kind is said."""
        if not self._is_paused():
            LOG.warning("the cache's Redis cannot be asked (%s): trying again in %g s", type(error).__name__, PAUSE)
        self._paused_until = self._monotonic() + PAUSE
