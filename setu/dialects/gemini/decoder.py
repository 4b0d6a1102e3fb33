"""Gemini's stream to events; a whole answer is a stream of one chunk.

Each frame is a GenerateContentResponse with the next pieces of each candidate. Nothing marks the end: the stream is
complete when every candidate has a finishReason, or the prompt was blocked.
"""

from datetime import datetime
from typing import Any

import msgspec

from setu import _json
from setu._json import Json, JsonError
from setu.chat.events import (
    ArgumentsDelta,
    CiteAdded,
    Ended,
    Event,
    Failed,
    Finished,
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
from setu.chat.ids import Mint
from setu.chat.parts import AnyPart, HostedCall, HostedResult, Inline, Media, Reasoning, Text, ToolCall
from setu.chat.response import Finish
from setu.chat.seals import Extra
from setu.dialects.gemini.errors import error_in
from setu.dialects.gemini.finish import NUMBERS, parse_finish, stronger, with_calls
from setu.dialects.gemini.grounding import parse_grounding, parse_logprobs
from setu.dialects.gemini.parts import parse_part
from setu.dialects.gemini.proto import NAME, Fields
from setu.dialects.gemini.usage import parse_usage
from setu.errors import DialectError, ErrorInfo, ErrorKind
from setu.framing.frame import Frame

CALL_PREFIX = "call_"


class _Candidate:
    """What is known of a candidate; `open` is the handle of the text or thought that may still grow."""

    def __init__(self, index: int) -> None:
        self.index = index
        self.open: int | None = None
        self.thinking = False
        self.text: list[str] = []
        self.called = False
        self.finish: Finish | None = None
        self.members: dict[str, Json] = {}


class Decoder:
    """Eats frames of SSE or of a JSON array; any oddity costs at most the part it stands in."""

    def __init__(self, mint: Mint) -> None:
        self._mint = mint
        self._candidates: dict[int, _Candidate] = {}
        self._ids: set[str] = set()
        self._hosted: str | None = None
        self._parts = 0
        self._started = False
        self._failed = False
        self._cut = False
        self._blocked: Finish | None = None
        self._usage: Json | None = None
        self._usage_seen = False

    def feed(self, frame: Frame) -> list[Event]:
        """Return the events of one frame."""
        data = (frame.data or b"").strip()
        if self._failed:
            return []
        if not data or data.startswith(b":") or data == b"[DONE]":
            # Vertex writes its keep-alive as `data: : keepalive` (B-SSE-01).
            return [Ping()] if data.startswith(b":") or frame.comment is not None else []
        try:
            return self.read(data)
        except (DialectError, JsonError, RecursionError) as error:
            if not frame.terminated:
                self._cut = True
                return []
            self._failed = True
            message = f"The upstream sent a frame that cannot be read: {error}"
            return [Failed(error=ErrorInfo(kind=ErrorKind.BAD_GATEWAY, status=502, message=message))]

    def read(self, data: Json) -> list[Event]:
        """Return the events of one chunk, or of an array of them.

        Raises:
            DialectError, JsonError: not a JSON object.
        """
        events: list[Event] = []
        for chunk in _json.items(data) if data.startswith(b"[") else [data]:
            events += self._chunk(chunk)
            if self._failed:
                break
        return events

    def close(self) -> list[Event]:
        """Close what is open; nothing can change an ending any more."""
        events = [event for candidate in self._candidates.values() for event in self._end(candidate)]
        events += self._counted()
        if self._failed:
            return [*events, Ended(complete=False)]
        finished = [end for candidate in self._candidates.values() if (end := _finished(candidate)) is not None]
        complete = len(finished) == len(self._candidates) and not self._cut
        if not self._candidates:
            complete = complete and self._blocked is not None
            finished = [Finished(candidate=0, finish=self._blocked)] if self._blocked is not None else []
        return [*events, *finished, Ended(complete=complete)]

    def _chunk(self, raw: Json) -> list[Event]:
        obj = Fields(raw, lenient=True)
        error = error_in(raw) if obj.has("error") else None
        if error is not None:
            self._failed = True
            return [Failed(error=error)]
        candidates = obj.objects("candidates") or []
        usage = obj.raw("usageMetadata")
        feedback = obj.raw("promptFeedback")
        events = self._start(obj)
        if feedback is not None and self._block(feedback):
            events.append(Noted(feedback=feedback))
        for position, candidate in enumerate(candidates):
            events += self._candidate(candidate, position)
        self._usage = usage or self._usage
        return events if self._usage_seen else [*events, *self._counted()]

    def _counted(self) -> list[Event]:
        """Report the latest usage. Every chunk repeats it: the first and the last one are worth reading."""
        usage = parse_usage(self._usage) if self._usage is not None else None
        self._usage = None
        if usage is None:
            return []
        self._usage_seen = True
        return [UsageSeen(usage=usage)]

    def _start(self, obj: Fields) -> list[Event]:
        identity, model, created = obj.text("responseId"), obj.text("modelVersion"), _seconds(obj.text("createTime"))
        extra = obj.extra("gemini")
        if self._started:
            return [Noted(extra=extra)] if extra is not None else []
        self._started = True
        return [Started(id=identity, model=model, created=created, extra=extra)]

    def _block(self, feedback: Json) -> bool:
        """Note a blocked prompt: an answer without candidates that is an ending all the same (B-FIN-04)."""
        if _json.kind_of(feedback) != "object":
            return False
        reason = Fields(feedback, "promptFeedback", lenient=True).enum("blockReason", {1: "SAFETY", 2: "OTHER"})
        if reason is not None and reason != "BLOCK_REASON_UNSPECIFIED":
            self._blocked = Finish(reason="content_filter", native=reason)
        return True

    def _candidate(self, obj: Fields, position: int) -> list[Event]:
        index = obj.integer("index")
        index = position if index is None else index
        candidate = self._candidates.setdefault(index, _Candidate(index))
        events: list[Event] = []
        logprobs = obj.raw("logprobsResult")
        entries = parse_logprobs(logprobs) if logprobs is not None else None
        content = obj.obj("content")
        for number, raw in enumerate((content.array("parts") if content is not None else None) or ()):
            if _json.kind_of(raw) == "object":
                part = parse_part(raw, f"parts[{number}]", lenient=True)
                if entries is not None and isinstance(part, Text) and part.text:
                    part, entries = msgspec.structs.replace(part, logprobs=entries), None
                events += self._part(candidate, part)
        if entries is not None and logprobs is not None:  # no text to carry them
            candidate.members["logprobsResult"] = logprobs
        candidate.finish = stronger(candidate.finish, parse_finish(obj.enum("finishReason", NUMBERS)))
        grounding = obj.members.get("groundingMetadata")
        if grounding is not None and candidate.open is not None and not candidate.thinking:
            cites = parse_grounding(grounding, "".join(candidate.text))
            events += [CiteAdded(part=candidate.open, cite=cite) for cite in cites]
        candidate.members |= obj.members
        return events

    def _part(self, candidate: _Candidate, part: AnyPart) -> list[Event]:
        if isinstance(part, (Text, Reasoning)):
            return self._grow(candidate, part)
        events = self._end(candidate)
        deltas: list[Event] = []
        handle = self._handle()
        value: Any = part
        match part:
            case ToolCall():
                candidate.called = True
                value = msgspec.structs.replace(part, call_id=self._call_id(part.call_id), arguments="")
                deltas = [ArgumentsDelta(part=handle, text=part.arguments)]
            case Media(source=Inline() as source):
                value = msgspec.structs.replace(part, source=Inline(b64="", mime=source.mime))
                deltas = [MediaDelta(part=handle, data=source.b64)]
            case HostedCall():
                self._hosted = part.call_id or self._mint(CALL_PREFIX)
                value = msgspec.structs.replace(part, call_id=self._hosted)
            case HostedResult():
                call_id = part.call_id or self._hosted or self._mint(CALL_PREFIX)
                value = msgspec.structs.replace(part, call_id=call_id)
            case _:
                pass
        start = PartStarted(part=handle, value=value, candidate=candidate.index)
        return [*events, start, *deltas, PartEnded(part=handle)]

    def _grow(self, candidate: _Candidate, part: Text | Reasoning) -> list[Event]:
        """Extend the open text or thought, or open one; a signature closes it (B-THK-04)."""
        thinking = isinstance(part, Reasoning)
        text = "".join(part.text) if isinstance(part, Reasoning) else part.text
        events: list[Event] = []
        if not text and part.seal is None and part.extra is None:
            return events
        if candidate.open is None or candidate.thinking != thinking or part.extra is not None:
            events += self._end(candidate)
            candidate.open, candidate.thinking = self._handle(), thinking
            skeleton = Reasoning(extra=part.extra) if thinking else Text(text="", extra=part.extra)
            events.append(PartStarted(part=candidate.open, value=skeleton, candidate=candidate.index))
        handle = candidate.open
        if text and isinstance(part, Text):
            candidate.text.append(text)
            events.append(TextDelta(part=handle, text=text, logprobs=part.logprobs))
        elif text:
            events.append(ReasoningDelta(part=handle, text=text))
        if part.seal is not None:
            events.append(SealAdded(part=handle, data=part.seal.data, issuer=part.seal.issuer, kind=part.seal.kind))
        if part.seal is not None or part.extra is not None:
            events += self._end(candidate)
        return events

    def _end(self, candidate: _Candidate) -> list[Event]:
        if candidate.open is None:
            return []
        handle, candidate.open = candidate.open, None
        return [PartEnded(part=handle)]

    def _handle(self) -> int:
        self._parts += 1
        return self._parts - 1

    def _call_id(self, given: str) -> str:
        """Return Gemini's own id, or a fresh one where it gave none or gave it twice (B-STR-06)."""
        call_id = given
        while not call_id or call_id in self._ids:
            call_id = self._mint(CALL_PREFIX)
        self._ids.add(call_id)
        return call_id


def _finished(candidate: _Candidate) -> Finished | None:
    if candidate.finish is None:
        return None
    extra = Extra(dialect=NAME, members=candidate.members) if candidate.members else None
    finish = with_calls(candidate.finish, called=candidate.called)
    return Finished(candidate=candidate.index, finish=finish, extra=extra)


def _seconds(text: str | None) -> int | None:
    """Return a timestamp (RFC 3339) in seconds since the epoch."""
    try:
        return None if text is None else int(datetime.fromisoformat(text).timestamp())
    except (ValueError, OverflowError):
        return None
