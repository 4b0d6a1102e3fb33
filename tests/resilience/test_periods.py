from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from setu.resilience.ledger import Period
from setu.resilience.periods import period_of


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("period", "now", "name", "end"),
    [
        ("day", "2026-11-21T23:59:59", "2026-11-21", "2026-11-22T00:00:00"),
        ("day", "2026-11-22T00:00:00", "2026-11-22", "2026-11-23T00:00:00"),
        ("month", "2026-12-31T12:00:00", "2026-12", "2027-01-01T00:00:00"),
        ("month", "2028-02-29T12:00:00", "2028-02", "2028-03-01T00:00:00"),
        ("month", "2026-01-31T00:00:00", "2026-01", "2026-02-01T00:00:00"),
    ],
)
def test_periods_are_those_of_the_calendar_in_utc(period: Period, now: str, name: str, end: str) -> None:
    assert period_of(period, at(now)) == (name, at(end))


@given(st.sampled_from(["day", "month"]), st.floats(0, 4e9))
@settings(max_examples=100)
def test_a_period_ends_where_the_next_begins(period: Period, now: float) -> None:
    name, end = period_of(period, now)

    assert end > now
    assert period_of(period, end)[0] > name
    assert period_of(period, end - 1)[0] == name or end - 1 < now
