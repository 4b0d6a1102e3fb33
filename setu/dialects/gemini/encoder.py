"""Events to Gemini's stream: one GenerateContentResponse for each piece, the last with endings and usage."""

from typing import Any

from setu._json import Json, Raw
from setu.chat.events import (
    Ended,
    Event,
    Failed,
    Finished,
    Noted,
    PartEnded,
    PartStarted,
    ReasoningDelta,
    Started,
    TextDelta,
    UsageSeen,
)
from setu.chat.fold import Fold
from setu.chat.parts import Reasoning, Refusal, Text
from setu.chat.response import Usage
from setu.chat.seals import Cite, Extra
from setu.chat.sequence import Sequence
from setu.chat.usage import merge
from setu.dialects.gemini.errors import error_frame
from setu.dialects.gemini.finish import render_finish
from setu.dialects.gemini.grounding import render_grounding, render_logprobs
from setu.dialects.gemini.parts import own_extra
from setu.dialects.gemini.proto import NAME
from setu.dialects.gemini.render import Scribe, Wire, lose_extra, render_part
from setu.dialects.gemini.response import blocked, encode, root
from setu.dialects.gemini.usage import render_usage
from setu.dialects.record import Loss, Reply
from setu.errors import TruncatedError
from setu.framing.frame import Frame


class _Open:
    """A part on its way: streamed piece by piece, or held until it is whole."""

    def __init__(self, event: PartStarted) -> None:
        self.value = event.value
        self.candidate = event.candidate
        self.streamed = isinstance(event.value, (Text, Refusal, Reasoning)) and not own_extra(event.value.extra)
        self.fold = Fold()
        self.section: tuple[bool, int] | None = None


class Encoder:
    """Eats events, gives frames whose data is a chunk; the endings wait for the end of the stream."""

    def __init__(self, reply: Reply) -> None:
        self._reply = reply
        self._scribe = Scribe(phase="response")
        self.losses: list[Loss] = self._scribe.losses
        self._sequences: dict[int, Sequence] = {}
        self._candidate_of: dict[int, int] = {}
        self._open: dict[int, _Open] = {}
        self._started = Started()
        self._root: dict[str, Json] = {}
        self._feedback: Json | None = None
        self._usage: Usage | None = None
        self._cites: dict[int, list[tuple[Cite, str]]] = {}
        self._finished: dict[int, Finished] = {}
        self._spoken: set[int] = set()
        self._failed = False

    def feed(self, event: Event) -> list[Frame]:
        """Return the frames that may go out now."""
        match event:
            case Started():
                self._started = event
                self._note(event.extra)
            case Noted():
                self._feedback = event.feedback or self._feedback
                self._note(event.extra)
            case UsageSeen():
                self._usage = merge(self._usage, event.usage)
            case Finished():
                self._finished[event.candidate] = event
            case Failed():
                return self._fail(event)
            case Ended():
                return self._end(event)
            case _:
                return self._part(event)
        return []

    def _part(self, event: Event) -> list[Frame]:
        """Put a part's events in a row with those of its candidate; candidates may interleave."""
        part = getattr(event, "part", None)
        if part is None:
            return []
        if isinstance(event, PartStarted):
            self._candidate_of[part] = event.candidate
        sequence = self._sequences.setdefault(self._candidate_of[part], Sequence())
        return [frame for ready in sequence.feed(event) for frame in self._step(ready)]

    def _step(self, event: Event) -> list[Frame]:
        part: int = getattr(event, "part", -1)
        if isinstance(event, PartStarted):
            self._open[part] = _Open(event)
        state = self._open.get(part)
        if state is None:
            return []
        state.fold.feed(event)
        if isinstance(event, PartEnded):
            del self._open[part]
            return self._closing(state)
        return self._delta(state, event) if state.streamed else []

    def _delta(self, state: _Open, event: Event) -> list[Frame]:
        match event:
            case PartStarted(value=Text() | Refusal() as value) if value.text:
                return [self._piece(state, {"text": value.text})]
            case TextDelta() if event.text or event.logprobs:
                return [self._piece(state, {"text": event.text}, event.logprobs)]
            case ReasoningDelta() if event.text and self._reply.include_thoughts:
                section = (event.summary, event.section)
                lead = "\n\n" if state.section not in (None, section) else ""
                state.section = section
                return [self._piece(state, {"text": lead + event.text, "thought": True})]
            case _:
                return []

    def _closing(self, state: _Open) -> list[Frame]:
        """Finish a part: what was streamed still lacks its signature, anything else comes whole."""
        folded = state.fold.result().response.candidates[0].messages[0].parts[0]
        where = f"/candidates/{state.candidate}/content"
        if isinstance(folded, Reasoning) and not self._reply.include_thoughts:
            return []
        if not state.streamed:
            return [self._piece(state, wire) for wire in render_part(folded, where, self._scribe)]
        if isinstance(folded, Text):
            cites = [(cite, folded.text) for cite in folded.cites if cite.dialect != NAME]
            self._cites.setdefault(state.candidate, []).extend(cites)
        rest: Text | Reasoning = Text(text="", seal=folded.seal, extra=folded.extra)
        if isinstance(folded, Reasoning):
            rest = Reasoning(seal=folded.seal, extra=folded.extra)
        return [self._piece(state, wire) for wire in render_part(rest, where, self._scribe)]

    def _piece(self, state: _Open, wire: Wire, logprobs: tuple[Json, ...] | None = None) -> Frame:
        self._spoken.add(state.candidate)
        candidate: dict[str, Any] = {
            "content": {"parts": [wire], "role": "model"},
            "index": state.candidate,
        }
        result = render_logprobs(logprobs) if logprobs else None
        if result is not None:
            candidate["logprobsResult"] = result
        return self._chunk({"candidates": [candidate]})

    def _chunk(self, members: dict[str, Any]) -> Frame:
        members |= root(self._started.id, self._started.model, self._started.created, self._reply)
        for key, value in self._root.items():
            members.setdefault(key, Raw(value))
        self._root = {}
        return Frame(data=encode(members))

    def _note(self, extra: Extra | None) -> None:
        if extra is not None and extra.dialect != NAME:
            lose_extra(extra, "", self._scribe)
        self._root |= own_extra(extra)

    def _fail(self, event: Failed) -> list[Frame]:
        if self._failed:
            return []
        frames = self._flush(event)
        self._failed = True
        return [*frames, error_frame(event.error)]

    def _end(self, event: Ended) -> list[Frame]:
        if self._failed:
            return []
        if not event.complete:
            error = TruncatedError("The upstream's answer ended before it was complete").info()
            return self._fail(Failed(error=error))
        return [*self._flush(event), self._last()]

    def _flush(self, event: Event) -> list[Frame]:
        ready = [held for sequence in self._sequences.values() for held in sequence.feed(event)]
        return [frame for held in ready for frame in self._step(held)]

    def _last(self) -> Frame:
        """Return the chunk with every candidate's ending, the usage and what was noted."""
        members: dict[str, Any] = {"candidates": []}
        for index, finished in sorted(self._finished.items()):
            if blocked(finished.finish, self._feedback) and index not in self._spoken:
                continue
            members["candidates"].append(self._ending(finished))
        if not members["candidates"]:
            del members["candidates"]
        if self._feedback is not None:
            members["promptFeedback"] = Raw(self._feedback)
        if self._usage is not None:
            members["usageMetadata"] = render_usage(self._usage)
        return self._chunk(members)

    def _ending(self, finished: Finished) -> dict[str, Any]:
        candidate: dict[str, Any] = {
            "content": {"parts": [{"text": ""}], "role": "model"},
            "finishReason": render_finish(finished.finish),
            "index": finished.candidate,
        }
        grounding = render_grounding(self._cites.get(finished.candidate, ()))
        if grounding is not None:
            candidate["groundingMetadata"] = grounding
        if finished.extra is not None and finished.extra.dialect != NAME:
            lose_extra(finished.extra, f"/candidates/{finished.candidate}", self._scribe)
        for key, value in own_extra(finished.extra).items():
            candidate.setdefault(key, Raw(value))
        return candidate
