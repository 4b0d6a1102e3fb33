"""The head of a client's request: what routing must know, and what identity may change."""

import re
from collections.abc import Mapping

import msgspec

from setu import _json
from setu._json import Json
from setu.dialects.record import Route
from setu.errors import LocalDialectError

_READ: Mapping[str, tuple[str, ...]] = {
    "openai_chat": ("model", "stream", "stream_options"),
    "anthropic": ("model", "stream"),
}
"""The members of a body that routing reads or identity splices; Gemini's path says all of it."""

# No writer escapes an ASCII letter, but `"m\u006fdel"` is the key `model`, too.
_ESCAPED_LETTER = re.compile(rb"\\u00[4-7]")


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """What was read of a body without looking at its content.

    `stream_options` is the raw member of the chat dialect; None where absent.
    """

    body: bytes
    model: str | None
    stream: bool
    stream_options: Json | None = None


def read_head(body: bytes, route: Route) -> Head:
    """Check that a body is one JSON object in UTF-8 and take its model and stream flag.

    Raises:
        LocalDialectError: not JSON, not UTF-8, not an object, or a routed key that occurs twice.
    """
    if not body.isascii():
        try:
            body.decode("utf-8")
        except UnicodeDecodeError as error:
            raise LocalDialectError(f"the body is not valid UTF-8 at byte {error.start}", code="invalid_utf8") from None
    try:
        members = _json.split(body)
    except _json.JsonError as error:
        if (kind := _json.kind_of(body)) not in {"object", None} and "Expected" in str(error):
            raise LocalDialectError(f"the body must be a JSON object, not {kind}", code="invalid_json") from None
        raise LocalDialectError(f"the body is not valid JSON: {error}", code="invalid_json") from None
    _require_single(body, [key for key in _READ.get(route.dialect, ()) if key in members])
    return Head(
        body=body,
        model=route.model if route.model is not None else _model(members.get("model")),
        # Only what has a stream can be asked for one; elsewhere the member means nothing.
        stream=route.stream
        if route.stream is not None
        else route.operation in _STREAMS and _flag(members.get("stream")),
        stream_options=members.get("stream_options"),
    )


def _require_single(body: bytes, keys: list[str]) -> None:
    """Refuse a duplicate: which one a reader takes is not certain, and routing must not guess."""
    # Nearly always each quoted name occurs once in the whole document; then no walk is needed.
    if all(body.count(b'"%s"' % key.encode()) < 2 for key in keys) and not _ESCAPED_LETTER.search(body):
        return
    found = [member.key for member in _json.members(body)]
    for key in keys:
        if found.count(key) > 1:
            raise LocalDialectError(f"'{key}' occurs twice in the body", param=key, code="duplicate_key")


def _model(raw: Json | None) -> str | None:
    if raw is None or raw == b"null":
        return None
    model = _json.decode(raw)
    if not isinstance(model, str) or not model:
        raise LocalDialectError("'model' must be a non-empty string", param="model")
    return model


def _flag(raw: Json | None) -> bool:
    if raw is None or raw == b"null":
        return False
    if raw not in {b"true", b"false"}:
        raise LocalDialectError("'stream' must be a boolean", param="stream")
    return raw == b"true"


_STREAMS = ("chat", "complete")


def wants_usage(stream_options: Json | None) -> bool:
    """Tell whether chat's `stream_options` asks for the usage chunk."""
    if stream_options is None or _json.kind_of(stream_options) != "object":
        return False
    return _json.split(stream_options).get("include_usage") == b"true"


def may_add_usage(stream_options: Json | None) -> bool:
    """Tell whether the usage chunk is not asked for, but could be: a value of the wrong kind is not ours to repair."""
    if stream_options is None:
        return True
    return _json.kind_of(stream_options) in {"object", "null"} and not wants_usage(stream_options)


def with_usage(stream_options: Json | None) -> Json:
    """Return `stream_options` with the usage chunk asked for, its other members kept.

    Raises:
        LocalDialectError: `include_usage` occurs twice.
    """
    if stream_options is None or _json.kind_of(stream_options) != "object":
        return b'{"include_usage":true}'
    try:
        return _json.splice(stream_options, {"include_usage": b"true"})
    except _json.JsonError as error:
        message = f"stream_options: {error}"
        raise LocalDialectError(message, param="stream_options", code="duplicate_key") from None
