"""Two dialects: everything goes through the canonical model."""

from collections.abc import Mapping
from typing import Any

import msgspec

from setu.chat.embed import EmbedRequest, answering
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
from setu.chat.parts import Media, ToolCall, ToolResult, Url
from setu.chat.request import ChatRequest
from setu.chat.response import ChatResponse, Usage
from setu.chat.seals import Seal
from setu.chat.unfold import unfold
from setu.chat.usage import merge
from setu.dialects.record import (
    ClientCodec,
    Dialect,
    ErrorCodec,
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
from setu.errors import DialectError, ErrorInfo, LocalDialectError, RemoteDialectError
from setu.framing.frame import Frame
from setu.http import Headers
from setu.translate import names
from setu.translate.loss import in_words_of, param_in_words_of
from setu.translate.session import TRUNCATED, Destination, Fetched, Needs, StreamTranslation
from setu.translate.sniff import usage_of
from setu.translate.splice import Head
from setu.translate.state import need_ended, without_state
from setu.translate.words import classified


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


_WEB = ("http://", "https://")


class Bridge:
    """Two dialects: everything goes through the canonical model."""

    identical = False

    def __init__(self, client: Dialect, route: Route, head: Head, to: Destination) -> None:
        self._client: ClientCodec[Any, Any] = client.client[route.operation]
        self._upstream: UpstreamCodec[Any, Any] = to.dialect.upstream[upstream_operation(route, to.dialect)]
        self._params = client.params
        self._errors = client.errors
        self._to = to
        self.request: Any = self._client.parse_request(head.body, route)
        self._asked = self.request if isinstance(self.request, ChatRequest) else None
        self._losses: tuple[Loss, ...] = ()
        if client.name == "openai_responses" and self._asked is not None:
            self.request, self._losses = without_state(self._asked)
        self._names: Mapping[str, str] = {}
        if isinstance(self.request, ChatRequest):
            self.request, self._names = names.fit(self.request, to.dialect.tool_names)
        if self._names:
            renamed = Loss(phase="request", pointer="/tools", reason="names were changed to fit", severity="info")
            self._losses = (*self._losses, renamed)
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
        try:
            rendered = self._upstream.render_request(self.request, target)
        except LocalDialectError as error:
            if error.param is not None:
                error.param = param_in_words_of(error.param, self._params)
            raise
        return Rendered(body=rendered.body, losses=in_words_of((*self._losses, *rendered.losses), self._params))

    def response(self, body: bytes, reply: Reply) -> Rendered:
        """Translate a whole answer.

        Raises:
            ProviderError: the body is an error despite its status.
            RemoteDialectError: there is no answer in it.
        """
        return self._client.render_response(self._parsed(body, reply), self._answering(reply))

    def stream(self, reply: Reply) -> StreamTranslation:
        encoder = self._client.encoder(self._answering(reply))
        decoder = self._upstream.decoder(reply.mint)
        decoder = names.Restoring(decoder, self._names) if self._names else decoder
        return BridgeStream(decoder, encoder, self._seals, self._errors)

    def unfolded(self, body: bytes, reply: Reply) -> list[Frame]:
        """Translate a whole answer into a stream, for an upstream that would not stream."""
        return unfolded(self._parsed(body, reply), self._client, self._answering(reply))

    def error(self, status: int, headers: Headers, body: bytes) -> ErrorInfo:
        return classified(self._to.dialect.errors.parse(status, headers, body))

    def learned(self) -> Mapping[str, Seal]:
        return self._seals

    def _answering(self, reply: Reply) -> Reply:
        return msgspec.structs.replace(reply, asked=self._asked)

    def _parsed(self, body: bytes, reply: Reply) -> Any:
        response = self._upstream.parse_response(body, reply.mint)
        if isinstance(self.request, EmbedRequest):
            response = answering(self.request, response)
            if response.usage is None and self._upstream.counted is not None:
                response = msgspec.structs.replace(response, usage=self._upstream.counted(reply.headers))
        if isinstance(response, ChatResponse):
            need_ended(response)
            response = names.restored(response, self._names)
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


def unfolded(response: ChatResponse, client: ClientCodec[Any, Any], reply: Reply) -> list[Frame]:
    """Write a whole answer as a stream.

    Raises:
        RemoteDialectError: the answer has not ended.
    """
    need_ended(response)
    encoder = client.encoder(reply)
    return [frame for event in unfold(response) for frame in encoder.feed(event)]


class BridgeStream:
    """Decode, watch, encode."""

    def __init__(
        self,
        decoder: StreamDecoder,
        encoder: StreamEncoder,
        seals: dict[str, Seal],
        errors: ErrorCodec,
    ) -> None:
        self._decoder = decoder
        self._encoder = encoder
        self._seals = seals
        self._errors = errors
        self._last = Frame()
        self._calls: dict[int, str] = {}
        self.started = False
        self.failure: ErrorInfo | None = None
        self.usage: Usage | None = None

    @property
    def losses(self) -> list[Loss]:
        return self._encoder.losses

    def verdict(self) -> ErrorInfo | None:
        return self.failure

    def feed(self, frame: Frame) -> list[Frame]:
        try:
            events = self._decoder.feed(frame)
        except DialectError as error:
            events = [Failed(error=RemoteDialectError(str(error)).info())]
        return self._encode(events)

    def close(self) -> list[Frame]:
        return self._encode(self._decoder.close())

    def fail(self, error: ErrorInfo) -> list[Frame]:
        try:
            return self._encode([Failed(error=error)])
        except Exception:  # noqa: BLE001 - an encoder that broke may break again; the client still gets its error
            errors = self._errors
            return [errors.frame(error) if errors.after is None else errors.after(error, self._last)]

    def _encode(self, events: list[Event]) -> list[Frame]:
        frames: list[Frame] = []
        for event in events:
            if self.failure is not None:
                break  # after an error nothing more is said
            self._watch(event)
            frames += self._encoder.feed(event)
        self._last = frames[-1] if frames else self._last
        return frames

    def _watch(self, event: Event) -> None:
        self.started = self.started or starts(event)
        match event:
            case Failed():
                self.failure = event.error
            case Ended(complete=False):
                self.failure = TRUNCATED
            case UsageSeen():
                self.usage = merge(self.usage, event.usage)
            case PartStarted(value=ToolCall() as call):
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


def starts(event: Event) -> bool:
    """Tell whether a client may rest on an event; a start, a ping or an empty part is none."""
    return isinstance(event, _CONTENT) or (isinstance(event, PartStarted) and isinstance(event.value, ToolCall))
