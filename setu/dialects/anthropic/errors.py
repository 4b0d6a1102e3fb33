"""Error bodies: `{"type": "error", "error": {"type", "message"}, "request_id"}`.

Source: docs.anthropic.com/en/api/errors (2026-11).
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from setu import _json
from setu._json import Json
from setu.dialects.anthropic.writing import safe_json
from setu.dialects.reader import Obj
from setu.dialects.retry_after import retry_after
from setu.errors import ErrorInfo, ErrorKind, RemoteDialectError, kind_of_status
from setu.framing.frame import Frame
from setu.http import Headers

_TYPE_OF_STATUS: Mapping[int, str] = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    504: "timeout_error",
    529: "overloaded_error",
}
_STATUS_OF_TYPE: Mapping[str, int] = {word: status for status, word in _TYPE_OF_STATUS.items()}
_TYPE_OF_KIND: Mapping[ErrorKind, str] = {
    ErrorKind.QUOTA: "billing_error",
    ErrorKind.TIMEOUT: "timeout_error",
    ErrorKind.OVERLOADED: "overloaded_error",
}
_SPENT = "reached your specified API usage limits"
"""What a spending limit that is reached says; its type and its 400 say nothing (B-ERR-03, claude-code#38035)."""
_LENGTH = 500
"""Characters of a body that is no JSON which go into the message (B-ERR-09)."""


def parse(status: int, headers: Headers, body: bytes) -> ErrorInfo:
    """Read an error answer, whatever its body is."""
    info = info_of(status, body)
    changes: dict[str, Any] = {"retry_after": retry_after(headers)}
    request_id = headers.get("request-id") or headers.get("x-request-id")
    if info.request_id is None and request_id is not None:
        changes["request_id"] = request_id
    return msgspec.structs.replace(info, **changes)


def info_of(status: int, body: bytes) -> ErrorInfo:
    """Read an error body: nested, flat, in an array, or no JSON at all (B-ERR-09, B-ERR-12, B-ERR-13)."""
    envelope = _envelope(body)
    if envelope is None:
        return _info(status, None, _plain(status, body), None, None)
    is_flat = _json.kind_of(envelope.members.get("error", b"")) == "string"
    flat = envelope.text("error") if is_flat else None
    source = envelope.obj("error") or envelope
    word = source.text("type")
    message = source.text("message") or flat or ""
    code = _code(source)
    return _info(status, word, message, code, body, request_id=envelope.text("request_id"))


def _plain(status: int, body: bytes) -> str:
    """Return a message for a body that is no JSON; a page of markup says nothing a user can read."""
    text = " ".join(body.decode("utf-8", "replace").split())[:_LENGTH]
    return f"the upstream answered {status} with a page, not with JSON" if text.startswith("<") else text


def _envelope(body: bytes) -> Obj | None:
    try:
        body.decode()
        if _json.kind_of(body) == "array":
            body = next(iter(_json.items(body)), b"")
        return Obj(body, lenient=True) if _json.kind_of(body) == "object" else None
    except (RemoteDialectError, _json.JsonError, UnicodeDecodeError):
        return None


def _code(source: Obj) -> str | None:
    """Take a code, which some servers give as a number."""
    if _json.kind_of(source.members.get("code", b"")) == "number":
        number = source.integer("code")
        return None if number is None else str(number)
    return source.text("code")


def _info(
    status: int, word: str | None, message: str, code: str | None, raw: Json | None, request_id: str | None = None
) -> ErrorInfo:
    spent = status == 400 and _SPENT in message
    status = 429 if spent else _true_status(status, word, code)
    return ErrorInfo(
        kind=ErrorKind.QUOTA if spent else kind_of_status(status),
        status=status,
        message=message or f"the upstream answered {status} without a message",
        type=None if spent or word == "error" else word,
        code=code,
        request_id=request_id,
        raw=raw,
    )


def _true_status(status: int, word: str | None, code: str | None) -> int:
    """Return what the error says it is, where the status line says nothing of its own (B-ERR-07, B-ERR-08)."""
    if status >= 400 and status not in (500, 502, 503):
        return status
    said = _STATUS_OF_TYPE.get(word or "", 500)
    if said != 500:
        return said
    if code is not None and code.isdecimal() and len(code) == 3 and 400 <= int(code) < 600:
        return int(code)
    return status if status >= 400 else 500


def render(info: ErrorInfo) -> bytes:
    """Write the envelope."""
    return safe_json(_members(info))


def frame(info: ErrorInfo) -> Frame:
    """Write the error as the last event of a stream that has begun (B-SSE-15, B-SSE-17)."""
    return Frame(event="error", data=render(info))


def _members(info: ErrorInfo) -> dict[str, Any]:
    error: dict[str, Any] = {"type": word_of_error(info), "message": info.message}
    return {"type": "error", "error": error, "request_id": info.request_id}


def word_of_error(info: ErrorInfo) -> str:
    """Name an error in Anthropic's words: the source's type if it is one of them and fits, else by kind and status.

    OpenAI's `invalid_request_error` comes with 401 and 404, too; Anthropic's clients retry by type.
    """
    known = _TYPE_OF_STATUS.get(info.status)
    if info.type is not None and info.type in _STATUS_OF_TYPE and known in {None, info.type}:
        return info.type
    if info.kind in _TYPE_OF_KIND:
        return _TYPE_OF_KIND[info.kind]
    if known is not None:
        return known
    return "invalid_request_error" if 400 <= info.status < 500 else "api_error"
