"""Google's error envelope (google.rpc.Status as JSON), both ways.

Source: cloud.google.com/apis/design/errors and ai.google.dev/gemini-api/docs/troubleshooting, read 2026-11-20.
"""

import re
from collections.abc import Mapping
from typing import Any

from setu import _json
from setu._json import Json, JsonError
from setu.dialects.gemini.proto import Fields
from setu.dialects.retry_after import retry_after
from setu.errors import DialectError, ErrorInfo, ErrorKind, kind_of_status
from setu.framing.frame import Frame
from setu.http import Headers

STATUS_OF_WORD: Mapping[str, int] = {
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "OUT_OF_RANGE": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "ABORTED": 409,
    "ALREADY_EXISTS": 409,
    "RESOURCE_EXHAUSTED": 429,
    "CANCELLED": 499,
    "INTERNAL": 500,
    "UNKNOWN": 500,
    "DATA_LOSS": 500,
    "UNIMPLEMENTED": 501,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}
"""Google's canonical codes and the HTTP status each travels with."""

_WORD_OF_STATUS: Mapping[int, str] = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    402: "FAILED_PRECONDITION",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    408: "DEADLINE_EXCEEDED",
    409: "ABORTED",
    424: "FAILED_PRECONDITION",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
    529: "UNAVAILABLE",
}

_BAD_KEY = frozenset({"API_KEY_INVALID", "API_KEY_EXPIRED", "ACCESS_TOKEN_EXPIRED", "ACCESS_TOKEN_TYPE_UNSUPPORTED"})
"""Reasons of ErrorInfo that say "your credentials", although the status says 400."""

_TYPE = "type.googleapis.com/google.rpc."
_SECONDS = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)s?")
_SHOWN = 500


def parse_error(status: int, headers: Headers, body: bytes) -> ErrorInfo:
    """Read an error answer; whatever the body is, the status says what went wrong (B-ERR-09)."""
    wait = retry_after(headers)
    request_id = headers.get("x-request-id")
    error = _envelope(body)
    if error is None:
        text = body[:_SHOWN].decode("utf-8", "replace").strip()
        return ErrorInfo(
            kind=kind_of_status(status),
            status=status,
            message=f"The upstream answered {status} without an error message",
            retry_after=wait,
            request_id=request_id,
            extra={"body": text} if text else {},
        )
    return _info(error, status, body, wait, request_id)


def error_in(body: Json) -> ErrorInfo | None:
    """Return the error that a 200 body or a frame of a stream holds, None when it holds none."""
    error = _envelope(body)
    return None if error is None else _info(error, 200, body, None, None)


def render_error(info: ErrorInfo) -> bytes:
    """Write the envelope; Google's own words are given back, others translated."""
    own = info.type in STATUS_OF_WORD
    word = info.type if own else _WORD_OF_STATUS.get(info.status)
    if word is None:
        word = "INVALID_ARGUMENT" if 400 <= info.status < 500 else "INTERNAL"
    error: dict[str, Any] = {"code": info.status, "message": _sayable(info.message), "status": word}
    details = _details(info, own=own)
    if details:
        error["details"] = details
    return _json.encode({"error": error})


def error_frame(info: ErrorInfo) -> Frame:
    """Return the error as an event of a stream that has begun."""
    return Frame(data=render_error(info))


def _details(info: ErrorInfo, *, own: bool) -> list[dict[str, Any]]:
    details: list[dict[str, Any]] = []
    if own and info.code:
        details.append({"@type": _TYPE + "ErrorInfo", "reason": info.code, "domain": "googleapis.com"})
    if info.param:
        violation = {"field": _sayable(info.param), "description": _sayable(info.message)}
        details.append({"@type": _TYPE + "BadRequest", "fieldViolations": [violation]})
    if info.retry_after is not None:
        details.append({"@type": _TYPE + "RetryInfo", "retryDelay": f"{info.retry_after:g}s"})
    return details


def _envelope(body: bytes) -> Fields | None:
    """Find the error object; streams without `alt=sse` put it in an array (B-ERR-13)."""
    try:
        while _json.kind_of(body) == "array":
            entries = _json.items(body)
            body = entries[0] if entries else b""
        obj = Fields(body, lenient=True)
        raw = obj.raw("error")
        if raw is None:
            return None
        if _json.kind_of(raw) == "object":
            return Fields(raw, lenient=True)
        # Some proxies in front of Google write a bare string.
        return Fields(_json.encode({"message": _json.decode(raw)}), lenient=True)
    except (DialectError, JsonError):
        return None


def _info(error: Fields, status: int, body: bytes, wait: float | None, request_id: str | None) -> ErrorInfo:
    word = error.text("status")
    status = _true_status(status, error.integer("code"), word)
    details = error.objects("details") or []
    reason = next((text for entry in details if (text := entry.text("reason"))), None)
    delay = next((found for entry in details if (found := _delay(entry.text("retryDelay"))) is not None), None)
    kind = kind_of_status(status)
    if reason in _BAD_KEY:
        kind, status = ErrorKind.AUTHENTICATION, 401
    return ErrorInfo(
        kind=kind,
        status=status,
        message=error.text("message") or word or f"The upstream answered {status}",
        type=word,
        code=reason,
        param=_violated(details),
        retry_after=wait if wait is not None else delay,
        request_id=request_id,
        raw=body if _is_text(body) else None,
    )


def _true_status(status: int, code: int | None, word: str | None) -> int:
    """Return the status that counts: the body's own where the HTTP status is a success or a wrapper (B-ERR-07)."""
    if 400 <= status < 500:
        return status
    if code is not None and 400 <= code < 600:
        return code
    if word in STATUS_OF_WORD:
        return STATUS_OF_WORD[word or ""]
    return status if status >= 500 else 502


def _violated(details: list[Fields]) -> str | None:
    for entry in details:
        for violation in entry.objects("fieldViolations") or ():
            field = violation.text("field")
            if field:
                return field
    return None


def _delay(text: str | None) -> float | None:
    found = _SECONDS.fullmatch(text or "")
    return float(found[1]) if found else None


def _sayable(text: str) -> str:
    """Return text that JSON can carry: a lone surrogate becomes a question mark."""
    return text.encode("utf-8", "replace").decode()


def _is_text(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True
