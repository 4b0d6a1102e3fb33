"""Canonical messages to Ollama's.

Content is one string; images stand beside it as bare base64; calls have their arguments as an object, results name
their tool (B-TOOL-30). Source: docs.ollama.com/api/chat and /capabilities/tool-calling, read 2026-11-20.
"""

from setu._json import Raw
from setu.chat.parts import AnyPart, Blocks, Inline, Media, Plain, Reasoning, Refusal, Text, ToolCall, ToolResult, Url
from setu.chat.request import ChatRequest, Message
from setu.dialects.ollama.words import HOST, NAME
from setu.dialects.outward import Where, Wire, Writer, arguments, call_id


class Conversation:
    """Renders a history."""

    def __init__(self, request: ChatRequest, writer: Writer) -> None:
        self._request = request
        self._writer = writer
        self._messages: list[Wire] = []
        self._names: dict[str, str] = {}
        self._images: list[str] = []
        """Images of tool results, waiting for the last result of the turn."""
        self._turn: list[tuple[AnyPart, Where]] = []
        """The assistant's parts: other wires keep the calls of a turn apart (B-TOOL-01)."""

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
        for index, part in enumerate(parts):
            if isinstance(part, ToolResult):
                self._result(part, (*where, index))
        rest = [(index, part) for index, part in enumerate(parts) if not isinstance(part, ToolResult)]
        if parts and not rest:
            return  # another result may follow: its call's answers stay together
        content = _Content(self._writer)
        content.images, self._images = self._images, []
        for index, part in rest:
            content.add(part, (*where, index))
        self._messages.append({"role": "user", **content.members()})

    def _plain(self, role: str, parts: tuple[AnyPart, ...], where: Where) -> None:
        content = _Content(self._writer)
        for index, part in enumerate(parts):
            content.add(part, (*where, index))
        self._messages.append({"role": role, **content.members()})

    def _result(self, result: ToolResult, where: Where) -> None:
        self._writer.need_call(result, self._names.keys(), where)
        content = _Content(self._writer)
        for index, part in enumerate(result.content):
            content.add(part, (*where, "content", index))
        self._images += content.images
        content.images = []
        if result.is_error:
            self._writer.lose((*where, "is_error"), f"{HOST} does not mark a tool result as an error", info=True)
        beside(result, where, self._writer)
        name = result.name or self._names.get(result.call_id)
        named = {} if name is None else {"tool_name": name}
        self._messages.append({"role": "tool", **content.members(), **named, "tool_call_id": call_id(result.call_id)})

    def _flush_images(self) -> None:
        if self._images:
            self._messages.append({"role": "user", "content": "", "images": self._images})
            self._images = []

    def _flush_turn(self) -> None:
        if self._turn:
            turn, self._turn = self._turn, []
            self._flush_images()
            self._assistant(turn)

    def _assistant(self, parts: list[tuple[AnyPart, Where]]) -> None:
        thoughts: list[str] = []
        content = _Content(self._writer)
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
                    content.add(part, at)
        wire = {"role": "assistant", **content.members()}
        if thoughts:
            wire["thinking"] = "\n\n".join(thoughts)
        if calls:
            wire["tool_calls"] = list(calls.values())
        if wire["content"] or len(wire) > 2:
            self._messages.append(wire)

    def _call(self, call: ToolCall, where: Where) -> Wire:
        beside(call, where, self._writer)
        self._names[call.call_id] = call.name
        said = {"name": call.name, "arguments": Raw(arguments(call, where, self._writer))}
        return {"id": call_id(call.call_id), "function": said}

    def _thought(self, part: Reasoning, where: Where) -> list[str]:
        if part.seal is not None and part.seal.issuer != NAME:
            self._writer.lose(where, f"the thinking is sealed by {part.seal.issuer} and valid there only", info=True)
            return []
        text = "\n\n".join(part.text or part.summary)
        return [text] if text else []


class _Content:
    """One message's content while its parts are sorted into text and images."""

    def __init__(self, writer: Writer) -> None:
        self.images: list[str] = []
        self._texts: list[str] = []
        self._writer = writer

    def members(self) -> Wire:
        return {"content": "\n".join(self._texts)} | ({"images": self.images} if self.images else {})

    def add(self, part: AnyPart, where: Where) -> None:
        beside(part, where, self._writer)
        match part:
            case Text():
                if part.cites:
                    self._writer.lose((*where, "cites"), "the citations of earlier answers are not sent", info=True)
                self._texts += [part.text] if part.text else []
            case Refusal(text=text) | Media(source=Plain(text=text)):
                self._texts += [text] if text else []
            case Media(source=Blocks(parts=blocks)):
                for index, block in enumerate(blocks):
                    self.add(block, (*where, index))
            case Media(kind="image"):
                self.images.append(self._image(part, where))
            case Media():
                raise self._writer.refused(f"is {part.kind}, which {HOST} cannot read", where, "unsupported_media")
            case _:
                self._writer.lose(where, f"{type(part).__name__} has no place in an {HOST} message")

    def _image(self, part: Media, where: Where) -> str:
        """Return an image's base64; nothing else is read (B-MED-03)."""
        if part.detail is not None:
            self._writer.lose((*where, "detail"), f"{HOST} has no image detail", info=True)
        source = part.source
        if isinstance(source, Url):
            source = self._writer.target.media.get(source.url, source)
        if isinstance(source, Inline):
            return source.b64
        raise self._writer.refused(f"is a URL, which {HOST} cannot read: send the bytes", where, "unsupported_media")


def beside(part: AnyPart, where: Where, writer: Writer) -> None:
    """Say what a part carries that Ollama has no place for."""
    if part.cache is not None:
        writer.lose((*where, "cache"), f"{HOST} has no cache marks", info=True)
    if part.seal is not None and not isinstance(part, Reasoning):
        writer.lose((*where, "seal"), f"the signature is {part.seal.issuer}'s", info=True)
    writer.lose_extra(part.extra, where)
