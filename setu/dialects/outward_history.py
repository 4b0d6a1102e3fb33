"""A history as the upstream-only dialects send it: each brings its own form of content.

An assistant message holds a whole turn, each tool result is a message of its own, and the images of results wait for
the last result of their turn, because only a user's message may show them.
"""

from abc import ABC, abstractmethod
from typing import Any

from setu.chat.parts import AnyPart, Media, Reasoning, Text, ToolCall, ToolResult
from setu.chat.request import ChatRequest, Message
from setu.dialects.outward import Where, Wire, Writer
from setu.errors import LocalDialectError

Placed = tuple[AnyPart, Where]


class History(ABC):
    """Renders a history; `issuer` is the dialect whose seals the target knows."""

    issuer: str

    def __init__(self, request: ChatRequest, writer: Writer) -> None:
        self.writer = writer
        self.wires: list[Wire] = []
        self.images: list[Any] = []
        """Images of tool results, waiting for the last result of the turn."""
        self.names: dict[str, str] = {}
        """The calls so far: their tools by their ids."""
        self._request = request
        self._turn: list[Placed] = []
        """The assistant's parts: other wires keep the calls of a turn apart (B-TOOL-01)."""

    @abstractmethod
    def plain(self, role: str, parts: list[Placed], where: Where) -> None:
        """Add a message that cannot show images."""

    @abstractmethod
    def user(self, parts: list[Placed], images: list[Any]) -> None:
        """Add a user's message, which begins with the images of results."""

    @abstractmethod
    def result(self, result: ToolResult, where: Where) -> None:
        """Add a tool's message and keep its images."""

    @abstractmethod
    def assistant(self, said: list[Placed], thoughts: list[str], calls: list[Wire], where: Where) -> None:
        """Add a turn of the assistant's."""

    @abstractmethod
    def call(self, call: ToolCall, where: Where) -> Wire:
        """Write a call."""

    def messages(self) -> list[Wire]:
        """Return the messages.

        Raises:
            LocalDialectError: nothing is left of them; a host would answer out of the blue.
        """
        if self._request.system:
            self.plain("system", placed(self._request.system, ("system",)), ("system",))
        for index, message in enumerate(self._request.messages):
            self._message(message, ("messages", index))
        self._flush_turn()
        self._flush_images()
        if not self.wires and self._request.messages:
            raise LocalDialectError(f"nothing of the messages can be told to {self.writer.host}", param="messages")
        return self.wires

    def beside(self, part: AnyPart, where: Where) -> None:
        """Say what a part carries that the target has no place for."""
        if part.cache is not None:
            self.writer.lose((*where, "cache"), f"{self.writer.host} has no cache marks", info=True)
        if part.seal is not None and not isinstance(part, Reasoning):
            self.writer.lose((*where, "seal"), f"the signature is {part.seal.issuer}'s", info=True)
        if isinstance(part, Text) and part.cites:
            self.writer.lose((*where, "cites"), "the citations of earlier answers are not sent", info=True)
        self.writer.lose_extra(part.extra, where)

    def unspeakable(self, part: AnyPart, where: Where) -> None:
        """Refuse media that the target cannot read; any other part without a place is a loss.

        Raises:
            LocalDialectError: an answer without the media would look right.
        """
        if isinstance(part, Media):
            message = f"is {part.kind}, which {self.writer.host} cannot read"
            raise self.writer.refused(message, where, "unsupported_media")
        self.writer.lose(where, f"{type(part).__name__} has no place in a message to {self.writer.host}")

    def _message(self, message: Message, where: Where) -> None:
        if message.name is not None and message.role != "tool":
            self.writer.lose((*where, "name"), f"{self.writer.host} has no names of participants", info=True)
        if message.phase is not None:
            self.writer.lose((*where, "phase"), f"{self.writer.host}'s messages have no phase", info=True)
        self.writer.lose_extra(message.extra, where)
        where = (*where, "content")
        parts = placed(message.parts, where)
        if message.role == "assistant":
            self._turn += parts
            return
        self._flush_turn()
        if message.role in ("system", "developer"):
            self._flush_images()
            self.plain("system", parts, where)
        else:
            self._envelope(parts)

    def _envelope(self, parts: list[Placed]) -> None:
        """Render a user's or a tool's envelope: results first, then the rest."""
        rest: list[Placed] = []
        for part, where in parts:
            if isinstance(part, ToolResult):
                self._result(part, where)
            else:
                rest.append((part, where))
        if parts and not rest:
            return  # another result may follow: its call's answers stay together
        images, self.images = self.images, []
        self.user(rest, images)

    def _result(self, result: ToolResult, where: Where) -> None:
        self.writer.need_call(result, self.names.keys(), where)
        if result.is_error:
            message = f"{self.writer.host} does not mark a tool result as an error"
            self.writer.lose((*where, "is_error"), message, info=True)
        self.beside(result, where)
        self.result(result, where)

    def _flush_images(self) -> None:
        if self.images:
            images, self.images = self.images, []
            self.user([], images)

    def _flush_turn(self) -> None:
        if not self._turn:
            return
        turn, self._turn = self._turn, []
        self._flush_images()
        said: list[Placed] = []
        thoughts: list[str] = []
        calls: dict[str, Wire] = {}
        for part, where in turn:
            match part:
                case ToolCall():
                    calls.setdefault(part.call_id, self._call(part, where))  # B-MSG-11
                case Reasoning():
                    thoughts += self._thought(part, where)
                case Media():
                    self.writer.lose(where, "an assistant message holds no media here")
                case _:
                    said.append((part, where))
        self.assistant(said, thoughts, list(calls.values()), turn[0][1][:-1])

    def _call(self, call: ToolCall, where: Where) -> Wire:
        self.beside(call, where)
        self.names[call.call_id] = call.name
        return self.call(call, where)

    def _thought(self, part: Reasoning, where: Where) -> list[str]:
        if part.seal is not None and part.seal.issuer != self.issuer:
            message = f"the thinking is sealed by {part.seal.issuer} and valid there only"
            self.writer.lose(where, message, info=True)
            return []
        self.writer.lose_extra(part.extra, where)
        text = "\n\n".join(part.text or part.summary)
        return [text] if text else []


def placed(parts: tuple[AnyPart, ...], where: Where) -> list[Placed]:
    """Return parts and where they stand."""
    return [(part, (*where, index)) for index, part in enumerate(parts)]
