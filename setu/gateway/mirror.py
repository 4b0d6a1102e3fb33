"""Shadow traffic: copies of requests to targets whose answers nobody waits for.

A mirror never slows a client down nor breaks its answer: copies are made in the background, a bounded number at a
time, and one too many is dropped and counted.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from hashlib import blake2b
from typing import NamedTuple

from setu.errors import SetuError
from setu.http import Response
from setu.ports import Clock
from setu.routing.plan import Target

LOG = logging.getLogger("setu")
REASON = "mirror"
"""The route reason of a copy's record."""

Send = Callable[[], Awaitable[Response]]


class Reflection(NamedTuple):
    """How a copy fared: `status` is 0 where there was no answer, `error` says why; `size` is in bytes."""

    target: str
    status: int
    duration_ms: int
    size: int = 0
    error: str | None = None


class Stats(NamedTuple):
    """Copies that were sent, and those for which there was no room."""

    sent: int
    dropped: int


def is_mirrored(share: float, sticky: str) -> bool:
    """Say whether a request belongs to the mirrored share: always the same for the same `sticky` text."""
    point = int.from_bytes(blake2b(sticky.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")
    return point < share * 2**64


class Mirror:
    """Sends copies; `report` is told how each fared, and runs in the background like it."""

    def __init__(
        self,
        clock: Clock,
        *,
        limit: int = 64,
        timeout: float = 120.0,
        report: Callable[[Reflection], None] | None = None,
    ) -> None:
        self._clock = clock
        self._limit = limit
        self._timeout = timeout
        self._report = report
        self._tasks: set[asyncio.Task[None]] = set()
        self._sent = 0
        self._dropped = 0

    @property
    def stats(self) -> Stats:
        return Stats(self._sent, self._dropped)

    def reflect(self, target: Target, send: Send) -> bool:
        """Start a copy and return at once; False when too many are on their way."""
        if len(self._tasks) >= self._limit:
            self._dropped += 1
            return False
        self._sent += 1
        task = asyncio.create_task(self._copy(target.name, send))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return True

    async def aclose(self) -> None:
        """End the copies that are on their way, and return once their connections are released."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _copy(self, name: str, send: Send) -> None:
        start = self._clock.monotonic()
        status = size = 0
        error: str | None = None
        try:
            async with asyncio.timeout(self._timeout):
                response = await send()
                status = response.status
                try:
                    async for chunk in response.chunks():
                        size += len(chunk)
                finally:
                    await response.aclose()
        except TimeoutError:
            error = "timeout"
        except SetuError as failure:
            info = failure.info()
            error = info.code or info.kind.value
        except Exception as failure:  # noqa: BLE001 - a copy's mistake is nobody's answer
            error = type(failure).__name__
            LOG.warning("a mirrored request to %s failed: %s", name, error)
        elapsed = round((self._clock.monotonic() - start) * 1000)
        if self._report is not None:
            self._report(Reflection(name, status, elapsed, size, error))
