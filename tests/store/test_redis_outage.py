"""What the ledger does while its Redis is killed, frozen, or has forgotten everything."""

import asyncio
import logging
import time
from collections.abc import Sequence

import pytest

from setu.resilience.breaker import Policy
from setu.resilience.ledger import Permit, Refusal
from setu.resilience.limits import limits_for
from setu.store.ledger import NOTHING
from setu.store.redis import RedisLedger
from setu.store.redis_client import RedisDownError, RedisLink
from setu.store.redis_scripts import SETTLE, Script
from tests.clocks import RealClock
from tests.redis_server import RedisServer
from tests.store.ledgers import fail, on, refused, remaining, took
from tests.store.shared import HEARD, MIXED, TEN, ledgers, until


def test_a_redis_that_is_killed_lets_requests_pass_with_one_warning_and_is_noticed_when_it_is_back(
    own_redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    async def run() -> None:
        async with ledgers(own_redis) as make:
            ledger = make(Policy(failures=2))
            await took(ledger, on(MIXED, 1))
            own_redis.kill()

            start = time.monotonic()
            blind = await asyncio.gather(*(took(ledger, on(MIXED, 90)) for _ in range(50)))
            await asyncio.gather(*(ledger.settle(one, {"tokens": 5}) for one in blind))
            turns = [await ledger.turn("pool"), await ledger.turn("pool")]
            await fail(ledger, "a", 2)
            lasted = time.monotonic() - start

            assert all(one.degraded for one in blind)
            assert turns == [0, 1]
            assert isinstance(await ledger.admit("a"), Refusal)
            assert lasted < 1.5
            assert len(caplog.records) == 1
            own_redis.start()

            async def is_back() -> bool:
                return not (await took(ledger, on(TEN))).degraded

            assert await until(is_back) < 2.0
            await asyncio.sleep(HEARD)
            assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]
            assert isinstance(await make(Policy(failures=2)).admit("other"), Permit)
            assert b"open" in own_redis.command("HGET", f"{ledger._prefix}breakers", "a")

    with caplog.at_level(logging.INFO, logger="setu"):
        asyncio.run(run())


def test_with_deny_nothing_passes_while_redis_is_down(own_redis: RedisServer) -> None:
    async def run() -> None:
        async with ledgers(own_redis) as make:
            ledger = make(allow=False)
            held = await took(ledger, on(MIXED, 1))
            own_redis.kill()

            refusal = await refused(ledger, on(MIXED))

            assert (refusal.reason, refusal.limit) == ("limits_unavailable", None)
            assert await ledger.reserve(()) is NOTHING
            await ledger.settle(held, {})
            ledger.adopt(Policy(), allow=True)
            assert (await took(ledger, on(MIXED))).degraded

    asyncio.run(run())


def test_a_frozen_redis_costs_its_patience_once_and_what_it_owes_is_settled_later(own_redis: RedisServer) -> None:
    async def run() -> None:
        async with ledgers(own_redis) as make:
            ledger = make()
            daily = limits_for("tenant", daily_tokens=1000, tokens_per_minute=500)
            held = await took(ledger, on(daily, 400))
            own_redis.stop()

            start = time.monotonic()
            blind = await took(ledger, on(daily, 100))
            first = time.monotonic() - start
            start = time.monotonic()
            for _ in range(100):
                assert (await took(ledger, on(MIXED))).degraded
            await ledger.settle(held, {"tokens": 50})
            await ledger.settle(blind, {"tokens": 30})
            others = time.monotonic() - start
            own_redis.go_on()

            async def is_back() -> bool:
                return not (await took(ledger, on(TEN))).degraded

            await until(is_back)

            async def is_settled() -> bool:
                # The frozen reservation itself may have been counted when Redis woke: at most once more.
                left = await remaining(ledger, on(daily[1:], 1))
                return left["tokens"] in {1000 - 81, 1000 - 181}

            await until(is_settled)
            assert first < 1.0
            assert others < 0.2

    asyncio.run(run())


def test_a_redis_that_forgot_everything_hears_of_open_breakers_again(own_redis: RedisServer) -> None:
    async def run() -> None:
        async with ledgers(own_redis, "f:") as make:
            ledger = make(Policy(failures=1))
            await fail(ledger, "a", 1)

            own_redis.command("FLUSHALL")

            async def is_known() -> bool:
                return b"open" in own_redis.command("HGET", "f:breakers", "a")

            await until(is_known, HEARD * 2)
            assert isinstance(await ledger.admit("a"), Refusal)

    asyncio.run(run())


class DeafLink(RedisLink):
    """A link that loses Redis's answer to corrections: they are done, and nobody knows."""

    async def run(self, script: Script, keys: Sequence[str], arguments: Sequence[str | bytes | float]) -> object:
        reply = await super().run(script, keys, arguments)
        if script is SETTLE:
            raise RedisDownError(sent=True)
        return reply


def test_a_correction_that_may_have_arrived_is_not_sent_again(own_redis: RedisServer) -> None:
    async def run() -> None:
        daily = limits_for("tenant", daily_tokens=1000)
        async with ledgers(own_redis, "d:") as make:
            deaf = RedisLedger(DeafLink(own_redis.url), RealClock(), prefix="d:")
            first, _ = await took(deaf, on(daily, 400)), await took(deaf, on(daily, 400))

            await deaf.settle(first, {"tokens": 100})
            await deaf.aclose()

            assert await remaining(make(), on(daily, 1)) == {"tokens": 499}

    asyncio.run(run())
