"""The ledger over a real Redis: shared counts, breakers and turns."""

import asyncio
import sys
import time

import pytest

from setu.errors import ConfigError
from setu.resilience.breaker import Policy
from setu.resilience.ledger import Permit, Refusal, Reservation, Standing
from setu.resilience.limits import limits_for
from setu.store.ledger import NOTHING
from setu.store.redis import RedisLedger
from setu.store.redis_client import RedisLink, connect
from tests.clocks import RealClock
from tests.redis_server import RedisServer
from tests.store.ledgers import FINE, fail, on, refused, remaining, took
from tests.store.shared import HEARD, MIXED, TEN, ledgers, until


def test_it_takes_all_charges_or_none(redis: RedisServer) -> None:
    async def run() -> None:
        async with ledgers(redis) as make:
            ledger = make()
            assert await ledger.reserve(()) is NOTHING
            await took(ledger, on(MIXED, 90))

            refusal = await refused(ledger, on(MIXED, 20))

            assert refusal.limit == MIXED[2]
            assert 59.0 < refusal.retry_after <= 61.0
            assert await remaining(ledger, on(MIXED, 1)) == {"concurrency": 0, "requests": 1, "tokens": 9}

    asyncio.run(run())


def test_two_processes_share_what_there_is(redis: RedisServer) -> None:
    async def run() -> None:
        async with ledgers(redis) as make:
            one, other = make(), make(url=redis.socket_url)

            found = await asyncio.gather(*((one, other)[n % 2].reserve(on(TEN)) for n in range(60)))

            assert sum(isinstance(answer, Reservation) for answer in found) == 10

    asyncio.run(run())


def test_a_reservation_is_settled_once(redis: RedisServer) -> None:
    async def run() -> None:
        async with ledgers(redis) as make:
            ledger = make()
            first, _ = await took(ledger, on(MIXED, 30)), await took(ledger, on(MIXED, 30))

            await asyncio.gather(*(ledger.settle(first, {"tokens": 10}) for _ in range(5)))

            assert await remaining(ledger, on(MIXED, 1)) == {"concurrency": 0, "requests": 0, "tokens": 59}

    asyncio.run(run())


def test_budgets_are_counters_of_their_day(redis: RedisServer) -> None:
    async def run() -> None:
        async with ledgers(redis, "budget:") as make:
            ledger = make()
            daily = limits_for("tenant", daily_usd=1.0)
            await ledger.settle(await took(ledger, on(daily, 5)), {"nano_usd": 400_000_000})

            refusal = await refused(ledger, on(daily, 700_000_000))

            assert refusal.room is not None
            assert refusal.room.remaining == 600_000_000
            assert 0 < refusal.retry_after <= 86_400
            day = time.strftime("%Y-%m-%d", time.gmtime())
            assert b"400000000" in redis.command("GET", f"budget:limit:tenant:acme:nano_usd:{day}")

    asyncio.run(run())


def test_the_places_of_a_killed_process_come_back_after_its_lease_and_a_living_ones_do_not(redis: RedisServer) -> None:
    async def run() -> None:
        async with ledgers(redis) as make:
            killed, living, asking = make(lease=0.9), make(lease=0.9), make(lease=0.9)
            await took(killed, on(MIXED[:1]))
            await took(living, on(MIXED[:1]))
            await refused(asking, on(MIXED[:1]))
            assert killed._hearing is not None
            killed._hearing.cancel()

            async def is_free() -> bool:
                return isinstance(await asking.reserve(on(MIXED[:1])), Reservation)

            assert await until(is_free) > 0.3
            await asyncio.sleep(1.2)
            assert isinstance(await asking.reserve(on(MIXED[:1])), Refusal)

    asyncio.run(run())


def test_an_open_breaker_is_heard_of_by_all(redis: RedisServer) -> None:
    async def run() -> None:
        async with ledgers(redis) as make:
            one, other = make(Policy(failures=3)), make(Policy(failures=3))
            await other.turn("a")

            await fail(one, "a", 3)
            here = await one.admit("a")

            async def is_shut() -> bool:
                return not other.standing().get("a", Standing()).usable

            assert isinstance(here, Refusal)
            assert await until(is_shut) < HEARD + 0.3  # a busy machine's own delay
            assert isinstance(await other.admit("a"), Refusal)

    asyncio.run(run())


def test_failures_add_up_over_processes(redis: RedisServer) -> None:
    async def run() -> None:
        async with ledgers(redis) as make:
            parties = [make(Policy(failures=6)) for _ in range(3)]

            await asyncio.gather(*(fail(party, "a", 2) for party in parties))

            async def all_know() -> bool:
                return all(not party.standing()["a"].usable for party in parties)

            await until(all_know, HEARD * 2)

    asyncio.run(run())


def test_one_process_alone_gets_the_probe_and_its_success_closes_for_all(redis: RedisServer) -> None:
    async def run() -> None:
        async with ledgers(redis) as make:
            parties = [make(Policy(failures=1, open_for=0.4)) for _ in range(4)]
            await fail(parties[0], "a", 1)
            for party in parties:
                await party.turn("all listen")
            await asyncio.sleep(HEARD + 0.2)

            answers = await asyncio.gather(*(party.admit("a") for party in parties * 5))
            (probe,) = (answer for answer in answers if isinstance(answer, Permit))
            assert probe.probe
            owner = parties[answers.index(probe) % 4]
            await owner.report(probe, FINE)

            async def all_closed() -> bool:
                return all(party.standing()["a"].usable for party in parties)

            await until(all_closed, HEARD * 2)
            for party in parties:
                assert isinstance(await party.admit("a"), Permit)

    asyncio.run(run())


def test_turns_are_taken_by_all_together(redis: RedisServer) -> None:
    async def run() -> None:
        async with ledgers(redis) as make:
            one, other = make(), make()

            turns = await asyncio.gather(*((one, other)[n % 2].turn("pool") for n in range(20)))

            assert sorted(turns) == list(range(20))

    asyncio.run(run())


def test_what_another_version_wrote_is_removed(redis: RedisServer) -> None:
    async def run() -> None:
        async with ledgers(redis, "v:") as make:
            redis.command("HSET", "v:breakers", "a", "!")
            ledger = make(Policy(failures=1))
            await ledger.turn("x")
            await asyncio.sleep(HEARD)

            await fail(ledger, "a", 1)

            assert isinstance(await ledger.admit("a"), Refusal)

    asyncio.run(run())


def test_clients_that_leave_in_the_middle_do_no_harm(redis: RedisServer) -> None:
    async def run() -> None:
        async with ledgers(redis) as make:
            ledger = make()
            wide = limits_for("tenant", requests_per_minute=10_000)
            for n in range(60):
                task = asyncio.ensure_future(ledger.reserve(on(wide)))
                await asyncio.sleep(0.00005 * (n % 10))
                task.cancel()
                await asyncio.wait([task])

            answers = await asyncio.gather(*(ledger.reserve(on(wide)) for _ in range(50)))

            assert all(isinstance(answer, Reservation) and not answer.degraded for answer in answers)

    asyncio.run(run())


def test_closing_leaves_no_task_and_no_connection(own_redis: RedisServer) -> None:
    async def run() -> None:
        async with ledgers(own_redis, "c:") as make:
            ledger = make()
            await asyncio.gather(*(ledger.reserve(on(TEN)) for _ in range(100)))
            assert _clients(own_redis) > 1

        async def all_gone() -> bool:
            return _clients(own_redis) == 1

        await until(all_gone)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(run())


def test_closing_ends_the_task_at_whatever_point_it_is(redis: RedisServer) -> None:
    async def run() -> None:
        for steps in range(30):
            redis.command("SCRIPT", "FLUSH")
            ledger = RedisLedger(RedisLink(redis.url), RealClock())
            ledger._begin()
            for _ in range(steps):
                await asyncio.sleep(0)

            async with asyncio.timeout(2):
                await ledger.aclose()

        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(run())


def test_closing_a_ledger_that_was_never_asked_is_fine() -> None:
    async def run() -> None:
        await RedisLedger(RedisLink("redis://127.0.0.1:1/0"), RealClock()).aclose()

    asyncio.run(run())


def test_a_url_of_something_else_is_refused_without_its_password() -> None:
    with pytest.raises(ConfigError, match="must begin with redis://") as caught:
        connect("http://user:hunter2@host")

    assert "hunter2" not in str(caught.value)


def test_without_redis_py_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "redis.asyncio", None)

    with pytest.raises(ConfigError, match=r'redis support is not installed: pip install "setu-llm\[redis\]"'):
        connect("redis://127.0.0.1")


def _clients(server: RedisServer) -> int:
    """The connections that a Redis has, this question's included."""
    return server.command("CLIENT", "LIST").count(b"\nid=")
