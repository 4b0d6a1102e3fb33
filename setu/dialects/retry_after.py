"""How long a host asks to wait, as its headers say it (RFC 9110 §10.2.3)."""

import re
from datetime import UTC, datetime

from setu.http import Headers

_NUMBER = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")

# The three forms of §5.6.7, of which a recipient has to read all. The library's parser of dates reads more than these,
# and loads sockets to do it.
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_TIME = r"(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})"
_DATES = tuple(
    re.compile(form)
    for form in (
        rf"[A-Z][a-z]{{2}}, (?P<day>[0-9]{{2}}) (?P<month>[A-Z][a-z]{{2}}) (?P<year>[0-9]{{4}}) {_TIME} GMT",
        rf"[A-Z][a-z]{{5,8}}, (?P<day>[0-9]{{2}})-(?P<month>[A-Z][a-z]{{2}})-(?P<year>[0-9]{{2}}) {_TIME} GMT",
        rf"[A-Z][a-z]{{2}} (?P<month>[A-Z][a-z]{{2}}) (?P<day>[ 0-9][0-9]) {_TIME} (?P<year>[0-9]{{4}})",
    )
)


def retry_after(headers: Headers, now: float | None = None) -> float | None:
    """Return the wait that a host asks for, in seconds.

    A date is read against the answer's own `date`, so that nobody's clock matters but the host's; without that one
    against `now`, in seconds since the epoch, and without either it says nothing.
    """
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        value = (headers.get(name) or "").strip()
        if _NUMBER.fullmatch(value):
            return float(value) * unit
    until = _date(headers.get("retry-after"))
    said = _date(headers.get("date"))
    since = said.timestamp() if said is not None else now
    return None if until is None or since is None else max(0.0, until.timestamp() - since)


def should_retry(headers: Headers) -> bool | None:
    """Return what a host says of trying again (`x-should-retry`, which the SDKs of OpenAI and Anthropic obey)."""
    return {"true": True, "false": False}.get((headers.get("x-should-retry") or "").strip().lower())


def _date(text: str | None) -> datetime | None:
    """Read an HTTP date; None for anything else."""
    found = next(filter(None, (form.fullmatch((text or "").strip()) for form in _DATES)), None)
    if found is None or found["month"] not in _MONTHS:
        return None
    year = int(found["year"])
    if year < 100:
        year += 2000
    day, hour, minute, second = (int(found[part]) for part in ("day", "hour", "minute", "second"))
    try:
        # A leap second is a second sixty, which datetime does not know.
        return datetime(year, _MONTHS.index(found["month"]) + 1, day, hour, minute, min(second, 59), tzinfo=UTC)
    except ValueError:
        return None
