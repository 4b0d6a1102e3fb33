"""Events to chat chunks.

Words, thinking and media go out one part after the other, per choice; calls carry an index, so they may overlap.
"""

from collections.abc import Callable
from typing import Any, ClassVar

import msgspec

from setu import _json
from setu._json import Json, Raw
from setu.chat.events import (
    DELTAS,
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
from setu.chat.parts import AnyPart, Inline, Media, Reasoning, Refusal, Text, ToolCall, Url
from setu.chat.response import Finish, Usage
from setu.chat.seals import Seal
from setu.chat.sequence import Sequence
from setu.chat.usage import merge as merge_usage
from setu.dialects.extras import dump, merge
from setu.dialects.openai_chat.answer import finish_word, head_members, lost, native_member, render_cite, render_image
from setu.dialects.openai_chat.errors import frame_error
from setu.dialects.openai_chat.extras import known
from setu.dialects.openai_chat.reasoning import detail_of
from setu.dialects.openai_chat.usage import render_usage
from setu.dialects.openai_chat.words import NAME
from setu.dialects.record import Loss, Reply
from setu.dialects.token_entries import render_token
from setu.errors import TruncatedError
from setu.framing.frame import Frame

_ARGUMENTS = b'{"tool_calls":[{"index":%d,"function":{"arguments":%b}}]}'
_PARTS = (PartStarted, PartEnded, *DELTAS)


class _Choice:
    """What has been said of one choice."""

    __slots__ = ("calls", "details", "fragments", "index", "length", "sequence", "thought")

    def __init__(self, index: int) -> None:
        self.index = index
        self.sequence = Sequence()
        self.calls = 0
        self.details = 0
        self.fragments = 0
        self.length = 0
        self.thought = False


class _Part:
    """A part that is open."""

    __slots__ = ("base", "call", "choice", "data", "index", "length", "seal", "section", "text", "value")

    def __init__(self, value: AnyPart, choice: _Choice, index: int) -> None:
        self.value = value
        self.choice = choice
        self.index = index
        self.call = -1
        self.base = 0
        self.length = 0
        self.section: tuple[bool, int] | None = None
        self.text: list[str] = []
        self.data: list[str] = []
        self.seal: Seal | None = value.seal


class ChatEncoder:
    """One client stream. `[DONE]` only after a complete answer; an error ends the stream without it (B-SSE-17)."""

    def __init__(self, reply: Reply) -> None:
        self.losses: list[Loss] = []
        self._reply = reply
        self._started = Started()
        self._choices: dict[int, _Choice] = {}
        self._parts: dict[int, _Part] = {}
        self._finished: set[int] = set()
        self._usage: Usage | None = None
        self._once: dict[str, Json] = {}
        """Members of the answer that ride on the next chunk."""
        self._lead = b""
        self._tail = b""
        self._blocked = False
        self._over = False
        self._head()

    def feed(self, event: Event) -> list[Frame]:
        """Return the frames of one event."""
        if self._over:
            return []
        if isinstance(event, _PARTS):
            return self._part(event)
        match event:
            case Started():
                self._started = event
                self._head()
            case Finished():
                return self._finish(event)
            case UsageSeen():
                self._usage = merge_usage(self._usage, event.usage)
            case Noted():
                self._blocked = self._blocked or event.feedback is not None
                self._once |= head_members(event.service_tier, event.extra, self.losses)
            case Ping():
                return [Frame(comment=b"ping")]
            case Foreign(dialect="openai_chat"):
                return [Frame(event=event.event, data=event.raw)]
            case Failed():
                self._over = True
                return [frame_error(event.error)]
            case Ended():
                return self._end(complete=event.complete)
        return []

    def _head(self) -> None:
        """Prepare what every chunk begins and ends with; id, created and model never change (B-STR-04, B-STR-29)."""
        started, reply = self._started, self._reply
        head: dict[str, Any] = {
            "id": started.id or reply.id,
            "object": "chat.completion.chunk",
            "created": started.created or reply.created,
            "model": started.model or reply.model,
        }
        members = head_members(started.service_tier, started.extra, self.losses)
        for key in ("service_tier", "system_fingerprint"):
            if key in members:
                head[key] = Raw(members.pop(key))
        self._once |= members
        self._lead = dump(head)[:-1] + b',"choices":['
        # A client that asked for usage sees null until the last chunk (B-STR-17).
        self._tail = b'],"usage":null}' if reply.stream_usage else b"]}"

    def _chunk(self, choice: bytes) -> Frame:
        if not self._once:
            return Frame(data=self._lead + choice + self._tail)
        chunk = msgspec.json.decode(self._lead + choice + self._tail, type=dict[str, Raw])
        members: dict[str, Any] = dict(chunk)
        merge(members, self._once)
        self._once = {}
        return Frame(data=_json.encode(members))

    def _delta(self, choice: int, delta: bytes, logprobs: bytes = b"null") -> Frame:
        return self._chunk(b'{"index":%d,"delta":%b,"logprobs":%b,"finish_reason":null}' % (choice, delta, logprobs))

    def _choice(self, index: int, frames: list[Frame], *, spoken: bool) -> _Choice:
        """Return a choice; its first delta carries the role, once (B-STR-01, B-STR-02, B-STR-03)."""
        choice = self._choices.get(index)
        if choice is None:
            choice = self._choices[index] = _Choice(index)
            content = b'""' if spoken else b"null"
            frames.append(self._delta(index, b'{"role":"assistant","content":%b,"refusal":null}' % content))
        return choice

    def _part(self, event: Any) -> list[Frame]:
        frames: list[Frame] = []
        if isinstance(event, PartStarted):
            call = isinstance(event.value, ToolCall)
            choice = self._choice(event.candidate, frames, spoken=not call)
            self._parts[event.part] = _Part(event.value, choice, event.candidate)
            if call:
                self._write(event, frames)
                return frames
        part = self._parts.get(event.part)
        if part is None:
            return frames
        if isinstance(part.value, ToolCall):
            if not isinstance(event, PartStarted):
                self._write(event, frames)
            return frames
        for ready in part.choice.sequence.feed(event):
            self._write(ready, frames)
        return frames

    def _write(self, event: Any, frames: list[Frame]) -> None:
        part = self._parts[event.part]
        write = self._WRITERS.get(type(event))
        if write is not None:
            write(self, part, event, frames)

    def _open(self, part: _Part, event: PartStarted, frames: list[Frame]) -> None:
        value = event.value
        match value:
            case ToolCall():
                self._open_call(part, value, frames)
            case Text():
                part.base = part.choice.length
                if value.text:
                    self._text(part, TextDelta(part=event.part, text=value.text), frames)
                for cite in value.cites:
                    self._cite(part, CiteAdded(part=event.part, cite=cite), frames)
                self._text_seal(part, frames)
            case Refusal():
                if value.text:
                    self._text(part, TextDelta(part=event.part, text=value.text), frames)
            case Reasoning():
                for summary, sections in ((False, value.text), (True, value.summary)):
                    for section, text in enumerate(sections):
                        thought = ReasoningDelta(part=event.part, text=text, section=section, summary=summary)
                        self._think(part, thought, frames)
            case Media():
                if isinstance(value.source, Inline) and value.source.b64:
                    transcript = value.transcript
                    self._media(part, MediaDelta(part=event.part, data=value.source.b64, transcript=transcript), frames)
            case _:
                self._lose(event.part, f"{type(value).__name__} has no place in a chat answer")

    def _lose(self, part: int, reason: str, *, info: bool = False) -> None:
        lost(self.losses, ("parts", part), reason, info=info)

    def _open_call(self, part: _Part, value: ToolCall, frames: list[Frame]) -> None:
        part.call = part.choice.calls
        part.choice.calls += 1
        part.choice.fragments += 1
        inner = {"name": value.name, "input" if value.kind == "custom" else "arguments": ""}
        wire: dict[str, Any] = {"index": part.call, "id": value.call_id, "type": value.kind, value.kind: inner}
        if value.seal is not None and value.seal.issuer == "gemini":
            wire["extra_content"] = {"google": {"thought_signature": value.seal.data}}
        merge(wire, known(value.extra))
        frames.append(self._delta(part.index, dump({"tool_calls": [wire]})))
        if value.arguments:
            self._arguments(part, ArgumentsDelta(part=0, text=value.arguments), frames)

    def _text(self, part: _Part, event: TextDelta, frames: list[Frame]) -> None:
        key = b"content" if isinstance(part.value, Text) else b"refusal"
        logprobs = b"null"
        if event.logprobs:
            tokens = [render_token(entry) for entry in event.logprobs]
            logprobs = _json.encode({"content": tokens, "refusal": None})
        if key == b"content":
            part.choice.length += len(event.text)
        if event.text or event.logprobs:
            frames.append(self._delta(part.index, b'{"%b":%b}' % (key, dump(event.text)), logprobs))

    def _think(self, part: _Part, event: ReasoningDelta, frames: list[Frame]) -> None:
        section = (event.summary, event.section)
        text = event.text if part.section in {None, section} else "\n\n" + event.text
        # A thought that follows another is a paragraph of its own, as it is in the whole answer.
        lead = "\n\n" if text and part.choice.thought and not any(part.text) else ""
        part.choice.thought = part.choice.thought or bool(text)
        part.section = section
        part.base = part.base if part.text else part.choice.fragments
        part.text.append(text)
        if text and self._reply.include_thoughts:
            frames.append(self._delta(part.index, b'{"reasoning_content":%b}' % dump(lead + text)))

    def _arguments(self, part: _Part, event: ArgumentsDelta, frames: list[Frame]) -> None:
        if part.call < 0:
            return
        part.length += len(event.text)
        part.choice.fragments += 1
        custom = isinstance(part.value, ToolCall) and part.value.kind == "custom"
        shape = b'{"tool_calls":[{"index":%d,"custom":{"input":%b}}]}' if custom else _ARGUMENTS
        frames.append(self._delta(part.index, shape % (part.call, dump(event.text))))

    def _media(self, part: _Part, event: MediaDelta, frames: list[Frame]) -> None:
        value = part.value
        if not isinstance(value, Media):
            return
        if value.kind != "audio":
            part.data.append(event.data)
            return
        audio: dict[str, Any] = {} if part.data else {"id": value.id or self._reply.mint("audio_")}
        part.data.append("")
        if event.data:
            audio["data"] = event.data
        if event.transcript:
            audio["transcript"] = event.transcript
        frames.append(self._delta(part.index, dump({"audio": audio})))

    def _cite(self, part: _Part, event: CiteAdded, frames: list[Frame]) -> None:
        cite = render_cite(event.cite, part.base)
        if cite is None:
            self._lose(event.part, "a citation without an address", info=True)
        else:
            frames.append(self._delta(part.index, dump({"annotations": [cite]})))

    def _seal(self, part: _Part, event: SealAdded, frames: list[Frame]) -> None:
        before = part.seal.data if event.append and part.seal is not None else ""
        kind: Any = event.kind
        part.seal = Seal(issuer=event.issuer, kind=kind, data=before + event.data)
        if isinstance(part.value, Reasoning):
            return  # goes out whole when the part ends
        if isinstance(part.value, Text):
            self._text_seal(part, frames)
        elif event.issuer == "gemini" and part.call >= 0:
            part.choice.fragments += 1
            wire = {
                "index": part.call,
                "function": {"arguments": ""},
                "extra_content": {"google": {"thought_signature": part.seal.data}},
            }
            frames.append(self._delta(part.index, dump({"tool_calls": [wire]})))
        else:
            self._lose(event.part, "chat has no place for this signature", info=True)

    def _text_seal(self, part: _Part, frames: list[Frame]) -> None:
        seal = part.seal
        if seal is not None and seal.issuer == "gemini":
            delta = {"extra_content": {"google": {"thought_signature": seal.data}}}
            frames.append(self._delta(part.index, dump(delta)))

    def _close(self, part: _Part, event: PartEnded, frames: list[Frame]) -> None:
        value = part.value
        match value:
            case ToolCall(kind="function"):
                if not part.length:  # a call without arguments ends as valid JSON (B-STR-09)
                    self._arguments(part, ArgumentsDelta(part=event.part, text="{}"), frames)
            case Reasoning():
                self._close_reasoning(part, value, frames)
            case Media(kind="image", source=Inline(mime=mime)):
                source = Inline(b64="".join(part.data), mime=mime)
                frames.append(self._delta(part.index, dump({"images": [render_image(source)]})))
            case Media(kind="image", source=Url() as source):
                frames.append(self._delta(part.index, dump({"images": [render_image(source)]})))
            case Media() if value.kind != "audio":
                self._lose(event.part, f"a chat answer holds no {value.kind}")
            case _:
                pass
        del self._parts[event.part]

    def _close_reasoning(self, part: _Part, value: Reasoning, frames: list[Frame]) -> None:
        """Write a sealed thought once more as a whole, so that a client can send it back."""
        text = "".join(part.text)
        if part.choice.fragments > part.base:
            text = ""  # part of a call came between: a reader would not know the words for the same
        summary = value.summary or bool(part.section and part.section[0])
        said = {"summary": (text,)} if summary else {"text": (text,)}
        whole = msgspec.structs.replace(value, **({"text": (), "summary": ()} | (said if text else {})), seal=part.seal)
        if not (whole.seal or whole.redacted) or not self._reply.include_thoughts:
            return
        details = detail_of(whole)
        for detail in details:
            detail["index"] = part.choice.details
            part.choice.details += 1
        frames.append(self._delta(part.index, dump({"reasoning_details": details})))

    def _finish(self, event: Finished) -> list[Frame]:
        """Write the one finish chunk of a choice, after all its deltas (B-STR-16)."""
        if event.candidate in self._finished:
            return []
        frames: list[Frame] = []
        choice = self._choice(event.candidate, frames, spoken=True)
        for ready in choice.sequence.feed(event):
            if not isinstance(ready, Finished):
                self._write(ready, frames)
        self._finished.add(event.candidate)
        word = finish_word(event.finish, calls=choice.calls > 0)
        wire: dict[str, Any] = {"index": event.candidate, "delta": {}, "logprobs": None, "finish_reason": word}
        wire |= native_member(event.finish)
        if event.extra is not None and event.extra.dialect == NAME:
            merge(wire, event.extra.members)
        frames.append(self._chunk(dump(wire)))
        return frames

    def _end(self, *, complete: bool) -> list[Frame]:
        self._over = True
        if not complete:
            return [frame_error(TruncatedError("the upstream's stream stopped before its end").info())]
        frames: list[Frame] = []
        if not self._choices:  # B-FIN-04: a blocked prompt has no candidate
            blocked = Finish(reason="content_filter" if self._blocked else "stop")
            frames += self._finish(Finished(candidate=0, finish=blocked))
        for index in sorted(self._choices.keys() - self._finished):
            frames += self._finish(Finished(candidate=index, finish=Finish(reason="stop")))
        usage = render_usage(self._usage) if self._usage is not None and self._reply.stream_usage else None
        if usage is not None:
            frames.append(Frame(data=self._lead + b'],"usage":' + _json.encode(usage) + b"}"))
        return [*frames, Frame(data=b"[DONE]")]

    _WRITERS: ClassVar[dict[type[Any], Callable[["ChatEncoder", _Part, Any, list[Frame]], None]]] = {
        PartStarted: _open,
        TextDelta: _text,
        ReasoningDelta: _think,
        ArgumentsDelta: _arguments,
        MediaDelta: _media,
        CiteAdded: _cite,
        SealAdded: _seal,
        PartEnded: _close,
    }
