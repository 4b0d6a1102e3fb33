"""Same dialect on both sides: bytes pass, but for spliced members and one frame filter."""

from collections import deque
from collections.abc import Mapping
from typing import Any

from setu import _json
from setu._json import Json
from setu.chat.events import Ended, Failed, Finished
from setu.chat.ids import counter
from setu.chat.response import Usage
from setu.chat.seals import Seal
from setu.dialects.record import (
    Dialect,
    Rendered,
    Reply,
    Route,
    StreamDecoder,
    UpstreamCodec,
)
from setu.errors import DialectError, ErrorInfo, LocalDialectError, SetuError
from setu.framing.frame import Frame
from setu.http import Headers
from setu.translate.bridge import starts, unfolded
from setu.translate.session import TRUNCATED, Destination, Fetched, Needs, StreamTranslation
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


_WHOLE = Ended(complete=True)
_ENDS = 4
"""How many frames an end may stand before the last: usage and `[DONE]` come after chat's finish."""


class Relay:
    """Pass frames as they are; drop the usage chunk that only the gateway asked for.

    Frames are read until the first content, so that an error before it can still become a status, and never after.
    """

    def __init__(self, dialect: Dialect, codec: UpstreamCodec[Any, Any], *, drops_usage: bool) -> None:
        self._dialect = dialect
        self._codec = codec
        self._sniffer = Sniffer(codec)
        self._drops_usage = drops_usage
        self._watch: StreamDecoder | None = codec.decoder(counter())
        self.started = False
        self.failure: ErrorInfo | None = None
        self._last = Frame()
        self._ends: deque[Frame] = deque(maxlen=_ENDS)

    @property
    def usage(self) -> Usage | None:
        return self._sniffer.usage

    def verdict(self) -> ErrorInfo | None:
        """Look for an end among the last frames, each by itself. They pass whatever they hold: this is to count."""
        failed: ErrorInfo | None = None
        for frame in reversed(self._ends):
            decoder = self._codec.decoder(counter())
            try:
                events = [*decoder.feed(frame), *decoder.close()]
            except SetuError:
                continue  # the client's to read
            for event in events:
                if isinstance(event, Finished) or event == _WHOLE:
                    return None
                failed = event.error if isinstance(event, Failed) and failed is None else failed
        return failed or TRUNCATED

    def feed(self, frame: Frame) -> list[Frame]:
        if self._watch is not None:
            self._see(frame, self._watch)
        if frame.data is not None:
            self._sniffer.see(frame)
            self._last = frame
            self._ends.append(frame)
        if self._drops_usage and frame.data is not None and _is_usage_chunk(frame.data):
            return []
        return [frame]

    def _see(self, frame: Frame, decoder: StreamDecoder) -> None:
        """Look for content, or for an error before any."""
        try:
            events = decoder.feed(frame)
        except DialectError:
            events, self.started = [], True  # the client's to read
        for event in events:
            if isinstance(event, Failed):
                self.failure = event.error
                break
            self.started = self.started or starts(event)
        if self.started or self.failure is not None:
            self._watch = None

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
