"""OpenAI's error envelope, both ways: the one of both of its APIs and of every host that speaks one of them.

Told apart by status first, then by documented type and code, never by the words of a message (B-ERR-01).
"""

import re
from typing import Any

import msgspec

from setu import _json
from setu.dialects.extras import dump
from setu.dialects.retry_after import retry_after
from setu.errors import ErrorInfo, ErrorKind, kind_of_status
from setu.http import Headers

_KIND_OF_CODE = {
    "insufficient_quota": ErrorKind.QUOTA,
    "billing_hard_limit_reached": ErrorKind.QUOTA,
    "context_length_exceeded": ErrorKind.CONTEXT_LENGTH,
    "rate_limit_exceeded": ErrorKind.RATE_LIMIT,
    "invalid_api_key": ErrorKind.AUTHENTICATION,
    "model_not_found": ErrorKind.NOT_FOUND,
}
"""Codes (and types) that say more than their status: https://platform.openai.com/docs/guides/error-codes, 2026-11."""

_STATUS_OF_TYPE = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "insufficient_quota": 429,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "invalid_api_key": 401,
    "model_not_found": 404,
    "context_length_exceeded": 400,
    "overloaded_error": 529,
    "server_error": 500,
    "internal_server_error": 500,
}
"""What an error inside a 200 would have been."""

_OWN_TYPES = frozenset(
    {"invalid_request_error", "insufficient_quota", "rate_limit_error", "rate_limit_exceeded", "server_error",
     "provider_error", "requests", "tokens"}
)  # fmt: skip

_OUT: dict[ErrorKind, tuple[str, str | None]] = {
    ErrorKind.INVALID_REQUEST: ("invalid_request_error", None),
    ErrorKind.AUTHENTICATION: ("invalid_request_error", "invalid_api_key"),
    ErrorKind.PERMISSION: ("invalid_request_error", "permission_denied"),
    ErrorKind.NOT_FOUND: ("invalid_request_error", "model_not_found"),
    ErrorKind.TOO_LARGE: ("invalid_request_error", "request_too_large"),
    ErrorKind.CONTEXT_LENGTH: ("invalid_request_error", "context_length_exceeded"),
    ErrorKind.RATE_LIMIT: ("rate_limit_error", "rate_limit_exceeded"),
    ErrorKind.QUOTA: ("insufficient_quota", "insufficient_quota"),
    ErrorKind.TIMEOUT: ("server_error", "timeout"),
    ErrorKind.OVERLOADED: ("server_error", "overloaded"),
    ErrorKind.UNAVAILABLE: ("server_error", "service_unavailable"),
    ErrorKind.BAD_GATEWAY: ("server_error", "bad_gateway"),
    ErrorKind.SERVER: ("server_error", None),
}

_CODE = re.compile(r"[a-z][a-z0-9_.]*")
_TITLE = re.compile(rb"<title[^>]*>\s*(.*?)\s*</title>", re.IGNORECASE | re.DOTALL)
_SHORT = 2000


def parse_error(status: int, headers: Headers, body: bytes) -> ErrorInfo:
    """Read any error answer: OpenAI's envelope, a flat object, a list, plain text, a page, nothing."""
    try:
        found = error_of(_json.decode(body), status)
    except _json.JsonError:
        known = status if 400 <= status < 600 else 502
        found = ErrorInfo(kind=kind_of_status(known), status=known, message=_page_message(status, body))
    else:
        found = _with(found, raw=body)
    return _with(found, retry_after=retry_after(headers), request_id=_request_id(headers))


def error_of(value: Any, status: int | None = None) -> ErrorInfo:
    """Read a decoded error body; without a status (an error inside a 200) the body says which."""
    if isinstance(value, list):  # Google wraps its error in an array (B-ERR-13)
        value = next((item for item in value if isinstance(item, dict)), {})
    if not isinstance(value, dict):
        value = {"message": value}
    error = value.get("error")
    if isinstance(error, str):
        error = {**value, "message": value.get("message") or error}
    if not isinstance(error, dict):
        error = value  # a flat body: old vLLM, Mistral (B-ERR-12)
    kind, code = _text(error.get("type")), error.get("code")
    word = _text(code)
    status = _status(error, status, kind, word)
    known = _KIND_OF_CODE.get(word or "") or _KIND_OF_CODE.get(kind or "")
    return ErrorInfo(
        kind=known or kind_of_status(status),
        status=status,
        message=_message(error, status),
        type=kind,
        code=word,
        param=_text(error.get("param")),
    )


def _status(error: dict[str, Any], status: int | None, kind: str | None, code: str | None) -> int:
    """Return the status that the error is about: a 200 or a 500 may wrap another host's (B-ERR-07, B-ERR-08)."""
    if status is not None and 400 <= status < 500:
        return status
    for name in ("code", "status", "http_status_code", "status_code"):
        inner = error.get(name)
        if isinstance(inner, str) and inner.isdecimal() and len(inner) == 3:
            inner = int(inner)
        if isinstance(inner, int) and 400 <= inner < 600:
            return inner
    if status is not None and status >= 500:
        return status
    return _STATUS_OF_TYPE.get(code or "") or _STATUS_OF_TYPE.get(kind or "") or 502


def _message(error: dict[str, Any], status: int) -> str:
    for name in ("message", "detail", "msg", "error_description"):
        said = error.get(name)
        if isinstance(said, dict):
            said = said.get("message") or said.get("detail") or said
        if isinstance(said, str) and said:
            return said
        if said:  # FastAPI's list of problems
            return dump(said).decode("utf-8", "replace")[:_SHORT]
    errors = error.get("errors")
    first = errors[0] if isinstance(errors, list) and errors else None
    if isinstance(first, dict) and isinstance(first.get("message"), str):  # Cloudflare
        return str(first["message"])
    return _empty(status)


def _empty(status: int) -> str:
    return f"the upstream answered {status} without a message"


def _page_message(status: int, body: bytes) -> str:
    """Return the words of a body that is not JSON (B-ERR-09)."""
    title = _TITLE.search(body)
    if title is not None:
        text = title[1].decode("utf-8", "replace")
        return f"the upstream answered {status} with a page: {text[:200]}"
    text = body.decode("utf-8", "replace").strip()
    if not text or text.startswith("<"):
        return _empty(status)
    return text[:_SHORT]


def _text(value: Any) -> str | None:
    """Return a word; the string "None" and a number are none (B-ERR-05)."""
    return value if isinstance(value, str) and value not in {"", "None"} and not value.isdecimal() else None


def _with(info: ErrorInfo, **changes: Any) -> ErrorInfo:
    return msgspec.structs.replace(info, **{key: value for key, value in changes.items() if value is not None})


def _request_id(headers: Headers) -> str | None:
    return headers.get("x-request-id") or headers.get("request-id")


def render_error(info: ErrorInfo) -> bytes:
    """Write OpenAI's envelope; extra members follow the four that are always there."""
    kind, code = _OUT[info.kind]
    if info.type in _OWN_TYPES and info.kind is not ErrorKind.AUTHENTICATION:
        kind = info.type
    if info.code is not None and _CODE.fullmatch(info.code) and not info.code.endswith("_error"):
        code = info.code
    error: dict[str, Any] = {"message": info.message, "type": kind, "param": info.param, "code": code}
    extra = dict(info.extra)
    if info.provider is not None:
        extra.setdefault("provider", info.provider)
    if info.retry_after is not None:
        extra.setdefault("retry_after", info.retry_after)
    return dump({"error": error | {key: value for key, value in extra.items() if key not in error}})
