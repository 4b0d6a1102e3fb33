"""Tools and the choice among them, for `toolConfig`."""

from typing import Any

from setu import _json
from setu._json import Json, Raw
from setu.chat.parts import ToolCall, ToolResult
from setu.chat.request import ChatRequest, FunctionTool, HostedTool, Tool, ToolChoice
from setu.chat.seals import CacheMark
from setu.dialects.bedrock.options import Settings
from setu.dialects.bedrock.words import ANSWER, NAME, Family, family_of, wire_name
from setu.dialects.losses import Losses, Severity
from setu.dialects.record import Target, pointer
from setu.errors import LocalDialectError
from setu.schema import EMPTY_OBJECT, rooted


def cache_point(mark: CacheMark | None, family: Family, where: str, losses: Losses) -> list[dict[str, Any]]:
    """Return a cache mark as an element of its own (B-USG-12); a loss for a family that has no prompt cache.

    Claude and Nova have one (docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html, 2026-11).
    """
    if mark is None:
        return []
    if family not in ("claude", "nova", "opaque"):
        losses.note(where, "the model has no prompt cache", "info")
        return []
    return [{"cachePoint": {"type": "default"} | ({"ttl": mark.ttl} if mark.ttl == "1h" else {})}]


def write_tools(request: ChatRequest, target: Target, settings: Settings, losses: Losses) -> dict[str, Any]:
    """Return `toolConfig`, or nothing.

    Raises:
        LocalDialectError: a tool that Converse does not have, or a choice of one that is not there.
    """
    family = family_of(target.model)
    offered, choice = _offered(request)
    specs = [element for index, tool in offered for element in _write_tool(tool, index, family, losses)]
    if not offered:
        specs = _of_history(request, losses)
        choice = None
    if settings.answer_tool is not None:
        specs.append(_answer(settings.answer_tool))
        choice = ToolChoice(mode="required" if len(specs) > 1 else "named", names=(ANSWER,))
    if not specs:
        return {}
    chosen = _write_choice(choice, thinks=settings.thinks, losses=losses)
    if request.parallel is False:
        _note_parallel(losses)
    return {"toolConfig": {"tools": specs} | ({"toolChoice": chosen} if chosen else {})}


def _note_parallel(losses: Losses) -> None:
    losses.note("/parallel_tool_calls", "Bedrock cannot forbid parallel calls")


def _offered(request: ChatRequest) -> tuple[list[tuple[int, Tool]], ToolChoice | None]:
    """Return the tools that may be called: none where none may (B-TOOL-17), the allowed ones where some are."""
    offered = list(enumerate(request.tools))
    choice = request.tool_choice
    if choice is None or choice.mode in ("auto", "required"):
        return offered, choice
    if choice.mode == "none":
        return [], None
    names = {tool.name for tool in request.tools}
    missing = [name for name in choice.names if name not in names]
    if missing:
        raise LocalDialectError(f"tool_choice names {missing[0]!r}, which is not among the tools", param="tool_choice")
    if choice.mode == "named":
        return offered, choice
    allowed = [(index, tool) for index, tool in offered if tool.name in choice.names]
    return allowed, ToolChoice(mode="required" if choice.must else "auto")


def _write_tool(tool: Tool, index: int, family: Family, losses: Losses) -> list[Any]:
    if isinstance(tool, HostedTool) and tool.dialect == NAME:
        return [Raw(tool.config)]
    if isinstance(tool, FunctionTool):
        return _write_function(tool, index, family, losses)
    kind = tool.kind if isinstance(tool, HostedTool) else "custom"
    named = f" {tool.name!r}" if tool.name else ""
    raise LocalDialectError(
        f"Bedrock has no tool of the type {kind!r}{named}", param=f"tools[{index}]", code="unsupported_tool"
    )


def _write_function(tool: FunctionTool, index: int, family: Family, losses: Losses) -> list[Any]:
    where = pointer("tools", index)
    spec: dict[str, Any] = {"name": wire_name(tool.name, f"tools[{index}].name")}
    if tool.description and tool.description.strip():  # "valid min length: 1" (B-TOOL-12)
        spec["description"] = tool.description
    known = tool.schema is not None and _json.kind_of(tool.schema) == "object"
    spec["inputSchema"] = {"json": Raw(rooted(tool.schema) if known and tool.schema else EMPTY_OBJECT)}
    if tool.strict:
        spec["strict"] = True
    lost: tuple[tuple[str, Any, Severity], ...] = (
        ("tools have no namespace", tool.namespace, "info"),
        ("Bedrock loads every tool at once", tool.defer, "info"),
    )
    for reason, value, severity in lost:
        if value:
            losses.note(where, reason, severity)
    losses.note_foreign(tool.extra, NAME, where)
    # Nova caches system and messages, but not tools.
    caching: Family = "other" if family == "nova" else family
    return [{"toolSpec": spec}, *cache_point(tool.cache, caching, where, losses)]


def _of_history(request: ChatRequest, losses: Losses) -> list[Any]:
    """Declare the tools whose calls are in the conversation: without them it is refused (B-TOOL-09)."""
    offered = {tool.name: tool for tool in request.tools if isinstance(tool, FunctionTool)}
    names: dict[str, int] = {}
    for index, message in enumerate(request.messages):
        for part in message.parts:
            if isinstance(part, (ToolCall, ToolResult)) and part.name:
                names.setdefault(part.name, index)
    if names and request.tool_choice is not None and request.tool_choice.mode == "none":
        losses.note("/tool_choice", "the tools of the conversation so far have to be declared and may be called")
    elif names:
        losses.note("/tools", "the tools of the conversation so far had to be declared", "info")
    specs: list[Any] = []
    for name, index in names.items():
        tool = offered.get(name, FunctionTool(name=name))
        known = tool.schema is not None and _json.kind_of(tool.schema) == "object"
        schema = rooted(tool.schema) if known and tool.schema else EMPTY_OBJECT
        spec = {"name": wire_name(name, f"messages[{index}]"), "inputSchema": {"json": Raw(schema)}}
        specs.append({"toolSpec": spec})
    return specs


def _answer(schema: Json) -> dict[str, Any]:
    spec = {"name": ANSWER, "description": "Give the answer.", "inputSchema": {"json": Raw(rooted(schema))}}
    return {"toolSpec": spec}


def _write_choice(choice: ToolChoice | None, *, thinks: bool, losses: Losses) -> dict[str, Any] | None:
    if choice is None:
        return None
    if thinks and choice.mode in ("required", "named"):
        # "Thinking may not be enabled when tool_choice forces tool use" (B-TOOL-21).
        losses.note("/tool_choice", "thinking forbids forced tool use")
        return {"auto": {}}
    if choice.mode == "required":
        return {"any": {}}
    if choice.mode == "named":
        return {"tool": {"name": wire_name(choice.names[0], "tool_choice")}}
    return {"auto": {}}
