"""Canonical messages to Ollama's.

Content is one string; images stand beside it as bare base64; calls have their arguments as an object, results name
their tool (B-TOOL-30). Source: docs.ollama.com/api/chat and /capabilities/tool-calling, read 2026-11-20.
"""

from typing import Any

import msgspec

from setu._json import Raw
from setu.chat.parts import AnyPart, Blocks, Inline, Media, Plain, Refusal, Text, ToolCall, ToolResult, Url
from setu.dialects.ollama.words import HOST, NAME
from setu.dialects.outward import Where, Wire, arguments, call_id
from setu.dialects.outward_history import History, Placed, placed


class Conversation(History):
    """Renders a history."""

    issuer = NAME

    def plain(self, role: str, parts: list[Placed], where: Where) -> None:  # noqa: ARG002 - every role shows images here
        self.wires.append({"role": role, **self._content(parts)})

    def user(self, parts: list[Placed], images: list[Any]) -> None:
        self.wires.append({"role": "user", **self._content(parts, images)})

    def result(self, result: ToolResult, where: Where) -> None:
        content = self._content(placed(result.content, (*where, "content")))
        self.images += content.pop("images", [])
        name = result.name or self.names.get(result.call_id)
        named = {} if name is None else {"tool_name": name}
        self.wires.append({"role": "tool", **content, **named, "tool_call_id": call_id(result.call_id)})

    def assistant(self, said: list[Placed], thoughts: list[str], calls: list[Wire], where: Where) -> None:  # noqa: ARG002 - all of it has a place
        wire = {"role": "assistant", **self._content(said)}
        if thoughts:
            wire["thinking"] = "\n\n".join(thoughts)
        if calls:
            wire["tool_calls"] = calls
        if wire["content"] or len(wire) > 2:
            self.wires.append(wire)

    def call(self, call: ToolCall, where: Where) -> Wire:
        said = {"name": call.name, "arguments": Raw(arguments(call, where, self.writer))}
        return {"id": call_id(call.call_id), "function": said}

    def _content(self, parts: list[Placed], images: list[str] | None = None) -> Wire:
        """Return a message's text and images; `images` come before its own."""
        texts: list[str] = []
        shown = list(images or ())
        for part, where in parts:
            self._sort(part, where, texts, shown)
        return {"content": "\n".join(texts)} | ({"images": shown} if shown else {})

    def _sort(self, part: AnyPart, where: Where, texts: list[str], images: list[str]) -> None:
        self.beside(part, where)
        match part:
            case Media(source=Plain(), name=str()):
                self.writer.lose((*where, "name"), f"{HOST} has no names of documents", info=True)
                self._sort(msgspec.structs.replace(part, name=None, extra=None, cache=None), where, texts, images)
            case Text(text=text) | Refusal(text=text) | Media(source=Plain(text=text)):
                texts += [text] if text else []
            case Media(source=Blocks(parts=blocks)):
                for block, at in placed(blocks, where):
                    self._sort(block, at, texts, images)
            case Media(kind="image"):
                images.append(self._image(part, where))
            case _:
                self.unspeakable(part, where)

    def _image(self, part: Media, where: Where) -> str:
        """Return an image's base64; nothing else is read (B-MED-03)."""
        if part.detail is not None:
            self.writer.lose((*where, "detail"), f"{HOST} has no image detail", info=True)
        source = part.source
        if isinstance(source, Url):
            source = self.writer.target.media.get(source.url, source)
        if isinstance(source, Inline):
            return source.b64
        message = f"is a URL, which {HOST} cannot read: send the bytes"
        raise self.writer.refused(message, where, "unsupported_media")
