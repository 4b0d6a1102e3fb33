"""Canonical messages to input items: envelopes are split, a call and a result are items of their own."""

from typing import Any

from setu._json import Raw
from setu.chat.ids import bounded
from setu.chat.parts import AnyPart, HostedCall, Media, Opaque, Reasoning, Refusal, Text, ToolCall, ToolResult
from setu.chat.request import ChatRequest, Message
from setu.chat.seals import CacheMark
from setu.dialects.extras import Where
from setu.dialects.openai_parts import Item
from setu.dialects.openai_responses.content import CONTENT, PartWriter
from setu.dialects.openai_responses.extras import give_back, known
from setu.dialects.openai_responses.items import hosted_item
from setu.dialects.openai_responses.words import NAME, PREFIXES

Words = Text | Refusal | Opaque
"""What stands inside an assistant message."""

_ID_CHARACTERS = frozenset(map(chr, range(33, 127)))


def call_id(identity: str) -> str:
    """Return an id that the API takes, the same for a call and its result (B-TOOL-23)."""
    return bounded(identity, prefix="call_", length=64, legal=_ID_CHARACTERS)


class TurnWriter:
    """Renders a history for one target."""

    def __init__(self, request: ChatRequest, writer: PartWriter) -> None:
        self.request = request
        self.writer = writer
        self.losses = writer.losses
        self.items: list[Item] = []
        self._thoughts: list[tuple[int, Where]] = []
        """Reasoning items that nothing of their turn has followed yet, by their place."""

    def instructions(self) -> str | None:
        """Return the top-level system prompt as one string."""
        texts: list[str] = []
        for index, part in enumerate(self.request.system):
            where = ("system", index)
            if not isinstance(part, Text):
                self.writer.lose(where, f"{type(part).__name__} has no place in instructions")
                continue
            if part.cache is not None:
                self.writer.lose((*where, "cache"), "instructions take no cache marks", info=True)
            if part.text:
                texts.append(part.text)
        return "\n".join(texts) if texts else None

    def write(self) -> list[Item]:
        for index, message in enumerate(self.request.messages):
            where = ("messages", index)
            if message.name is not None:
                self.writer.lose((*where, "name"), "this API does not name participants", info=True)
            if message.role == "assistant":
                self._assistant(message, where)
            else:
                self._other(message, where)
        self._drop_thoughts()
        return [item for item in self.items if item is not _GONE]

    def _other(self, message: Message, where: Where) -> None:
        """Render a user's, system's or tool's envelope: results first, each an item, then the rest."""
        rest: list[tuple[AnyPart, Where]] = []
        for index, part in enumerate(message.parts):
            place = (*where, "content", index)
            if isinstance(part, ToolResult):
                self._result(part, message, place)
            elif isinstance(part, Opaque) and _is_item(part):
                self.items.append(Raw(part.raw))
            else:
                rest.append((part, place))
        if rest or not message.parts:
            self._plain(message, rest, where)

    def _plain(self, message: Message, rest: list[tuple[AnyPart, Where]], where: Where) -> None:
        content = [item for part, place in rest for item in self.writer.part(part, place)]
        if not content and not all(isinstance(part, Text) for part, _ in rest):
            return  # everything was lost, and said so; an empty turn would be a lie
        role = "user" if message.role == "tool" else message.role
        if role == "user":
            self._drop_thoughts()
        self._add_message(message, role, _content(content), where)

    def _add_message(self, message: Message, role: str, content: str | list[Item], where: Where) -> None:
        wire: dict[str, Any] = {"type": "message", "role": role, "content": content}
        own = {"id": message.id, "phase": message.phase, "status": message.status}
        wire |= {key: value for key, value in own.items() if value is not None}
        give_back(wire, message.extra, where, self.losses)
        self.items.append(wire)

    def _result(self, result: ToolResult, message: Message, where: Where) -> None:
        content: list[Item] = []
        for index, part in enumerate(result.content):
            content += self.writer.part(part, (*where, "content", index))
        kind = "custom_tool_call_output" if result.kind == "custom" else "function_call_output"
        wire: dict[str, Any] = {"type": kind, "call_id": call_id(result.call_id), "output": _content(content)}
        if message.role == "tool":
            own = {"id": result.id, "status": message.status}
            wire |= {key: value for key, value in own.items() if value is not None}
            give_back(wire, message.extra, where, self.losses)
        if result.is_error:
            self.writer.lose((*where, "is_error"), "this API does not mark a result as an error", info=True)
        if result.cache is not None:
            self.writer.lose((*where, "cache"), "a result takes no cache mark", info=True)
        give_back(wire, result.extra, where, self.losses)
        self.items.append(wire)

    def _assistant(self, message: Message, where: Where) -> None:
        words: list[tuple[Words, Where]] = []
        for index, part in enumerate(message.parts):
            place = (*where, "content", index)
            if isinstance(part, (Text, Refusal)) or (_own_content(part) and isinstance(part, Opaque)):
                words.append((part, place))
                continue
            self._words(words, message, where)
            words = []
            self._assistant_part(part, message, place)
        if words or not message.parts:
            self._words(words, message, where, even_empty=not message.parts)

    def _assistant_part(self, part: AnyPart, message: Message, where: Where) -> None:
        match part:
            case ToolCall():
                self._call(part, message, where)
            case Reasoning():
                self._think(part, message, where)
            case HostedCall(dialect="openai_responses"):
                self._follow(hosted_item(part))
            case Opaque(dialect="openai_responses"):
                self._follow(Raw(part.raw))
            case Media():
                self.writer.lose(where, "an assistant message holds no media here")
            case _:
                self.writer.lose(where, f"{type(part).__name__} has no place here")

    def _follow(self, item: Item) -> None:
        self.items.append(item)
        self._thoughts = []

    def _words(
        self,
        words: list[tuple[Words, Where]],
        message: Message,
        where: Where,
        *,
        even_empty: bool = False,
    ) -> None:
        """Render neighbouring texts: as the item they were, or each as the string that needs no id (B-RSP-09)."""
        if words and (message.id is not None or any(_is_own(part) for part, _ in words)):
            content = [self._output(part, place) for part, place in words]
            self._add_message(message, "assistant", content, where)
            self._thoughts = []
            return
        for part, place in words:
            assert not isinstance(part, Opaque)
            self._lose_marks(part, place)
            if not part.text:
                continue
            if isinstance(part, Refusal):
                self.writer.lose(place, "a refusal is sent back as text", info=True)
            self._add_message(message, "assistant", part.text, where)
            self._thoughts = []
        if even_empty:
            self._add_message(message, "assistant", "", where)

    def _lose_marks(self, part: Text | Refusal, where: Where) -> None:
        if part.cache is not None:
            self.writer.lose((*where, "cache"), "an assistant message takes no cache marks", info=True)
        if part.seal is not None:
            self.writer.lose((*where, "seal"), "the signature is another host's", info=True)
        if isinstance(part, Text) and part.cites:
            self.writer.lose((*where, "cites"), "the citations of another host are not sent", info=True)
        give_back({}, part.extra, where, self.losses)

    def _output(self, part: Words, where: Where) -> Item:
        if isinstance(part, Opaque):
            return Raw(part.raw)
        if isinstance(part, Refusal):
            item: dict[str, Any] = {"type": "refusal", "refusal": part.text}
        else:
            cites = [Raw(cite.raw) for cite in part.cites if cite.dialect == NAME and cite.raw is not None]
            item = {"type": "output_text", "text": part.text, "annotations": cites}
            if part.logprobs is not None:
                item["logprobs"] = [Raw(entry) for entry in part.logprobs]
        self._mark(part.cache, where)
        give_back(item, part.extra, where, self.losses)
        return item

    def _mark(self, cache: CacheMark | None, where: Where) -> None:
        if cache is not None:
            self.writer.lose((*where, "cache"), "an assistant message takes no cache marks", info=True)

    def _call(self, call: ToolCall, message: Message, where: Where) -> None:
        """Render a call: no role (B-RSP-05), an id only where it is this API's own (B-RSP-09)."""
        kind, key = ("custom_tool_call", "input") if call.kind == "custom" else ("function_call", "arguments")
        arguments = call.arguments if call.arguments or call.kind == "custom" else "{}"
        wire: dict[str, Any] = {"type": kind}
        own = call.id is not None and call.id.startswith(PREFIXES[kind])
        if own:
            wire["id"] = call.id
        wire |= {"call_id": call_id(call.call_id), "name": call.name, key: arguments}
        if message.status is not None and len(message.parts) == 1:
            wire["status"] = message.status
        if call.namespace is not None:
            wire["namespace"] = call.namespace
        if call.caller is not None and own:
            wire["caller"] = Raw(call.caller)
        if call.seal is not None:
            self.writer.lose((*where, "seal"), f"the signature is {call.seal.issuer}'s", info=True)
        if call.cache is not None:
            self.writer.lose((*where, "cache"), "a call takes no cache mark", info=True)
        give_back(wire, call.extra, where, self.losses)
        self._follow(wire)

    def _think(self, part: Reasoning, message: Message, where: Where) -> None:
        """Render thinking that this API wrote, with its proof (B-THK-17); others' is not taken back."""
        sealed = part.seal is not None and part.seal.issuer == NAME
        own = message.id is not None and part.seal is None
        if not (sealed or own):
            self.writer.lose(where, "another host's thinking is not taken back", info=True)
            return
        wire: dict[str, Any] = {"type": "reasoning"}
        if part.id is not None:
            wire["id"] = part.id
        wire["summary"] = [{"type": "summary_text", "text": text} for text in part.summary]
        if part.text and message.id is not None:
            wire["content"] = [{"type": "reasoning_text", "text": text} for text in part.text]
        if part.seal is not None and sealed:
            wire["encrypted_content"] = part.seal.data
        wire |= {key: Raw(raw) for key, raw in known(part.extra).items() if key not in wire}
        self._thoughts.append((len(self.items), where))
        self.items.append(wire)

    def _drop_thoughts(self) -> None:
        """Leave out thinking that nothing follows: the API refuses it without its item (B-THK-19)."""
        for place, where in self._thoughts:
            self.items[place] = _GONE
            self.writer.lose(where, "thinking that nothing follows is not taken back", info=True)
        self._thoughts = []


_GONE: dict[str, Any] = {}
"""Stands where an item was taken out."""


def _is_item(part: AnyPart) -> bool:
    """Tell an opaque item from an opaque content part, which stands inside a message."""
    return isinstance(part, Opaque) and part.dialect == NAME and not part.kind.startswith(CONTENT)


def _own_content(part: AnyPart) -> bool:
    return isinstance(part, Opaque) and part.dialect == NAME and part.kind.startswith(CONTENT)


def _is_own(part: Words) -> bool:
    """Tell a text that only the list form can say."""
    return isinstance(part, Opaque) or (isinstance(part, Text) and any(cite.dialect == NAME for cite in part.cites))


def _content(items: list[Item]) -> str | list[Item]:
    """Return a string for one bare text, which every host takes (B-MSG-21), else the list."""
    if not items:
        return ""
    first = items[0]
    if len(items) == 1 and isinstance(first, dict) and first.keys() == {"type", "text"}:
        return str(first["text"])
    return items
