import asyncio
import gzip
import time
import zlib
from typing import Any

import msgspec
import pytest

from setu.cassette.library import Library
from setu.cassette.script import Bytes, End, Head, Wait, script
from setu.cassette.shelf import Appender
from setu.errors import CassetteError, ConnectionFailedError, TruncatedError
from setu.http import Ending, Headers
from setu.transport.record import Record
from setu.transport.replay import Replay
from tests.cassette.samples import ANTHROPIC_STREAM, CHAT_STREAM, GEMINI_STREAM, JSON, SSE, request, talk
from tests.cassette.test_redact import ANSWER, SEEDED, SHAPED, TOKEN
from tests.transport.virtual import Upstream, VirtualClock, read_timed

EVENTS = [b"data: 1\n\n", b"data: 2\n\n", b"data: 3\n\n"]
STREAM = (
    Wait(0.1),
    Head(200, Headers.of(SSE)),
    Bytes(EVENTS[0]),
    Wait(0.05),
    Bytes(EVENTS[1]),
    Wait(0.2),
    Bytes(EVENTS[2]),
    End(),
)


class Studio:
    """A recorder in front of an upstream that plays one script."""

    def __init__(self, steps, sink=None, **options):
        self.clock = VirtualClock()
        self.kept: list[Any] = []
        self.told: list[Any] = []
        self.upstream = Upstream(lambda _: steps, self.clock)
        self.transport = Record(
            self.upstream, sink or self.kept.append, self.clock, lambda: "2026-11-20", self.told.append, **options
        )

    async def call(self, asked=None):
        response = await self.transport.send(asked or request())
        return await response.read()


def test_a_call_passes_and_is_kept() -> None:
    studio = Studio(script(200, Headers.of(JSON | {"date": "now", "request-id": "req_1"}), b'{"ok":true}'))

    body = asyncio.run(studio.call())

    [found] = studio.kept
    assert body == b'{"ok":true}'
    assert found.exchange.body == b'{"ok":true}'
    assert found.exchange.end is Ending.COMPLETE
    assert list(found.exchange.headers.items()) == [*JSON.items(), ("request-id", "req_1")]
    assert found.recording.dialect == "anthropic"
    assert found.recording.op == "anthropic.chat"
    assert found.recording.recorded == "2026-11-20"
    assert len(found.recording.key) == 16


def test_a_streams_operation_says_so() -> None:
    studio = Studio(STREAM)

    asyncio.run(studio.call(talk("hi", stream=True)))

    assert studio.kept[0].recording.op == "anthropic.chat.stream"


def test_a_call_of_no_dialect_is_kept_too() -> None:
    studio = Studio(script(200, Headers.of(JSON), b"[]"))

    asyncio.run(studio.call(request(b"", path="/v1/files", method="GET")))

    assert (studio.kept[0].recording.dialect, studio.kept[0].recording.op) == ("", "")


def test_no_chunk_is_delayed_or_changed() -> None:
    async def scenario():
        studio = Studio(STREAM)
        response = await studio.transport.send(request())
        return await read_timed(response, studio.clock)

    assert asyncio.run(scenario()) == [(0.1, EVENTS[0]), (0.15, EVENTS[1]), (0.35, EVENTS[2])]


def test_arrivals_are_kept_by_event() -> None:
    studio = Studio(STREAM)

    asyncio.run(studio.call())

    timing = studio.kept[0].recording.timing
    assert timing is not None
    assert (timing.ttfb_ms, timing.events_ms) == (100, (0, 50, 250))


def test_the_upstream_is_asked_for_plain_bytes_and_the_request_is_not_touched() -> None:
    studio = Studio(STREAM)
    asked = request(headers={"accept-encoding": "gzip, br", "x-api-key": "k"})
    before = asked.headers.copy()

    asyncio.run(studio.call(asked))

    [sent] = studio.upstream.received
    assert sent.headers.getall("accept-encoding") == ["identity"]
    assert sent.headers.get("x-api-key") == "k"
    assert asked.headers == before


@pytest.mark.parametrize(("encoding", "compress"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_a_compressed_answer_passes_as_it_is_and_is_kept_plain(encoding, compress) -> None:
    packed = compress(ANTHROPIC_STREAM)
    headers = Headers.of(SSE | {"content-encoding": encoding})
    studio = Studio(script(200, headers, packed[:20], packed[20:]))

    body = asyncio.run(studio.call())

    [found] = studio.kept
    assert body == packed
    assert found.exchange.body == ANTHROPIC_STREAM
    assert found.recording.wire.enc == encoding
    assert found.recording.timing is not None
    assert "content-encoding" not in found.exchange.headers


def test_an_encoding_nobody_can_undo_is_kept_as_it_came() -> None:
    headers = Headers.of(JSON | {"content-encoding": "br"})
    studio = Studio(script(200, headers, b"\x1b\x02"))

    asyncio.run(studio.call())

    assert studio.kept[0].exchange.body == b"\x1b\x02"
    assert studio.kept[0].exchange.headers.get("content-encoding") == "br"


@pytest.mark.parametrize("end", [Ending.TRUNCATED, Ending.RESET])
def test_a_broken_stream_is_kept_as_broken(end) -> None:
    studio = Studio(script(200, Headers.of(SSE), *EVENTS[:2], end=end))

    with pytest.raises(TruncatedError):
        asyncio.run(studio.call())

    assert studio.kept[0].exchange.end is end
    assert studio.kept[0].exchange.body == b"".join(EVENTS[:2])


def test_a_client_that_leaves_is_noted() -> None:
    async def scenario():
        studio = Studio(STREAM)
        response = await studio.transport.send(request())
        stream = aiter(response.body)
        await anext(stream)
        await response.aclose()
        await response.aclose()
        return studio.kept

    [found] = asyncio.run(scenario())
    assert found.exchange.end is Ending.CLOSED_BY_CLIENT
    assert found.exchange.body == EVENTS[0]


@pytest.mark.parametrize(
    ("last", "end"),
    [
        (b"data: [DONE]\n\n", Ending.COMPLETE),
        (b'event: message_stop\ndata: {"type":"message_stop"}\n\n', Ending.COMPLETE),
        (b'data: {"text":"[DONE]"}\n\n', Ending.CLOSED_BY_CLIENT),
    ],
)
def test_a_client_that_leaves_at_the_last_event_has_heard_it_all(last, end) -> None:
    async def scenario():
        studio = Studio(script(200, Headers.of(SSE), EVENTS[0], last))
        response = await studio.transport.send(request())
        stream = aiter(response.body)
        assert [await anext(stream), await anext(stream)] == [EVENTS[0], last]
        await response.aclose()
        return studio.kept

    assert asyncio.run(scenario())[0].exchange.end is end


def test_no_seeded_secret_reaches_the_disk(tmp_path) -> None:
    """Fifteen places of a request and its answer, through the recorder into a file, and into nobody's message."""
    steps = script(200, ANSWER.headers, *[ANSWER.body[at : at + 7] for at in range(0, len(ANSWER.body), 7)])
    studio = Studio(steps, Appender(tmp_path / "a.yaml", secrets=(TOKEN,)).append, secrets=(TOKEN,))

    body = asyncio.run(studio.call(msgspec.structs.replace(SEEDED)))

    text = (tmp_path / "a.yaml").read_text()
    assert body == ANSWER.body
    assert [secret for secret in ("Zx81", *SHAPED.values()) if secret in text] == []
    assert studio.told == []
    assert "request.headers.x-api-key" in text


def test_a_cancelled_reader_still_leaves_a_recording() -> None:
    async def scenario():
        studio = Studio((Head(200, Headers.of(SSE)), Bytes(EVENTS[0]), Wait(1.0), Bytes(EVENTS[1]), End()))
        started = asyncio.Event()

        async def pause(_):
            started.set()
            await asyncio.Event().wait()

        studio.clock.sleep = pause  # type: ignore[method-assign]  # a clock that stops here
        response = await studio.transport.send(request())

        async def read():
            try:
                await response.read()
            finally:
                await response.aclose()

        reader = asyncio.create_task(read())
        await started.wait()
        reader.cancel()
        await asyncio.gather(reader, return_exceptions=True)
        await studio.transport.aclose()
        return studio.kept

    [found] = asyncio.run(scenario())
    assert found.exchange.end is Ending.CLOSED_BY_CLIENT
    assert found.exchange.body == EVENTS[0]


def test_another_failure_of_the_body_is_an_error() -> None:
    class Failing:
        def __aiter__(self):
            return self

        async def __anext__(self):
            raise OSError("broken")

        async def aclose(self):
            pass

    async def scenario():
        studio = Studio(STREAM)
        original = studio.upstream.send

        async def send(asked):
            response = await original(asked)
            response.body = Failing()
            return response

        studio.upstream.send = send  # type: ignore[method-assign]  # a body that breaks
        with pytest.raises(OSError, match="broken"):
            await studio.call()
        return studio.kept

    [found] = asyncio.run(scenario())
    assert found.exchange.end is Ending.ERROR


def test_an_upstream_that_cannot_be_reached_leaves_no_recording() -> None:
    class Nowhere:
        async def send(self, asked):
            raise ConnectionFailedError("nobody there")

        async def aclose(self):
            pass

    kept: list[Any] = []
    transport = Record(Nowhere(), kept.append, VirtualClock(), lambda: "", kept.append)

    with pytest.raises(ConnectionFailedError):
        asyncio.run(transport.send(request()))
    assert kept == []


@pytest.mark.parametrize(
    ("failure", "sentence"),
    [
        (
            CassetteError("x.yaml cannot be written: No space left on device"),
            "x.yaml cannot be written: No space left on device",
        ),
        (ValueError("sk-secret"), "a recording could not be kept: ValueError"),
    ],
)
def test_a_failing_sink_never_fails_the_call_and_is_told_once(failure, sentence) -> None:
    def sink(_):
        raise failure

    studio = Studio(script(200, Headers.of(SSE), *EVENTS), sink)

    bodies = [asyncio.run(studio.call()) for _ in range(3)]

    assert bodies == [b"".join(EVENTS)] * 3
    assert studio.told == [sentence]


def test_secrets_are_taken_out_before_the_sink() -> None:
    asked = talk("my key is known-value")
    asked.headers.set("x-api-key", "k")
    asked.query = "key=k"
    studio = Studio(script(200, Headers.of(SSE), b"data: known-", b"value\n\n"), secrets=("known-value",))

    body = asyncio.run(studio.call(asked))

    [found] = studio.kept
    assert body == b"data: known-value\n\n"
    assert found.exchange.body == b"data: REDACTED\n\n"
    assert "known-value" not in repr(found.exchange.request.body)
    assert found.recording.redacted == (
        "request.query.key",
        "request.headers.x-api-key",
        "request.body",
        "response.body",
    )
    assert found.recording.timing is not None


def test_a_streamed_request_body_is_passed_on_whole() -> None:
    async def chunks():
        yield b'{"a":'
        yield b"1}"

    asked = request()
    asked.body = chunks()
    studio = Studio(STREAM)

    asyncio.run(studio.call(asked))

    assert studio.upstream.received[0].body == b'{"a":1}'
    assert studio.kept[0].exchange.request.body == b'{"a":1}'


def test_a_slow_sink_holds_up_no_other_stream() -> None:
    async def scenario():
        studio = Studio(STREAM, lambda _: time.sleep(0.2))
        slow = asyncio.create_task(studio.call())
        while len(studio.upstream.received) < 1 or not slow.done():
            before = time.monotonic()
            await asyncio.sleep(0.001)
            assert time.monotonic() - before < 0.15
        return await slow

    assert asyncio.run(scenario()) == b"".join(EVENTS)


def test_closing_closes_the_upstream() -> None:
    studio = Studio(STREAM)

    asyncio.run(studio.transport.aclose())

    assert studio.upstream.closed


BODIES = {
    "anthropic": (ANTHROPIC_STREAM, "/v1/messages"),
    "openai": (CHAT_STREAM, "/v1/chat/completions"),
    "openrouter": (b": OPENROUTER PROCESSING\n\n" + CHAT_STREAM, "/api/v1/chat/completions"),
    "gemini": (GEMINI_STREAM, "/v1beta/models/g:streamGenerateContent"),
    "no final newline": (CHAT_STREAM.rstrip(), "/v1/chat/completions"),
    "binary": (bytes(range(256)), "/v1/audio/speech"),
}


@pytest.mark.parametrize(("body", "path"), BODIES.values(), ids=BODIES)
def test_what_was_recorded_is_what_is_replayed(tmp_path, body, path) -> None:
    """Chunks of five bytes cut every character and event; the replay has the same bytes in whole events."""

    async def scenario():
        chunks = [body[at : at + 5] for at in range(0, len(body), 5)]
        steps = [Head(200, Headers.of(SSE))]
        for chunk in chunks:
            steps += (Wait(0.01), Bytes(chunk))
        studio = Studio((*steps, End()), Appender(tmp_path / "a.yaml").append)
        asked = request({"model": "m", "stream": True}, path=path)
        live = await studio.call(asked)
        clock = VirtualClock()
        player = Replay(Library.load(tmp_path), clock, render_error=lambda *_: b"", speed=1)
        response = await player.send(msgspec.structs.replace(asked, origin=""))
        return live, await read_timed(response, clock), studio.told

    live, replayed, told = asyncio.run(scenario())

    assert told == []
    assert live == body
    assert b"".join(chunk for _, chunk in replayed) == body
    assert replayed[-1][0] == pytest.approx(0.01 * -(-len(body) // 5), abs=0.0051)
