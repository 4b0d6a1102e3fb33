"""Cohere's stream to events.

Each event names itself in its data (`type`), so server-sent events and lines of JSON read alike. The stream is
complete with `message-end`. Source: docs.cohere.com/docs/streaming, read 2026-11-20.
"""

from setu import _json
from setu._json import Json, JsonError
from setu.chat.events import (
    ArgumentsDelta,
    CiteAdded,
    Ended,
    Event,
    Failed,
    Finished,
    Foreign,
    PartEnded,
    PartStarted,
    Ping,
    ReasoningDelta,
    Started,
    TextDelta,
    UsageSeen,
)
from setu.chat.ids import Mint
from setu.chat.parts import Reasoning, Text, ToolCall
from setu.chat.response import Finish
from setu.dialects.cohere.content import call_arguments, parse_cite, parse_logprob
from setu.dialects.cohere.errors import error_info, is_error
from setu.dialects.cohere.usage import parse_usage
from setu.dialects.cohere.words import NAME, finish_of
from setu.dialects.reader import Obj
from setu.errors import DialectError, ErrorInfo, ErrorKind
from setu.framing.frame import Frame

_PLAN = "plan"
_TEXT = "text"
_THINKING = "thinking"


class Decoder:
    """Eats frames of server-sent events or of lines; any oddity costs at most the event it stands in."""

    def __init__(self, mint: Mint) -> None:
        self._mint = mint
        self._parts = 0
        self._open: tuple[int, str] | None = None
        """The text, thought or plan that may still grow: its handle and what it is."""
        self._call: int | None = None
        self._ids: set[str] = set()
        self._started = False
        self._over = False
        self._finish: Finish | None = None

    def feed(self, frame: Frame) -> list[Event]:
        """Return the events of one frame."""
        data = (frame.data or b"").strip()
        if self._over:
            return []
        if not data or data == b"[DONE]":
            return [Ping()] if frame.comment is not None else []
        try:
            return self._event(data, frame.event)
        except (DialectError, JsonError, RecursionError) as error:
            if not frame.terminated:
                return []  # cut off: `close` reports it
            message = f"The upstream sent an event that cannot be read: {error}"
            return self._fail(ErrorInfo(kind=ErrorKind.BAD_GATEWAY, status=502, message=message))

    def close(self) -> list[Event]:
        """Close what is open; complete only after `message-end`."""
        events = [] if self._over else self._end()
        if self._over or self._finish is None:
            return [*events, Ended(complete=False)]
        finish = finish_of(self._finish.native, calls=bool(self._ids)) or self._finish
        return [*events, Finished(candidate=0, finish=finish), Ended(complete=True)]

    def _event(self, data: Json, name: str | None) -> list[Event]:
        obj = Obj(data, lenient=True)
        if is_error(obj):
            return self._fail(error_info(data))
        kind = obj.text("type") or name
        if kind == "message-start":
            return self._start(obj.text("id"))
        events = self._start(None)
        delta = obj.obj("delta")
        match kind:
            case "message-end":
                return [*events, *self._ended(delta or Obj(b"{}", lenient=True), data)]
            case "content-start" | "content-delta":
                return [*events, *self._content(obj, _message(delta), fresh=kind == "content-start")]
            case "tool-plan-delta":
                return [*events, *self._grow(_PLAN, _message(delta).text("tool_plan") or "")]
            case "tool-call-start":
                return [*events, *self._called(_message(delta).obj("tool_calls"))]
            case "tool-call-delta":
                return [*events, *self._arguments(_message(delta).obj("tool_calls"))]
            case "tool-call-end":
                return [*events, *self._call_ended()]
            case "citation-start":
                return [*events, *self._cited(_message(delta).raw("citations"), data)]
            case "content-end" | "citation-end":
                return events  # a citation of the content may still come
        return [*events, Foreign(dialect=NAME, event=kind, raw=data)]

    def _start(self, identity: str | None) -> list[Event]:
        if self._started:
            return []
        self._started = True
        return [Started(id=identity)]

    def _content(self, obj: Obj, message: Obj, *, fresh: bool) -> list[Event]:
        content = message.obj("content")
        if content is None:
            return []
        thought, text = content.text("thinking"), content.text("text")
        kind = _THINKING if thought is not None or content.text("type") == _THINKING else _TEXT
        events = self._end() if fresh else []
        logprobs = obj.obj("logprobs")
        entry = parse_logprob(logprobs) if logprobs is not None and kind == _TEXT else None
        spelt = None if entry is None else (_json.encode(entry),)
        return [*events, *self._grow(kind, thought or text or "", spelt)]

    def _grow(self, kind: str, text: str, logprobs: tuple[Json, ...] | None = None) -> list[Event]:
        """Extend the open text, thought or plan, or open one with its first word."""
        if not text:
            return []
        events: list[Event] = []
        if self._open is None or self._open[1] != kind:
            events = self._end()
            self._open = (self._handle(), kind)
            skeleton = Text(text="") if kind == _TEXT else Reasoning()
            events.append(PartStarted(part=self._open[0], value=skeleton))
        handle = self._open[0]
        if kind == _TEXT:
            return [*events, TextDelta(part=handle, text=text, logprobs=logprobs)]
        return [*events, ReasoningDelta(part=handle, text=text)]

    def _called(self, call: Obj | None) -> list[Event]:
        """Open a call; an id that is missing or was given before is made afresh (B-STR-06)."""
        function = call.obj("function") if call is not None else None
        if call is None or function is None:
            return []
        events = self._end()
        identity = call.text("id") or ""
        while not identity or identity in self._ids:
            identity = self._mint("call_")
        self._ids.add(identity)
        self._call = self._handle()
        value = ToolCall(call_id=identity, name=function.text("name") or "", arguments="")
        return [*events, PartStarted(part=self._call, value=value), *self._argue(function)]

    def _arguments(self, call: Obj | None) -> list[Event]:
        function = call.obj("function") if call is not None else None
        return [] if function is None else self._argue(function)

    def _argue(self, function: Obj) -> list[Event]:
        text = call_arguments(function)
        return [ArgumentsDelta(part=self._call, text=text)] if text and self._call is not None else []

    def _call_ended(self) -> list[Event]:
        handle, self._call = self._call, None
        return [] if handle is None else [PartEnded(part=handle)]

    def _cited(self, raw: Json | None, data: Json) -> list[Event]:
        cite = parse_cite(raw) if raw is not None else None
        if cite is None or self._open is None or self._open[1] != _TEXT:
            return [Foreign(dialect=NAME, event="citation-start", raw=data)]
        return [CiteAdded(part=self._open[0], cite=cite)]

    def _ended(self, delta: Obj, data: Json) -> list[Event]:
        """Read the last event; one with an `error` is no answer, whatever came before it."""
        events = self._end()
        usage = parse_usage(delta)
        if usage is not None:
            events.append(UsageSeen(usage=usage))
        error = delta.text("error")
        if error is not None:
            kind, status = ErrorKind.SERVER, 500
            info = ErrorInfo(kind=kind, status=status, message=error, type=delta.text("error_type"), raw=data)
            return [*events, *self._fail(info)]
        self._finish = finish_of(delta.text("finish_reason"), calls=False)
        return events

    def _end(self) -> list[Event]:
        """Close what is open."""
        events = self._call_ended()
        if self._open is not None:
            events.append(PartEnded(part=self._open[0]))
            self._open = None
        return events

    def _fail(self, info: ErrorInfo) -> list[Event]:
        self._over = True
        return [*self._end(), Failed(error=info)]

    def _handle(self) -> int:
        self._parts += 1
        return self._parts - 1


def _message(delta: Obj | None) -> Obj:
    """Return the message of an event's delta, or an empty one."""
    message = delta.obj("message") if delta is not None else None
    return message if message is not None else Obj(b"{}", lenient=True)
