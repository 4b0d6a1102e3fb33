"""Answers in memory: the one that was not asked for longest goes first, and none outlives its time."""

from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple


class _Kept(NamedTuple):
    value: bytes
    until: float


class MemoryCache:
    """Keep at most `max_items` values of `max_bytes` together; `monotonic` gives seconds.

    What is over is swept away on the way of a request, every `sweep` seconds: there is no task to look after.
    """

    def __init__(
        self,
        monotonic: Callable[[], float],
        *,
        max_items: int = 1_000,
        max_bytes: int = 100_000_000,
        sweep: float = 600.0,
    ) -> None:
        self.size = 0
        self._monotonic = monotonic
        self._max_items = max_items
        self._max_bytes = max_bytes
        self._sweep = sweep
        self._swept = monotonic()
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    async def get(self, key: str) -> bytes | None:
        now = self._now()
        kept = self._kept.get(key)
        if kept is None:
            return None
        if kept.until <= now:
            self._drop(key)
            return None
        self._kept.move_to_end(key)
        return kept.value

    async def put(self, key: str, value: bytes, ttl: float) -> None:
        now = self._now()
        self._drop(key)
        cost = _cost(key, value)
        if cost > self._max_bytes:
            return
        self._kept[key] = _Kept(value, now + ttl)
        self.size += cost
        while self.size > self._max_bytes or len(self._kept) > self._max_items:
            self._drop(next(iter(self._kept)))

    async def delete(self, key: str) -> None:
        self._drop(key)

    async def aclose(self) -> None:
        self._kept.clear()
        self.size = 0

    def _now(self) -> float:
        now = self._monotonic()
        if now - self._swept >= self._sweep:
            self._swept = now
            for key in [key for key, kept in self._kept.items() if kept.until <= now]:
                self._drop(key)
        return now

    def _drop(self, key: str) -> None:
        kept = self._kept.pop(key, None)
        if kept is not None:
            self.size -= _cost(key, kept.value)


_OVERHEAD = 250
"""About what an empty entry takes: its place in the dictionary, its tuple, the heads of its objects."""


def _cost(key: str, value: bytes) -> int:
    return len(key) + len(value) + _OVERHEAD
