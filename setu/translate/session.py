"""A translation: one request's way to an upstream and its answer's way back. Pure throughout.

The gateway fetches what `needs` names, renders, sends, and feeds what comes back. When both sides speak the same
dialect the translation is the identity: bytes pass, but for spliced members and one frame filter.
"""

from collections.abc import Mapping
from typing import Any, Protocol

import msgspec

from setu import _json
from setu._json import Json
from setu.chat.events import (
    ArgumentsDelta,
    Ended,
    Event,
    Failed,
    Finished,
    MediaDelta,
    PartStarted,
    ReasoningDelta,
    SealAdded,
    TextDelta,
    UsageSeen,
)
from setu.chat.ids import Mint
from setu.chat.parts import Inline, Media, ToolCall, ToolResult, Url
from setu.chat.request import ChatRequest
from setu.chat.response import ChatResponse, Usage
from setu.chat.seals import Seal
from setu.chat.unfold import unfold
from setu.chat.usage import merge
from setu.dialects.record import (
    ClientCodec,
    Dialect,
    Facts,
    Loss,
    Operation,
    Rendered,
    Reply,
    Route,
    StreamDecoder,
    StreamEncoder,
    Target,
    UpstreamCodec,
)
from setu.errors import DialectError, ErrorInfo, ErrorKind, LocalDialectError, RemoteDialectError
from setu.framing.frame import Frame
from setu.http import Headers
from setu.translate.loss import in_words_of
from setu.translate.sniff import Sniffer, usage_in, usage_of
from setu.translate.splice import Head, may_add_usage, wants_usage, with_usage


class Destination(msgspec.Struct, frozen=True, kw_only=True):
    """The upstream of one attempt: its dialect, its name for the model, and what is known of both."""

    dialect: Dialect
    model: str
    facts: Facts = Facts()
    capabilities: frozenset[str] = frozenset()


class Needs(msgspec.Struct, frozen=True, kw_only=True):
    """What a renderer cannot know: stored seals by call id, the bytes behind media URLs."""

    seals: tuple[str, ...] = ()
    media: tuple[str, ...] = ()


class Fetched(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to `Needs`, as far as there was one."""

    seals: Mapping[str, Seal] = {}
    media: Mapping[str, Inline] = {}


class StreamTranslation(Protocol):
    """Upstream frames in, client frames out.

    `started` becomes True with the first event that the client may rest on (content, a finish): before it an error
    can still become an HTTP status. `failure` is the error that ended the stream, if one did.
    """

    started: bool
    failure: ErrorInfo | None

    @property
    def usage(self) -> Usage | None: ...

    def feed(self, frame: Frame) -> list[Frame]: ...

    def close(self) -> list[Frame]: ...

    def fail(self, error: ErrorInfo) -> list[Frame]:
        """End the stream with an error that is not the upstream's own."""
        ...


class Translation(Protocol):
    """One attempt's two-way translator; `identical` when bytes pass untouched.

    `usage` is what a whole answer said of it.
    """

    identical: bool
    usage: Usage | None

    def needs(self) -> Needs: ...

    def render(self, fetched: Fetched) -> Rendered: ...

    def response(self, body: bytes, reply: Reply) -> Rendered: ...

    def unfolded(self, body: bytes, reply: Reply) -> list[Frame]: ...

    def stream(self, reply: Reply) -> StreamTranslation: ...

    def error(self, status: int, headers: Headers, body: bytes) -> ErrorInfo: ...

    def learned(self) -> Mapping[str, Seal]: ...


def open_translation(client: Dialect, route: Route, head: Head, to: Destination) -> Translation:
    """Open a session for one target.

    Raises:
        LocalDialectError: translation is needed and the body does not follow the client's dialect.
    """
    if client.name == to.dialect.name and route.operation in to.dialect.upstream:
        return Identity(client, route, head, to)
    return Bridge(client, route, head, to)


def upstream_operation(route: Route, upstream: Dialect) -> Operation:
    """Return what the upstream is asked: the same, or chat where it has no such endpoint (`/v1/completions`).

    Raises:
        LocalDialectError: it has neither.
    """
    if route.operation in upstream.upstream:
        return route.operation
    if route.operation == "complete":
        return "chat"
    raise LocalDialectError(
        f"the {upstream.name} upstream has no operation '{route.operation}'", code="unsupported_operation"
    )


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
        if route.model is None and head.model != to.model:
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
            return Rendered(body=_json.splice(self._head.body, self._splices))
        except _json.JsonError as error:
            raise LocalDialectError(str(error)) from None

    def response(self, body: bytes, reply: Reply) -> Rendered:  # noqa: ARG002 - the body is the answer
        self.usage = usage_in(body, self._upstream)
        return Rendered(body=body)

    def unfolded(self, body: bytes, reply: Reply) -> list[Frame]:
        """Write a whole answer as a stream: who asked for a stream cannot read anything else (B-SSE-12)."""
        response = self._upstream.parse_response(body, reply.mint)
        self.usage = usage_of(response)
        return _unfolded(response, self._client, reply)

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

    @property
    def usage(self) -> Usage | None:
        return self._sniffer.usage

    def feed(self, frame: Frame) -> list[Frame]:
        self.started = True
        self._sniffer.see(frame)
        if self._drops_usage and frame.data is not None and _is_usage_chunk(frame.data):
            return []
        return [frame]

    def close(self) -> list[Frame]:
        return []

    def fail(self, error: ErrorInfo) -> list[Frame]:
        self.failure = error
        return [self._dialect.errors.frame(error)]


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


_WEB = ("http://", "https://")


class Bridge:
    """Two dialects: everything goes through the canonical model."""

    identical = False

    def __init__(self, client: Dialect, route: Route, head: Head, to: Destination) -> None:
        self._client: ClientCodec[Any, Any] = client.client[route.operation]
        self._upstream: UpstreamCodec[Any, Any] = to.dialect.upstream[upstream_operation(route, to.dialect)]
        self._params = client.params
        self._to = to
        self.request: Any = self._client.parse_request(head.body, route)
        self.usage: Usage | None = None
        self._seals: dict[str, Seal] = {}

    def needs(self) -> Needs:
        """Name what the target wants and the request does not hold: seals of calls, bytes of media."""
        if not isinstance(self.request, ChatRequest):
            return Needs()
        parts = [part for message in self.request.messages for part in message.parts]
        inner = [part for result in parts if isinstance(result, ToolResult) for part in result.content]
        calls = (part.call_id for part in parts if isinstance(part, ToolCall) and part.seal is None)
        urls = (
            part.source.url
            for part in (*parts, *inner)
            if isinstance(part, Media) and isinstance(part.source, Url) and part.source.url.startswith(_WEB)
        )
        dialect = self._to.dialect
        return Needs(
            seals=tuple(calls) if dialect.seals_calls else (),
            media=tuple(dict.fromkeys(urls)) if dialect.inline_media else (),
        )

    def render(self, fetched: Fetched) -> Rendered:
        target = Target(
            model=self._to.model,
            facts=self._to.facts,
            capabilities=self._to.capabilities,
            seals=fetched.seals,
            media=fetched.media,
        )
        rendered = self._upstream.render_request(self.request, target)
        return Rendered(body=rendered.body, losses=in_words_of(rendered.losses, self._params))

    def response(self, body: bytes, reply: Reply) -> Rendered:
        """Translate a whole answer.

        Raises:
            ProviderError: the body is an error despite its status.
            RemoteDialectError: there is no answer in it.
        """
        return self._client.render_response(self._parsed(body, reply), reply)

    def stream(self, reply: Reply) -> StreamTranslation:
        return BridgeStream(self._upstream.decoder(reply.mint), self._client.encoder(reply), self._seals)

    def unfolded(self, body: bytes, reply: Reply) -> list[Frame]:
        """Translate a whole answer into a stream, for an upstream that would not stream."""
        return _unfolded(self._parsed(body, reply), self._client, reply)

    def error(self, status: int, headers: Headers, body: bytes) -> ErrorInfo:
        return self._to.dialect.errors.parse(status, headers, body)

    def learned(self) -> Mapping[str, Seal]:
        return self._seals

    def _parsed(self, body: bytes, reply: Reply) -> Any:
        response = self._upstream.parse_response(body, reply.mint)
        self.usage = usage_of(response)
        self._learn_from(response)
        return response

    def _learn_from(self, response: Any) -> None:
        if not isinstance(response, ChatResponse):
            return
        for candidate in response.candidates:
            for message in candidate.messages:
                for part in message.parts:
                    if isinstance(part, ToolCall) and part.seal is not None:
                        self._seals[part.call_id] = part.seal


def _unfolded(response: ChatResponse, client: ClientCodec[Any, Any], reply: Reply) -> list[Frame]:
    encoder = client.encoder(reply)
    return [frame for event in unfold(response) for frame in encoder.feed(event)]


class BridgeStream:
    """Decode, watch, encode."""

    def __init__(self, decoder: StreamDecoder, encoder: StreamEncoder, seals: dict[str, Seal]) -> None:
        self._decoder = decoder
        self._encoder = encoder
        self._seals = seals
        self._calls: dict[int, str] = {}
        self.started = False
        self.failure: ErrorInfo | None = None
        self.usage: Usage | None = None

    @property
    def losses(self) -> list[Loss]:
        return self._encoder.losses

    def feed(self, frame: Frame) -> list[Frame]:
        try:
            events = self._decoder.feed(frame)
        except DialectError as error:
            events = [Failed(error=RemoteDialectError(str(error)).info())]
        return self._encode(events)

    def close(self) -> list[Frame]:
        return self._encode(self._decoder.close())

    def fail(self, error: ErrorInfo) -> list[Frame]:
        return self._encode([Failed(error=error)])

    def _encode(self, events: list[Event]) -> list[Frame]:
        frames: list[Frame] = []
        for event in events:
            if self.failure is not None:
                break  # after an error nothing more is said
            self._watch(event)
            frames += self._encoder.feed(event)
        return frames

    def _watch(self, event: Event) -> None:
        if isinstance(event, _CONTENT):
            self.started = True
        match event:
            case Failed():
                self.failure = event.error
            case Ended(complete=False):
                self.failure = TRUNCATED
            case UsageSeen():
                self.usage = merge(self.usage, event.usage)
            case PartStarted(value=ToolCall() as call):
                self.started = True
                self._calls[event.part] = call.call_id
                if call.seal is not None:
                    self._seals[call.call_id] = call.seal
            case SealAdded() if event.part in self._calls:
                call_id = self._calls[event.part]
                before = self._seals[call_id].data if event.append and call_id in self._seals else ""
                self._seals[call_id] = Seal(issuer=event.issuer, kind="signature", data=before + event.data)
            case _:
                pass


_CONTENT = (TextDelta, ReasoningDelta, ArgumentsDelta, MediaDelta, Finished)
"""Events a client may rest on; a start, a ping or an empty part is none."""

TRUNCATED = ErrorInfo(
    kind=ErrorKind.BAD_GATEWAY,
    status=502,
    message="the upstream's stream ended before its end",
    code="upstream_truncated",
)


def reply_for(head: Head, *, mint: Mint, created: int, prefix: str) -> Reply:
    """Return what an answer to this request is rendered with."""
    return Reply(
        model=head.model or "",
        id=mint(prefix),
        created=created,
        mint=mint,
        stream_usage=wants_usage(head.stream_options),
    )
