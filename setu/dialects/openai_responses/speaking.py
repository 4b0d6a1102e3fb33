"""Output items while they are written to a client: each from `added` to `done`, in the documented order of events.

https://platform.openai.com/docs/api-reference/responses-streaming, 2026-11.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from setu.chat.events import ArgumentsDelta, CiteAdded, Event, PartStarted, ReasoningDelta, SealAdded, TextDelta
from setu.chat.fold import Fold
from setu.chat.parts import Reasoning, Refusal, Text, ToolCall
from setu.chat.request import ChatRequest
from setu.chat.seals import Seal
from setu.dialects.extras import lose
from setu.dialects.openai_responses.answer import (
    call_item,
    message_item,
    reasoning_item,
    render_cite,
    render_content,
    render_logprob,
)
from setu.dialects.openai_responses.words import CUT_SHORT
from setu.dialects.record import Loss

Emit = Callable[[str, dict[str, Any]], None]
"""Sends an event: its type and its members beside type and sequence number."""


class Speech:
    """What all items of one stream share."""

    def __init__(self, emit: Emit, losses: list[Loss], asked: ChatRequest | None) -> None:
        self.emit = emit
        self.losses = losses
        self.asked = asked


class Speaking:
    """One output item that is being written. `ended` when all its parts have; `close` sends its last form."""

    def __init__(self, speech: Speech, index: int, identity: str) -> None:
        self.speech = speech
        self.index = index
        self.id = identity
        self.ended = False
        self.final: dict[str, Any] | None = None
        self.place = {"item_id": identity, "output_index": index}

    def emit(self, kind: str, **members: Any) -> None:
        self.speech.emit(kind, self.place | members)

    def added(self, item: dict[str, Any]) -> None:
        if "status" in item:
            item = item | {"status": "in_progress"}
        self.speech.emit("response.output_item.added", {"output_index": self.index, "item": item})

    def done(self, item: dict[str, Any], *, incomplete: bool = False) -> None:
        if incomplete and item["type"] in CUT_SHORT:
            item = item | {"status": "incomplete"}
        self.final = item
        self.speech.emit("response.output_item.done", {"output_index": self.index, "item": item})

    def feed(self, event: Event) -> None:
        """Write a delta of the item's only part."""

    def end(self) -> None:
        """End the item's only part."""
        self.ended = True

    def close(self, *, incomplete: bool = False) -> None:
        """Write the item's last form."""
        self.end()
        self.done(self.form(), incomplete=incomplete)

    def form(self) -> dict[str, Any]:
        """Return the item as it is by now."""
        return {}


class Content:
    """One content part of a message item."""

    def __init__(self, item: "MessageItem", index: int, part: int, value: Text | Refusal) -> None:
        self.item = item
        self.index = index
        self.value = value
        self.fold = Fold()
        self.fold.feed(PartStarted(part=part, value=value))
        self.cites = 0
        self.open = True
        bare = msgspec.structs.replace(value, text="")
        if isinstance(bare, Text):
            bare = msgspec.structs.replace(bare, cites=(), logprobs=None, seal=None)
        self._part("added", bare)

    def _part(self, what: str, value: Text | Refusal) -> None:
        losses = self.item.speech.losses if what == "done" else []
        where = ("output", self.item.index, "content", self.index)
        part = render_content(value, where, losses)
        self.item.emit(f"response.content_part.{what}", content_index=self.index, part=part)

    def say(self, event: Event) -> None:
        """Write a delta and keep it for the last form."""
        self.fold.feed(event)
        self.announce(event)

    def announce(self, event: Event) -> None:
        """Write a delta."""
        if isinstance(event, CiteAdded):
            where = ("output", self.item.index, "content", self.index)
            cite = render_cite(event.cite, where, [])
            if cite is not None:
                self.item.emit(
                    "response.output_text.annotation.added",
                    content_index=self.index,
                    annotation_index=self.cites,
                    annotation=cite,
                )
                self.cites += 1
        elif isinstance(event, TextDelta) and isinstance(self.value, Text):
            logprobs = [render_logprob(entry) for entry in event.logprobs or ()]
            self.item.emit("response.output_text.delta", content_index=self.index, delta=event.text, logprobs=logprobs)
        elif isinstance(event, TextDelta):
            self.item.emit("response.refusal.delta", content_index=self.index, delta=event.text)

    def end(self) -> None:
        """Write the part's last form, once."""
        if not self.open:
            return
        self.open = False
        whole = self.whole()
        if isinstance(whole, Text):
            logprobs = [render_logprob(entry) for entry in whole.logprobs or ()]
            self.item.emit("response.output_text.done", content_index=self.index, text=whole.text, logprobs=logprobs)
        else:
            self.item.emit("response.refusal.done", content_index=self.index, refusal=whole.text)
        self._part("done", whole)

    def whole(self) -> Any:
        return self.fold.result().response.candidates[0].messages[0].parts[0]


class MessageItem(Speaking):
    """An assistant message; the texts of one source message are its content parts."""

    def __init__(self, speech: Speech, index: int, identity: str, number: int, phase: str | None) -> None:
        super().__init__(speech, index, identity)
        self.number = number
        self.bare = message_item(identity, phase)
        self.contents: list[Content] = []
        self.added(self.bare)

    def open(self, part: int, value: Text | Refusal) -> Content:
        content = Content(self, len(self.contents), part, value)
        self.contents.append(content)
        return content

    def settle(self) -> None:
        self.ended = not any(content.open for content in self.contents)

    def end(self) -> None:
        for content in self.contents:
            content.end()
        self.ended = True

    def form(self) -> dict[str, Any]:
        where = ("output", self.index, "content")
        rendered = [render_content(content.whole(), (*where, content.index), []) for content in self.contents]
        return self.bare | {"content": rendered}


class ThoughtItem(Speaking):
    """A reasoning item: its sections come one after the other, those of the summary and those of the words."""

    def __init__(self, speech: Speech, index: int, identity: str, value: Reasoning) -> None:
        super().__init__(speech, index, identity)
        self._value = value
        self._seal = value.seal
        self._sections: list[tuple[bool, list[str]]] = []
        self._key: tuple[bool, int] | None = None
        bare = msgspec.structs.replace(value, text=(), summary=(), seal=None)
        self.added(reasoning_item(bare, identity, ("output", index), []))
        for summary, sections in ((False, value.text), (True, value.summary)):
            for section, text in enumerate(sections):
                self.feed(ReasoningDelta(part=0, text=text, section=section, summary=summary))

    def feed(self, event: Event) -> None:
        if isinstance(event, SealAdded):
            before = self._seal.data if event.append and self._seal is not None else ""
            kind: Any = event.kind
            self._seal = Seal(issuer=event.issuer, kind=kind, data=before + event.data)
        elif isinstance(event, ReasoningDelta):
            self._think(event)

    def _think(self, event: ReasoningDelta) -> None:
        key = (event.summary, event.section)
        if key != self._key:
            self._close_section()
            self._key = key
            self._sections.append((event.summary, []))
            if event.summary:
                part = {"type": "summary_text", "text": ""}
                self.emit("response.reasoning_summary_part.added", **self._place(), part=part)
            else:
                part = {"type": "reasoning_text", "text": ""}
                self.emit("response.content_part.added", **self._place(), part=part)
        self._sections[-1][1].append(event.text)
        kind = "reasoning_summary_text" if event.summary else "reasoning_text"
        self.emit(f"response.{kind}.delta", **self._place(), delta=event.text)

    def _place(self) -> dict[str, int]:
        """Return the number of the current section among those of its kind."""
        summary = self._sections[-1][0]
        number = sum(kind == summary for kind, _ in self._sections) - 1
        return {"summary_index" if summary else "content_index": number}

    def _close_section(self) -> None:
        if self._key is None:
            return
        summary, pieces = self._sections[-1]
        text, place = "".join(pieces), self._place()
        if summary:
            self.emit("response.reasoning_summary_text.done", **place, text=text)
            part = {"type": "summary_text", "text": text}
            self.emit("response.reasoning_summary_part.done", **place, part=part)
        else:
            self.emit("response.reasoning_text.done", **place, text=text)
            self.emit("response.content_part.done", **place, part={"type": "reasoning_text", "text": text})
        self._key = None

    def end(self) -> None:
        self._close_section()
        self.ended = True

    def form(self) -> dict[str, Any]:
        text = tuple("".join(pieces) for summary, pieces in self._sections if not summary)
        summary = tuple("".join(pieces) for summary, pieces in self._sections if summary)
        whole = msgspec.structs.replace(self._value, text=text, summary=summary, seal=self._seal)
        return reasoning_item(whole, self.id, ("output", self.index), self.speech.losses)


class CallItem(Speaking):
    """A call of the client's tool; an empty one ends as valid JSON (B-STR-09)."""

    def __init__(self, speech: Speech, index: int, identity: str, value: ToolCall) -> None:
        super().__init__(speech, index, identity)
        self._value = value
        self._pieces: list[str] = []
        custom = value.kind == "custom"
        self._event = "response.custom_tool_call_input" if custom else "response.function_call_arguments"
        self._member = "input" if custom else "arguments"
        self.added(self._form("", []) | {self._member: ""})
        if value.arguments:
            self._say(value.arguments)

    def feed(self, event: Event) -> None:
        if isinstance(event, ArgumentsDelta):
            self._say(event.text)
        elif isinstance(event, SealAdded):
            where = ("output", self.index, "seal")
            lose(self.speech.losses, where, f"the signature is {event.issuer}'s", info=True, response=True)

    def _say(self, text: str) -> None:
        if text:
            self._pieces.append(text)
            self.emit(f"{self._event}.delta", delta=text)

    def end(self) -> None:
        if self.ended:
            return
        self.ended = True
        if not self._pieces and self._member == "arguments":
            self._say("{}")
        named = {"name": self._value.name} if self._member == "arguments" else {}
        self.emit(f"{self._event}.done", **named, **{self._member: "".join(self._pieces)})

    def form(self) -> dict[str, Any]:
        return self._form("".join(self._pieces), self.speech.losses)

    def _form(self, arguments: str, losses: list[Loss]) -> dict[str, Any]:
        value = msgspec.structs.replace(self._value, arguments=arguments)
        return call_item(value, self.id, self.speech.asked, ("output", self.index), losses)


class WholeItem(Speaking):
    """An item that is shown when it is finished: a picture, a hosted tool's run, one this version does not know."""

    def __init__(self, speech: Speech, index: int, identity: str, item: dict[str, Any]) -> None:
        super().__init__(speech, index, identity)
        self._item = item
        self.added(item)
        self.ended = True

    def form(self) -> dict[str, Any]:
        return self._item
