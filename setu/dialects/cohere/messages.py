"""Canonical messages to Cohere's.

An assistant message holds its calls, the plan that led to them (`tool_plan`) and its content; each result is a message
of its own. Source: docs.cohere.com/docs/tool-use-overview and /docs/image-inputs, read 2026-11-20.
"""

from setu.chat.parts import AnyPart, Blocks, Inline, Media, Plain, Reasoning, Refusal, Text, ToolCall, ToolResult, Url
from setu.chat.request import ChatRequest, Message
from setu.dialects.cohere.words import HOST, NAME
from setu.dialects.outward import Where, Wire, Writer, arguments, call_id


class Conversation:
    """Renders a history; `documents` are those the messages held, which Cohere takes beside them."""

    def __init__(self, request: ChatRequest, writer: Writer) -> None:
        self.documents: list[Wire] = []
        self._request = request
        self._writer = writer
        self._messages: list[Wire] = []
        self._images: list[Wire] = []
        """Images of tool results, waiting for the last result of the turn."""
        self._turn: list[tuple[AnyPart, Where]] = []
        """The assistant's parts: other wires keep the calls of a turn apart (B-TOOL-01)."""
        self._called: set[str] = set()

    def messages(self) -> list[Wire]:
        if self._request.system:
            self._plain("system", self._request.system, ("system",))
        for index, message in enumerate(self._request.messages):
            self._message(message, ("messages", index))
        self._flush_turn()
        self._flush_images()
        return self._messages

    def _message(self, message: Message, where: Where) -> None:
        if message.name is not None and message.role != "tool":
            self._writer.lose((*where, "name"), f"{HOST} has no names of participants", info=True)
        self._writer.lose_extra(message.extra, where)
        where = (*where, "content")
        if message.role == "assistant":
            self._turn += [(part, (*where, index)) for index, part in enumerate(message.parts)]
            return
        self._flush_turn()
        if message.role in ("system", "developer"):
            self._flush_images()
            self._plain("system", message.parts, where)
        else:
            self._user(message.parts, where)

    def _user(self, parts: tuple[AnyPart, ...], where: Where) -> None:
        """Render a user's or a tool's envelope: results first, then the rest."""
        rest = [(index, part) for index, part in enumerate(parts) if not isinstance(part, ToolResult)]
        for index, part in enumerate(parts):
            if isinstance(part, ToolResult):
                self._result(part, (*where, index))
        if parts and not rest:
            return  # another result may follow: its call's answers stay together
        items = [item for index, part in rest for item in self._items(part, (*where, index))]
        images, self._images = self._images, []
        if images or items or all(isinstance(part, Text) for _, part in rest):
            self._messages.append({"role": "user", "content": _content([*images, *items])})

    def _plain(self, role: str, parts: tuple[AnyPart, ...], where: Where) -> None:
        items = [item for index, part in enumerate(parts) for item in self._items(part, (*where, index))]
        texts = [item for item in items if item["type"] == "text"]
        if len(texts) < len(items):
            self._writer.lose(where, f"{HOST} takes images from users only")
        if texts:
            self._messages.append({"role": role, "content": _content(texts)})

    def _result(self, result: ToolResult, where: Where) -> None:
        self._writer.need_call(result, self._called, where)
        items = [
            item for index, part in enumerate(result.content) for item in self._items(part, (*where, "content", index))
        ]
        self._images += [item for item in items if item["type"] != "text"]
        if result.is_error:
            self._writer.lose((*where, "is_error"), f"{HOST} does not mark a tool result as an error", info=True)
        self._beside(result, where)
        texts = [item for item in items if item["type"] == "text"]
        self._messages.append({"role": "tool", "tool_call_id": call_id(result.call_id), "content": _content(texts)})

    def _flush_images(self) -> None:
        if self._images:
            self._messages.append({"role": "user", "content": self._images})
            self._images = []

    def _flush_turn(self) -> None:
        if self._turn:
            turn, self._turn = self._turn, []
            self._flush_images()
            self._assistant(turn)

    def _assistant(self, parts: list[tuple[AnyPart, Where]]) -> None:
        where = parts[0][1][:-1]
        thoughts: list[str] = []
        items: list[Wire] = []
        calls: dict[str, Wire] = {}
        for part, at in parts:
            match part:
                case ToolCall():
                    calls.setdefault(part.call_id, self._call(part, at))  # B-MSG-11
                case Reasoning():
                    thoughts += self._thought(part, at)
                case Media():
                    self._writer.lose(at, "an assistant message holds no media here")
                case _:
                    items += self._items(part, at)
        wire: Wire = {"role": "assistant"}
        if calls:
            wire["tool_calls"] = list(calls.values())
        wire |= self._thinking(thoughts, calls=bool(calls), where=where)
        if "content" in wire:
            wire["content"] += items
        elif items:
            wire["content"] = _content(items)
        if len(wire) > 1:  # an assistant message that says nothing is refused (B-MSG-17)
            self._messages.append(wire)

    def _call(self, call: ToolCall, where: Where) -> Wire:
        self._beside(call, where)
        self._called.add(call.call_id)
        said = {"name": call.name, "arguments": arguments(call, where, self._writer).decode()}
        return {"id": call_id(call.call_id), "type": "function", "function": said}

    def _thought(self, part: Reasoning, where: Where) -> list[str]:
        if part.seal is not None and part.seal.issuer != NAME:
            self._writer.lose(where, f"the thinking is sealed by {part.seal.issuer} and valid there only", info=True)
            return []
        text = "\n\n".join(part.text or part.summary)
        return [text] if text else []

    def _thinking(self, thoughts: list[str], *, calls: bool, where: Where) -> Wire:
        """Return earlier thinking: content of a model that thinks, else the plan of its calls, else nothing."""
        if not thoughts:
            return {}
        if self._writer.target.facts.thinking == "budget":
            return {"content": [{"type": "thinking", "thinking": text} for text in thoughts]}
        if calls:
            return {"tool_plan": "\n\n".join(thoughts)}
        self._writer.lose(where, "the model takes no earlier thinking back", info=True)
        return {}

    def _items(self, part: AnyPart, where: Where) -> list[Wire]:
        """Render one part of a message's content."""
        self._beside(part, where)
        match part:
            case Text():
                if part.cites:
                    self._writer.lose((*where, "cites"), "the citations of earlier answers are not sent", info=True)
                return [{"type": "text", "text": part.text}] if part.text.strip() else []
            case Refusal():
                return [{"type": "text", "text": part.text}] if part.text.strip() else []
            case Media(source=Blocks(parts=blocks)):
                return [item for index, block in enumerate(blocks) for item in self._items(block, (*where, index))]
            case Media(kind="image"):
                return self._image(part, where)
            case Media(source=Plain(text=text)):
                return self._document(part, text, where)
            case Media():
                raise self._writer.refused(f"is {part.kind}, which {HOST} cannot read", where, "unsupported_media")
            case _:
                self._writer.lose(where, f"{type(part).__name__} has no place in a {HOST} message")
                return []

    def _image(self, part: Media, where: Where) -> list[Wire]:
        source = part.source
        if isinstance(source, Inline):
            url = f"data:{source.mime};base64,{source.b64}"
        elif isinstance(source, Url):
            url = source.url
        else:
            raise self._writer.refused(f"is a file that {HOST} cannot read: send the bytes", where, "unsupported_media")
        detail = {} if part.detail is None else {"detail": part.detail}
        return [{"type": "image_url", "image_url": {"url": url, **detail}}]

    def _document(self, part: Media, text: str, where: Where) -> list[Wire]:
        """Put a text document beside the messages, where Cohere cites from it."""
        title = {} if part.name is None else {"title": part.name}
        self.documents.append({"data": {"text": text, **title}})
        self._writer.lose(where, f"{HOST} takes documents beside the messages", info=True)
        return []

    def _beside(self, part: AnyPart, where: Where) -> None:
        """Say what a part carries that Cohere has no place for."""
        if part.cache is not None:
            self._writer.lose((*where, "cache"), f"{HOST} has no cache marks", info=True)
        if part.seal is not None and not isinstance(part, Reasoning):
            self._writer.lose((*where, "seal"), f"the signature is {part.seal.issuer}'s", info=True)
        self._writer.lose_extra(part.extra, where)


def _content(items: list[Wire]) -> str | list[Wire]:
    """Return a string for one text or none, as every model takes it; else the list."""
    if not items:
        return ""
    if len(items) == 1 and items[0]["type"] == "text":
        return str(items[0]["text"])
    return items
