import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from setu.resilience.breaker import Policy
from setu.resilience.ledger import Permit, Refusal, Reservation, Standing, Unit
from setu.resilience.limits import limits_for
from setu.store.ledger import NOTHING, MemoryLedger
from tests.store.ledgers import FAILED, FINE, HandClock, fail, on, refused, remaining, took

MIXED = limits_for("tenant", requests_per_minute=3, tokens_per_minute=100, concurrency=2)


def test_a_request_without_limits_costs_nothing() -> None:
    async def run() -> None:
        ledger = MemoryLedger(HandClock())

        assert await ledger.reserve(()) is NOTHING
        await ledger.settle(NOTHING, {"tokens": 5})

    asyncio.run(run())


def test_it_takes_all_charges_or_none() -> None:
    async def run() -> None:
        ledger = MemoryLedger(HandClock())
        await took(ledger, on(MIXED, 90))

        refusal = await refused(ledger, on(MIXED, 20))

        assert refusal.limit == MIXED[2]
        assert refusal.retry_after == 61.0
        assert not refusal.never
        assert await remaining(ledger, on(MIXED, 1)) == {"concurrency": 0, "requests": 1, "tokens": 9}

    asyncio.run(run())


def test_settling_charges_what_was_really_used() -> None:
    async def run() -> None:
        ledger = MemoryLedger(HandClock())
        reservation = await took(ledger, on(MIXED, 90))

        await ledger.settle(reservation, {"tokens": 10})

        assert await remaining(ledger, on(MIXED, 1)) == {"concurrency": 1, "requests": 1, "tokens": 89}

    asyncio.run(run())


def test_an_answer_longer_than_estimated_is_charged_beyond_the_limit() -> None:
    async def run() -> None:
        clock = HandClock()
        ledger = MemoryLedger(clock)
        await ledger.settle(await took(ledger, on(MIXED, 10)), {"tokens": 500})

        refusal = await refused(ledger, on(MIXED, 1))
        clock.time += 61

        assert refusal.limit == MIXED[2]
        assert (await remaining(ledger, on(MIXED, 1)))["tokens"] == 99

    asyncio.run(run())


def test_a_reservation_is_settled_once() -> None:
    async def run() -> None:
        ledger = MemoryLedger(HandClock())
        first, second = await took(ledger, on(MIXED, 30)), await took(ledger, on(MIXED, 30))

        for _ in range(3):
            await ledger.cancel(first)
            await ledger.settle(first, {"tokens": 0})

        assert (await remaining(ledger, on(MIXED, 1)))["tokens"] == 69
        await ledger.cancel(second)

    asyncio.run(run())


def test_a_refund_that_comes_after_its_minute_gives_nothing() -> None:
    async def run() -> None:
        clock = HandClock()
        ledger = MemoryLedger(clock)
        old = await took(ledger, on(MIXED, 90))
        clock.time += 200
        await took(ledger, on(MIXED[2:], 50))

        await ledger.cancel(old)

        assert (await remaining(ledger, on(MIXED, 1)))["tokens"] == 49

    asyncio.run(run())


def test_more_than_a_whole_limit_can_never_fit() -> None:
    async def run() -> None:
        refusal = await refused(MemoryLedger(HandClock()), on(MIXED, 101))

        assert refusal.never
        assert refusal.room is not None
        assert refusal.room.remaining == 100

    asyncio.run(run())


def test_subjects_count_each_for_itself() -> None:
    async def run() -> None:
        ledger = MemoryLedger(HandClock())
        await took(ledger, on(MIXED, 100, "one"))

        assert isinstance(await ledger.reserve(on(MIXED, 100, "two")), Reservation)

    asyncio.run(run())


def test_a_limit_that_a_reload_made_smaller_keeps_its_count() -> None:
    async def run() -> None:
        ledger = MemoryLedger(HandClock())
        await took(ledger, on(limits_for("tenant", tokens_per_minute=100), 60))

        refusal = await refused(ledger, on(limits_for("tenant", tokens_per_minute=50), 1))

        assert refusal.retry_after == 61.0

    asyncio.run(run())


def test_a_budget_begins_anew_with_the_day() -> None:
    async def run() -> None:
        clock = HandClock()
        ledger = MemoryLedger(clock)
        daily = limits_for("tenant", daily_tokens=100)
        late = await took(ledger, on(daily, 100))

        refusal = await refused(ledger, on(daily))
        clock.time += 12 * 3600
        await took(ledger, on(daily, 100))
        await ledger.cancel(late)  # yesterday's, which is nobody's now

        assert refusal.retry_after == 12 * 3600
        assert isinstance(await ledger.reserve(on(daily)), Refusal)

    asyncio.run(run())


def test_a_budget_recalls_what_was_used_before_the_process_began() -> None:
    async def run() -> None:
        ledger = MemoryLedger(HandClock())
        monthly = limits_for("tenant", monthly_usd=1.0)

        ledger.recall(on(monthly, 999_999_999))

        assert (await remaining(ledger, on(monthly, 1)))["nano_usd"] == 0
        assert isinstance(await ledger.reserve(on(monthly, 2)), Refusal)

    asyncio.run(run())


def test_idle_subjects_are_forgotten() -> None:
    async def run() -> None:
        clock = HandClock()
        ledger = MemoryLedger(clock)
        for n in range(5000):
            clock.time += 1
            await ledger.settle(await took(ledger, on(MIXED, 1, f"tenant{n}")), {})

        assert len(ledger._windows) + len(ledger._counts) < 3000

    asyncio.run(run())


def test_a_breaker_lets_one_probe_through_and_closes_on_its_answer() -> None:
    async def run() -> None:
        clock = HandClock()
        ledger = MemoryLedger(clock, Policy(failures=3))
        await fail(ledger, "a/1", 3)
        shut = await ledger.admit("a/1")
        clock.time += 30
        probe, other = await ledger.admit("a/1"), await ledger.admit("a/1")

        assert isinstance(shut, Refusal)
        assert (shut.subject, shut.retry_after, shut.limit, shut.reason) == ("a/1", 30.0, None, "breaker_open")
        assert isinstance(probe, Permit)
        assert probe.probe
        assert isinstance(other, Refusal)
        await ledger.report(probe, FINE)
        assert isinstance(await ledger.admit("a/1"), Permit)
        assert isinstance(await ledger.admit("b/1"), Permit)

    asyncio.run(run())


def test_standing_tells_what_is_under_way_and_how_it_went() -> None:
    async def run() -> None:
        clock = HandClock()
        ledger = MemoryLedger(clock, Policy(failures=1))
        running, ended = await ledger.admit("a"), await ledger.admit("a")
        left, failed = await ledger.admit("a"), await ledger.admit("b")
        assert isinstance(running, Permit)
        assert isinstance(ended, Permit)
        assert isinstance(left, Permit)
        assert isinstance(failed, Permit)
        await ledger.report(ended, FINE)
        await ledger.report(left, None)
        await ledger.report(failed, FAILED)

        assert ledger.standing() == {
            "a": Standing(latency=0.1, busy=1, seen=clock.now()),
            "b": Standing(usable=False, failures=0.2, since=clock.now(), seen=clock.now(), circuit="open", in_a_row=1),
        }

    asyncio.run(run())


def test_turns_count_from_nought_for_each_name() -> None:
    async def run() -> None:
        ledger = MemoryLedger(HandClock())

        assert [await ledger.turn("a"), await ledger.turn("a"), await ledger.turn("b")] == [0, 1, 0]
        await ledger.aclose()

    asyncio.run(run())


def test_a_new_policy_applies_to_breakers_as_they_are() -> None:
    async def run() -> None:
        ledger = MemoryLedger(HandClock(), Policy(failures=1))
        await fail(ledger, "a", 1)

        ledger.adopt(Policy(enabled=False))

        assert isinstance(await ledger.admit("a"), Permit)

    asyncio.run(run())


STEPS = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.4, 1.0, 7.3, 30.0, 59.9, 60.0, 61.0]),
        st.integers(1, 60),
        st.sampled_from(["keep", "less", "cancel"]),
    ),
    max_size=40,
)


@given(STEPS)
@settings(max_examples=100)
@pytest.mark.parametrize("burst", [0, 3])
def test_no_minute_is_charged_more_than_its_limits(burst: int, steps: list[tuple[float, int, str]]) -> None:
    """The law with refunds: what stands charged in any 60 s stays within `amount + burst`; all come back later."""
    limits = limits_for("tenant", requests_per_minute=5, burst=burst, tokens_per_minute=100)

    async def run() -> None:
        clock = HandClock()
        ledger = MemoryLedger(clock)
        stood: list[tuple[float, int, int]] = []
        for pause, tokens, end in steps:
            clock.time += pause
            found = await ledger.reserve(on(limits, tokens))
            if isinstance(found, Refusal):
                continue
            used: dict[str, dict[Unit, int]] = {"keep": {}, "less": {"tokens": tokens // 2}}
            if end == "cancel":
                await ledger.cancel(found)
            else:
                await ledger.settle(found, used[end])
                stood.append((clock.time, 1, used[end].get("tokens", tokens)))
        for start, _, _ in stood:
            within = [(n, t) for at, n, t in stood if start <= at < start + 60]
            assert sum(n for n, _ in within) <= 5 + burst
            assert sum(t for _, t in within) <= 100
        clock.time += 121
        assert await remaining(ledger, on(limits, 1)) == {"requests": 4 + burst, "tokens": 99}

    asyncio.run(run())
