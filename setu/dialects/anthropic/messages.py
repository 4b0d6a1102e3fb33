"""The conversation, both ways.

Anthropic wants user and assistant in turn, tool results first in the user turn that answers the calls, and no empty
text. The system prompt is a field of its own: leading system and developer messages go there in order, as blocks of
their own; later ones stay in place where the model takes `role: system`, and go there too where it does not.
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
from setu.chat.request import ChatRequest, Message, Role
from setu.dialects.anthropic.blocks import Known, read_content
from setu.dialects.anthropic.media import write_media
from setu.dialects.anthropic.words import NAME, legal_id
from setu.dialects.anthropic.writing import (
    cache_control,
    hosted_call,
    hosted_result,
    own_cites,
    own_extra,
    signed_thinking,
)
from setu.dialects.claude import call_input, is_own, unique_calls
from setu.dialects.losses import Losses
from setu.dialects.reader import Obj
from setu.dialects.record import Target, pointer
from setu.errors import LocalDialectError

Block = dict[str, Any]

_ROLES: dict[str, Role] = {"user": "user", "assistant": "assistant", "system": "system"}
_SYSTEM = ("system", "developer")


def read_messages(body: Obj) -> tuple[Message, ...]:
    """Take `messages`; `role: system` is legal in the middle (B-MSG-02)."""
    found = body.objects("messages")
    if found is None:
        raise body.missing("messages")
    if not found:
        raise body.wrong("messages", "a list of at least one message")
    known = Known()
    return tuple(_read_message(message, known) for message in found)


def _read_message(message: Obj, known: Known) -> Message:
    role = _ROLES.get(message.need_text("role"))
    if role is None:
        raise message.wrong("role", "one of user, assistant, system")
    if not message.has("content") or message.is_null("content"):
        raise message.missing("content")
    parts = read_content(message, "content", known)
    return Message(role=role, parts=parts, extra=message.extra(NAME))


class Turn(msgspec.Struct):
    """A turn while it grows."""

    role: str
    blocks: list[Block]
    extra: dict[str, Any]


class Conversation:
    """Writes messages one after the other; `system` and `turns` are what has become of them."""

    def __init__(self, target: Target, losses: Losses) -> None:
        self.system: list[Block] = []
        self.turns: list[Turn] = []
        self._target = target
        self._losses = losses
        self._late: list[Block] = []

    def write(self, request: ChatRequest) -> None:
        """Write the whole conversation.

        Raises:
            LocalDialectError: something in it cannot be sent, or nothing is left of it.
        """
        self.system = self._system(request.system, "/system")
        lead = next((at for at, message in enumerate(request.messages) if message.role not in _SYSTEM), None)
        for index, message in enumerate(request.messages):
            if message.role not in _SYSTEM:
                self._message(message, pointer("messages", index))
            elif lead is None or index < lead:
                self.system += self._system(message.parts, pointer("messages", index, "content"))
            else:
                self._mid_system(message, pointer("messages", index))
        self._settle_late()
        if self._late:
            self.system += self._late
        if not self.turns:
            raise LocalDialectError("Anthropic needs at least one message of the user", param="messages")
        self._finish()

    def _message(self, message: Message, where: str) -> None:
        role = "assistant" if message.role == "assistant" else "user"
        blocks = self.blocks(message.parts, f"{where}/content", role)
        self._losses.note_envelope(message, where)
        extra = own_extra(message.extra, where, self._losses)
        if not blocks and not extra:
            return  # nothing to say: the neighbours merge (B-MSG-08)
        if role == "assistant":
            self._settle_late()
        self._append(role, blocks, extra)

    def _append(self, role: str, blocks: list[Block], extra: dict[str, Any]) -> None:
        last = self.turns[-1] if self.turns else None
        if last is not None and last.role == role and not extra and not last.extra:
            last.blocks += blocks
        else:
            self.turns.append(Turn(role=role, blocks=blocks, extra=extra))

    def _mid_system(self, message: Message, where: str) -> None:
        """Keep a system message in place, right after a user turn, or move it to the top (B-MSG-01)."""
        own = any(isinstance(part, Opaque) and part.dialect == NAME for part in message.parts)
        blocks = self._system(message.parts, f"{where}/content")
        if not blocks:
            return
        if not own and not self._target.facts.system_turns:
            self._losses.note(where, "the system message moved to the top", "info")
            self.system += blocks
        elif self.turns and self.turns[-1].role != "assistant":
            self._append("system", blocks, own_extra(message.extra, where, self._losses))
        else:
            self._late += blocks  # between a call and its result there may be nothing

    def _settle_late(self) -> None:
        if self._late and self.turns and self.turns[-1].role == "user":
            self._append("system", self._late, {})
            self._late = []

    def _system(self, parts: tuple[AnyPart, ...], where: str) -> list[Block]:
        blocks: list[Block] = []
        for index, part in enumerate(parts):
            if isinstance(part, (Text, Refusal)):
                blocks += self._with_marks(part, self._text(part, f"{where}/{index}"), f"{where}/{index}", blocks)
            elif isinstance(part, Opaque) and part.dialect == NAME:
                blocks.append(_opaque(part))
            else:
                self._losses.note(f"{where}/{index}", "a system prompt holds only text")
        return blocks

    def blocks(self, parts: tuple[AnyPart, ...], where: str, role: str) -> list[Block]:
        """Return the blocks for parts; what Anthropic cannot take is noted and left out."""
        blocks: list[Block] = []
        for index, part in enumerate(parts):
            at = f"{where}/{index}"
            blocks += self._with_marks(part, self._block(part, at, role), at, blocks)
            self._losses.note_seal(part, NAME, at)
        return blocks

    def _with_marks(self, part: AnyPart, block: Block | None, where: str, before: list[Block]) -> list[Block]:
        """Add cache mark and extras; the mark of a dropped empty text moves to the block before (B-MED-11)."""
        if block is None:
            if part.cache is not None and isinstance(part, Text) and before and _takes_mark(before[-1]):
                before[-1] |= cache_control(part.cache)
            return []
        if _RAW in block:
            return [block]
        if isinstance(part, Reasoning):
            self._losses.note_foreign(part.extra, NAME, where)
            return [block]  # thinking goes back as it came and takes no mark
        return [block | cache_control(part.cache) | own_extra(part.extra, where, self._losses)]

    def _block(self, part: AnyPart, where: str, role: str) -> Block | None:
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
            return None  # "text content blocks must be non-empty" (B-MSG-07)
        cites = own_cites(part.cites, where, self._losses) if isinstance(part, Text) else []
        return {"type": "text", "text": part.text} | ({"citations": cites} if cites else {})

    def _reasoning(self, part: Reasoning, where: str) -> Block | None:
        block = signed_thinking(part)
        if block is None:  # Anthropic takes back only what it signed (B-THK-11)
            self._losses.note(where, "reasoning without Anthropic's signature", "info")
        return block

    def _media(self, part: Media, where: str, role: str) -> Block | None:
        if role == "assistant":
            self._losses.note(where, "Anthropic takes no media in an assistant turn")
            return {"type": "text", "text": part.transcript} if part.transcript else None
        return write_media(part, where, self._target, self._losses, lambda parts, at: self.blocks(parts, at, "user"))

    def _call(self, part: ToolCall, where: str) -> Block:
        members = call_input(part, where, self._losses)
        caller = {"caller": Raw(part.caller)} if part.caller is not None else {}
        return {"type": "tool_use", "id": legal_id(part.call_id), "name": part.name, "input": members} | caller

    def _result(self, part: ToolResult, where: str) -> Block:
        block: Block = {"type": "tool_result", "tool_use_id": legal_id(part.call_id)}
        content = self.blocks(part.content, f"{where}/content", "user")
        if content:
            block["content"] = _shortest(content)
        return block | ({"is_error": part.is_error} if part.is_error is not None else {})

    def _own(self, part: HostedCall | HostedResult | Opaque, where: str) -> Block | None:
        if not is_own(part, NAME, where, self._losses):
            return None
        if isinstance(part, Opaque):
            return _opaque(part)
        return hosted_call(part) if isinstance(part, HostedCall) else hosted_result(part)

    def _finish(self) -> None:
        for turn in self.turns:
            if turn.role == "user":
                # Tool results come first, in one row (B-TOOL-01, B-TOOL-02).
                turn.blocks.sort(key=lambda block: block.get("type") != "tool_result")
            elif turn.role == "assistant":
                turn.blocks = unique_calls(turn.blocks, _called)
        last = self.turns[-1]
        if last.role == "assistant":
            _strip_end(last)

    def messages(self) -> list[dict[str, Any]]:
        """Return the wire messages."""
        return [{"role": turn.role, "content": _shortest(turn.blocks)} | turn.extra for turn in self.turns]


def _takes_mark(block: Block) -> bool:
    """Thinking takes no mark, and exact JSON is not touched."""
    return block.get("type") not in (None, "thinking", "redacted_thinking")


_RAW = "\0raw"
"""Marks a block that is exact JSON; never a member on the wire."""


def _opaque(part: Opaque) -> Block:
    return {_RAW: Raw(part.raw)}


def _shortest(blocks: list[Block]) -> Any:
    """Return a lone bare text as a string, else the list of blocks."""
    if len(blocks) == 1 and blocks[0].keys() == {"type", "text"}:
        return blocks[0]["text"]
    return [block.get(_RAW, block) for block in blocks]


def _called(block: Block) -> str | None:
    return block["id"] if block.get("type") == "tool_use" else None


def _strip_end(turn: Turn) -> None:
    """Strip the space at the very end: Anthropic refuses it there, and only there (B-MSG-13)."""
    last = turn.blocks[-1] if turn.blocks else {}
    if last.get("type") == "text":
        turn.blocks[-1] = last | {"text": last["text"].rstrip()}


def system_member(blocks: list[Block]) -> dict[str, Any]:
    """Return the `system` member, none for no blocks."""
    return {"system": _shortest(blocks)} if blocks else {}
