"""Output items while they stream: what has been said of each, and what its closing copy adds.

Every text comes up to three times: as deltas, in a `.done` event and in the item's last form. Deltas count; a closing
copy adds only what no delta said (B-STR-24, B-ANT-02).
"""

from collections.abc import Callable
from typing import Any

import msgspec

from setu._json import Json, kind_of
from setu.chat.events import (
    ArgumentsDelta,
    CiteAdded,
    Event,
    PartEnded,
    PartStarted,
    PartStatus,
    ReasoningDelta,
    SealAdded,
    TextDelta,
)
from setu.chat.parts import AnyPart, HostedCall, Reasoning, Refusal, Text, ToolCall
from setu.chat.request import Message
from setu.chat.unfold import skeleton
from setu.dialects.openai_responses.content import parse_cite, parse_part
from setu.dialects.openai_responses.words import CALLS, HOSTED, NAME
from setu.dialects.reader import Obj


class Growth:
    """One part that is open, or was."""

    __slots__ = ("cites", "handle", "logprobs", "open", "said", "value")

    def __init__(self, handle: int, value: AnyPart) -> None:
        self.handle = handle
        self.value = value
        self.said: dict[tuple[bool, int], str] = {}
        """What was said, by section; everything but reasoning has the one."""
        self.cites = 0
        self.logprobs = False
        self.open = True

    def say(self, text: str, events: list[Event], *, section: int = 0, summary: bool = False) -> None:
        """Add a delta."""
        key = (summary, section)
        self.said[key] = self.said.get(key, "") + text
        if isinstance(self.value, Reasoning):
            events.append(ReasoningDelta(part=self.handle, text=text, section=section, summary=summary))
        elif isinstance(self.value, ToolCall):
            events.append(ArgumentsDelta(part=self.handle, text=text))
        else:
            events.append(TextDelta(part=self.handle, text=text))

    def complete(self, text: str, events: list[Event], *, section: int = 0, summary: bool = False) -> None:
        """Add what a closing copy holds beyond the deltas; one that contradicts them adds nothing."""
        said = self.said.get((summary, section), "")
        unheard = (summary, section) not in self.said and isinstance(self.value, Reasoning)  # an empty section counts
        if text.startswith(said) and (len(text) > len(said) or unheard):
            self.say(text[len(said) :], events, section=section, summary=summary)

    def end(self, final: AnyPart | None, events: list[Event]) -> None:
        if self.open:
            self.open = False
            events.append(PartEnded(part=self.handle, final=final))


class Item:
    """One output item. `index` is its place in the output, which numbers its message."""

    def __init__(self, index: int, obj: Obj, next_part: Callable[[], int], parse: Callable[[Json], Message]) -> None:
        self.index = index
        self.kind = obj.text("type") or ""
        self.id = obj.text("id")
        self.phase = obj.text("phase")
        self.closed = False
        self._next_part = next_part
        self._parse = parse
        self._contents: dict[int, Growth] = {}
        self.part: Growth | None = None

    @property
    def is_call(self) -> bool:
        return self.kind in CALLS

    def start(self, raw: Json, events: list[Event]) -> None:
        """Open the part of an item that is one part; a message's parts open one by one."""
        if self.kind == "reasoning" or self.is_call:
            value = self._only(raw)
            if value is not None:
                self.part = self._open(skeleton(value), events)
        elif self.kind in HOSTED and self.kind != "image_generation_call":
            value = self._only(raw)
            if isinstance(value, HostedCall):
                self.part = self._open(msgspec.structs.replace(value, arguments=None, status=None), events)

    def _only(self, raw: Json) -> AnyPart | None:
        parts = self._parse(raw).parts
        return parts[0] if parts else None

    def _open(self, value: AnyPart, events: list[Event]) -> Growth:
        growth = Growth(self._next_part(), value)
        events.append(PartStarted(part=growth.handle, value=value, message=self.index, phase=self.phase))
        return growth

    def content(self, index: int, value: AnyPart, events: list[Event]) -> Growth:
        """Return a content part, opened now if nobody announced it (B-RSP-02)."""
        growth = self._contents.get(index)
        if growth is None:
            growth = self._contents[index] = self._open(skeleton(_bare(value)), events)
        return growth

    def text(self, index: int, event: Obj, *, refusal: bool, events: list[Event]) -> None:
        """Take a delta of a text or a refusal."""
        delta = event.text("delta") or ""
        growth = self.content(index, Refusal(text="") if refusal else Text(text=""), events)
        tokens = event.array("logprobs")
        if tokens:
            growth.logprobs = True
            growth.said[False, 0] = growth.said.get((False, 0), "") + delta
            events.append(TextDelta(part=growth.handle, text=delta, logprobs=tuple(tokens)))
        elif delta:
            growth.say(delta, events)

    def cite(self, index: int, raw: Json, events: list[Event]) -> None:
        growth = self.content(index, Text(text=""), events)
        growth.cites += 1
        events.append(CiteAdded(part=growth.handle, cite=parse_cite(Obj(raw, "annotation", lenient=True), raw)))

    def finish_content(self, index: int, raw: Json, events: list[Event]) -> None:
        """Close a content part with its last form."""
        final = parse_part(raw, "part", lenient=True)
        growth = self.content(index, final, events)
        if not growth.open:
            return
        if isinstance(final, (Text, Refusal)):
            growth.complete(final.text, events)
        if isinstance(final, Text):
            events.extend(CiteAdded(part=growth.handle, cite=cite) for cite in final.cites[growth.cites :])
            if final.logprobs is not None and not growth.logprobs:
                events.append(TextDelta(part=growth.handle, text="", logprobs=final.logprobs))
        growth.end(final, events)

    def status(self, state: str, events: list[Event]) -> None:
        if self.part is not None and self.part.open and isinstance(self.part.value, HostedCall):
            events.append(PartStatus(part=self.part.handle, state=state))

    def finish(self, raw: Json, events: list[Event]) -> None:
        """Close the item with its last form."""
        if self.closed:
            return
        self.closed = True
        if self.kind == "message":
            obj = Obj(raw, "item", lenient=True)
            self.phase = obj.text("phase") or self.phase
            for index, content in enumerate(obj.array("content") or ()):
                if kind_of(content) == "object":
                    self.finish_content(index, content, events)
            self.abandon(events)
            return
        final = self._only(raw)
        if final is None:
            return
        growth = self.part or self._open(final, events)
        if self.part is not None:
            _complete(growth, final, events)
        growth.end(final, events)

    def abandon(self, events: list[Event]) -> None:
        """Close what is still open, without a last form."""
        self.closed = True
        for growth in (*self._contents.values(), *([self.part] if self.part is not None else [])):
            growth.end(None, events)


def _bare(value: AnyPart) -> AnyPart:
    return msgspec.structs.replace(value, cites=()) if isinstance(value, Text) else value


def _complete(growth: Growth, final: Any, events: list[Event]) -> None:
    match final:
        case Reasoning():
            for summary, sections in ((False, final.text), (True, final.summary)):
                for section, text in enumerate(sections):
                    growth.complete(text, events, section=section, summary=summary)
            if final.seal is not None:
                events.append(SealAdded(part=growth.handle, data=final.seal.data, issuer=NAME, kind="encrypted"))
        case ToolCall():
            growth.complete(final.arguments, events)
        case HostedCall():
            events.append(
                ArgumentsDelta(part=growth.handle, text=(final.arguments or b"{}").decode("utf-8", "replace"))
            )
            if final.status is not None:
                events.append(PartStatus(part=growth.handle, state=final.status))
        case _:
            return
