"""Error answers as the providers give them: status, envelope, rate-limit header fields, request id.

Sources: the bundled cassettes `error-429` and `error-5xx` of each provider, and the names of fields as recorded traffic
of api.openai.com, Azure, Groq and api.anthropic.com has them (the same six `x-ratelimit-*` names in the first three).
Opened 2026-11-20: docs.aws.amazon.com/claude-platform/latest/userguide/rate-limits.html (Anthropic's names, instants in
RFC 3339), docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStreamOutput.html (424, 429, 503 and
500), community.openai.com/t/1268905 (OpenAI's names and durations), discuss.ai.google.dev/t/96899 (`retryDelay` within
`details`). The vendors' own pages on limits, OpenAI's, Anthropic's, Groq's and Google's, were not opened.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from math import ceil
from typing import Literal

import msgspec

from setu import _json
from setu.cassette.chance import choose, token
from setu.cassette.fault_steps import Struck
from setu.cassette.httpdate import format_date
from setu.cassette.script import Script, script
from setu.errors import ErrorInfo, kind_of_status
from setu.http import Headers

RenderError = Callable[[str, ErrorInfo], bytes]
"""Renders an error in a dialect's envelope; the dialect's name is empty where no dialect knows the path."""

SERVER_ERRORS = 5
"""Stands for a status of the class 5xx, chosen by seed among those that the provider has."""

_CLASS: Mapping[str, tuple[int, ...]] = {
    "anthropic": (500, 502, 503, 504, 529),
    "bedrock": (500, 503),
}
_ANY_CLASS = (500, 502, 503, 504)

_STREAM_ERROR: Mapping[str, int] = {"anthropic": 529, "bedrock": 424, "gemini": 503}
"""What most often goes wrong in mid-stream: overloaded_error, modelStreamErrorException, UNAVAILABLE."""

_WORDS: Mapping[tuple[str, int], tuple[str, str]] = {
    ("openai", 429): ("requests", "rate_limit_exceeded"),
    ("bedrock", 424): ("ModelStreamErrorException", ""),
}
"""Type and code where the envelope's own choice by status is not what the provider says."""

_DEFAULT_WAIT = 1.0
"""Seconds until a limit is said to be lifted when no retry-after says it."""


class RetryAfter(msgspec.Struct, frozen=True):
    """How long the client is told to wait, in seconds, and in which form."""

    seconds: float
    form: Literal["seconds", "ms", "date"] = "seconds"


class Burst(msgspec.Struct, frozen=True, kw_only=True):
    """`times` answers with an error status (or SERVER_ERRORS) before the real one."""

    status: int
    times: int = 1
    retry_after: RetryAfter | None = None


def answers(burst: Burst, struck: Struck, render: RenderError) -> tuple[Script, ...]:
    """Return the answers of a burst, in the words of the dialect that they are for."""
    return tuple(_answer(burst, struck, render, index) for index in range(burst.times))


def stream_error(struck: Struck, status: int | None = None) -> ErrorInfo:
    """Return the error of a stream that has begun; without a status the provider's most usual one."""
    status = status or _STREAM_ERROR.get(_family(struck.dialect), 500)
    return error_info(struck.dialect, status, request_id=_request_id(struck, 0))


def error_info(dialect: str, status: int, wait: float | None = None, request_id: str | None = None) -> ErrorInfo:
    """Return an error as a dialect words it; `wait` is in seconds."""
    family = _family(dialect)
    word, code = _WORDS.get((family, status), (None, None))
    return ErrorInfo(
        kind=kind_of_status(status),
        status=status,
        message=f"status {status}: a fault that the replay was told to play",
        type=word,
        code=code or None,
        # Google says it in the body (RetryInfo), all others in header fields alone.
        retry_after=wait if family == "gemini" else None,
        request_id=request_id,
    )


def _answer(burst: Burst, struck: Struck, render: RenderError, index: int) -> Script:
    status = burst.status
    if status == SERVER_ERRORS:
        status = choose(_CLASS.get(_family(struck.dialect), _ANY_CLASS), "5xx", struck.seed, struck.key, index)
    after = burst.retry_after
    identity = _request_id(struck, index)
    body = render(struck.dialect, error_info(struck.dialect, status, after.seconds if after else None, identity))
    headers = Headers.of({"content-type": "application/json"})
    for name, value in (
        *_retry(after, struck.now),
        *_limits(struck.dialect, status, after.seconds if after else _DEFAULT_WAIT, struck.now),
        *_identity(struck.dialect, identity, body),
    ):
        headers.add(name, value)
    return script(status, headers, body)


def _retry(after: RetryAfter | None, now: float) -> list[tuple[str, str]]:
    match after:
        case RetryAfter(seconds, "seconds"):
            return [("retry-after", f"{seconds:g}")]
        case RetryAfter(seconds, "ms"):
            return [("retry-after-ms", f"{seconds * 1000:g}")]
        case RetryAfter(seconds, "date"):
            # A date has no fractions: rounded up, so that it is never sooner than what was asked for.
            return [("retry-after", format_date(ceil(now + seconds)))]
    return []


def _limits(dialect: str, status: int, wait: float, now: float) -> list[tuple[str, str]]:
    """Return the fields by which a provider says how much is left; of a 429 the requests are used up."""
    family = _family(dialect)
    if status == 429 and family == "openai":
        return [
            ("x-ratelimit-limit-requests", "500"),
            ("x-ratelimit-limit-tokens", "200000"),
            ("x-ratelimit-remaining-requests", "0"),
            ("x-ratelimit-remaining-tokens", "199970"),
            ("x-ratelimit-reset-requests", _duration(wait)),
            ("x-ratelimit-reset-tokens", "9ms"),
        ]
    if family == "anthropic" and status == 429:
        free, full = _instant(now), _instant(now + wait)
        used = [
            ("requests", "50", "0", full),
            ("input-tokens", "50000", "50000", free),
            ("output-tokens", "10000", "10000", free),
            ("tokens", "60000", "60000", free),
        ]
        fields = [
            (f"anthropic-ratelimit-{what}-{name}", value)
            for what, *values in used
            for name, value in zip(("limit", "remaining", "reset"), values, strict=True)
        ]
        return [*fields, ("x-should-retry", "true")]
    return []


def _identity(dialect: str, identity: str, body: bytes) -> list[tuple[str, str]]:
    match _family(dialect):
        case "openai":
            return [("x-request-id", identity)]
        case "anthropic":
            return [("request-id", identity)]
        case "bedrock":
            word = _member(body, "__type")
            kind = (
                [("x-amzn-errortype", f"{word}:http://internal.amazon.com/coral/com.amazon.bedrock/")] if word else []
            )
            return [*kind, ("x-amzn-requestid", identity)]
    return []


def _request_id(struck: Struck, index: int) -> str:
    digits = token(32, "request-id", struck.seed, struck.key, index)
    if _family(struck.dialect) == "bedrock":
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
    return f"req_{digits}"


def _member(body: bytes, name: str) -> str | None:
    try:
        value = _json.decode(body)
    except _json.JsonError:
        return None
    found = value.get(name) if isinstance(value, dict) else None
    return found if isinstance(found, str) else None


def _duration(seconds: float) -> str:
    """Write a duration as OpenAI does: `885ms`, `1s`, `6m0s`."""
    if seconds < 1:
        return f"{seconds * 1000:.0f}ms"
    minutes, rest = divmod(seconds, 60)
    return f"{minutes:.0f}m{rest:g}s" if minutes else f"{rest:g}s"


def _instant(seconds: float) -> str:
    """Write an instant as RFC 3339 in UTC, whole seconds."""
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _family(dialect: str) -> str:
    return dialect.partition("_")[0]
