"""Response events to canonical ones. Liberal: hosts leave out events, numbers and whole items."""

import re
from collections.abc import Callable
from typing import ClassVar

from setu import _json
from setu._json import kind_of
from setu.chat.events import Ended, Event, Failed, Finished, Foreign, Noted, Ping, Started, UsageSeen
from setu.chat.ids import Mint
from setu.chat.request import Message
from setu.chat.response import Finish
from setu.dialects.openai_responses.content import parse_part
from setu.dialects.openai_responses.errors import answer_error, event_error
from setu.dialects.openai_responses.growing import Item
from setu.dialects.openai_responses.response import head_extra, parse_output_item
from setu.dialects.openai_responses.usage import parse_usage
from setu.dialects.openai_responses.words import NAME, finish_of
from setu.dialects.reader import Obj
from setu.errors import DialectError, ErrorInfo, ErrorKind
from setu.framing.frame import Frame

_PROGRESS = re.compile(r"response\.[a-z_]+_call\.([a-z_]+)")
_TERMINAL = {"response.completed": "completed", "response.incomplete": "incomplete", "response.failed": "failed"}


class ResponsesDecoder:
    """One stream. Terminal condition: `response.completed`, `.incomplete` or `.failed` was seen."""

    def __init__(self, mint: Mint) -> None:
        self._mint = mint
        self._parts = 0
        self._items: dict[int, Item] = {}
        self._places: dict[str, int] = {}
        self._started = False
        self._over = False
        self._complete = False

    def feed(self, frame: Frame) -> list[Event]:
        """Return the events of one frame."""
        if self._over:
            return []
        if frame.data is None:
            return [Ping()] if frame.comment is not None else []
        data = frame.data.strip()
        if not data or data == b"[DONE]":  # OpenRouter and Open Responses end with chat's mark
            return []
        events: list[Event] = []
        try:
            self._event(data, frame.event, events)
        except (DialectError, _json.JsonError) as error:
            if frame.terminated:
                self._fail(_broken(f"the upstream's stream is not valid: {error}"), events)
        return events

    def close(self) -> list[Event]:
        """End the stream; complete only if it said so itself."""
        events: list[Event] = []
        if not self._over:
            self._abandon(events)
        self._over = True
        return [*events, Ended(complete=self._complete)]

    def _event(self, data: bytes, name: str | None, events: list[Event]) -> None:
        obj = Obj(data, lenient=True)
        kind = obj.text("type") or name or ""
        handle = self._HANDLERS.get(kind)
        if handle is not None:
            handle(self, obj, events)
        elif kind in _TERMINAL:
            self._end(obj, _TERMINAL[kind], events)
        elif kind == "error" or (not kind and obj.raw("error") is not None):
            self._fail(event_error(Obj(data, lenient=True)), events)
        elif kind == "keepalive":
            events.append(Ping())
        elif (progress := _PROGRESS.fullmatch(kind)) is not None:
            self._of(obj, "", b"{}", events).status(progress[1], events)
        elif kind not in _COPIES:
            events.append(Foreign(dialect=NAME, event=kind or None, raw=data))

    def _fail(self, info: ErrorInfo, events: list[Event]) -> None:
        self._abandon(events)
        self._over = True
        events.append(Failed(error=info))

    def _abandon(self, events: list[Event]) -> None:
        for item in self._items.values():
            item.abandon(events)

    def _head(self, obj: Obj, events: list[Event]) -> None:
        self._start(obj.obj("response"), events)

    def _start(self, response: Obj | None, events: list[Event]) -> None:
        """Yield `Started` once, from whatever comes first."""
        if self._started:
            return
        self._started = True
        if response is None:
            events.append(Started())
            return
        created = response.number("created_at")
        events.append(
            Started(
                id=response.text("id") or None,
                model=response.text("model") or None,
                created=int(created) if created else None,
            )
        )

    def _of(self, obj: Obj, kind: str, raw: bytes, events: list[Event]) -> Item:
        """Return the item that an event belongs to: by its place, else by its id, else a new one."""
        self._start(None, events)
        index, identity = obj.integer("output_index"), obj.text("item_id")
        if index is None and identity is not None:
            index = self._places.get(identity)
        if index is None:
            index = len(self._items)
        item = self._items.get(index)
        if item is None:
            skeleton = Obj(raw, "item", lenient=True)
            if kind and not skeleton.has("type"):
                skeleton = Obj(b'{"type":"%b"}' % kind.encode(), "item", lenient=True)
            item = self._items[index] = Item(index, skeleton, self._next_part, self._parse)
            item.start(raw if raw != b"{}" else b'{"type":"%b"}' % kind.encode(), events)
            if item.id is not None:
                self._places[item.id] = index
            if identity is not None:
                self._places[identity] = index
        return item

    def _parse(self, raw: bytes) -> Message:
        return parse_output_item(raw, "item", self._mint)

    def _next_part(self) -> int:
        self._parts += 1
        return self._parts - 1

    def _added(self, obj: Obj, events: list[Event]) -> None:
        raw = obj.raw("item")
        if raw is not None and kind_of(raw) == "object":
            self._of(obj, "", raw, events)

    def _item_done(self, obj: Obj, events: list[Event]) -> None:
        raw = obj.raw("item")
        if raw is not None and kind_of(raw) == "object":
            self._of(obj, "", raw, events).finish(raw, events)

    def _content_added(self, obj: Obj, events: list[Event]) -> None:
        raw = obj.raw("part")
        item = self._of(obj, "message", b"{}", events)
        if raw is not None and kind_of(raw) == "object" and item.kind == "message":
            item.content(obj.integer("content_index") or 0, parse_part(raw, "part", lenient=True), events)

    def _content_done(self, obj: Obj, events: list[Event]) -> None:
        raw = obj.raw("part")
        item = self._of(obj, "message", b"{}", events)
        if raw is not None and kind_of(raw) == "object" and item.kind == "message":
            item.finish_content(obj.integer("content_index") or 0, raw, events)

    def _text(self, obj: Obj, events: list[Event]) -> None:
        item = self._of(obj, "message", b"{}", events)
        item.text(obj.integer("content_index") or 0, obj, refusal=False, events=events)

    def _refusal(self, obj: Obj, events: list[Event]) -> None:
        item = self._of(obj, "message", b"{}", events)
        item.text(obj.integer("content_index") or 0, obj, refusal=True, events=events)

    def _annotation(self, obj: Obj, events: list[Event]) -> None:
        raw = obj.raw("annotation")
        if raw is not None and kind_of(raw) == "object":
            self._of(obj, "message", b"{}", events).cite(obj.integer("content_index") or 0, raw, events)

    def _thought(self, obj: Obj, events: list[Event]) -> None:
        item = self._of(obj, "reasoning", b"{}", events)
        text, summary = obj.text("delta"), obj.has("summary_index")
        section = obj.integer("summary_index" if summary else "content_index") or 0
        if text and item.part is not None and item.part.open and section >= 0:
            item.part.say(text, events, section=section, summary=summary)

    def _arguments(self, obj: Obj, events: list[Event]) -> None:
        item = self._of(obj, "function_call", b"{}", events)
        text = obj.text("delta")
        if text and item.is_call and item.part is not None and item.part.open:
            item.part.say(text, events)

    def _arguments_done(self, obj: Obj, events: list[Event]) -> None:
        item = self._of(obj, "function_call", b"{}", events)
        text = obj.text("arguments") or obj.text("input")
        if text and item.is_call and item.part is not None and item.part.open:
            item.part.complete(text, events)

    def _end(self, obj: Obj, status: str, events: list[Event]) -> None:
        """Take the terminal event: items nobody streamed, usage whatever the outcome (B-USG-09), the finish."""
        raw = obj.raw("response") or b"{}"
        response = Obj(raw if kind_of(raw) == "object" else b"{}", "response", lenient=True)
        self._start(Obj(raw, "response", lenient=True) if kind_of(raw) == "object" else None, events)
        for index, item in enumerate(response.array("output") or ()):
            if kind_of(item) == "object":
                self._missed(index, item, events)
        self._abandon(events)
        usage = parse_usage(response.raw("usage"))
        if usage is not None:
            events.append(UsageSeen(usage=usage))
        status = response.text("status") or status
        details = response.obj("incomplete_details")
        reason = details.text("reason") if details is not None else None
        if status == "failed":
            self._fail(answer_error(response.raw("error")), events)
            return
        for key in ("id", "model", "created_at", "output"):
            response.raw(key)
        tier, extra = response.text("service_tier"), head_extra(response)
        if tier is not None or extra is not None:
            events.append(Noted(service_tier=tier, extra=extra))
        calls = any(item.is_call for item in self._items.values())
        finish = Finish(reason=finish_of(status, reason, calls=calls), native=reason or status)
        events.append(Finished(candidate=0, finish=finish))
        self._over = self._complete = True

    def _missed(self, index: int, raw: bytes, events: list[Event]) -> None:
        """Tell an item that only the last event shows."""
        obj = Obj(raw, "item", lenient=True)
        identity, kind = obj.text("id"), obj.text("type") or ""
        item = self._items.get(self._places.get(identity or "", index))
        if item is not None and (item.closed or item.kind != kind):
            return
        if item is None:
            place = Obj(b'{"output_index":%d}' % index, lenient=True)
            item = self._of(place, kind, raw, events)
        item.finish(raw, events)

    _HANDLERS: ClassVar[dict[str, Callable[["ResponsesDecoder", Obj, list[Event]], None]]] = {
        "response.created": _head,
        "response.in_progress": _head,
        "response.queued": _head,
        "response.output_item.added": _added,
        "response.output_item.done": _item_done,
        "response.content_part.added": _content_added,
        "response.content_part.done": _content_done,
        "response.output_text.delta": _text,
        "response.refusal.delta": _refusal,
        "response.output_text.annotation.added": _annotation,
        "response.reasoning_text.delta": _thought,
        "response.reasoning_summary_text.delta": _thought,
        "response.function_call_arguments.delta": _arguments,
        "response.function_call_arguments.done": _arguments_done,
        "response.custom_tool_call_input.delta": _arguments,
        "response.custom_tool_call_input.done": _arguments_done,
    }


_COPIES = frozenset(
    {
        "response.output_text.done",
        "response.refusal.done",
        "response.reasoning_text.done",
        "response.reasoning_summary_text.done",
        "response.reasoning_summary_part.added",
        "response.reasoning_summary_part.done",
        "response.code_interpreter_call_code.delta",
        "response.code_interpreter_call_code.done",
        "response.mcp_call_arguments.delta",
        "response.mcp_call_arguments.done",
    }
)
"""Events that say nothing which another does not say as well: the item's last form is theirs too."""


def _broken(message: str) -> ErrorInfo:
    return ErrorInfo(kind=ErrorKind.BAD_GATEWAY, status=502, message=message, code="bad_upstream_response")
