"""Cohere's errors: `{"id", "message"}` under a status, or an `error` in the last event of a stream.

The body has neither type nor code: the status alone says what went wrong.
Source: docs.cohere.com/reference/errors, read 2026-11-20.
"""

import msgspec

from setu import _json
from setu._json import Json
from setu.dialects.reader import Obj
from setu.dialects.retry_after import retry_after
from setu.errors import DialectError, ErrorInfo, ErrorKind, kind_of_status
from setu.framing.frame import Frame
from setu.http import Headers

_KINDS = {498: ErrorKind.PERMISSION, 499: ErrorKind.TIMEOUT}
"""Cohere's own statuses: 498 is input or output that it blocks, 499 a request that was given up."""

_SHOWN = 500


def parse_error(status: int, headers: Headers, body: bytes) -> ErrorInfo:
    """Read an error answer; whatever the body is, the status says what went wrong (B-ERR-09)."""
    return msgspec.structs.replace(
        error_info(body, status),
        retry_after=retry_after(headers),
        request_id=headers.get("x-request-id") or headers.get("x-debug-trace-id"),
    )


def error_info(body: bytes, status: int = 502) -> ErrorInfo:
    """Return what an error body says."""
    kind = _KINDS.get(status) or kind_of_status(status)
    message, word = _said(body)
    if message is not None:
        return ErrorInfo(kind=kind, status=status, message=message, type=word, raw=body)
    shown = body[:_SHOWN].decode("utf-8", "replace").strip()
    return ErrorInfo(
        kind=kind,
        status=status,
        message=f"The upstream answered {status} without an error message",
        extra={"body": shown} if shown else {},
    )


def _said(body: bytes) -> tuple[str | None, str | None]:
    """Find message and type; proxies in front of Cohere nest them or use the names of others."""
    try:
        obj = Obj(body, lenient=True)
        if _json.kind_of(obj.members.get("error", b"")) == "object":
            obj = obj.obj("error") or obj
        word = obj.text("error_type")
        for name in ("message", "error", "detail", "data"):
            text = obj.text(name)
            if text:
                return text, word
    except DialectError:
        pass
    return None, None


def is_error(obj: Obj) -> bool:
    """Tell an object that is an error and not an answer nor an event."""
    names = obj.members.keys()
    if names & {"finish_reason", "type", "delta", "usage"}:
        return False
    return "error" in names or _json.kind_of(obj.members.get("message", b"")) == "string"


def render_error(info: ErrorInfo) -> bytes:
    """Write the body."""
    identity = {} if info.request_id is None else {"id": info.request_id}
    return _json.encode({**identity, "message": _sayable(info.message)})


def error_frame(info: ErrorInfo) -> Frame:
    """Return the error as the last event of a stream that has begun."""
    delta = {"finish_reason": "ERROR", "error": _sayable(info.message)}
    data: Json = _json.encode({"type": "message-end", "delta": delta})
    return Frame(data=data, event="message-end")


def _sayable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
