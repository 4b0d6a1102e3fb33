"""Events to the stream of a response: numbered from 0 without a gap, named as their type, one terminal event."""

from typing import Any

from setu import _json
from setu._json import Json
from setu.chat.events import (
    DELTAS,
    Ended,
    Event,
    Failed,
    Finished,
    Foreign,
    Noted,
    PartEnded,
    PartStarted,
    Ping,
    Started,
    TextDelta,
    UsageSeen,
)
from setu.chat.fold import Fold
from setu.chat.parts import AnyPart, Reasoning, Refusal, Text, ToolCall
from setu.chat.response import Finish, Usage
from setu.chat.seals import Extra
from setu.chat.usage import merge as merge_usage
from setu.dialects.extras import dump, lose
from setu.dialects.openai_responses.answer import echo, head_of, item_id, kind_of_item, render_item, status_of, tail
from setu.dialects.openai_responses.errors import error_event, failure
from setu.dialects.openai_responses.speaking import (
    CallItem,
    Content,
    MessageItem,
    Speaking,
    Speech,
    ThoughtItem,
    WholeItem,
)
from setu.dialects.openai_responses.usage import render_usage
from setu.dialects.record import Loss, Reply
from setu.errors import ErrorInfo, ErrorKind, TruncatedError
from setu.framing.frame import Frame

_TERMINAL = {"completed": "response.completed", "incomplete": "response.incomplete", "failed": "response.failed"}
_BROKEN_OFF = ErrorInfo(kind=ErrorKind.SERVER, status=500, message="the model broke off its answer")


class ResponsesEncoder:
    """One client stream. An item closes when the next one opens, or at the end, when it is known how it ended."""

    def __init__(self, reply: Reply) -> None:
        self.losses: list[Loss] = []
        self._reply = reply
        self._frames: list[Frame] = []
        self._number = 0
        self._head: dict[str, Any] = head_of(None, None, None, reply)
        self._echo = echo(reply.asked)
        self._items: list[Speaking] = []
        self._parts: dict[int, Speaking | Content | Fold] = {}
        self._speech = Speech(self._emit, self.losses, reply.asked)
        self._message: MessageItem | None = None
        """The message that the next text may join."""
        self._candidate: int | None = None
        self._finish: Finish | None = None
        self._blocked = False
        self._refused = False
        self._usage: Usage | None = None
        self._tier: str | None = None
        self._extras: list[Extra] = []
        self._started = False
        self._over = False

    def feed(self, event: Event) -> list[Frame]:
        """Return the frames of one event."""
        if not self._over:
            self._feed(event)
        frames, self._frames = self._frames, []
        return frames

    def _feed(self, event: Event) -> None:
        if isinstance(event, (PartStarted, PartEnded, *DELTAS)):
            self._part(event)
            return
        match event:
            case Started():
                self._start(event)
            case Finished():
                self._finished(event)
            case UsageSeen():
                self._usage = merge_usage(self._usage, event.usage)
            case Noted():
                self._blocked = self._blocked or event.feedback is not None
                self._tier = event.service_tier or self._tier
                self._extras += [event.extra] if event.extra is not None else []
            case Ping():
                self._frames.append(Frame(comment=b"ping"))
            case Foreign(dialect="openai_responses"):
                self._foreign(event)
            case Failed():
                self._fail(event.error)
            case Ended(complete=True):
                self._end()
            case Ended():
                self._fail(TruncatedError("the upstream's stream stopped before its end").info())
            case _:
                return

    def _emit(self, kind: str, members: dict[str, Any]) -> None:
        data = dump({"type": kind, "sequence_number": self._number} | members)
        self._frames.append(Frame(event=kind, data=data))
        self._number += 1

    def _foreign(self, event: Foreign) -> None:
        """Pass an event on under the number it has here (B-RSP-01)."""
        raw: Json = _json.splice(event.raw, {"sequence_number": b"%d" % self._number})
        self._frames.append(Frame(event=event.event, data=raw))
        self._number += 1

    def _start(self, event: Started) -> None:
        if self._started:
            return
        self._started = True
        self._tier = event.service_tier
        self._extras += [event.extra] if event.extra is not None else []
        self._head = head_of(event.id, event.model, event.created, self._reply)
        response = self._head | self._echo
        for kind in ("response.created", "response.in_progress"):
            self._emit(kind, {"response": response})

    def _part(self, event: Any) -> None:
        if isinstance(event, PartStarted):
            self._start(Started())
            if self._candidate is None:
                self._candidate = event.candidate
            if event.candidate == self._candidate:
                self._open(event)
            elif event.part == 0 or event.message == 0:
                lose(self.losses, ("candidates", event.candidate), "this API gives one answer", response=True)
            return
        growing = self._parts.get(event.part)
        if isinstance(growing, Fold):
            self._whole(growing, event)
        elif isinstance(growing, Content):
            if isinstance(event, PartEnded):
                growing.end()
                growing.item.settle()
            else:
                growing.say(event)
        elif growing is not None:
            if isinstance(event, PartEnded):
                growing.end()
            else:
                growing.feed(event)

    def _open(self, event: PartStarted) -> None:
        match event.value:
            case Text() | Refusal():
                self._open_text(event, event.value)
            case Reasoning():
                if self._reply.include_thoughts:
                    self._parts[event.part] = self._add(ThoughtItem, event.value)
            case ToolCall():
                self._parts[event.part] = self._add(CallItem, event.value)
            case _:
                fold = self._parts[event.part] = Fold()
                fold.feed(event)

    def _add(self, kind: Any, value: AnyPart) -> Speaking:
        index = self._next()
        item: Speaking = kind(self._speech, index, self._id(kind_of_item(value), value.id), value)
        self._message = None
        self._items.append(item)
        return item

    def _open_text(self, event: PartStarted, value: Text | Refusal) -> None:
        message = self._message
        if message is None or message.number != event.message:
            index = self._next()
            identity = self._id("message", value.id)
            message = MessageItem(self._speech, index, identity, event.message, event.phase)
            self._items.append(message)
            self._message = message
        self._refused = self._refused or isinstance(value, Refusal)
        message.ended = False
        content = message.open(event.part, value)
        self._parts[event.part] = content
        if value.text:
            content.announce(TextDelta(part=event.part, text=value.text))

    def _id(self, kind: str, own: str | None) -> str:
        taken = {item.id for item in self._items}
        identity = item_id(kind, own, self._head["id"], len(self._items))
        return identity if identity not in taken else item_id(kind, None, self._head["id"], len(self._items))

    def _next(self) -> int:
        """Close the items that have ended, and return the place of the next one."""
        for item in self._items:
            if item.ended and item.final is None:
                item.close()
        return len(self._items)

    def _whole(self, fold: Fold, event: Event) -> None:
        """Gather a part that goes out when it is whole."""
        fold.feed(event)
        if not isinstance(event, PartEnded):
            return
        part = fold.result().response.candidates[0].messages[0].parts[0]
        index = len(self._items)
        identity = self._id(kind_of_item(part), part.id)
        item = render_item(part, identity, self._reply.asked, ("output", index), self.losses)
        if item is not None:
            self._next()
            self._message = None
            self._items.append(WholeItem(self._speech, index, identity, item))
        del self._parts[event.part]

    def _finished(self, event: Finished) -> None:
        if self._candidate is None:
            self._candidate = event.candidate
        if event.candidate == self._candidate and self._finish is None:
            self._finish = event.finish

    def _end(self) -> None:
        self._over = True
        self._start(Started())
        for handle, growing in list(self._parts.items()):
            if isinstance(growing, Fold):
                self._whole(growing, PartEnded(part=handle))
        status, reason = status_of(
            self._finish, (), blocked=self._finish is None and (self._blocked or not self._items)
        )
        if self._refused and self._finish is not None and self._finish.reason == "refusal":
            status, reason = "completed", None
        for item in self._items:
            if item.final is None:
                item.close(incomplete=status == "incomplete" and item is self._items[-1])
        error = failure(_BROKEN_OFF) if status == "failed" else None
        self._terminal(status, {"incomplete_details": reason, "error": error})

    def _terminal(self, status: str, members: dict[str, Any]) -> None:
        response = self._head | self._echo | {"status": status} | members
        response["output"] = [item.final or item.form() for item in self._items]
        response["usage"] = render_usage(self._usage)
        tail(response, self._tier, None, self.losses)
        for extra in self._extras:
            tail(response, None, extra, self.losses)
        self._emit(_TERMINAL[status], {"response": response})

    def _fail(self, info: ErrorInfo) -> None:
        """Say what went wrong, in the order OpenAI says it: the error, then the answer that failed (B-SSE-17)."""
        self._over = True
        self._frames.append(Frame(event="error", data=error_event(info, self._number)))
        self._number += 1
        self._terminal("failed", {"error": failure(info)})
