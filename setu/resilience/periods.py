"""Calendar periods of budgets, in UTC."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache

from setu.resilience.ledger import Period

_DAY = 86_400


def period_of(period: Period, now: float) -> tuple[str, float]:
    """Return the name of now's day or month (`2026-11-21`, `2026-11`) and when it ends, in epoch seconds."""
    return _of_day(period, int(now // _DAY))


@lru_cache(maxsize=16)
def _of_day(period: Period, day: int) -> tuple[str, float]:
    start = datetime.fromtimestamp(day * _DAY, UTC)
    if period == "day":
        return start.strftime("%Y-%m-%d"), float((day + 1) * _DAY)
    start = start.replace(day=1)
    return start.strftime("%Y-%m"), (start + timedelta(days=32)).replace(day=1).timestamp()
