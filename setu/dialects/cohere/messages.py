"""Canonical messages to Cohere's.

An assistant message holds its calls, the plan that led to them (`tool_plan`) and its content; each result is a message
of its own. Source: docs.cohere.com/docs/tool-use-overview and /docs/image-inputs, read 2026-11-20.
"""

from typing import Any

from setu.chat.parts import AnyPart, Blocks, Inline, Media, Plain, Refusal, Text, ToolCall, ToolResult, Url
from setu.chat.request import ChatRequest
from setu.dialects.addresses import address
from setu.dialects.cohere.words import HOST, NAME
from setu.dialects.outward import Where, Wire, Writer, arguments, call_id
from setu.dialects.outward_history import History, Placed, placed


class Conversation(History):
    """Renders a history; `documents` are those the messages held, which Cohere takes beside them."""

    issuer = NAME

    def __init__(self, request: ChatRequest, writer: Writer) -> None:
        super().__init__(request, writer)
        self.documents: list[Wire] = []

    def plain(self, role: str, parts: list[Placed], where: Where) -> None:
        items = self._content(parts)
        texts = [item for item in items if item["type"] == "text"]
        if len(texts) < len(items):
            self.writer.lose(where, f"{HOST} takes images from users only")
        if texts:
            self.wires.append({"role": role, "content": _joined(texts)})

    def user(self, parts: list[Placed], images: list[Any]) -> None:
        items = [*images, *self._content(parts)]
        if items or all(isinstance(part, Text) for part, _ in parts):
            self.wires.append({"role": "user", "content": _joined(items)})

    def result(self, result: ToolResult, where: Where) -> None:
        items = self._content(placed(result.content, (*where, "content")))
        self.images += [item for item in items if item["type"] != "text"]
        texts = [item for item in items if item["type"] == "text"]
        self.wires.append({"role": "tool", "tool_call_id": call_id(result.call_id), "content": _joined(texts)})

    def assistant(self, said: list[Placed], thoughts: list[str], calls: list[Wire], where: Where) -> None:
        items = self._content(said)
        wire: Wire = {"role": "assistant"}
        if calls:
            wire["tool_calls"] = calls
        wire |= self._thinking(thoughts, calls=bool(calls), where=where)
        if "content" in wire:
            wire["content"] += items
        elif items:
            wire["content"] = _joined(items)
        if len(wire) > 1:  # an assistant message that says nothing is refused (B-MSG-17)
            self.wires.append(wire)

    def call(self, call: ToolCall, where: Where) -> Wire:
        said = {"name": call.name, "arguments": arguments(call, where, self.writer).decode()}
        return {"id": call_id(call.call_id), "type": "function", "function": said}

    def _thinking(self, thoughts: list[str], *, calls: bool, where: Where) -> Wire:
        """Return earlier thinking: content of a model that thinks, else the plan of its calls, else nothing."""
        if not thoughts:
            return {}
        if self.writer.target.facts.thinking == "budget":
            return {"content": [{"type": "thinking", "thinking": text} for text in thoughts]}
        if calls:
            return {"tool_plan": "\n\n".join(thoughts)}
        self.writer.lose(where, "the model takes no earlier thinking back", info=True)
        return {}

    def _content(self, parts: list[Placed]) -> list[Wire]:
        return [item for part, where in parts for item in self._items(part, where)]

    def _items(self, part: AnyPart, where: Where) -> list[Wire]:
        """Render one part of a message's content."""
        self.beside(part, where)
        match part:
            case Text(text=text) | Refusal(text=text):
                return [{"type": "text", "text": text}] if text.strip() else []
            case Media(source=Blocks(parts=blocks)):
                return self._content(placed(blocks, where))
            case Media(kind="image"):
                return [self._image(part, where)]
            case Media(source=Plain(text=text)):
                self._document(part, text, where)
            case _:
                self.unspeakable(part, where)
        return []

    def _image(self, part: Media, where: Where) -> Wire:
        if not isinstance(part.source, (Inline, Url)):
            message = f"is a file that {HOST} cannot read: send the bytes"
            raise self.writer.refused(message, where, "unsupported_media")
        detail = {} if part.detail is None else {"detail": part.detail}
        return {"type": "image_url", "image_url": {"url": address(part.source), **detail}}

    def _document(self, part: Media, text: str, where: Where) -> None:
        """Put a text document beside the messages, where Cohere cites from it."""
        title = {} if part.name is None else {"title": part.name}
        self.documents.append({"data": {"text": text, **title}})
        self.writer.lose(where, f"{HOST} takes documents beside the messages", info=True)


def _joined(items: list[Wire]) -> str | list[Wire]:
    """Return a string for one text or none, as every model takes it; else the list."""
    if not items:
        return ""
    if len(items) == 1 and items[0]["type"] == "text":
        return str(items[0]["text"])
    return items
