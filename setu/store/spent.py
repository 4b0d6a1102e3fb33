"""What budgets had been used of before a process began: a restart gives nobody a second budget."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from setu.resilience.ledger import Charge, Dimension, Limit
from setu.resilience.limits import Limits
from setu.store.reports import Query, Totals, totals

_BY: Mapping[Dimension, str] = {"tenant": "tenant", "key": "key", "model": "upstream_model", "provider": "provider"}


def spent(url: str, limits: Limits, own: Mapping[str, Iterable[Limit]], now: float) -> list[Charge]:
    """Return the charges of this day and this month, by what the usage database says.

    `own` are the limits that virtual keys bring, by the key's id.
    """
    return [
        charge
        for period, since in _periods(now)
        for dimension in ("gateway", *_BY)
        for charge in _charges(url, dimension, period, since, limits, own)
    ]


def _periods(now: float) -> list[tuple[str, datetime]]:
    today = datetime.fromtimestamp(now, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return [("day", today), ("month", today.replace(day=1))]


def _charges(
    url: str,
    dimension: Dimension,
    period: str,
    since: datetime,
    limits: Limits,
    own: Mapping[str, Iterable[Limit]],
) -> list[Charge]:
    rows, whole = totals(url, Query(by=_BY.get(dimension, "day"), since=since))
    lines = [("", whole)] if dimension == "gateway" else [(row.group, row) for row in rows]
    return [
        Charge(limit=limit, subject=name or "default" if dimension == "tenant" else name, amount=amount)
        for name, line in lines
        for limit in (*limits.of(dimension, name), *(own.get(name, ()) if dimension == "key" else ()))
        if limit.period == period and (amount := _amount(limit, line)) > 0
    ]


def _amount(limit: Limit, line: Totals) -> int:
    if limit.unit == "tokens":
        return line.input_tokens + line.output_tokens
    return round(line.cost_usd * 1e9) if limit.unit == "nano_usd" else line.requests
