"""Which result answers which call: Gemini may leave ids out and pair by name, all other APIs need the id."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

import msgspec

from setu.chat.parts import AnyPart, HostedCall, HostedResult, ToolCall, ToolResult
from setu.chat.request import Message

Called = TypeVar("Called", ToolCall, ToolResult, HostedCall, HostedResult)


def name_calls(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    """Give every call and result without an id one, the same for both.

    A result belongs to the first unanswered call of its name. The ids count from the start of the conversation, so
    the next turn's request gives the same calls the same ids.
    """
    parts = [part for message in messages for part in message.parts]
    naming = _Naming(part.call_id for part in parts if isinstance(part, (ToolCall, ToolResult)))
    return tuple(
        msgspec.structs.replace(message, parts=tuple(naming.name(part) for part in message.parts))
        for message in messages
    )


class _Naming:
    """The calls seen so far."""

    def __init__(self, taken: Iterable[str]) -> None:
        taken = frozenset(taken)
        self._fresh: Iterator[str] = (f"gemini_call_{n}" for n in range(1, 1 << 62) if f"gemini_call_{n}" not in taken)
        self._open: list[tuple[str, str]] = []
        self._hosted: str | None = None

    def name(self, part: AnyPart) -> AnyPart:
        match part:
            case ToolCall():
                part = self._with_id(part, part.call_id or next(self._fresh))
                self._open.append((part.name, part.call_id))
                return part
            case ToolResult():
                return self._with_id(part, self._answered(part))
            case HostedCall():
                self._hosted = part.call_id or next(self._fresh)
                return self._with_id(part, self._hosted)
            case HostedResult():
                return self._with_id(part, part.call_id or self._hosted or next(self._fresh))
            case _:
                return part

    def _answered(self, result: ToolResult) -> str:
        for name, call_id in self._open:
            if result.call_id == call_id or (not result.call_id and result.name == name):
                self._open.remove((name, call_id))
                return call_id
        return result.call_id or next(self._fresh)

    @staticmethod
    def _with_id(part: Called, call_id: str) -> Called:
        return part if part.call_id == call_id else msgspec.structs.replace(part, call_id=call_id)
