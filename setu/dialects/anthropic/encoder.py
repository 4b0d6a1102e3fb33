"""Events to Anthropic's stream: message_start, blocks one after the other, message_delta, message_stop."""

from typing import Any

from setu import _json
from setu._json import Raw
from setu.chat.events import (
    ArgumentsDelta,
    CiteAdded,
    Ended,
    Event,
    Failed,
    Finished,
    Foreign,
    MediaDelta,
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
from setu.chat.parts import AnyPart, HostedCall, HostedResult, Media, Opaque, Reasoning, Refusal, Text, ToolCall
from setu.chat.response import Finish, Usage
from setu.chat.seals import Extra
from setu.chat.sequence import Sequence
from setu.chat.usage import merge
from setu.dialects.anthropic.errors import frame as error_frame
from setu.dialects.anthropic.response import message_members, write_finish
from setu.dialects.anthropic.usage import write_delta_usage, write_usage
from setu.dialects.anthropic.words import NAME, client_id
from setu.dialects.anthropic.writing import hosted_call, hosted_result, own_cites, own_extra, safe_json
from setu.dialects.losses import Losses
from setu.dialects.record import Reply
from setu.errors import TruncatedError
from setu.framing.frame import Frame

_OF_DELTA = ("container",)
"""Late members that travel inside `delta`; any other stands beside it."""


class _Block:
    """The block being written. It opens with its first content, so that none is ever empty."""

    __slots__ = ("custom", "open", "seal", "section", "value")

    def __init__(self, value: AnyPart) -> None:
        self.value = value
        self.open = False
        self.seal = ""
        self.section: tuple[bool, int] | None = None
        self.custom: list[str] = []


class Encoder:
    """Writes one answer; what this wire cannot say is in `losses`."""

    losses: list[Any]

    def __init__(self, reply: Reply) -> None:
        self.losses = self._losses = Losses("response")
        self._reply = reply
        self._started: Started | None = None
        self._head_sent = False
        self._over = False
        self._usage: Usage | None = None
        self._noted: dict[str, Any] = {}
        self._tier: str | None = None
        self._finish: Finish | None = None
        self._calls = False
        self._index = 0
        self._block: _Block | None = None
        self._unsaid: set[int] = set()
        self._sequence = Sequence()

    def feed(self, event: Event) -> list[Frame]:
        """Return the frames that an event amounts to."""
        if self._over:
            return []
        match event:
            case Started():
                # The head waits for the first usage, which comes right behind it (B-USG-07).
                self._started = event
                return []
            case UsageSeen():
                self._usage = merge(self._usage, event.usage)
                return []
            case Noted():
                self._note(event)
                return []
            case Ping():
                return [*self._head_if_started(), _frame({"type": "ping"})]
            case Foreign():
                return self._foreign(event)
            case _:
                return self._part_events(event)

    def _note(self, event: Noted) -> None:
        self._tier = event.service_tier or self._tier
        self._noted |= own_extra(event.extra, "", self._losses)
        if event.feedback is not None:
            self._losses.note("/promptFeedback", "Anthropic has no prompt feedback", "info")

    def _foreign(self, event: Foreign) -> list[Frame]:
        """Forward Anthropic's own unknown events (B-ANT-08); those of blocks get the number of the open one."""
        of_block = (event.event or "").startswith("content_block")
        if event.dialect != NAME or (of_block and not (self._block and self._block.open)):
            return []
        raw = event.raw
        if _json.kind_of(raw) == "object" and "index" in _json.split(raw):
            raw = _json.encode({key: Raw(value) for key, value in _json.split(raw).items()} | {"index": self._index})
        return [*self._head_if_started(), Frame(event=event.event, data=raw)]

    def _part_events(self, event: Event) -> list[Frame]:
        if self._is_of_another_candidate(event):
            return []
        frames: list[Frame] = []
        for ready in self._sequence.feed(event):
            frames += self._write(ready)
        return frames

    def _is_of_another_candidate(self, event: Event) -> bool:
        if isinstance(event, (PartStarted, Finished)) and event.candidate != 0:
            if isinstance(event, PartStarted):
                self._unsaid.add(event.part)
            self._once(f"/candidates/{event.candidate}", "Anthropic answers once")
            return True
        return getattr(event, "part", None) in self._unsaid

    def _once(self, where: str, reason: str, severity: Any = "warn") -> None:
        if not any(loss.pointer == where for loss in self._losses):
            self._losses.note(where, reason, severity)

    def _write(self, event: Event) -> list[Frame]:
        match event:
            case PartStarted():
                return [*self._head(), *self._begin(event.value)]
            case PartEnded():
                return self._end()
            case Finished():
                self._finish = event.finish
                self._noted |= own_extra(event.extra, "/candidates/0", self._losses)
                return self._head()
            case Failed():
                self._over = True
                return [error_frame(event.error)]
            case Ended():
                return self._close(complete=event.complete)
            case _:
                return self._delta(event)

    def _head(self) -> list[Frame]:
        if self._head_sent:
            return []
        self._head_sent = True
        started = self._started or Started()
        usage = write_usage(self._usage, started.service_tier or self._tier)
        message = message_members(started.id, self._reply, usage) | own_extra(started.extra, "", self._losses)
        return [_frame({"type": "message_start", "message": message})]

    def _head_if_started(self) -> list[Frame]:
        """A sign of life before the answer has begun must not begin it under a made-up id."""
        return self._head() if self._started is not None else []

    def _close(self, *, complete: bool) -> list[Frame]:
        self._over = True
        if not complete:
            return [error_frame(TruncatedError("the upstream's answer ended before it was complete").info())]
        delta = write_finish(self._finish, calls=self._calls)
        delta |= {key: value for key, value in self._noted.items() if key in _OF_DELTA}
        usage = write_delta_usage(self._usage)
        end = {"type": "message_delta", "delta": delta, "usage": usage}
        end |= {key: value for key, value in self._noted.items() if key not in _OF_DELTA and key not in end}
        return [*self._head(), *self._end(), _frame(end), _frame({"type": "message_stop"})]

    def _begin(self, value: AnyPart) -> list[Frame]:
        """Begin a part; only blocks that are whole or need no content open at once."""
        where = f"/content/{self._index}"
        block = self._block = _Block(value)
        match value:
            case Text() | Refusal():
                cites = value.cites if isinstance(value, Text) else ()
                return [*self._text(value.text), *self._cites(cites)]
            case Reasoning():
                return self._begin_reasoning(block, value)
            case ToolCall():
                self._calls = True
                caller = {"caller": Raw(value.caller)} if value.caller is not None else {}
                members = {"type": "tool_use", "id": client_id(value.call_id), "name": value.name, "input": {}}
                return [*self._open(members | caller | self._extra(value.extra)), *self._arguments(value.arguments)]
            case HostedCall() if value.dialect == NAME:
                members = hosted_call(value) | {"input": {}} | self._extra(value.extra)
                text = value.arguments.decode("utf-8", "replace") if value.arguments else ""
                return [*self._open(members), *self._arguments(text)]
            case HostedResult() if value.dialect == NAME:
                return self._open(hosted_result(value) | self._extra(value.extra))
            case Opaque() if value.dialect == NAME:
                return self._open(Raw(value.raw))
            case Media():
                self._losses.note(where, f"Anthropic answers with no {value.kind}")
                return self._text(value.transcript or "")
            case _:
                self._losses.note(where, "Anthropic has no block for it")
                return []

    def _begin_reasoning(self, block: _Block, value: Reasoning) -> list[Frame]:
        if value.seal is not None and value.seal.issuer == NAME:
            block.seal = value.seal.data
        frames: list[Frame] = []
        for summary, sections in ((False, value.text), (True, value.summary)):
            for section, text in enumerate(sections):
                frames += self._thinking(text, (summary, section))
        return frames

    def _extra(self, extra: Extra | None) -> dict[str, Any]:
        return own_extra(extra, f"/content/{self._index}", self._losses)

    def _open(self, content_block: Any) -> list[Frame]:
        if self._block is None or self._block.open:
            return []
        self._block.open = True
        return [_frame({"type": "content_block_start", "index": self._index, "content_block": content_block})]

    def _step(self, kind: str, **members: Any) -> Frame:
        return _frame({"type": "content_block_delta", "index": self._index, "delta": {"type": kind} | members})

    def _delta(self, event: Event) -> list[Frame]:
        match event:
            case TextDelta():
                if event.logprobs:
                    self._once("/logprobs", "Anthropic gives no log probabilities", "info")
                return self._text(event.text)
            case ReasoningDelta():
                return self._thinking(event.text, (event.summary, event.section))
            case ArgumentsDelta():
                return self._arguments(event.text)
            case CiteAdded():
                return self._cites((event.cite,))
            case SealAdded():
                self._seal(event)
                return []
            case MediaDelta():
                return self._text(event.transcript or "")
            case _:
                return []

    def _text(self, text: str) -> list[Frame]:
        if not text:
            return []
        return [*self._open_text(), self._step("text_delta", text=text)]

    def _cites(self, cites: tuple[Any, ...]) -> list[Frame]:
        own = own_cites(cites, f"/content/{self._index}", self._losses)
        if not own:
            return []
        return self._open_text() + [self._step("citations_delta", citation=cite) for cite in own]

    def _open_text(self) -> list[Frame]:
        return self._open_late({"type": "text", "text": ""})

    def _thinking(self, text: str, section: tuple[bool, int]) -> list[Frame]:
        block = self._block
        if block is None or not text or not self._reply.include_thoughts:
            return []
        if block.section is not None and block.section != section:
            text = "\n\n" + text
        block.section = section
        return [*self._open_thinking(), self._step("thinking_delta", thinking=text)]

    def _open_thinking(self) -> list[Frame]:
        return self._open_late({"type": "thinking", "thinking": "", "signature": ""})

    def _open_late(self, members: dict[str, Any]) -> list[Frame]:
        """Open a block that waited for its first content."""
        if self._block is None or self._block.open:
            return []
        return self._open(members | self._extra(self._block.value.extra))

    def _seal(self, event: SealAdded) -> None:
        block = self._block
        if block is None or event.issuer != NAME:
            return  # the seals of others are kept by the gateway, not by this wire
        block.seal = block.seal + event.data if event.append else event.data

    def _arguments(self, text: str) -> list[Frame]:
        block = self._block
        if block is None or not text or not block.open:
            return []
        if isinstance(block.value, ToolCall) and block.value.kind == "custom":
            block.custom.append(text)
            return []
        return [self._step("input_json_delta", partial_json=text)]

    def _end(self) -> list[Frame]:
        """Close the block: a seal comes last (B-THK-08), free text of a custom tool as one object."""
        block = self._block
        if block is None:
            return []
        frames: list[Frame] = []
        if block.seal and isinstance(block.value, Reasoning) and self._reply.include_thoughts:
            frames += self._end_reasoning(block, block.value)
        if block.custom:
            text = safe_json({"input": "".join(block.custom)}).decode()
            frames.append(self._step("input_json_delta", partial_json=text))
        self._block = None
        if not block.open:
            return []
        frames.append(_frame({"type": "content_block_stop", "index": self._index}))
        self._index += 1
        return frames

    def _end_reasoning(self, block: _Block, value: Reasoning) -> list[Frame]:
        if value.redacted:
            return self._open({"type": "redacted_thinking", "data": block.seal})
        return [*self._open_thinking(), self._step("signature_delta", signature=block.seal)]


def _frame(members: dict[str, Any]) -> Frame:
    """Build a frame whose `event:` line says its type."""
    return Frame(event=members["type"], data=safe_json(members))
