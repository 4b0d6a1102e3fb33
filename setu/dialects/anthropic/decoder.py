"""Anthropic's stream to events.

message_start, then blocks (content_block_start, deltas, content_block_stop), message_delta, message_stop; ping
anywhere. Compatible servers bend this: a delta without its start, an index used twice, thinking inside a text block.
All of these are read; what is not known passes as `Foreign`.
"""

import msgspec

from setu import _json
from setu._json import Json, Raw
from setu.chat.events import (
    ArgumentsDelta,
    CiteAdded,
    Ended,
    Event,
    Failed,
    Finished,
    Foreign,
    Noted,
    PartEnded,
    PartStarted,
    Ping,
    ReasoningDelta,
    SealAdded,
    Started,
    TextDelta,
    UsageSeen,
)
from setu.chat.ids import Mint
from setu.chat.parts import AnyPart, HostedCall, Opaque, Reasoning, Text, ToolCall
from setu.chat.response import Finish
from setu.chat.seals import Extra
from setu.dialects.anthropic.blocks import Known, read_block, read_cite
from setu.dialects.anthropic.errors import info_of
from setu.dialects.anthropic.response import read_finish, said, service_tier
from setu.dialects.anthropic.usage import merge_wire, read_usage
from setu.dialects.anthropic.words import NAME, finish_of
from setu.dialects.reader import Obj, utf8
from setu.dialects.record import json_text
from setu.errors import ErrorInfo, ErrorKind, RemoteDialectError
from setu.framing.frame import Frame


class _Open:
    """A block while it grows: `part` is None while the block is held back because it is opaque."""

    __slots__ = ("grown", "input", "part", "pieces", "value")

    def __init__(self, value: AnyPart, part: int | None) -> None:
        self.value = value
        self.part = part
        self.input: Json | None = None
        self.grown = False
        self.pieces: list[str] = []


class Decoder:
    """Frames in, events out; never raises."""

    def __init__(self, mint: Mint) -> None:
        self._known = Known(mint)
        self._started = False
        self._over = False
        self._stopped = False
        self._said = False
        self._parts = 0
        self._open: dict[int, _Open] = {}
        self._calls = False
        self._finish: Finish | None = None
        self._usage: dict[str, Json] = {}

    def feed(self, frame: Frame) -> list[Event]:
        """Return what a frame means; nothing after an error."""
        data = (frame.data or b"").strip()
        if self._over or not data or data == b"[DONE]":
            # A bare `event: keepalive` is a sign of life (B-SSE-03).
            return [Ping()] if frame.event and not data and not self._over else []
        if data[:1] == b":":  # `data: : keepalive` (B-SSE-01)
            return [Ping()]
        raw = utf8(data)
        try:
            return self._event(Obj(raw, lenient=True), raw, frame.event)
        except (RemoteDialectError, RecursionError):
            if not frame.terminated:
                return []  # the stream was cut inside this frame; `close` says so
            return self._fail(_unreadable())

    def close(self) -> list[Event]:
        """End the stream; it is complete once a stop reason or `message_stop` was seen (B-SSE-18)."""
        if self._over:
            return [Ended(complete=False)]
        complete = self._stopped or self._finish is not None
        events = self._close_all(complete=complete)
        if complete:
            events += self._finished()
        return [*events, Ended(complete=complete)]

    def _event(self, event: Obj, raw: Json, name: str | None) -> list[Event]:
        kind = event.text("type") or name
        match kind:
            case "message_start":
                return self._start(event)
            case "content_block_start":
                return self._block_start(event)
            case "content_block_delta":
                return self._block_delta(event, raw)
            case "content_block_stop":
                return self._block_stop(event.integer("index") or 0, complete=True)
            case "message_delta":
                return self._message_delta(event)
            case "message_stop":
                self._stopped = True
                return [*self._close_all(complete=True), *self._finished()]
            case "ping":
                return [Ping()]
            case "error":
                return self._fail(info_of(200, raw))
        if event.has("error"):
            return self._fail(info_of(200, raw))
        return [Foreign(dialect=NAME, event=kind, raw=raw)]

    def _start(self, event: Obj) -> list[Event]:
        message = event.obj("message")
        if self._started or message is None:
            return []  # a second start would begin the answer anew (B-ANT-04)
        self._started = True
        usage = message.raw("usage")
        for key in ("type", "role", "content", "stop_reason", "stop_sequence", "stop_details"):
            message.members.pop(key, None)
        started = Started(
            id=message.text("id"),
            model=message.text("model"),
            service_tier=service_tier(usage),
            extra=said(message).extra(NAME),
        )
        return [started, *self._use(usage)]

    def _use(self, usage: Json | None) -> list[Event]:
        if usage is None or _json.kind_of(usage) != "object":
            return []
        self._usage = merge_wire(self._usage, _json.split(usage))
        merged = _json.encode({key: Raw(value) for key, value in self._usage.items()})
        return [UsageSeen(usage=read_usage(merged))]

    def _need_start(self) -> list[Event]:
        if self._started:
            return []
        self._started = True
        return [Started()]

    def _block_start(self, event: Obj) -> list[Event]:
        index, raw = event.integer("index") or 0, event.raw("content_block")
        # An index that is still open was never stopped: its block ends here (B-STR-05).
        events = [*self._need_start(), *self._block_stop(index, complete=True)]
        if raw is None or _json.kind_of(raw) != "object":
            return events
        value = read_block(raw, "content_block", self._known, lenient=True)
        return events + self._begin(index, value)

    def _begin(self, index: int, value: AnyPart) -> list[Event]:
        """Open a part: its skeleton first, then whatever content came with its start."""
        if isinstance(value, Opaque):
            self._open[index] = _Open(value, None)
            return []
        part, self._parts = self._parts, self._parts + 1
        opened = self._open[index] = _Open(value, part)
        if isinstance(value, Text):
            skeleton: AnyPart = msgspec.structs.replace(value, text="", cites=())
            events: list[Event] = [TextDelta(part=part, text=value.text)] if value.text else []
            events += [CiteAdded(part=part, cite=cite) for cite in value.cites]
        elif isinstance(value, Reasoning) and not value.redacted:
            skeleton = msgspec.structs.replace(value, text=(), seal=None)
            events = [ReasoningDelta(part=part, text=text) for text in value.text]
            if value.seal is not None:
                events.append(SealAdded(part=part, data=value.seal.data, issuer=NAME))
        elif isinstance(value, ToolCall):
            self._calls = True
            opened.input = value.arguments.encode("utf-8", "surrogatepass")
            skeleton, events = msgspec.structs.replace(value, arguments=""), []
        elif isinstance(value, HostedCall):
            opened.input = value.arguments
            skeleton, events = msgspec.structs.replace(value, arguments=None), []
        else:
            skeleton, events = value, []
        return [PartStarted(part=part, value=skeleton), *events]

    def _block_delta(self, event: Obj, raw: Json) -> list[Event]:
        index, delta = event.integer("index") or 0, event.obj("delta")
        if delta is None:
            return []
        kind = delta.text("type")
        opened = self._open.get(index)
        if opened is not None and opened.part is None:
            _grow(opened, kind, delta)
            return []
        match kind:
            case "text_delta":
                events, part = self._ensure(index, Text(text=""))
                return [*events, TextDelta(part=part, text=delta.text("text") or "")]
            case "thinking_delta":
                events, part = self._ensure(index, Reasoning())
                return [*events, ReasoningDelta(part=part, text=delta.text("thinking") or "")]
            case "signature_delta":
                events, part = self._ensure(index, Reasoning())
                return [*events, SealAdded(part=part, data=delta.text("signature") or "", issuer=NAME)]
            case "citations_delta" if delta.has("citation"):
                events, part = self._ensure(index, Text(text=""))
                return [*events, CiteAdded(part=part, cite=read_cite(delta.raw("citation") or b"null"))]
            case "input_json_delta" if opened is not None and isinstance(opened.value, (ToolCall, HostedCall)):
                return self._arguments(opened, delta.text("partial_json") or "")
            case _:
                return [Foreign(dialect=NAME, event="content_block_delta", raw=raw)]

    def _arguments(self, opened: _Open, text: str) -> list[Event]:
        if not text or opened.part is None:
            return []
        opened.grown = True
        return [ArgumentsDelta(part=opened.part, text=text)]

    def _ensure(self, index: int, wanted: AnyPart) -> tuple[list[Event], int]:
        """Return the open part of the wanted kind, opening it where the stream forgot to (B-ANT-01, B-ANT-04)."""
        opened = self._open.get(index)
        if opened is not None and opened.part is not None and type(opened.value) is type(wanted):
            return [], opened.part
        events = [*self._need_start(), *self._block_stop(index, complete=True), *self._begin(index, wanted)]
        return events, self._parts - 1

    def _block_stop(self, index: int, *, complete: bool) -> list[Event]:
        opened = self._open.pop(index, None)
        if opened is None:
            return []
        if opened.part is None:
            return self._release(opened) if complete else []
        events: list[Event] = []
        if complete and opened.input is not None and not opened.grown:
            # No delta brought arguments: they stood in the start, `{}` for a call without any (B-STR-09, B-ANT-02).
            events.append(ArgumentsDelta(part=opened.part, text=json_text(opened.input)))
        return [*events, PartEnded(part=opened.part)]

    def _release(self, opened: _Open) -> list[Event]:
        """Give out an opaque block, whole."""
        value = opened.value
        if opened.pieces and isinstance(value, Opaque):
            text = "".join(opened.pieces).encode("utf-8", "replace")
            value = msgspec.structs.replace(value, raw=_with_input(value.raw, text))
        part, self._parts = self._parts, self._parts + 1
        return [PartStarted(part=part, value=value), PartEnded(part=part)]

    def _close_all(self, *, complete: bool) -> list[Event]:
        return [event for index in tuple(self._open) for event in self._block_stop(index, complete=complete)]

    def _message_delta(self, event: Obj) -> list[Event]:
        events = self._need_start()
        delta = event.obj("delta")
        if delta is not None:
            finish = read_finish(delta, calls=False)
            self._finish = finish or self._finish
        events += self._use(event.raw("usage"))
        members = (said(delta).members if delta else {}) | said(event).members
        if members:
            events.append(Noted(extra=Extra(dialect=NAME, members=members)))
        return events

    def _finished(self) -> list[Event]:
        """Say how it ended; held until now, because a call in any block outweighs a plain stop (B-STR-14)."""
        if self._said:
            return []
        self._said = True
        seen = self._finish or Finish(reason="stop")
        finish = finish_of(seen.native, calls=self._calls, stop_sequence=seen.stop_sequence, detail=seen.detail)
        return [*self._need_start(), Finished(candidate=0, finish=finish)]

    def _fail(self, info: ErrorInfo) -> list[Event]:
        events = self._close_all(complete=False)
        self._over = True
        return [*events, Failed(error=info)]


def _grow(opened: _Open, kind: str | None, delta: Obj) -> None:
    """Add a delta of any kind to a block of any kind: strings continue, all else replaces."""
    if kind == "input_json_delta":
        opened.pieces.append(delta.text("partial_json") or "")
        return
    if not isinstance(opened.value, Opaque):
        return
    members = _json.split(opened.value.raw)
    changes: dict[str, Json] = {}
    for key, value in delta.members.items():
        before = members.get(key, b"null")
        both = _json.kind_of(before) == _json.kind_of(value) == "string"
        changes[key] = before.rstrip()[:-1] + value.lstrip()[1:] if both else value
    raw = _json.encode({key: Raw(value) for key, value in (members | changes).items()})
    opened.value = msgspec.structs.replace(opened.value, raw=raw)


def _with_input(raw: Json, text: bytes) -> Json:
    """Return a block with the input that its deltas spelt, if they spelt JSON."""
    try:
        _json.decode(text)
    except _json.JsonError:
        return raw
    return _json.encode({key: Raw(value) for key, value in (_json.split(raw) | {"input": text}).items()})


def _unreadable() -> ErrorInfo:
    return ErrorInfo(
        kind=ErrorKind.BAD_GATEWAY,
        status=502,
        message="the upstream sent an event that is not JSON",
        code="bad_upstream_response",
    )
