"""What a client is told of limits: `x-ratelimit-*` headers while there is room, a clear error when there is none."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from math import ceil, isfinite

from setu.errors import ErrorInfo, ErrorKind
from setu.resilience.ledger import Limit, Refusal, Room

BREAKER_OPEN = "breaker_open"
LIMITS_UNAVAILABLE = "limits_unavailable"
"""What a refusal without a limit is for: an open breaker, or a backend that cannot be asked (`on_error = "deny"`)."""

_UNITS = ("requests", "tokens")


def ratelimit_headers(rooms: Iterable[Room], dialect: str, now: float) -> dict[str, str]:
    """Return the headers of the limits that a client meets first, in its own vendor's form.

    OpenAI writes the time until a limit is whole as a duration (`6m0s`, `12ms`), Anthropic as an RFC 3339 time; `now`
    is in seconds since the epoch. Concurrency and money have no such header.
    """
    headers: dict[str, str] = {}
    tight = _tightest(rooms)
    for unit in _UNITS:
        room = tight.get(unit)
        if room is None:
            continue
        if dialect == "anthropic":
            start = f"anthropic-ratelimit-{unit}-"
            headers[start + "limit"] = str(room.limit.amount)
            headers[start + "remaining"] = str(room.remaining)
            headers[start + "reset"] = _rfc3339(now + room.reset)
        else:
            headers[f"x-ratelimit-limit-{unit}"] = str(room.limit.amount)
            headers[f"x-ratelimit-remaining-{unit}"] = str(room.remaining)
            headers[f"x-ratelimit-reset-{unit}"] = go_duration(room.reset)
    return headers


def refusal_headers(refusal: Refusal, dialect: str, now: float) -> dict[str, str]:
    """Return when to come again, rounded up, and the state of the limit that refused.

    A client that waits for a budget's next day, or for a limit that can never hold its request, is told not to retry:
    the SDKs read `x-should-retry`.
    """
    headers = ratelimit_headers((refusal.room,) if refusal.room is not None else (), dialect, now)
    if not refusal.never and isfinite(refusal.retry_after):
        headers["retry-after"] = str(max(1, ceil(refusal.retry_after)))
        headers["retry-after-ms"] = str(max(1, ceil(refusal.retry_after * 1000)))
    if refusal.never or (refusal.limit is not None and refusal.limit.period != "minute"):
        headers["x-should-retry"] = "false"
    return headers


def refusal_info(refusal: Refusal, now: float) -> ErrorInfo:
    """Return a refusal as the error that a client sees; `reset` in it is in seconds since the epoch."""
    if refusal.limit is None:
        return _unavailable(refusal)
    if refusal.never:
        return _too_large(refusal.limit, refusal.subject)
    limit, spent = refusal.limit, refusal.limit.period != "minute"
    wait = max(1, ceil(refusal.retry_after))
    extra: dict[str, object] = {
        "retry_after": wait,
        "limit": _amount(limit),
        "limit_name": limit.name,
        "reset": ceil(now + (refusal.room.reset if refusal.room is not None else refusal.retry_after)),
    }
    if limit.dimension == "provider":
        extra["provider"] = refusal.subject
    return ErrorInfo(
        kind=ErrorKind.QUOTA if spent else ErrorKind.RATE_LIMIT,
        status=429,
        message=f"{_what(limit)} exceeded for {_whose(limit, refusal.subject)}",
        type="rate_limit_error",
        code="budget_exceeded" if spent else "rate_limit_exceeded",
        retry_after=refusal.retry_after,
        provider=refusal.subject if limit.dimension == "provider" else None,
        extra=extra,
    )


def go_duration(seconds: float) -> str:
    """Return a duration as Go writes it, rounded up to a millisecond: `6m0s`, `1.5s`, `12ms`, `0s`."""
    total = max(0, ceil(seconds * 1000 - 1e-6))
    if total < 1000:
        return f"{total}ms" if total else "0s"
    minutes, rest = divmod(total, 60_000)
    hours, minutes = divmod(minutes, 60)
    text = f"{rest // 1000}.{rest % 1000:03d}".rstrip("0").rstrip(".") + "s"
    if hours:
        return f"{hours}h{minutes}m{text}"
    return f"{minutes}m{text}" if minutes else text


def _unavailable(refusal: Refusal) -> ErrorInfo:
    """Return the 503 of a breaker, or of limits that nobody can check."""
    if refusal.reason == LIMITS_UNAVAILABLE:
        return ErrorInfo(
            kind=ErrorKind.UNAVAILABLE,
            status=503,
            message="The limits of this gateway cannot be checked at the moment",
            type="server_error",
            code=LIMITS_UNAVAILABLE,
            retry_after=refusal.retry_after,
            extra={"retry_after": max(1, ceil(refusal.retry_after))},
        )
    return ErrorInfo(
        kind=ErrorKind.UNAVAILABLE,
        status=503,
        message=f"Provider {refusal.subject} is currently unavailable",
        type="provider_error",
        code="provider_unavailable",
        retry_after=refusal.retry_after,
        provider=refusal.subject,
        extra={"provider": refusal.subject, "retry_after": max(1, ceil(refusal.retry_after))},
    )


def _too_large(limit: Limit, subject: str) -> ErrorInfo:
    """Return the 400 of a request that no waiting helps."""
    return ErrorInfo(
        kind=ErrorKind.INVALID_REQUEST,
        status=400,
        message=f"This request needs more than the whole {limit.name} limit of {_amount(limit)} "
        f"for {_whose(limit, subject)}, so it can never be granted",
        type="invalid_request_error",
        code="request_too_large_for_limit",
        extra={"limit": _amount(limit), "limit_name": limit.name},
    )


def _what(limit: Limit) -> str:
    if limit.unit == "concurrency":
        return "Concurrency limit"
    return {"minute": "Rate limit", "day": "Daily budget", "month": "Monthly budget"}[limit.period]


def _amount(limit: Limit) -> float:
    """Return the amount as the configuration states it: money in USD."""
    return limit.amount / 1e9 if limit.unit == "nano_usd" else limit.amount


def _whose(limit: Limit, subject: str) -> str:
    return "this gateway" if limit.dimension == "gateway" else f"{limit.dimension} {subject}"


def _tightest(rooms: Iterable[Room]) -> Mapping[str, Room]:
    """Return, for each unit, the room that ends first."""
    tight: dict[str, Room] = {}
    for room in rooms:
        unit = room.limit.unit
        if unit in _UNITS and (unit not in tight or room.remaining < tight[unit].remaining):
            tight[unit] = room
    return tight


def _rfc3339(when: float) -> str:
    return datetime.fromtimestamp(ceil(when), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
