"""The conversation as `system` and `messages`.

Converse wants user and assistant in turn, all results of a turn's calls in the one user turn after it, no blank text,
and one member a block: a cache mark is an element after what it marks (B-USG-12, B-USG-13).
"""

from typing import Any

import msgspec

from setu._json import Raw
from setu.chat.parts import (
    AnyPart,
    HostedCall,
    HostedResult,
    Media,
    Opaque,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
)
from setu.chat.request import ChatRequest, Message
from setu.chat.seals import CacheMark, Cite
from setu.dialects.bedrock.blocks import redacted
from setu.dialects.bedrock.media import Names, write_media
from setu.dialects.bedrock.tools import cache_point
from setu.dialects.bedrock.words import NAME, family_of, legal_id, wire_name
from setu.dialects.claude import ISSUER, call_input, is_own, thinking_text, unique_calls
from setu.dialects.losses import Losses
from setu.dialects.record import Target, pointer
from setu.errors import LocalDialectError

Block = dict[str, Any]
Unit = list[Any]
"""A block and the cache point that belongs to it: they move together."""

_SYSTEM = ("system", "developer")
_NO_OUTPUT = "(no output)"
"""What a result says that says nothing: it needs one block, and a blank text is none (B-MSG-09)."""


class Turn(msgspec.Struct):
    """A turn while it grows; `where` points to the message that opened it."""

    role: str
    units: list[Unit]
    where: str


class Conversation:
    """Writes messages one after the other; `system` and `turns` are what has become of them."""

    def __init__(self, target: Target, losses: Losses) -> None:
        self.system: list[Any] = []
        self.turns: list[Turn] = []
        self._target = target
        self._family = family_of(target.model)
        self._losses = losses
        self._names = Names()

    def write(self, request: ChatRequest) -> None:
        """Write the whole conversation.

        Raises:
            LocalDialectError: something in it cannot be sent, or nothing is left of it.
        """
        self._system(request.system, "/system")
        for index, message in enumerate(request.messages):
            where = pointer("messages", index)
            if message.role in _SYSTEM:
                if self.turns:
                    self._losses.note(where, "the system message moved to the top", "info")
                self._system(message.parts, f"{where}/content")
            else:
                self._message(message, where)
        if not self.turns:
            raise LocalDialectError("Bedrock needs at least one message of the user", param="messages")
        self._finish()

    def _system(self, parts: tuple[AnyPart, ...], where: str) -> None:
        """Add texts, each as a block of its own with its mark (B-MSG-01)."""
        for index, part in enumerate(parts):
            if isinstance(part, (Text, Refusal)):
                if part.text.strip():
                    self.system.append({"text": part.text})
                if self.system:
                    self.system += cache_point(part.cache, self._family, f"{where}/{index}", self._losses)
            elif isinstance(part, Opaque) and part.dialect == NAME:
                self.system.append(Raw(part.raw))
            else:
                self._losses.note(f"{where}/{index}", "a system prompt holds only text")

    def _message(self, message: Message, where: str) -> None:
        role = "assistant" if message.role == "assistant" else "user"
        units = self._units(message.parts, f"{where}/content", role)
        self._losses.note_envelope(message, where)
        self._losses.note_foreign(message.extra, NAME, where)
        if not units:
            return  # nothing to say: the neighbours merge (B-MSG-08)
        if self.turns and self.turns[-1].role == role:
            self.turns[-1].units += units
        else:
            self.turns.append(Turn(role=role, units=units, where=where))

    def _units(self, parts: tuple[AnyPart, ...], where: str, role: str) -> list[Unit]:
        units: list[Unit] = []
        for index, part in enumerate(parts):
            block = self._block(part, f"{where}/{index}", role)
            mark = None if isinstance(part, Reasoning) else _mark(part)
            point = cache_point(mark, self._family, f"{where}/{index}", self._losses)
            if block is not None:
                units.append([block, *point])
            elif point and units and len(units[-1]) == 1:
                units[-1] += point  # the mark of a dropped empty text moves to the block before (B-MED-11)
            self._losses.note_foreign(part.extra, NAME, f"{where}/{index}")
            self._losses.note_seal(part, ISSUER, f"{where}/{index}")
        return units

    def _block(self, part: AnyPart, where: str, role: str) -> Any:
        match part:
            case Text() | Refusal():
                return self._text(part, where)
            case Reasoning():
                return self._reasoning(part, where)
            case Media():
                return self._media(part, where, role)
            case ToolCall():
                return self._call(part, where)
            case ToolResult():
                return self._result(part, where)
            case HostedCall() | HostedResult() | Opaque():
                return self._own(part, where)

    def _text(self, part: Text | Refusal, where: str) -> Block | None:
        if not part.text.strip():
            return None  # "The text field in the ContentBlock object is blank" (B-MSG-09)
        cites = _own_cites(part.cites) if isinstance(part, Text) else []
        if isinstance(part, Text) and len(cites) < len(part.cites):
            self._losses.note(where, "citations of another dialect", "info")
        if cites:
            return {"citationsContent": {"content": [{"text": part.text}], "citations": cites}}
        return {"text": part.text}

    def _reasoning(self, part: Reasoning, where: str) -> Block | None:
        seal = part.seal
        if seal is None or seal.issuer != ISSUER or self._family not in ("claude", "opaque"):
            self._losses.note(where, "reasoning without a seal that the model can check", "info")
            return None
        if seal.kind == "redacted":
            return {"reasoningContent": {"redactedContent": redacted(seal.data)}}
        return {"reasoningContent": {"reasoningText": {"text": thinking_text(part), "signature": seal.data}}}

    def _media(self, part: Media, where: str, role: str) -> Block | None:
        if role == "assistant":
            self._losses.note(where, "Bedrock takes no media in an assistant turn")
            return {"text": part.transcript} if part.transcript else None
        return write_media(part, where, self._target, self._names, self._losses)

    def _call(self, part: ToolCall, where: str) -> Block:
        members = call_input(part, where, self._losses)
        name = wire_name(part.name, where.lstrip("/").replace("/", "."))
        return {"toolUse": {"toolUseId": legal_id(part.call_id), "name": name, "input": members}}

    def _result(self, part: ToolResult, where: str) -> Block:
        """Write a result; its texts stay texts, because JSON with an empty key is refused (B-TOOL-07, B-TOOL-26)."""
        content: list[Any] = []
        for index, inner in enumerate(part.content):
            at = f"{where}/content/{index}"
            if isinstance(inner, (Text, Refusal)):
                content += [{"text": inner.text}] if inner.text.strip() else []
            elif isinstance(inner, Media):
                content.append(write_media(inner, at, self._target, self._names, self._losses))
            elif isinstance(inner, Opaque) and inner.dialect == NAME:
                content.append(Raw(inner.raw))
            else:
                self._losses.note(at, "a tool result holds only text and media")
        result: Block = {"toolUseId": legal_id(part.call_id), "content": content or [{"text": _NO_OUTPUT}]}
        return {"toolResult": result | ({"status": "error"} if part.is_error else {})}

    def _own(self, part: HostedCall | HostedResult | Opaque, where: str) -> Any:
        if not is_own(part, NAME, where, self._losses):
            return None
        if isinstance(part, Opaque):
            return Raw(part.raw)
        if isinstance(part, HostedCall):
            arguments = Raw(part.arguments) if part.arguments is not None else {}
            use = {"toolUseId": part.call_id, "name": part.name or "", "input": arguments, "type": part.tool}
            return {"toolUse": use}
        status = {} if part.is_error is None else {"status": "error" if part.is_error else "success"}
        named = {"type": part.tool} if part.tool != "toolResult" else {}
        result: Block = {"toolUseId": part.call_id, "content": Raw(part.content)}
        return {"toolResult": result | named | status}

    def _finish(self) -> None:
        for turn in self.turns:
            if turn.role == "user":
                # Tool results come first, in one row (B-TOOL-01, B-TOOL-02).
                turn.units.sort(key=lambda unit: not _holds(unit, "toolResult"))
                self._say_names(turn)
            else:
                turn.units = unique_calls(turn.units, _called)
        last = self.turns[-1]
        if last.role == "assistant" and _holds(last.units[-1], "text"):
            text = last.units[-1][0]["text"]
            last.units[-1][0] = {"text": text.rstrip()}  # refused at the very end, and only there (B-MSG-13)

    def _say_names(self, turn: Turn) -> None:
        """Name the documents of a turn that says nothing else: a document needs a text beside it (B-MED-06)."""
        names = [unit[0]["document"]["name"] for unit in turn.units if _holds(unit, "document")]
        if names and not any(_holds(unit, "text") for unit in turn.units):
            turn.units.append([{"text": ", ".join(names)}])
            self._losses.note(turn.where, "a document needs a text beside it: its name was added", "info")

    def may_think(self) -> bool:
        """Say whether Claude may think by budget: the turn whose calls are answered must begin with its thinking."""
        if len(self.turns) < 2 or self.turns[-1].role != "user" or self.turns[-2].role != "assistant":
            return True
        asked = self.turns[-2].units
        calls = any(_holds(unit, "toolUse") for unit in asked)
        return not calls or _holds(asked[0], "reasoningContent")

    def messages(self) -> list[dict[str, Any]]:
        """Return the wire messages."""
        return [
            {"role": turn.role, "content": [element for unit in turn.units for element in unit]} for turn in self.turns
        ]


def _mark(part: AnyPart) -> CacheMark | None:
    """Return a part's mark; a result's contents have no place for theirs but after the result."""
    if part.cache is None and isinstance(part, ToolResult):
        return next((inner.cache for inner in reversed(part.content) if inner.cache is not None), None)
    return part.cache


def _holds(unit: Unit, kind: str) -> bool:
    return isinstance(unit[0], dict) and kind in unit[0]


def _own_cites(cites: tuple[Cite, ...]) -> list[Any]:
    return [Raw(cite.raw) for cite in cites if cite.dialect == NAME and cite.raw is not None]


def _called(unit: Unit) -> str | None:
    return unit[0]["toolUse"]["toolUseId"] if _holds(unit, "toolUse") else None
