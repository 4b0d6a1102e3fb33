"""Tool names on their way to a target that does not take every name, and back.

A client may name a tool `files.read` where its own dialect allows it; a target that refuses the name would refuse the
request. It gets another name, always the same for one name, and the answer gets the client's own again.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from setu.chat.events import Event, PartEnded, PartStarted
from setu.chat.parts import AnyPart, ToolCall, ToolResult
from setu.chat.request import ChatRequest, CustomTool, FunctionTool, Message
from setu.chat.response import ChatResponse
from setu.dialects.record import StreamDecoder
from setu.framing.frame import Frame

_UNFIT = re.compile(r"[^a-zA-Z0-9_]")

Rename = Callable[[str], str]


def fit(request: ChatRequest, pattern: str | None) -> tuple[ChatRequest, Mapping[str, str]]:
    """Return the request with names that all match, and the client's names by the new ones; empty if none is new."""
    if pattern is None:
        return request, {}
    legal = re.compile(pattern)
    new = {name: _fitted(name) for name in _names(request) if not legal.fullmatch(name)}
    if not new:
        return request, {}

    def rename(name: str) -> str:
        return new.get(name, name)

    return _renamed(request, rename), {fitted: name for name, fitted in new.items()}


def restored(response: ChatResponse, back: Mapping[str, str]) -> ChatResponse:
    """Return an answer whose calls have the client's names."""
    if not back:
        return response

    def rename(name: str) -> str:
        return back.get(name, name)

    candidates = tuple(
        msgspec.structs.replace(candidate, messages=_messages(candidate.messages, rename))
        for candidate in response.candidates
    )
    return msgspec.structs.replace(response, candidates=candidates)


class Restoring:
    """A decoder whose calls have the client's names."""

    def __init__(self, decoder: StreamDecoder, back: Mapping[str, str]) -> None:
        self._decoder = decoder
        self._back = back

    def feed(self, frame: Frame) -> list[Event]:
        return [self._restored(event) for event in self._decoder.feed(frame)]

    def close(self) -> list[Event]:
        return [self._restored(event) for event in self._decoder.close()]

    def _restored(self, event: Event) -> Event:
        if isinstance(event, PartStarted):
            return msgspec.structs.replace(event, value=_part(event.value, self._name))
        if isinstance(event, PartEnded) and event.final is not None:
            return msgspec.structs.replace(event, final=_part(event.final, self._name))
        return event

    def _name(self, name: str) -> str:
        return self._back.get(name, name)


def _fitted(name: str) -> str:
    """Return a name that every target takes, readable at its start and told from all others by its end."""
    digest = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=5).hexdigest()
    return f"t_{_UNFIT.sub('_', name)[:48]}_{digest}"


def _names(request: ChatRequest) -> set[str]:
    tools = {tool.name for tool in request.tools if isinstance(tool, (FunctionTool, CustomTool))}
    said = {
        part.name
        for message in request.messages
        for part in message.parts
        if isinstance(part, (ToolCall, ToolResult)) and part.name
    }
    return tools | said


def _renamed(request: ChatRequest, rename: Rename) -> ChatRequest:
    tools = tuple(
        msgspec.structs.replace(tool, name=rename(tool.name)) if isinstance(tool, (FunctionTool, CustomTool)) else tool
        for tool in request.tools
    )
    changes: dict[str, Any] = {"tools": tools, "messages": _messages(request.messages, rename)}
    if request.tool_choice is not None:
        names = tuple(rename(name) for name in request.tool_choice.names)
        changes["tool_choice"] = msgspec.structs.replace(request.tool_choice, names=names)
    return msgspec.structs.replace(request, **changes)


def _messages(messages: tuple[Message, ...], rename: Rename) -> tuple[Message, ...]:
    return tuple(
        msgspec.structs.replace(message, parts=tuple(_part(part, rename) for part in message.parts))
        for message in messages
    )


def _part(part: AnyPart, rename: Rename) -> AnyPart:
    if isinstance(part, (ToolCall, ToolResult)) and part.name and rename(part.name) != part.name:
        return msgspec.structs.replace(part, name=rename(part.name))
    return part
