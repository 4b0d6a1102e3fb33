"""Calendar periods of budgets, in UTC."""

from datetime import UTC, datetime, timedelta

from setu.resilience.ledger import Period


def period_of(period: Period, now: float) -> tuple[str, float]:
    """Return the name of now's day or month (`2026-11-21`, `2026-11`) and when it ends, in epoch seconds."""
    start = datetime.fromtimestamp(now, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if period == "day":
        return start.strftime("%Y-%m-%d"), (start + timedelta(days=1)).timestamp()
    start = start.replace(day=1)
    return start.strftime("%Y-%m"), (start + timedelta(days=32)).replace(day=1).timestamp()
