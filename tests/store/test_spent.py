"""Budgets survive a restart: what the database says was used is used."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

from setu.resilience.ledger import Charge, Refusal, Reservation
from setu.resilience.limits import Limits, limits_for
from setu.store.ledger import MemoryLedger
from setu.store.spent import spent
from setu.store.usage import UsageStore
from tests.clocks import RealClock
from tests.store.calls import call

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC).timestamp()
DAY = limits_for("tenant", daily_tokens=100)
KEY = limits_for("key", monthly_tokens=1000)


def _filled(path: Path) -> str:
    url = f"sqlite:///{path / 'usage.db'}"
    store = UsageStore(url, path / "spill")
    at = round(NOW * 1000)
    store.put(call(started=at - 3_600_000, tenant="acme", key="key_1", input_tokens=60, output_tokens=30))
    store.put(call(started=at - 3 * 86_400_000, tenant="acme", key="key_1", input_tokens=500, output_tokens=0))
    store.put(call(started=at - 40 * 86_400_000, tenant="acme", key="key_1", input_tokens=9000, output_tokens=0))
    store.close()
    return url


def test_a_day_and_a_month_are_counted_by_themselves(tmp_path: Path) -> None:
    url = _filled(tmp_path)

    charges = spent(url, Limits(tenants={"acme": DAY}), {"key_1": KEY}, NOW)

    assert [(each.limit.name, each.subject, each.amount) for each in charges] == [
        ("daily_tokens", "acme", 90),
        ("monthly_tokens", "key_1", 590),
    ]


def test_what_was_spent_is_not_granted_again(tmp_path: Path) -> None:
    charges = [Charge(limit=DAY[0], subject="acme", amount=90)]

    async def run() -> tuple[object, object]:
        ledger = MemoryLedger(RealClock())
        ledger.recall(charges)
        fits = await ledger.reserve([Charge(limit=DAY[0], subject="acme", amount=10)])
        over = await ledger.reserve([Charge(limit=DAY[0], subject="acme", amount=1)])
        return fits, over

    fits, over = asyncio.run(run())

    assert isinstance(fits, Reservation)
    assert isinstance(over, Refusal)
