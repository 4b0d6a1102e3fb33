"""A call as rows of the two tables. Pure: what a database could refuse is made storable here."""

import uuid
from datetime import UTC, datetime
from typing import Any

import msgspec

from setu.signals import Attempt, Call

_NAMESPACE = uuid.UUID("6f3a1c0e-6a0f-5d5b-9a55-5b6f1d1d7a42")
_INT, _BIGINT = 2**31 - 1, 2**63 - 1
_LATEST = 253_402_300_799_000
"""The last millisecond of the year 9999, where dates end."""
_LONGEST = 2_000
_DEAREST = 999_999
"""What fits into numeric(12, 6)."""


def sealed(call: Call, now: float) -> Call:
    """Give a call what makes writing it twice harmless: an id of its own, and its time (`now` in seconds)."""
    if call.id and call.started:
        return call
    return msgspec.structs.replace(
        call, id=call.id or str(uuid.uuid4()), started=call.started or round(now * 1000) - call.duration_ms
    )


def request_row(call: Call) -> dict[str, Any]:
    """Return the row of `requests`."""
    cost = _whole(call.cost, _BIGINT)
    return {
        "id": str(key_of(call.id)),
        "request_id": _text(call.request_id),
        "tenant": _text(call.tenant),
        "use_case": _text(call.use_case),
        "route_name": _text(call.route_name),
        "provider": _text(call.provider),
        "model": _text(call.model),
        "prompt_tokens": _whole(call.input_tokens),
        "completion_tokens": _whole(call.output_tokens),
        "total_tokens": _total(call),
        "cost_estimate_usd": _usd(cost),
        "latency_ms": _whole(call.duration_ms),
        "status_code": _whole(call.status),
        "error_message": _text(call.error),
        "created_at": _moment(call.started),
        "cached_tokens": _whole(call.cached_tokens),
        "cache_write_tokens": _whole(call.cache_write_tokens),
        "reasoning_tokens": _whole(call.reasoning_tokens),
        "ttfb_ms": _whole(call.ttfb_ms),
        "stream": call.stream,
        "end": _text(call.end),
        "loss_count": len(call.losses),
        "cache": call.cache,
        "route_reason": _text(call.route),
        "policy": _text(call.policy),
        "dialect": _text(call.dialect),
        "operation": _text(call.operation),
        "key_id": _text(call.key),
        "upstream_model": _text(call.upstream_model),
        "cost_nano_usd": cost,
    }


def attempt_rows(call: Call) -> list[dict[str, Any]]:
    """Return the rows of `provider_attempts`: ids follow from the call's and the place, as two may share a number."""
    if not call.attempts:
        return []
    owner = key_of(call.id)
    return [_attempt_row(owner, place, attempt) for place, attempt in enumerate(call.attempts)]


def _attempt_row(owner: uuid.UUID, place: int, attempt: Attempt) -> dict[str, Any]:
    return {
        "id": str(uuid.uuid5(owner, str(place))),
        "request_id": str(owner),
        "attempt_no": _whole(attempt.number),
        "provider": _text(attempt.provider),
        "model": _text(attempt.model),
        "latency_ms": _whole(attempt.duration_ms),
        "status_code": _whole(attempt.status) or None,
        "error_message": _text(attempt.error),
        "created_at": _moment(attempt.started),
        "outcome": _text(attempt.outcome),
        "ttfb_ms": _whole(attempt.ttfb_ms),
    }


def key_of(name: str) -> uuid.UUID:
    """Return a call's id as the key of its row; one that is no UUID gives one that follows from it."""
    try:
        return uuid.UUID(name)
    except ValueError:
        return uuid.uuid5(_NAMESPACE, name.encode("utf-8", "replace").decode())


def _total(call: Call) -> int | None:
    if call.input_tokens is None and call.output_tokens is None:
        return None
    return _whole((call.input_tokens or 0) + (call.output_tokens or 0))


def _usd(nano: int | None) -> float | None:
    usd = None if nano is None else round(nano / 1e9, 6)
    return None if usd is None or usd > _DEAREST else usd


def _text(value: str | None) -> str | None:
    """Return a text without what PostgreSQL refuses (NUL) and UTF-8 cannot say, and not longer than is sensible."""
    if value is None:
        return None
    if len(value) > _LONGEST:
        value = value[:_LONGEST]
    if value.isascii() and "\0" not in value:
        return value
    return value.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()


def _whole(value: int | None, most: int = _INT) -> int | None:
    return None if value is None else max(0, min(value, most))


def _moment(started: int) -> datetime:
    return datetime.fromtimestamp(max(0, min(started, _LATEST)) / 1000, UTC)
