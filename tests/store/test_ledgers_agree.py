"""Memory and Redis are one ledger: the same steps at the same times have the same answers."""

import asyncio
from uuid import uuid4

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from setu.resilience.ledger import Charge, Ledger, Limit, Refusal, Reservation
from setu.resilience.limits import limits_for
from setu.store.ledger import MemoryLedger
from setu.store.redis import RedisLedger
from setu.store.redis_client import RedisLink
from tests.redis_server import RedisServer
from tests.store.ledgers import HandClock

# Eighths of a second: Redis tells times with six digits, and these are exact in them.
PAUSES = st.one_of(
    st.just(0.0),
    st.integers(0, 80).map(lambda n: n / 8),
    st.sampled_from([0.0, 0.5, 1.0, 30.0, 59.0, 59.875, 60.0, 60.875, 61.0]),
    st.sampled_from([120.0, 121.0, 86_400.0, -0.5, -1.0, -20.0]),
)
LIMITS = st.lists(
    st.one_of(
        st.builds(
            lambda unit, amount, burst: Limit(
                name="l", unit=unit, amount=amount, burst=min(burst, amount), dimension="tenant"
            ),
            st.sampled_from(["requests", "tokens"]),
            st.integers(1, 12),
            st.sampled_from([0, 0, 3]),
        ),
        st.builds(
            lambda unit, amount, period: Limit(name="l", unit=unit, amount=amount, period=period, dimension="key"),
            st.sampled_from(["tokens", "nano_usd"]),
            st.integers(1, 40),
            st.sampled_from(["day", "month"]),
        ),
        st.builds(
            lambda amount: Limit(name="l", unit="concurrency", amount=amount, dimension="key"), st.integers(1, 4)
        ),
    ),
    min_size=1,
    max_size=4,
    unique_by=lambda limit: (limit.dimension, limit.unit, limit.period),
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("reserve"), PAUSES, st.integers(1, 14)),
        st.tuples(st.just("settle"), PAUSES, st.integers(0, 20)),
        st.tuples(st.just("cancel"), PAUSES, st.just(0)),
    ),
    min_size=8,
    max_size=40,
)

FIVE, TWENTY = (limits_for("tenant", tokens_per_minute=amount)[0] for amount in (5, 20))
BURST = Limit(name="l", unit="tokens", amount=5, burst=3, dimension="tenant")


def seen(answer: Reservation | Refusal) -> object:
    """What of an answer both must agree in."""
    if isinstance(answer, Refusal):
        return answer
    return (answer.rooms, answer.charges, answer.degraded)


@given(LIMITS, STEPS)
@example([FIVE], [("reserve", 0.0, 5), ("reserve", 60.5, 1), ("reserve", 0.5, 1)]).via("a minute's last second")
@example(
    [TWENTY],
    [
        ("reserve", 0.0, 5),
        ("reserve", 1.0, 1),
        ("reserve", -1.0, 5),
        ("settle", 0.0, 0),
        ("settle", 0.0, 1),
        ("reserve", 0.0, 15),
    ],
).via("a refund for a second that a clock went back to")
@example([FIVE], [("reserve", 3600.0, 5), ("reserve", -3600.0, 5), ("reserve", 3600.0, 1)]).via(
    "a clock that was ahead"
)
@example([BURST], [("reserve", 0.0, 8), ("reserve", 61.0, 3), ("reserve", 0.0, 2)]).via("a burst that is paid back")
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_memory_and_redis_grant_refuse_and_tell_the_same(
    redis: RedisServer, limits: list[Limit], steps: list[tuple[str, float, int]]
) -> None:
    async def run() -> None:
        clock = HandClock()
        memory = MemoryLedger(clock)
        shared = RedisLedger(
            RedisLink(redis.url, command_timeout=5), clock, prefix=f"{uuid4().hex}:", lease=1e9, tell_time=True
        )
        held: list[tuple[Reservation, Reservation]] = []
        try:
            for step, pause, amount in steps:
                clock.time += pause
                if step == "reserve":
                    charges = [
                        Charge(
                            limit=limit, subject="acme", amount=amount if limit.unit in {"tokens", "nano_usd"} else 1
                        )
                        for limit in limits
                    ]
                    here, there = await memory.reserve(charges), await shared.reserve(charges)
                    assert seen(here) == seen(there)
                    if isinstance(here, Reservation) and isinstance(there, Reservation):
                        held.append((here, there))
                elif held:
                    pair = held.pop(amount % len(held))
                    both: tuple[Ledger, Ledger] = (memory, shared)
                    for ledger, reservation in zip(both, pair, strict=True):
                        if step == "cancel":
                            await ledger.cancel(reservation)
                        else:
                            await ledger.settle(reservation, {"tokens": amount, "nano_usd": amount * 2})
        finally:
            await shared.aclose()

    asyncio.run(run())
