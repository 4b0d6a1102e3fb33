"""An attempt's answer, before it is anybody's: success or failure, as values."""

import msgspec

from setu.chat.response import Usage
from setu.dialects.record import Framing, Loss
from setu.errors import ErrorInfo
from setu.http import ByteStream, Headers, end_to_end

_MEDIA_TYPES: dict[Framing, str] = {
    "sse": "text/event-stream; charset=utf-8",
    "jsonarray": "application/json; charset=utf-8",
}
_NOT_PASSED = frozenset(
    {
        b"content-length",
        b"content-encoding",
        b"set-cookie",
        b"alt-svc",
        b"date",  # said by our own server; two of them are no date at all
        *(b"via", b"strict-transport-security", b"cf-ray", b"cf-cache-status"),  # of the upstream's own edge
        *(b"openai-organization", b"openai-project", b"anthropic-organization-id"),  # whose account it is
    }
)


class Ready(msgspec.Struct, kw_only=True):
    """An answer that can be given: `usage` is known for whole bodies, a stream's own when it is over."""

    status: int
    headers: Headers
    body: bytes | ByteStream
    usage: Usage | None = None
    losses: tuple[Loss, ...] = ()


class Failure(msgspec.Struct, kw_only=True):
    """Why there is none. `own` is the upstream's own error, to be passed on as it is: its status, headers and body.

    `should_retry` is what the upstream said of that; `denied` when nothing was sent.
    """

    info: ErrorInfo
    own: tuple[int, Headers, bytes] | None = None
    should_retry: bool | None = None
    denied: bool = False


def json_headers() -> Headers:
    return Headers([(b"content-type", b"application/json")])


def whole(body: bytes, usage: Usage | None = None, losses: tuple[Loss, ...] = ()) -> Ready:
    """Return a translated body."""
    return Ready(status=200, headers=json_headers(), body=body, usage=usage, losses=losses)


def passed(status: int, headers: Headers, body: bytes, usage: Usage | None = None) -> Ready:
    """Return the upstream's own bytes and end-to-end fields."""
    return Ready(status=status, headers=passable(headers), body=body, usage=usage)


def relayed(status: int, headers: Headers, body: ByteStream) -> Ready:
    """Return the upstream's own stream."""
    kept = passable(headers)
    kept.set("x-accel-buffering", "no")
    if "cache-control" not in kept:
        kept.set("cache-control", "no-cache")
    return Ready(status=status, headers=kept, body=body)


def streamed(framing: Framing, body: ByteStream) -> Ready:
    """Return a translated stream."""
    headers = Headers.of(
        {"content-type": _MEDIA_TYPES[framing], "cache-control": "no-cache", "x-accel-buffering": "no"}
    )
    return Ready(status=200, headers=headers, body=body)


def passable(headers: Headers) -> Headers:
    """Return what may go on to the client, repetitions and order kept."""
    return Headers(pair for pair in end_to_end(headers).raw if pair[0] not in _NOT_PASSED)
