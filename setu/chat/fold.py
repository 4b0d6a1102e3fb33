"""Fold a stream of events into the answer it amounts to."""

from collections.abc import Iterable

import msgspec

from setu._json import Json
from setu.chat.events import (
    ArgumentsDelta,
    CiteAdded,
    Ended,
    Event,
    Failed,
    Finished,
    MediaDelta,
    Noted,
    PartStarted,
    PartStatus,
    ReasoningDelta,
    SealAdded,
    Started,
    TextDelta,
    UsageSeen,
)
from setu.chat.parts import (
    AnyPart,
    HostedCall,
    Inline,
    Media,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
)
from setu.chat.request import Message
from setu.chat.response import Candidate, ChatResponse, Usage
from setu.chat.seals import Cite, Extra, Seal
from setu.chat.usage import merge
from setu.errors import ErrorInfo


class Folded(msgspec.Struct, frozen=True, kw_only=True):
    """The answer so far, the error that ended it if one did, and whether the stream reached its end."""

    response: ChatResponse
    error: ErrorInfo | None
    complete: bool


def fold(events: Iterable[Event]) -> Folded:
    """Accumulate a whole stream."""
    state = Fold()
    for event in events:
        state.feed(event)
    return state.result()


class _Open:
    """A part while it grows."""

    __slots__ = (
        "arguments", "cites", "data", "logprobs", "seal", "status", "summary", "text", "texts", "transcript", "value"
    )  # fmt: skip

    def __init__(self, value: AnyPart) -> None:
        self.value = value
        self.text: list[str] = []
        self.texts: dict[int, list[str]] = {}
        self.summary: dict[int, list[str]] = {}
        self.logprobs: list[Json] | None = None
        self.arguments: list[str] = []
        self.data: list[str] = []
        self.transcript: list[str] = []
        self.cites: list[Cite] = []
        self.seal: Seal | None = value.seal
        self.status: str | None = None

    def close(self) -> AnyPart:
        value = self.value
        changes: dict[str, object] = {}
        if self.seal is not value.seal:
            changes["seal"] = self.seal
        if isinstance(value, Text):
            changes["text"] = value.text + "".join(self.text)
            changes["cites"] = value.cites + tuple(self.cites)
            if self.logprobs is not None:
                changes["logprobs"] = (value.logprobs or ()) + tuple(self.logprobs)
        elif isinstance(value, Refusal):
            changes["text"] = value.text + "".join(self.text)
        elif isinstance(value, Reasoning):
            changes["text"] = _sections(value.text, self.texts)
            changes["summary"] = _sections(value.summary, self.summary)
        elif isinstance(value, ToolCall):
            changes["arguments"] = value.arguments + "".join(self.arguments)
        elif isinstance(value, HostedCall):
            if self.arguments:
                changes["arguments"] = "".join(self.arguments).encode()
            if self.status is not None:
                changes["status"] = self.status
        elif isinstance(value, Media) and isinstance(value.source, Inline):
            source = msgspec.structs.replace(value.source, b64=value.source.b64 + "".join(self.data))
            changes["source"] = source
            if self.transcript:
                changes["transcript"] = (value.transcript or "") + "".join(self.transcript)
        return msgspec.structs.replace(value, **changes) if changes else value


def _sections(before: tuple[str, ...], grown: dict[int, list[str]]) -> tuple[str, ...]:
    count = max([len(before), *(section + 1 for section in grown)])
    texts = [*before, *([""] * (count - len(before)))]
    for section, pieces in grown.items():
        texts[section] += "".join(pieces)
    return tuple(texts)


class Fold:
    """The accumulator: feed events, ask for the result at any time."""

    def __init__(self) -> None:
        self._started = Started()
        self._order: list[tuple[int, int, int]] = []
        self._parts: dict[int, _Open] = {}
        self._phases: dict[tuple[int, int], str] = {}
        self._finished: dict[int, Finished] = {}
        self._usage: Usage | None = None
        self._noted = Noted()
        self._error: ErrorInfo | None = None
        self._complete = False

    def feed(self, event: Event) -> None:
        match event:
            case Started():
                self._started = event
            case PartStarted():
                self._order.append((event.candidate, event.message, event.part))
                self._parts[event.part] = _Open(event.value)
                if event.phase is not None:
                    self._phases[event.candidate, event.message] = event.phase
            case Finished():
                self._finished[event.candidate] = event
            case UsageSeen():
                self._usage = merge(self._usage, event.usage)
            case Noted():
                self._noted = Noted(
                    feedback=event.feedback or self._noted.feedback,
                    service_tier=event.service_tier or self._noted.service_tier,
                    extra=_joined(self._noted.extra, event.extra),
                )
            case Failed():
                self._error = event.error
            case Ended():
                self._complete = event.complete
            case _:
                self._delta(event)

    def _delta(self, event: Event) -> None:
        match event:
            case TextDelta():
                part = self._parts[event.part]
                part.text.append(event.text)
                if event.logprobs is not None:
                    part.logprobs = [*(part.logprobs or ()), *event.logprobs]
            case ReasoningDelta():
                part = self._parts[event.part]
                sections = part.summary if event.summary else part.texts
                sections.setdefault(event.section, []).append(event.text)
            case ArgumentsDelta():
                self._parts[event.part].arguments.append(event.text)
            case MediaDelta():
                self._parts[event.part].data.append(event.data)
                if event.transcript:
                    self._parts[event.part].transcript.append(event.transcript)
            case CiteAdded():
                self._parts[event.part].cites.append(event.cite)
            case SealAdded():
                part = self._parts[event.part]
                before = part.seal.data if event.append and part.seal is not None else ""
                part.seal = Seal(issuer=event.issuer, kind=event.kind, data=before + event.data)  # type: ignore[arg-type]  # one of the three
            case PartStatus():
                self._parts[event.part].status = event.state
            case _:
                pass

    def result(self) -> Folded:
        """Return the answer that the events so far amount to."""
        indexes = sorted({candidate for candidate, _, _ in self._order} | set(self._finished))
        response = ChatResponse(
            id=self._started.id,
            model=self._started.model,
            created=self._started.created,
            candidates=tuple(self._candidate(index) for index in indexes),
            usage=self._usage,
            feedback=self._noted.feedback,
            service_tier=self._noted.service_tier or self._started.service_tier,
            extra=_joined(self._started.extra, self._noted.extra),
        )
        return Folded(response=response, error=self._error, complete=self._complete and self._error is None)

    def _candidate(self, index: int) -> Candidate:
        numbers: dict[int, list[AnyPart]] = {}
        for candidate, message, part in self._order:
            if candidate == index:
                numbers.setdefault(message, []).append(self._parts[part].close())
        finished = self._finished.get(index)
        return Candidate(
            index=index,
            messages=tuple(
                Message(role="assistant", parts=tuple(parts), phase=self._phases.get((index, number)))
                for number, parts in sorted(numbers.items())
            ),
            finish=finished.finish if finished else None,
            extra=finished.extra if finished else None,
        )


def _joined(before: Extra | None, after: Extra | None) -> Extra | None:
    if before is None or after is None:
        return before or after
    return Extra(dialect=after.dialect, members={**before.members, **after.members})
