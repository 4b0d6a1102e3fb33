"""What a policy may ask of a request's body: the names of its tools, the kinds of its content."""

from collections.abc import Iterable, Iterator

from setu.chat.parts import AnyPart, Blocks, Media, ToolResult
from setu.chat.request import ChatRequest, FunctionTool, HostedTool


def tools_of(request: ChatRequest) -> frozenset[str]:
    """Return the names of the tools that a model is given.

    One of a namespace has its full name besides; a hosted one that of its kind (`web_search_preview`).
    """
    found: set[str] = set()
    for tool in request.tools:
        if isinstance(tool, HostedTool):
            found.add(tool.kind)
        if isinstance(tool, FunctionTool) and tool.namespace:
            found.add(f"{tool.namespace}.{tool.name}")
        if tool.name:
            found.add(tool.name)
    return frozenset(found)


def modalities_of(request: ChatRequest) -> frozenset[str]:
    """Return the kinds of content that go in or are asked for: `text`, `image`, `audio`, `video`, `document`."""
    found = {part.kind for part in _parts(request) if isinstance(part, Media)}
    wanted = request.options.modalities
    return frozenset({"text", *found, *(wanted if isinstance(wanted, tuple) else ())})


def _parts(request: ChatRequest) -> Iterator[AnyPart]:
    yield from _within(request.system)
    for message in request.messages:
        yield from _within(message.parts)


def _within(parts: Iterable[AnyPart]) -> Iterator[AnyPart]:
    for part in parts:
        yield part
        if isinstance(part, ToolResult):
            yield from _within(part.content)
        elif isinstance(part, Media) and isinstance(part.source, Blocks):
            yield from _within(part.source.parts)
