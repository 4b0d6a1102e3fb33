"""What tests of both ledgers share: a clock that a test moves, and ways to drive a ledger."""

import asyncio
from collections.abc import Mapping

from setu.resilience.ledger import Charge, Ledger, Permit, Refusal, Reservation, Result, Unit
from setu.resilience.limits import LimitsT

NOON = 1_795_262_400.0  # 2026-11-21T12:00:00Z
FINE = Result(ok=True, status=200, latency=0.1)
FAILED = Result(ok=False, blame=True, status=500)


class HandClock:
    """Time that stands still until a test moves it; `sleep` gives way and moves nothing."""

    def __init__(self, now: float = NOON) -> None:
        self.time = now

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def on(limits: LimitsT, amount: int = 1, subject: str = "acme") -> tuple[Charge, ...]:
    """Charge an amount of tokens or money, and one of all else, on some limits."""
    counted = ("tokens", "nano_usd")
    return tuple(
        Charge(limit=limit, subject=subject, amount=amount if limit.unit in counted else 1) for limit in limits
    )


async def took(ledger: Ledger, charges: tuple[Charge, ...]) -> Reservation:
    found = await ledger.reserve(charges)
    assert isinstance(found, Reservation)
    return found


async def refused(ledger: Ledger, charges: tuple[Charge, ...]) -> Refusal:
    found = await ledger.reserve(charges)
    assert isinstance(found, Refusal)
    return found


async def remaining(ledger: Ledger, charges: tuple[Charge, ...]) -> Mapping[Unit, int]:
    """Take the charges, tell what that leaves, and give them back."""
    reservation = await took(ledger, charges)
    await ledger.cancel(reservation)
    return {room.limit.unit: room.remaining for room in reservation.rooms}


async def fail(ledger: Ledger, name: str, times: int) -> None:
    for _ in range(times):
        permit = await ledger.admit(name)
        assert isinstance(permit, Permit)
        await ledger.report(permit, FAILED)
