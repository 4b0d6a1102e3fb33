"""ConverseStream's messages to events.

messageStart, then blocks (contentBlockStart for a tool's only, deltas, contentBlockStop), messageStop, metadata; an
exception may stand anywhere. A block's kind is known from its first delta.
"""

from typing import Any

import msgspec

from setu import _json
from setu._json import Json
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
    ReasoningDelta,
    SealAdded,
    Started,
    TextDelta,
    UsageSeen,
)
from setu.chat.ids import Mint
from setu.chat.parts import AnyPart, HostedCall, HostedResult, Inline, Media, Reasoning, Text, ToolCall
from setu.dialects.bedrock.blocks import read_block, read_cite, reopened, unredacted
from setu.dialects.bedrock.errors import of_exception
from setu.dialects.bedrock.response import said, service_tier, stop_sequence
from setu.dialects.bedrock.usage import read_usage
from setu.dialects.bedrock.words import NAME, finish_of
from setu.dialects.claude import ISSUER
from setu.dialects.reader import Obj, utf8
from setu.errors import ErrorInfo, ErrorKind, RemoteDialectError
from setu.framing.frame import Frame


class _Open:
    """A block while it grows: `part` is None while it is held back, because it can only be given whole."""

    __slots__ = ("grown", "part", "pieces", "value")

    def __init__(self, value: AnyPart, part: int | None) -> None:
        self.value = value
        self.part = part
        self.grown = False
        self.pieces: list[Json] = []


class Decoder:
    """Frames in, events out; never raises."""

    def __init__(self, mint: Mint) -> None:
        self._mint = mint
        self._started = False
        self._over = False
        self._finished = False
        self._parts = 0
        self._open: dict[int, _Open] = {}
        self._calls = False

    def feed(self, frame: Frame) -> list[Event]:
        """Return what a frame means; nothing after an error."""
        if self._over:
            return []
        if frame.flaw is not None:
            return self._fail(_unreadable(frame.flaw))
        if not frame.terminated or frame.data is None:
            return []  # the stream was cut inside this frame; `close` says so
        if _is_exception(frame):
            return self._fail(_exception(frame))
        raw = utf8(frame.data)
        try:
            return self._event(frame.event, Obj(raw, lenient=True), raw)
        except (RemoteDialectError, RecursionError):
            return self._fail(_unreadable("the upstream sent an event that is not JSON"))

    def close(self) -> list[Event]:
        """End the stream; it is complete once its stop reason was seen."""
        if self._over:
            return [Ended(complete=False)]
        return [*self._close_all(complete=self._finished), Ended(complete=self._finished)]

    def _event(self, name: str | None, event: Obj, raw: Json) -> list[Event]:
        index = event.integer("contentBlockIndex") or 0
        match name:
            case "messageStart":
                return self._need_start()
            case "contentBlockStart":
                return self._block_start(index, event.raw("start"))
            case "contentBlockDelta":
                return self._block_delta(index, event.obj("delta"))
            case "contentBlockStop":
                return self._block_stop(index, complete=True)
            case "messageStop":
                return self._message_stop(event)
            case "metadata":
                return self._metadata(event)
        return [Foreign(dialect=NAME, event=name, raw=raw)]

    def _need_start(self) -> list[Event]:
        if self._started:
            return []
        self._started = True
        return [Started()]

    def _block_start(self, index: int, raw: Json | None) -> list[Event]:
        # An index that is still open was never stopped: its block ends here.
        events = [*self._need_start(), *self._block_stop(index, complete=True)]
        if raw is None or _json.kind_of(raw) != "object" or raw.strip(b"{} \t\r\n") == b"":
            return events
        value = _image_start(raw) or read_block(raw, self._mint)
        if isinstance(value, Text):  # Setu's own tool: its input is the answer
            value = Text(text="")
        return events + self._begin(index, value)

    def _begin(self, index: int, value: AnyPart) -> list[Event]:
        if isinstance(value, (HostedResult, Media)):
            self._open[index] = _Open(value, None)
            return []
        if not isinstance(value, (Text, Reasoning, ToolCall, HostedCall)):
            return []
        if isinstance(value, ToolCall):
            self._calls = True
            value = msgspec.structs.replace(value, arguments="")
        elif isinstance(value, HostedCall):
            value = msgspec.structs.replace(value, arguments=None)
        part, self._parts = self._parts, self._parts + 1
        self._open[index] = _Open(value, part)
        return [PartStarted(part=part, value=value)]

    def _block_delta(self, index: int, delta: Obj | None) -> list[Event]:
        if delta is None:
            return []
        if delta.has("text"):
            events, part = self._ensure(index, Text(text=""))
            return [*events, TextDelta(part=part, text=delta.text("text") or "")]
        if delta.has("toolUse"):
            return self._input(index, delta.obj("toolUse"))
        if delta.has("reasoningContent"):
            return self._reasoning(index, delta.obj("reasoningContent"))
        if delta.has("citation"):
            events, part = self._ensure(index, Text(text=""))
            return [*events, CiteAdded(part=part, cite=read_cite(delta.raw("citation") or b"null"))]
        opened = self._open.get(index)
        if opened is not None and opened.part is None:
            _grow(opened, delta)
        return []

    def _input(self, index: int, use: Obj | None) -> list[Event]:
        """Add to a call's input; to a text's where the call is Setu's own."""
        opened, text = self._open.get(index), use.text("input") if use else None
        if opened is None or opened.part is None or not text:
            return []
        if isinstance(opened.value, Text):
            return [TextDelta(part=opened.part, text=text)]
        if not isinstance(opened.value, (ToolCall, HostedCall)):
            return []
        opened.grown = True
        return [ArgumentsDelta(part=opened.part, text=text)]

    def _reasoning(self, index: int, content: Obj | None) -> list[Event]:
        if content is None:
            return []
        redacted = content.text("redactedContent")
        if redacted is not None:
            events, part = self._ensure(index, Reasoning(redacted=True))
            return [*events, SealAdded(part=part, data=unredacted(redacted), issuer=ISSUER, kind="redacted")]
        events, part = self._ensure(index, Reasoning())
        text, signature = content.text("text"), content.text("signature")
        if text is not None:
            events.append(ReasoningDelta(part=part, text=text))
        if signature:
            events.append(SealAdded(part=part, data=signature, issuer=ISSUER))
        return events

    def _ensure(self, index: int, wanted: AnyPart) -> tuple[list[Event], int]:
        """Return the open part of the wanted kind, opening it: a text and a reasoning have no start."""
        opened = self._open.get(index)
        if opened is not None and opened.part is not None and _alike(opened.value, wanted):
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
        if complete and isinstance(opened.value, (ToolCall, HostedCall)) and not opened.grown:
            # A call without arguments may have no delta at all (B-STR-09).
            events.append(ArgumentsDelta(part=opened.part, text="{}"))
        return [*events, PartEnded(part=opened.part)]

    def _release(self, opened: _Open) -> list[Event]:
        """Give out a block that was held back."""
        part, self._parts = self._parts, self._parts + 1
        value = opened.value
        if isinstance(value, HostedResult):
            value = reopened(value, opened.pieces)
        return [PartStarted(part=part, value=value), PartEnded(part=part)]

    def _close_all(self, *, complete: bool) -> list[Event]:
        return [event for index in tuple(self._open) for event in self._block_stop(index, complete=complete)]

    def _message_stop(self, event: Obj) -> list[Event]:
        if self._finished:
            return []
        events = [*self._need_start(), *self._close_all(complete=True)]
        self._finished = True
        finish = finish_of(event.text("stopReason"), calls=self._calls, stop_sequence=stop_sequence(event))
        extra = said(event)
        return [*events, Finished(candidate=0, finish=finish), *([Noted(extra=extra)] if extra else [])]

    def _metadata(self, event: Obj) -> list[Event]:
        usage, tier, extra = read_usage(event.raw("usage")), service_tier(event), said(event)
        events = self._need_start()
        if usage is not None:
            events.append(UsageSeen(usage=usage))
        if tier is not None or extra is not None:
            events.append(Noted(service_tier=tier, extra=extra))
        return events

    def _fail(self, info: ErrorInfo) -> list[Event]:
        events = self._close_all(complete=False)
        self._over = True
        return [*events, Failed(error=info)]


def _alike(one: AnyPart, other: AnyPart) -> bool:
    if isinstance(one, Reasoning) and isinstance(other, Reasoning):
        return one.redacted == other.redacted
    return type(one) is type(other)


def _image_start(raw: Json) -> Media | None:
    image = Obj(raw, lenient=True).obj("image")
    if image is None:
        return None
    return Media(kind="image", source=Inline(b64="", mime=f"image/{image.text('format') or 'png'}"))


def _grow(opened: _Open, delta: Obj) -> None:
    """Add a delta to a block that is given whole."""
    if isinstance(opened.value, HostedResult):
        opened.pieces += delta.array("toolResult") or []
    elif isinstance(opened.value, Media) and isinstance(opened.value.source, Inline):
        image = delta.obj("image")
        source = image.obj("source") if image else None
        grown = opened.value.source.b64 + ((source.text("bytes") if source else None) or "")
        inline = msgspec.structs.replace(opened.value.source, b64=grown)
        opened.value = msgspec.structs.replace(opened.value, source=inline)


def _headers(frame: Frame) -> dict[str, Any]:
    return {header.name: header.value for header in frame.headers}


def _is_exception(frame: Frame) -> bool:
    return _headers(frame).get(":message-type") in ("exception", "error")


def _exception(frame: Frame) -> ErrorInfo:
    """Read an exception; an unmodelled error has its words in its headers."""
    said_in_headers = _headers(frame).get(":error-message")
    data = frame.data or b""
    if isinstance(said_in_headers, str) and not data:
        data = _json.encode({"message": said_in_headers})
    return of_exception(frame.event, data)


def _unreadable(message: str) -> ErrorInfo:
    return ErrorInfo(kind=ErrorKind.BAD_GATEWAY, status=502, message=message, code="bad_upstream_response")
