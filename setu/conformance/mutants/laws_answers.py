"""Mutants for the laws of answers, of streams, and of what only the whole gateway can keep."""

from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from functools import partial
from typing import Any

import msgspec

from setu import build
from setu.chat.events import ArgumentsDelta, Ended, Event, Failed, Foreign, PartStarted, ReasoningDelta, UsageSeen
from setu.chat.ids import counter
from setu.chat.parts import ToolCall
from setu.conformance.laws.pair import Pair
from setu.conformance.mutants.codecs import (
    Change,
    Json,
    body,
    both,
    client,
    complete_anyway,
    each,
    frames,
    in_calls,
    in_choices,
    of,
    parsed,
    payloads,
    upstream,
    without,
)
from setu.conformance.mutants.mutant import Mutants
from setu.conformance.target import Target
from setu.dialects.record import Dialect
from setu.errors import ErrorInfo, TruncatedError
from setu.framing.frame import Frame
from setu.framing.sse import SseDecoder
from setu.http import ByteStream, Headers, Request, Response
from setu.ports import Transport

MUTANTS = Mutants()
CHAT, ANTHROPIC = "openai_chat", "anthropic"


def _law(check: str, name: str, about: str, broken: str, change: Change, **more: Any) -> None:
    """Note a mutant of one dialect, to be found between a chat client and Anthropic unless `pair` says otherwise."""
    MUTANTS.law(check, name, about, dialects=of(broken, change), **more)


# Answers -------------------------------------------------------------------------------------------------------------


def _filtered(choice: Json) -> bool:
    return choice.get("finish_reason") == "content_filter"


def _no_object(made: Json) -> Json:
    return without("object")(made) if any(map(_filtered, made["choices"])) else made


def _native_word(choice: Json) -> Json:
    """A word that the client's dialect has no like of, given on."""
    native = choice.get("native_finish_reason")
    return {**choice, "finish_reason": native} if native in ("pause_turn", "model_context_window_exceeded") else choice


def _stop_beats_calls(choice: Json) -> Json:
    stopped = choice.get("native_finish_reason") == "end_turn"
    return {**choice, "finish_reason": "stop"} if stopped and choice["message"].get("tool_calls") else choice


def _uncached(usage: Any) -> Any:
    return None if usage is None else msgspec.structs.replace(usage, cache_read=None)


def _uncached_event(event: Event) -> Event:
    return UsageSeen(usage=_uncached(event.usage)) if isinstance(event, UsageSeen) else event


def _thoughtless(event: Event) -> Event | None:
    return None if isinstance(event, ReasoningDelta) else event


_law("XLT-25", "filtered_object", "An answer that was filtered has no object.", CHAT, body(_no_object))
_law("XLT-26", "native_word", "A finish word of Anthropic reaches a chat client.", CHAT, body(in_choices(_native_word)))
_law(
    "XLT-27",
    "stop_beats_calls",
    "A call whose upstream says stop ends in stop.",
    CHAT,
    body(in_choices(_stop_beats_calls)),
)
_law(
    "XLT-28",
    "uncached",
    "Cached tokens are not told.",
    ANTHROPIC,
    both(
        parsed(lambda response: msgspec.structs.replace(response, usage=_uncached(response.usage))),
        each(_uncached_event),
    ),
)
_law("XLT-29", "thoughtless_stream", "A stream leaves the thinking out.", ANTHROPIC, each(_thoughtless))

# Streams -------------------------------------------------------------------------------------------------------------


def _short_thoughts(event: Event) -> Event:
    return msgspec.structs.replace(event, text=event.text[:8]) if isinstance(event, ReasoningDelta) else event


def _startled(event: Event) -> Event:
    """An event that nobody knows, taken for a broken stream."""
    return Ended(complete=False) if isinstance(event, Foreign) else event


def _thinks(chunk: Json) -> bool:
    return any(
        name.startswith("reasoning") for choice in chunk.get("choices", ()) for name in choice.get("delta") or {}
    )


def _other_model(chunk: Json) -> Json:
    return {**chunk, "model": "thinker"} if _thinks(chunk) else chunk


def _ended_twice(made: list[Frame]) -> list[Frame]:
    return [twice for sent in made for twice in ([sent, sent] if b'"content_filter"' in (sent.data or b"") else [sent])]


def _id_again(call: Json) -> Json:
    return {"id": "call_again", **call} if call["index"] else call


def _latest_call(dialect: Dialect) -> Dialect:
    """Arguments go to the call that was opened last, whatever their index."""
    real = dialect.upstream["chat"].decoder

    class Decoder:
        def __init__(self, mint: Any) -> None:
            self._real, self._last = real(mint), 0

        def feed(self, frame: Frame) -> list[Event]:
            return [self._moved(event) for event in self._real.feed(frame)]

        def close(self) -> list[Event]:
            return list(self._real.close())

        def _moved(self, event: Event) -> Event:
            if isinstance(event, PartStarted) and isinstance(event.value, ToolCall):
                self._last = event.part
            return msgspec.structs.replace(event, part=self._last) if isinstance(event, ArgumentsDelta) else event

    return upstream(dialect, decoder=Decoder)


class _PacketsAreFrames:
    """Each packet is read as if frames began and ended with it."""

    def feed(self, data: bytes) -> list[Frame]:
        decoder = SseDecoder()
        return [*decoder.feed(data), *decoder.close()]

    def close(self) -> list[Frame]:
        return []


class _LinesEndInLf:
    """A carriage return is a part of its line."""

    def __init__(self) -> None:
        self._real = SseDecoder()

    def feed(self, data: bytes) -> list[Frame]:
        return self._real.feed(data.replace(b"\r", b" "))

    def close(self) -> list[Frame]:
        return self._real.close()


def _framed_by(decoder: Any) -> Any:
    return lambda pair: msgspec.structs.replace(pair, framers={"sse": decoder})


MUTANTS.law("XLT-30", "packets_are_frames", "A packet is taken for a frame.", wiring=_framed_by(_PacketsAreFrames))
_law(
    "XLT-31", "short_thoughts", "A piece of thinking is cut after its eighth letter.", ANTHROPIC, each(_short_thoughts)
)
MUTANTS.law("XLT-32", "lines_end_in_lf", "Lines end in LF alone.", wiring=_framed_by(_LinesEndInLf))
_law("XLT-33", "startled", "An event that nobody knows ends the stream.", ANTHROPIC, each(_startled))
_law("XLT-34", "other_model", "Chunks that think have another model.", CHAT, payloads(_other_model))
_law("XLT-35", "ended_twice", "A choice that was filtered ends twice.", CHAT, frames(_ended_twice), implies="XLT-25")
_law(
    "XLT-36",
    "id_again",
    "Each piece of a second call has an id.",
    CHAT,
    payloads(in_calls(_id_again)),
    implies="XLT-25",
)
_law("XLT-37", "latest_call", "Arguments go to the latest call.", CHAT, _latest_call, pair=(ANTHROPIC, CHAT))

# The whole gateway ---------------------------------------------------------------------------------------------------


def _usage_for_all(dialect: Dialect) -> Dialect:
    real = dialect.client["chat"].encoder
    return client(dialect, encoder=lambda reply: real(msgspec.structs.replace(reply, stream_usage=True)))


def _hoarding(dialect: Dialect) -> Dialect:
    """Everything is written at the end."""
    real = dialect.client["chat"].encoder

    class Encoder:
        def __init__(self, reply: Any) -> None:
            self._real = real(reply)
            self._kept: list[Frame] = []
            self.losses = self._real.losses

        def feed(self, event: Event) -> list[Frame]:
            self._kept += self._real.feed(event)
            return self._kept if isinstance(event, (Ended, Failed)) else []

    return client(dialect, encoder=Encoder)


def _wordless(dialect: Dialect) -> Dialect:
    """An error body that is no JSON says nothing."""
    real = dialect.errors.parse

    def parse(status: int, headers: Headers, data: bytes) -> ErrorInfo:
        info = real(status, headers, data)
        return info if data[:1] in (b"{", b"[") else msgspec.structs.replace(info, message="")

    return msgspec.structs.replace(dialect, errors=msgspec.structs.replace(dialect.errors, parse=parse))


class _Unclosed:
    """A body whose source stays open."""

    def __init__(self, inner: ByteStream) -> None:
        self._inner = inner

    def __aiter__(self) -> AsyncIterator[bytes]:
        return aiter(self._inner)

    async def aclose(self) -> None: ...


class _ReadOn(_Unclosed):
    """A body that is read to its end before its source is closed."""

    async def aclose(self) -> None:
        with suppress(TruncatedError):
            async for _ in self._inner:
                pass
        await self._inner.aclose()


class _Leaving:
    """A transport whose answers are left in a way of their own."""

    def __init__(self, inner: Transport, leave: Callable[[ByteStream], ByteStream]) -> None:
        self._inner = inner
        self._leave = leave

    async def send(self, request: Request) -> Response:
        response = await self._inner.send(request)
        if not isinstance(response.body, bytes):
            response.body = self._leave(response.body)
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


def _left(leave: Callable[[ByteStream], ByteStream]) -> Callable[[Pair], Pair]:
    wire = partial(Target, behind=partial(_Leaving, leave=leave))
    return lambda pair: msgspec.structs.replace(pair, wire=wire)


def _one_source(pair: Pair) -> Pair:
    """Ids go on from one gateway to the next, as random ones would."""
    mint = counter()

    class Wired(Target):
        def __init__(self, dialects: Any, deployments: Any, upstream: Any) -> None:
            super().__init__(dialects, deployments, upstream)
            self.gateway = build.gateway(
                deployments, self.tap, dialects=dialects, clock=self.clock, mint=mint, on_call=lambda _call: None
            )

    return msgspec.structs.replace(pair, wire=Wired)


_law("XLT-38", "usage_for_all", "Usage comes though nobody asked for it.", CHAT, _usage_for_all)
_law("XLT-39", "complete_anyway", "A stream that broke off is complete.", ANTHROPIC, each(complete_anyway))
MUTANTS.law("XLT-40", "forgetful", "The upstream stays open when the client leaves.", wiring=_left(_Unclosed))
MUTANTS.law("XLT-40", "read_on", "The upstream is read on when the client has left.", wiring=_left(_ReadOn))
MUTANTS.law("XLT-41", "ids_go_on", "A second gateway goes on with the ids of the first.", wiring=_one_source)
_law("XLT-42", "hoarding", "A stream comes at its end.", CHAT, _hoarding)
_law("XLT-44", "wordless_error", "An error that is no JSON has no message.", ANTHROPIC, _wordless)
