"""Laws of streams."""

from itertools import pairwise
from typing import Any

import msgspec

from setu import _json
from setu.chat.events import Event
from setu.chat.fold import fold
from setu.chat.ids import counter
from setu.chat.normal import normal_response
from setu.chat.parts import AnyPart, ToolCall
from setu.chat.request import ChatRequest
from setu.chat.response import Candidate, ChatResponse
from setu.conformance import strategies
from setu.conformance.laws.subject import Subject, run
from setu.conformance.target import StillClock
from setu.dialects.record import Reply, Route, Target, UpstreamCodec
from setu.framing.sse import SseDecoder, SseEncoder
from setu.http import Headers, Request
from setu.providers.deployment import url
from setu.translate.bridge import BridgeStream
from setu.transport.simulate.simulator import Simulator


def a_stream_is_its_plain_twin(subject: Subject) -> None:
    """P29: what a stream folds to is what the plain answer to the same request parses to."""
    codec = subject.upstream.upstream["chat"]

    def law(body: dict[str, Any]) -> None:
        plain, stream = (_simulated(subject, body, stream=mode) for mode in (False, True))
        parsed = normal_response(codec.parse_response(plain, counter()), anonymous=True)
        folded = fold(_events(codec, stream))
        assert folded.complete, f"the stream of {_json.encode(body)!r} does not end"
        streamed = normal_response(folded.response, anonymous=True)
        one, other = _comparable(streamed), _comparable(parsed)
        assert one == other, f"{one!r}\nis not\n{other!r}"
        if streamed.usage is not None and parsed.usage is not None:
            assert (streamed.usage.input, streamed.usage.output) == (parsed.usage.input, parsed.usage.output)

    subject.check(strategies.requests(subject.model), law)


def _comparable(response: ChatResponse) -> list[Candidate]:
    """Arguments are compared as JSON: Anthropic streams them with spaces that its plain answer does not have."""
    return [
        msgspec.structs.replace(
            candidate,
            messages=tuple(
                msgspec.structs.replace(message, parts=tuple(_settled(part) for part in message.parts))
                for message in candidate.messages
            ),
        )
        for candidate in response.candidates
    ]


def _settled(part: AnyPart) -> AnyPart:
    if not isinstance(part, ToolCall):
        return part
    return msgspec.structs.replace(part, arguments=_json.encode(_json.decode(part.arguments or "{}")).decode())


def any_cutting_gives_the_same(subject: Subject) -> None:
    """P30: however the upstream's bytes are cut, every client gets the same frames."""
    from hypothesis import strategies as st

    codec = subject.upstream.upstream["chat"]

    def law(example: tuple[dict[str, Any], list[int]]) -> None:
        body, places = example
        data = _simulated(subject, body, stream=True)
        edges = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
        cut = [data[start:end] for start, end in pairwise(edges)]
        for dialect in subject.dialects.values():
            client = dialect.client["chat"]
            whole, pieces = (
                _translated(BridgeStream(codec.decoder(counter()), client.encoder(_reply()), {}), chunks)
                for chunks in ([data], cut)
            )
            assert whole == pieces, f"to {dialect.name}, cut at {edges}: {pieces!r}\nis not\n{whole!r}"

    subject.check(st.tuples(strategies.requests(subject.model), st.lists(st.integers(0, 10_000), max_size=20)), law)


def _simulated(subject: Subject, body: dict[str, Any], *, stream: bool) -> bytes:
    """Return the upstream's bytes for a chat request, rendered in its dialect."""
    asked = {**body, "stream": stream, **({"stream_options": {"include_usage": True}} if stream else {})}
    route = Route(dialect="openai_chat", operation="chat")
    request = subject.dialects["openai_chat"].client["chat"].parse_request(_json.encode(asked), route)
    codec = subject.upstream.upstream["chat"]
    model = subject.model.partition("/")[2]
    rendered = codec.render_request(request, Target(model=model, capabilities=frozenset({"stream_usage"})))
    path, query = codec.path(model, stream)
    origin, path = url(subject.deployment, path)
    headers = Headers.of({"content-type": "application/json", "authorization": "Bearer k", "x-api-key": "k"})
    headers.set("anthropic-version", "2023-06-01")
    headers.set("x-goog-api-key", "k")
    upstream = Simulator(StillClock())
    asking = Request(method="POST", origin=origin, path=path, query=query, headers=headers, body=rendered.body)

    async def answer() -> bytes:
        response = await upstream.send(asking)
        data = await response.read()
        assert response.status == 200, f"the upstream refused {rendered.body!r}: {data!r}"
        return data

    return run(answer())


def _events(codec: UpstreamCodec[ChatRequest, ChatResponse], data: bytes) -> list[Event]:
    frames = SseDecoder()
    decoder = codec.decoder(counter())
    events = [event for frame in (*frames.feed(data), *frames.close()) for event in decoder.feed(frame)]
    return events + decoder.close()


def _translated(stream: BridgeStream, chunks: list[bytes]) -> bytes:
    frames, encoder = SseDecoder(), SseEncoder()
    out = [client for chunk in chunks for frame in frames.feed(chunk) for client in stream.feed(frame)]
    out += [client for frame in frames.close() for client in stream.feed(frame)]
    return b"".join(encoder.encode(frame) for frame in [*out, *stream.close()])


def _reply() -> Reply:
    return Reply(model="m", id="id-1", created=1_790_000_000, mint=counter(), stream_usage=True)
