"""Ollama's errors: `{"error": "words"}` under a status, or as a line of a stream, or as the only line of a 200.

The body has neither type nor code: the status alone says what went wrong. Source: docs.ollama.com/api/errors, read
2026-11-20.
"""

import msgspec

from setu import _json
from setu.dialects.reader import Obj
from setu.dialects.retry_after import retry_after
from setu.errors import DialectError, ErrorInfo, kind_of_status
from setu.framing.frame import Frame
from setu.http import Headers

_SHOWN = 500


def parse_error(status: int, headers: Headers, body: bytes) -> ErrorInfo:
    """Read an error answer; whatever the body is, the status says what went wrong (B-ERR-09)."""
    return msgspec.structs.replace(
        error_info(body, status),
        retry_after=retry_after(headers),
        request_id=headers.get("x-request-id"),
    )


def error_info(body: bytes, status: int = 502) -> ErrorInfo:
    """Return what an error body or line says; inside a 200 it has no status but that of a bad upstream."""
    kind = kind_of_status(status)
    message = _said(body)
    if message is not None:
        return ErrorInfo(kind=kind, status=status, message=message, raw=body)
    shown = body[:_SHOWN].decode("utf-8", "replace").strip()
    return ErrorInfo(
        kind=kind,
        status=status,
        message=f"The upstream answered {status} without an error message",
        extra={"body": shown} if shown else {},
    )


def _said(body: bytes) -> str | None:
    """Find the words; a proxy in front of Ollama may nest them."""
    try:
        obj = Obj(body, lenient=True)
        if _json.kind_of(obj.members.get("error", b"")) == "object":
            obj = obj.obj("error") or obj
        for name in ("error", "message", "detail"):
            text = (obj.text(name) or "").strip()
            if text:
                return text
    except DialectError:
        pass
    return None


def is_error(obj: Obj) -> bool:
    """Tell a line that is an error."""
    return obj.members.get("error", b"null") not in (b"null", b'""')


def render_error(info: ErrorInfo) -> bytes:
    """Write the body."""
    return _json.encode({"error": info.message.encode("utf-8", "replace").decode()})


def error_frame(info: ErrorInfo) -> Frame:
    """Return the error as a line of a stream that has begun."""
    return Frame(data=render_error(info))
