"""How long a host asks to wait: numbers, milliseconds and the three forms of a date."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.dialects import registry
from setu.dialects.retry_after import retry_after, should_retry
from setu.http import Headers

NOW = "Fri, 20 Nov 2026 09:00:00 GMT"


@pytest.mark.parametrize(
    ("fields", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": " 0.5 "}, 0.5),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after-ms": "soon", "retry-after": "9"}, 9.0),
        ({"retry-after": "Fri, 20 Nov 2026 09:02:00 GMT", "date": NOW}, 120.0),
        ({"retry-after": "Friday, 20-Nov-26 09:00:30 GMT", "date": NOW}, 30.0),
        ({"retry-after": "Fri Nov 20 09:00:05 2026", "date": NOW}, 5.0),
        ({"retry-after": "Sun Dec  6 09:00:00 2026", "date": "Sat Dec  5 09:00:00 2026"}, 86_400.0),
        ({"retry-after": "Sat, 31 Dec 2016 23:59:60 GMT", "date": "Sat, 31 Dec 2016 23:59:50 GMT"}, 9.0),
    ],
)
def test_a_wait_is_read_in_every_form(fields: dict[str, str], seconds: float) -> None:
    assert retry_after(Headers.of(fields)) == seconds


def test_a_date_that_has_passed_is_no_wait() -> None:
    assert retry_after(Headers.of({"retry-after": "Fri, 20 Nov 2026 08:00:00 GMT", "date": NOW})) == 0.0


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"retry-after": "soon", "date": NOW},
        {"retry-after": "-1", "date": NOW},
        {"retry-after": NOW},
        {"retry-after": NOW, "date": "today"},
        {"retry-after": "Fri, 20 Foo 2026 09:00:00 GMT", "date": NOW},
        {"retry-after": "Fri, 31 Feb 2026 09:00:00 GMT", "date": NOW},
        {"retry-after": "Fri, 20 Nov 2026 25:00:00 GMT", "date": NOW},
        {"retry-after": "Fri, 20 Nov 2026 09:02:00 CET", "date": NOW},
    ],
)
def test_what_is_no_wait_is_none(fields: dict[str, str]) -> None:
    assert retry_after(Headers.of(fields)) is None


def test_without_a_date_of_the_hosts_own_the_clocks_counts() -> None:
    headers = Headers.of({"retry-after": "Fri, 20 Nov 2026 09:02:00 GMT"})
    nine = datetime(2026, 11, 20, 9, tzinfo=UTC).timestamp()

    assert retry_after(headers, nine) == 120.0
    headers.set("date", "Fri, 20 Nov 2026 09:01:30 GMT")
    assert retry_after(headers, nine) == 30.0


@pytest.mark.parametrize(("said", "meant"), [("true", True), (" False ", False), ("perhaps", None), (None, None)])
def test_a_host_may_say_whether_to_try_again(said: str | None, meant: bool | None) -> None:
    assert should_retry(Headers.of({} if said is None else {"x-should-retry": said})) is meant


@pytest.mark.parametrize("name", sorted(registry.DIALECTS))
def test_every_dialect_reads_a_date(name: str) -> None:
    headers = Headers.of({"retry-after": "Fri, 20 Nov 2026 09:00:07 GMT", "date": NOW})

    assert registry.DIALECTS[name].errors.parse(429, headers, b"").retry_after == 7.0


@given(
    st.integers(946_684_800, 4_000_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
    st.integers(0, 40_000_000).map(lambda seconds: timedelta(seconds=seconds)),
)
def test_the_wait_is_the_time_between_the_two_dates(now: datetime, wait: timedelta) -> None:
    fields = {"date": format_datetime(now, usegmt=True), "retry-after": format_datetime(now + wait, usegmt=True)}

    assert retry_after(Headers.of(fields)) == wait.total_seconds()
