"""Same dialect on both sides: bytes pass, but for spliced members and one frame filter."""

from collections.abc import Mapping
from typing import Any

from setu import _json
from setu._json import Json
from setu.chat.response import Usage
from setu.chat.seals import Seal
from setu.dialects.record import (
    Dialect,
    Rendered,
    Reply,
    Route,
    UpstreamCodec,
)
from setu.errors import ErrorInfo, LocalDialectError
from setu.framing.frame import Frame
from setu.http import Headers
from setu.translate.bridge import unfolded
from setu.translate.session import Destination, Fetched, Needs, StreamTranslation
from setu.translate.sniff import Sniffer, usage_in, usage_of
from setu.translate.splice import Head, may_add_usage, with_usage


class Identity:
    """Same dialect on both sides: the body passes, with at most the model and `stream_options` spliced."""

    identical = True

    def __init__(self, dialect: Dialect, route: Route, head: Head, to: Destination) -> None:
        self._dialect = dialect
        self._client = dialect.client[route.operation]
        self._upstream = dialect.upstream[route.operation]
        self._head = head
        self.usage: Usage | None = None
        self._splices: dict[str, Json] = {}
        # Gemini's model is in the path alone; Vertex's path for Claude has it, too, but Anthropic's body needs it.
        if (route.model is None and head.model != to.model) or (route.model and dialect.name == "anthropic"):
            self._splices["model"] = _json.encode(to.model)
        # Usage is worth asking for even if the client did not; its chunk is then taken out again.
        self.drops_usage = (
            head.stream
            and dialect.name == "openai_chat"
            and "stream_usage" in to.capabilities
            and may_add_usage(head.stream_options)
        )
        if self.drops_usage:
            self._splices["stream_options"] = with_usage(head.stream_options)

    def needs(self) -> Needs:
        return Needs()

    def render(self, fetched: Fetched) -> Rendered:  # noqa: ARG002 - identity needs no facts
        try:
            body = _json.splice(self._head.body, self._splices)
            return Rendered(body=body if self._client.tidy is None else self._client.tidy(body))
        except _json.JsonError as error:
            raise LocalDialectError(str(error)) from None

    def response(self, body: bytes, reply: Reply) -> Rendered:  # noqa: ARG002 - the body is the answer
        self.usage = usage_in(body, self._upstream)
        return Rendered(body=body if self._client.settle is None else self._client.settle(self._head.body, body))

    def unfolded(self, body: bytes, reply: Reply) -> list[Frame]:
        """Write a whole answer as a stream: who asked for a stream cannot read anything else (B-SSE-12)."""
        response = self._upstream.parse_response(body, reply.mint)
        self.usage = usage_of(response)
        return unfolded(response, self._client, reply)

    def stream(self, reply: Reply) -> StreamTranslation:  # noqa: ARG002 - frames pass
        return Relay(self._dialect, self._upstream, drops_usage=self.drops_usage)

    def error(self, status: int, headers: Headers, body: bytes) -> ErrorInfo:
        return self._dialect.errors.parse(status, headers, body)

    def learned(self) -> Mapping[str, Seal]:
        return {}


class Relay:
    """Pass frames as they are; drop the usage chunk that only the gateway asked for."""

    def __init__(self, dialect: Dialect, codec: UpstreamCodec[Any, Any], *, drops_usage: bool) -> None:
        self._dialect = dialect
        self._sniffer = Sniffer(codec)
        self._drops_usage = drops_usage
        self.started = False
        self.failure: ErrorInfo | None = None
        self._last = Frame()

    @property
    def usage(self) -> Usage | None:
        return self._sniffer.usage

    def feed(self, frame: Frame) -> list[Frame]:
        self.started = True
        self._sniffer.see(frame)
        self._last = frame if frame.data is not None else self._last
        if self._drops_usage and frame.data is not None and _is_usage_chunk(frame.data):
            return []
        return [frame]

    def close(self) -> list[Frame]:
        return []

    def fail(self, error: ErrorInfo) -> list[Frame]:
        self.failure = error
        errors = self._dialect.errors
        return [errors.frame(error) if errors.after is None else errors.after(error, self._last)]


def _is_usage_chunk(data: bytes) -> bool:
    """Tell the chunk that carries usage and no choice; cheap for every other chunk."""
    if b'"usage"' not in data or b'"choices"' not in data:
        return False
    try:
        members = _json.split(data)
    except _json.JsonError:
        return False
    empty = members.get("choices", b"").translate(None, b" \t\r\n") == b"[]"
    return empty and members.get("usage", b"null") != b"null"
