"""Canonical messages to chat messages.

Chat wants every call of a turn in one assistant message, the results right after it, one message each, and media of
results in a user message of their own (B-TOOL-01, B-TOOL-08, B-ANT-07).
"""

from typing import Any

import msgspec

from setu._json import Raw
from setu.chat.ids import bounded
from setu.chat.parts import (
    AnyPart,
    HostedCall,
    Media,
    Opaque,
    Plain,
    Reasoning,
    Ref,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
)
from setu.chat.request import ChatRequest, Message
from setu.chat.seals import Seal
from setu.dialects.extras import Where
from setu.dialects.openai_chat.extras import give_back
from setu.dialects.openai_chat.media import PartWriter
from setu.dialects.openai_chat.reasoning import render_details, words

Wire = dict[str, Any]
Item = dict[str, Any] | Raw

_ID_CHARACTERS = frozenset(map(chr, range(33, 127)))
_SHORT_ID_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")


class TurnWriter:
    """Renders a history for one target."""

    def __init__(self, request: ChatRequest, writer: PartWriter) -> None:
        self.request = request
        self.writer = writer
        self.losses = writer.losses
        self.capabilities = writer.target.capabilities
        self.rendered: list[Wire] = []
        self._media: list[Item] = []
        """Media of tool results, waiting for the last result of the turn."""
        self._hosted = {
            part.call_id for message in request.messages for part in message.parts if isinstance(part, HostedCall)
        }
        self._open = False
        """Whether the last message is an assistant's that more of its turn may join."""

    def messages(self) -> list[Wire]:
        self._system()
        for index, message in enumerate(self.request.messages):
            where = ("messages", index)
            if message.role == "assistant":
                self._flush_media()
                self._assistant(message, where)
            elif message.role in {"system", "developer"}:
                self._flush_media()
                self._plain(message, list(enumerate(message.parts)), where)
            else:
                self._user(message, where)
        self._flush_media()
        return self.rendered

    def _add(self, message: Wire) -> None:
        self.rendered.append(message)
        self._open = False

    def _system(self) -> None:
        """Put the top-level system prompt first: one string, or parts where a cache mark has to stay (B-MSG-03)."""
        system = self.request.system
        if not system:
            return
        marked = "cache_control" in self.capabilities and any(part.cache for part in system)
        items = [item for index, part in enumerate(system) for item in self.writer.part(part, ("system", index))]
        texts = [item["text"] for item in items if isinstance(item, dict) and item.get("type") == "text"]
        if marked or len(texts) != len(items):
            self._add({"role": "system", "content": items})
        elif items:
            self._add({"role": "system", "content": "\n".join(texts)})

    def _user(self, message: Message, where: Where) -> None:
        """Render a user's or tool's envelope: results first, each a message, then the rest."""
        rest: list[tuple[int, AnyPart]] = []
        for index, part in enumerate(message.parts):
            if isinstance(part, ToolResult):
                self._result(part, message, (*where, "content", index))
            else:
                rest.append((index, part))
        if rest or (message.role == "user" and not message.parts):
            waiting, self._media = self._media, []
            self._plain(message, rest, where, before=waiting)

    def _plain(
        self, message: Message, parts: list[tuple[int, AnyPart]], where: Where, before: list[Item] | None = None
    ) -> None:
        items: list[Item] = [*(before or ())]
        for index, part in parts:
            items += self.writer.part(part, (*where, "content", index))
        if not items and parts and not all(isinstance(part, Text) for _, part in parts):
            return  # everything was lost, and said so; an empty turn would be a lie
        role = self._role(message)
        wire: Wire = {"role": role, "content": _content(items) if items else ""}
        if message.name is not None:
            wire["name"] = message.name
        give_back(wire, message.extra, where, self.losses)
        self._add(wire)

    def _role(self, message: Message) -> str:
        if message.role == "developer" and "developer" not in self.capabilities:
            return "system"  # the same thing by its older name
        return "user" if message.role == "tool" else message.role

    def _result(self, result: ToolResult, message: Message, where: Where) -> None:
        if result.call_id in self._hosted:  # a tool message without its call is refused
            self.writer.lose(where, "it answers a call that chat does not have")
            return
        items: list[Item] = []
        for index, part in enumerate(result.content):
            rendered = self.writer.part(part, (*where, "content", index))
            inline = isinstance(part, (Text, Refusal, Opaque)) or (
                isinstance(part, Media) and isinstance(part.source, Plain)
            )
            if inline or "tool_media" in self.capabilities:
                items += rendered
            else:
                self._media += rendered
        if result.is_error:
            self.writer.lose((*where, "is_error"), "chat does not mark a tool result as an error", info=True)
        wire: Wire = {"role": "tool", "tool_call_id": self.call_id(result.call_id)}
        if message.role == "tool" and message.name is not None:
            wire["name"] = message.name
        wire["content"] = _content(items) if items else ""
        self.writer.mark(wire, result.cache, where)
        give_back(wire, result.extra, where, self.losses)
        if message.role == "tool":
            give_back(wire, message.extra, where, self.losses)
        self._add(wire)

    def _flush_media(self) -> None:
        if self._media:
            self._add({"role": "user", "content": self._media})
            self._media = []

    def _assistant(self, message: Message, where: Where) -> None:
        turn = _Turn(self, where)
        for index, part in enumerate(message.parts):
            turn.part(part, (*where, "content", index))
        wire = turn.wire(message)
        if message.phase is not None:
            self.writer.lose((*where, "phase"), "chat messages have no phase", info=True)
        give_back(wire, message.extra, where, self.losses)
        bare = message.name is None and message.extra is None
        if self._open and bare and _joinable(self.rendered[-1], wire):
            _join(self.rendered[-1], wire)
            return
        if "content" not in wire and "tool_calls" not in wire:
            if message.parts and len(wire) == 1:
                return  # thinking alone, and the target does not take it (B-MSG-17)
            wire["content"] = ""
        wire.setdefault("content", None)
        self._add(wire)
        self._open = bare

    def call_id(self, call_id: str) -> str:
        """Return an id that the target takes, the same for a call and its result (B-TOOL-22, B-TOOL-23)."""
        if "tool_id_9" in self.capabilities:
            return bounded(call_id, prefix="", length=9, legal=_SHORT_ID_CHARACTERS)
        return bounded(call_id, prefix="call_", length=40, legal=_ID_CHARACTERS)


class _Turn:
    """One assistant message while its parts are sorted into the members that chat has for them."""

    def __init__(self, turns: TurnWriter, where: Where) -> None:
        self.turns = turns
        self.writer = turns.writer
        self.where = where
        self.items: list[Item] = []
        self.calls: list[Wire] = []
        self.reasoning: list[Reasoning] = []
        self.audio: str | None = None
        self.seal: Seal | None = None
        self._seen: set[str] = set()

    def part(self, part: AnyPart, where: Where) -> None:
        match part:
            case ToolCall():
                self._call(part, where)
            case Reasoning():
                self._think(part, where)
            case Media(kind="audio", source=Ref(issuer="openai_chat", id=identity)):
                self.audio = identity
            case Media():
                self.writer.lose(where, "an assistant message holds no media here")
            case _:
                if isinstance(part, Text) and part.cites:
                    self.writer.lose((*where, "cites"), "the citations of earlier answers are not sent", info=True)
                if isinstance(part, Text) and self._taken(part.seal):
                    part = msgspec.structs.replace(part, seal=None)
                if self.calls and isinstance(part, Text) and part.text:
                    self.writer.lose(where, "text after a tool call moves before it", info=True)
                self.items += self.writer.part(part, where)

    def _call(self, call: ToolCall, where: Where) -> None:
        if call.call_id in self._seen:  # B-MSG-11
            self.writer.lose(where, "the same call occurs twice in one message", info=True)
            return
        self._seen.add(call.call_id)
        inner = {"name": call.name, "input" if call.kind == "custom" else "arguments": call.arguments}
        wire: Wire = {"id": self.turns.call_id(call.call_id), "type": call.kind, call.kind: inner}
        if call.seal is not None:
            if call.seal.issuer == "gemini" and "extra_content" in self.turns.capabilities:
                wire["extra_content"] = {"google": {"thought_signature": call.seal.data}}
            else:
                self.writer.lose((*where, "seal"), f"the signature is {call.seal.issuer}'s", info=True)
        self.writer.mark(wire, call.cache, where)
        give_back(wire, call.extra, where, self.writer.losses)
        self.calls.append(wire)

    def _taken(self, seal: Seal | None) -> bool:
        """Keep a text's signature for the message, where Google's own chat endpoint takes it (B-THK-04)."""
        if seal is None or seal.issuer != "gemini" or "extra_content" not in self.turns.capabilities:
            return False
        self.seal = seal
        return True

    def _think(self, part: Reasoning, where: Where) -> None:
        if "thinking_parts" in self.turns.capabilities and words(part):
            self.items.append({"type": "thinking", "thinking": [{"type": "text", "text": words(part)}]})
        elif self.turns.capabilities.isdisjoint({"reasoning_content", "reasoning_details"}):
            self.writer.lose(where, "the target takes no earlier thinking back", info=True)
        else:
            self.reasoning.append(part)

    def wire(self, message: Message) -> Wire:
        wire: Wire = {"role": "assistant"}
        if self.items:
            wire["content"] = _content(self.items)
        if message.name is not None:
            wire["name"] = message.name
        if self.reasoning:
            self._write_reasoning(wire)
        if self.audio is not None:
            wire["audio"] = {"id": self.audio}
        if self.seal is not None:
            wire["extra_content"] = {"google": {"thought_signature": self.seal.data}}
        if self.calls:
            wire["tool_calls"] = self.calls
        return wire

    def _write_reasoning(self, wire: Wire) -> None:
        details = render_details(self.reasoning)
        if details and "reasoning_details" in self.turns.capabilities:
            wire["reasoning_details"] = details
            return
        if details:
            self.writer.lose(self.where, "the seals of earlier thinking are another host's", info=True)
        text = "\n\n".join(filter(None, map(words, self.reasoning)))
        if text:
            wire["reasoning_content"] = text


def _content(items: list[Item]) -> str | list[Item]:
    """Return a string for one bare text, as every host takes it (B-MSG-21), else the list."""
    first = items[0]
    if len(items) == 1 and isinstance(first, dict) and first.keys() == {"type", "text"} and first["type"] == "text":
        return str(first["text"])
    return items


def _joinable(before: Wire, after: Wire) -> bool:
    """Tell whether two assistant messages are one turn: thinking, text and calls that another wire keeps apart."""
    return not (before.get("content") and after.get("content")) and not ("audio" in before or "audio" in after)


def _join(before: Wire, after: Wire) -> None:
    if after.get("content"):
        before["content"] = after["content"]
    before.setdefault("tool_calls", []).extend(after.get("tool_calls", []))
    if not before["tool_calls"]:
        del before["tool_calls"]
    text = "\n\n".join(filter(None, (before.get("reasoning_content"), after.get("reasoning_content"))))
    if text:
        before["reasoning_content"] = text
    details = [*before.get("reasoning_details", []), *after.get("reasoning_details", [])]
    if details:
        before["reasoning_details"] = [detail | {"index": index} for index, detail in enumerate(details)]
