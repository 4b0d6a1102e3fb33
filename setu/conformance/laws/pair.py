"""What a law is about: a client's dialect in front of an upstream's, and how hard to try."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping
from itertools import pairwise
from typing import Any, TypeVar

import msgspec

from setu import _json
from setu.chat.ids import counter
from setu.chat.seals import Seal
from setu.conformance import assemble
from setu.conformance.natives import exact
from setu.conformance.natives.record import Asking, Json, Native
from setu.conformance.natives.registry import asking_of, native_of
from setu.conformance.natives.values import Answer, Story
from setu.conformance.target import Target
from setu.dialects.record import ClientCodec, Dialect, Loss, Rendered, Reply, Route, UpstreamCodec
from setu.errors import DialectError
from setu.framing.frame import Frame, FrameDecoder
from setu.framing.kinds import DECODERS, ENCODERS
from setu.providers.deployment import Deployment
from setu.translate.bridge import Bridge
from setu.translate.session import Destination, Fetched
from setu.translate.splice import Head

T = TypeVar("T")
CREATED = 1_790_000_000


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """A request that was translated: what the client said, what goes upstream, what was declared lost."""

    asked: Story
    body: bytes
    story: Story
    losses: tuple[Loss, ...]

    @property
    def json(self) -> Json:
        found: Json = _json.decode(self.body)
        return found

    def declares(self, *names: str) -> bool:
        """Tell whether a loss names one of these members."""
        return any(name in loss.pointer for loss in self.losses for name in names if name)


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """A client's dialect in front of a deployment; `model` is the upstream's name for its model.

    Everything goes through the canonical model here, where both sides speak one dialect, too. The laws of the gateway
    itself go through the gateway, and there such a pair is the identity.
    """

    client: Dialect
    upstream: Dialect
    dialects: Mapping[str, Dialect]
    deployment: Deployment
    model: str
    seed: int
    examples: int
    derandomize: bool = False
    shrinks: bool = True
    """Whether the smallest example is looked for, or the first one that breaks a law will do."""
    framers: Mapping[str, Callable[[], FrameDecoder]] = msgspec.field(default_factory=lambda: DECODERS)
    """How bytes become frames."""
    wire: Callable[..., Target] = Target
    """How the gateway is put together."""

    @property
    def name(self) -> str:
        return f"{self.client.name} → {self.upstream.name}"

    @property
    def same(self) -> bool:
        return self.client.name == self.upstream.name

    @property
    def reports_usage(self) -> bool:
        """Whether streams of the upstream carry usage: chat hosts must say that they take `stream_options`."""
        return self.upstream.name != "openai_chat" or "stream_usage" in self.deployment.provider.capabilities

    @property
    def to(self) -> Native:
        return native_of(self.upstream.name)

    @property
    def by(self) -> Native:
        return native_of(self.client.name)

    @property
    def asking(self) -> Asking:
        return asking_of(self.client.name)

    @property
    def client_codec(self) -> ClientCodec[Any, Any]:
        return self.client.client["chat"]

    @property
    def upstream_codec(self) -> UpstreamCodec[Any, Any]:
        return self.upstream.upstream["chat"]

    @property
    def framing(self) -> str:
        return self.upstream.framings[0]

    # Trying ----------------------------------------------------------------------------------------------------------

    def check(self, strategy: Any, law: Callable[[Any], None]) -> None:
        """Try a law on generated examples; the smallest one that breaks it is in the error."""
        from hypothesis import HealthCheck, Phase, given, settings
        from hypothesis import seed as seeded

        profile = settings(
            max_examples=self.examples,
            deadline=None,
            database=None,
            derandomize=self.derandomize,
            report_multiple_bugs=False,
            print_blob=False,
            phases=(Phase.generate, Phase.shrink) if self.shrinks else (Phase.generate,),
            suppress_health_check=list(HealthCheck),
        )

        def trial(example: Any) -> None:
            law(example)

        made = profile(given(example=strategy)(trial))
        (made if self.derandomize else seeded(self.seed)(made))()

    # Requests --------------------------------------------------------------------------------------------------------

    def route(self, *, stream: bool = False) -> Route:
        path, query = self.asking.path(self.model, stream)
        said = self.client.name == "gemini"
        return (
            Route(
                dialect=self.client.name,
                operation="chat",
                model=self.model if said else None,
                stream=stream if said else None,
                framing="sse" if "alt=sse" in query or not said else None,
            )
            if path
            else Route(dialect=self.client.name, operation="chat")
        )

    def bridge(self, body: bytes, *, stream: bool = False) -> Bridge:
        """Open a translation.

        Raises:
            LocalDialectError: the body does not follow the client's dialect.
        """
        head = Head(body=body, model=self.model, stream=stream)
        to = Destination(
            dialect=self.upstream,
            model=self.model,
            facts=self.deployment.facts(self.model),
            capabilities=self.deployment.provider.capabilities,
        )
        return Bridge(self.client, self.route(stream=stream), head, to)

    def written(self, story: Story) -> Json:
        """Return the client's request."""
        return self.asking.ask(msgspec.structs.replace(story, model=self.model))

    def send(self, asked: Json | Story, seals: dict[str, Seal] | None = None) -> Sent:
        """Translate a request.

        Raises:
            LocalDialectError: it may not be sent, or cannot be.
        """
        stream = asked.stream if isinstance(asked, Story) else asked.get("stream") is True
        body = exact.dump(self.written(asked) if isinstance(asked, Story) else asked).encode()
        rendered: Rendered = self.bridge(body, stream=stream).render(Fetched(seals=seals or {}))
        return Sent(
            asked=self.by.heard(body),
            body=rendered.body,
            story=self.to.heard(rendered.body),
            losses=tuple(rendered.losses),
        )

    # Answers ---------------------------------------------------------------------------------------------------------

    def reply(self) -> Reply:
        return Reply(model="m", id="id-1", created=CREATED, mint=counter(), stream_usage=True)

    def answer(self, answer: Answer) -> Json:
        """Translate a plain answer to the client's JSON."""
        return self.answer_of(_json.encode(self.to.plain(answer)))

    def answer_bytes(self, answer: Answer) -> bytes:
        """Translate a plain answer."""
        response = self.upstream_codec.parse_response(_json.encode(self.to.plain(answer)), counter())
        return self.client_codec.render_response(response, self.reply()).body

    def answer_of(self, body: bytes) -> Json:
        response = self.upstream_codec.parse_response(body, counter())
        found: Json = exact.answer(self.client_codec.render_response(response, self.reply()).body)
        return found

    def relay(self, frames: Iterable[Frame]) -> list[Frame]:
        """Translate a stream, frame by frame, to the client's frames."""
        decoder, encoder = self.upstream_codec.decoder(counter()), self.client_codec.encoder(self.reply())
        events = [event for sent in frames for event in decoder.feed(sent)] + decoder.close()
        return [made for event in events for made in encoder.feed(event)]

    def unframed(self, chunks: Iterable[bytes]) -> list[Frame]:
        """Cut the upstream's bytes into frames."""
        decoder = self.framers[self.framing]()
        return [made for chunk in chunks for made in decoder.feed(chunk)] + decoder.close()

    def framed(self, frames: Iterable[Frame]) -> list[bytes]:
        """Write the upstream's frames, each as its own bytes."""
        encoder = ENCODERS[self.framing]()
        pieces = [encoder.encode(sent) for sent in frames]
        last = encoder.close()
        return [*pieces, last] if last else pieces

    def hear(self, document: Json) -> Answer:
        return self.asking.hear(document)

    def hear_stream(self, frames: Iterable[Frame]) -> Answer:
        """Assemble a client's stream and read it."""
        return self.hear(self.assembled(frames))

    def so_far(self, frames: Iterable[Frame]) -> dict[int, str]:
        """Read an unfinished stream: its text by choice."""
        return self.asking.partial(self.assembled(frames))

    def assembled(self, frames: Iterable[Frame]) -> Json:
        return assemble.assembled(self.client.name, events_of(frames), exact.lenient)


def events_of(frames: Iterable[Frame]) -> list[Json]:
    """Return the JSON objects that frames carry."""
    return [exact.answer(sent.data) for sent in frames if sent.data is not None and sent.data.startswith(b"{")]


def pieces(data: bytes, places: list[int]) -> list[bytes]:
    """Cut bytes at some places."""
    edges = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    return [data[start:end] for start, end in pairwise(edges)]


def refused(work: Callable[[], T]) -> T | DialectError:
    """Return what comes of it, or the error that says by name why nothing does."""
    try:
        return work()
    except DialectError as error:
        return error


_LOOP: list[asyncio.AbstractEventLoop] = []


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine; one loop serves all examples, because making one costs more than most of them."""
    if not _LOOP:
        _LOOP.append(asyncio.new_event_loop())
    return _LOOP[0].run_until_complete(work)
