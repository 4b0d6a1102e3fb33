"""Errors: the envelope is chat's; inside an answer or a stream they have forms of their own."""

from typing import Any

import msgspec

from setu import _json
from setu._json import Json, Raw
from setu.dialects.extras import dump
from setu.dialects.openai_errors import error_of, parse_error, render_error
from setu.dialects.reader import Obj
from setu.errors import DialectError, ErrorInfo, ErrorKind
from setu.framing.frame import Frame

__all__ = [
    "answer_error",
    "error_event",
    "event_error",
    "failure",
    "frame_after",
    "frame_error",
    "parse_error",
    "render_error",
]

_CODES = {
    ErrorKind.RATE_LIMIT: "rate_limit_exceeded",
    ErrorKind.QUOTA: "rate_limit_exceeded",
    ErrorKind.INVALID_REQUEST: "invalid_prompt",
    ErrorKind.CONTEXT_LENGTH: "invalid_prompt",
    ErrorKind.TOO_LARGE: "invalid_prompt",
}
"""`error.code` of a failed answer is one of a closed list; whatever else went wrong is the server's fault."""


def answer_error(raw: Json | None) -> ErrorInfo:
    """Read `error` of an answer whose status is failed."""
    if raw is None:
        return ErrorInfo(kind=ErrorKind.SERVER, status=500, message="the upstream's answer failed without a reason")
    return _settled(error_of({"error": _json.decode(raw)}))


def event_error(event: Obj) -> ErrorInfo:
    """Read an `error` event, flat as documented or nested as sent (B-ERR-14)."""
    nested = event.raw("error")
    members: dict[str, Any] = {key: Raw(raw) for key, raw in event.members.items() if key != "type"}
    value = _json.decode(nested) if nested is not None else _json.decode(_json.encode(members))
    return _settled(error_of({"error": value}))


def _settled(info: ErrorInfo) -> ErrorInfo:
    """Take an error nobody classified for the server's own."""
    if info.status != 502:
        return info
    return msgspec.structs.replace(info, kind=ErrorKind.SERVER, status=500)


def failure(info: ErrorInfo) -> dict[str, Any]:
    """Return `error` of a failed answer."""
    return {"code": _CODES.get(info.kind, "server_error"), "message": info.message}


def error_event(info: ErrorInfo, number: int) -> bytes:
    """Return an `error` event in both shapes at once, for its readers disagree (B-ERR-14)."""
    envelope = _json.decode(render_error(info))["error"]
    flat = {"code": envelope["code"], "message": envelope["message"], "param": envelope["param"]}
    return dump({"type": "error", "sequence_number": number} | flat | {"error": envelope})


def frame_error(info: ErrorInfo) -> Frame:
    """Write the error as a frame of a stream whose events were not counted; nothing follows it."""
    return Frame(event="error", data=error_event(info, 0))


def frame_after(info: ErrorInfo, last: Frame) -> Frame:
    """Write the error behind a frame, under the number that follows its own."""
    number = None
    if last.data is not None:
        try:
            number = Obj(last.data, lenient=True).integer("sequence_number")
        except DialectError:
            number = None
    return Frame(event="error", data=error_event(info, 0 if number is None else number + 1))
