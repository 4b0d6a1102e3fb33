"""Ledgers over a real Redis, for tests."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from uuid import uuid4

from setu.resilience.breaker import Policy
from setu.resilience.limits import limits_for
from setu.store.redis import RedisLedger
from setu.store.redis_client import RedisLink
from tests.clocks import RealClock
from tests.redis_server import RedisServer

MIXED = limits_for("tenant", requests_per_minute=3, tokens_per_minute=100, concurrency=2)
TEN = limits_for("tenant", requests_per_minute=10)
HEARD = 0.5
"""Seconds within which every process knows of a breaker."""

MakeLedger = Callable[..., RedisLedger]


@asynccontextmanager
async def ledgers(server: RedisServer, prefix: str = "") -> AsyncIterator[MakeLedger]:
    """Make ledgers that share what a name of their own holds, and close them all."""
    prefix = prefix or f"test-{uuid4().hex}:"
    made: list[RedisLedger] = []

    def make(policy: Policy | None = None, *, allow: bool = True, lease: float = 60.0, url: str = "") -> RedisLedger:
        link = RedisLink(url or server.url, command_timeout=0.6)
        made.append(RedisLedger(link, RealClock(), policy, allow=allow, prefix=prefix, lease=lease))
        return made[-1]

    try:
        yield make
    finally:
        for ledger in made:
            await ledger.aclose()


async def until(holds: Callable[[], Awaitable[bool]], seconds: float = 5.0) -> float:
    """Wait for something to become true, and return how long it took."""
    start = time.monotonic()
    while not await holds():
        assert time.monotonic() - start < seconds, "it never became true"
        await asyncio.sleep(0.02)
    return time.monotonic() - start
