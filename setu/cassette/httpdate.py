"""Dates as HTTP header fields have them (RFC 9110 §5.6.7): `Fri, 20 Nov 2026 09:00:07 GMT`.

`email.utils` could do it, but loads sockets and chance; `strftime` speaks the machine's language.
"""

import re
from datetime import UTC, datetime

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DATE = re.compile(r"[A-Z][a-z]{2}, (\d\d) ([A-Z][a-z]{2}) (\d{4}) (\d\d):(\d\d):(\d\d) GMT")


def format_date(seconds: float) -> str:
    """Return a date; seconds since the epoch, fractions left out."""
    at = datetime.fromtimestamp(int(seconds), UTC)
    return f"{_DAYS[at.weekday()]}, {at:%d} {_MONTHS[at.month - 1]} {at:%Y %H:%M:%S} GMT"


def parse_date(text: str) -> float | None:
    """Return the seconds since the epoch; None for what is no date in the one form that is still sent."""
    found = _DATE.fullmatch(text.strip())
    if found is None or found[2] not in _MONTHS:
        return None
    day, year, hour, minute, second = map(int, found.group(1, 3, 4, 5, 6))
    try:
        return datetime(year, _MONTHS.index(found[2]) + 1, day, hour, minute, second, tzinfo=UTC).timestamp()
    except ValueError:
        return None
