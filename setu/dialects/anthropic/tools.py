"""Tools and the choice among them, both ways."""

from typing import Any

from setu import _json
from setu._json import Json, Raw
from setu.chat.request import ChatRequest, FunctionTool, HostedTool, Tool, ToolChoice
from setu.dialects.anthropic.blocks import read_cache
from setu.dialects.anthropic.words import NAME
from setu.dialects.anthropic.writing import cache_control, own_extra
from setu.dialects.losses import Losses
from setu.dialects.reader import Obj
from setu.dialects.record import pointer
from setu.errors import LocalDialectError
from setu.schema import one_object, rooted

_MODE_OF_TYPE = {"auto": "auto", "any": "required", "none": "none", "tool": "named"}
_SEARCH = {"type": "web_search_20250305", "name": "web_search"}
_SEARCHES = frozenset(
    {
        "googleSearch",
        "google_search",
        "googleSearchRetrieval",
        "web_search",
        "web_search_preview",
        "openrouter:web_search",
    }
)
"""What other hosts call their web search: every model here may have Anthropic's instead (B-TOOL-15)."""

_NO_SCHEMA = b'{"type":"object","properties":{}}'


def read_tools(body: Obj) -> tuple[Tool, ...]:
    """Take `tools`; one without a type is a custom tool (B-TOOL-14), any other type runs at Anthropic."""
    raws = body.array("tools") or []
    return tuple(_read_tool(raw, f"{body.at('tools')}[{index}]") for index, raw in enumerate(raws))


def _read_tool(raw: bytes, param: str) -> Tool:
    tool = Obj(raw, param)
    kind = tool.text("type")
    if kind not in (None, "custom"):
        return HostedTool(kind=kind, dialect=NAME, config=raw, name=tool.text("name"))
    name = tool.need_text("name")
    if not name:
        raise tool.error(f"'{tool.at('name')}' must not be empty", param=tool.at("name"))
    schema = tool.raw("input_schema")
    if schema is None:
        raise tool.missing("input_schema")
    if _json.kind_of(schema) != "object":
        raise tool.wrong("input_schema", "an object")
    return FunctionTool(
        name=name,
        description=tool.text("description"),
        schema=schema,
        strict=tool.flag("strict"),
        defer=tool.flag("defer_loading"),
        cache=read_cache(tool),
        extra=tool.extra(NAME),
    )


def read_choice(body: Obj) -> tuple[ToolChoice | None, bool | None]:
    """Take `tool_choice`: the choice, and whether calls may be parallel (None when it does not say)."""
    choice = body.obj("tool_choice")
    if choice is None:
        return None, None
    kind = choice.need_text("type")
    mode: Any = _MODE_OF_TYPE.get(kind)
    if mode is None:
        raise choice.error(f"'{choice.at('type')}' must be one of auto, any, tool, none", param=choice.at("type"))
    names = (choice.need_text("name"),) if mode == "named" else ()
    single = choice.flag("disable_parallel_tool_use")
    return ToolChoice(mode=mode, names=names), None if single is None else not single


def write_tools(request: ChatRequest, thinks: bool, losses: Losses) -> dict[str, Any]:
    """Return `tools` and `tool_choice`.

    Raises:
        LocalDialectError: a tool that Anthropic does not have, or a choice of one that is not there (B-TOOL-15,
            B-TOOL-20): leaving it out in silence would change the answer.
    """
    offered = tuple(enumerate(request.tools))
    choice = request.tool_choice
    if choice is not None and choice.mode in ("named", "allowed"):
        _need_offered(choice, request.tools)
    if choice is not None and choice.mode == "allowed":
        # Offering only the allowed tools is exactly what the choice means.
        offered = tuple((index, tool) for index, tool in offered if tool.name in choice.names)
        choice = ToolChoice(mode="required" if choice.must else "auto")
    tools = [_write_tool(tool, index, losses) for index, tool in offered]
    if not tools:
        return {}  # an empty list is refused (B-TOOL-10), and without tools there is nothing to choose
    chosen = _write_choice(choice, request.parallel, thinks, losses)
    return {"tools": tools} | ({"tool_choice": chosen} if chosen else {})


def _need_offered(choice: ToolChoice, tools: tuple[Tool, ...]) -> None:
    missing = [name for name in choice.names if name not in {tool.name for tool in tools}]
    if missing:
        raise LocalDialectError(f"tool_choice names {missing[0]!r}, which is not among the tools", param="tool_choice")


def _write_tool(tool: Tool, index: int, losses: Losses) -> Any:
    if isinstance(tool, FunctionTool):
        return _write_function(tool, index, losses)
    if isinstance(tool, HostedTool) and tool.dialect == NAME:
        return Raw(tool.config)
    kind = tool.kind if isinstance(tool, HostedTool) else "custom"
    if kind in _SEARCHES:
        losses.note(pointer("tools", index), f"{kind!r} became {_SEARCH['type']!r}; its settings were dropped")
        return dict(_SEARCH)
    named = f" {tool.name!r}" if tool.name else ""
    raise LocalDialectError(
        f"Anthropic has no tool of the type {kind!r}{named}",
        param=f"tools[{index}]",
        code="unsupported_tool",
    )


def _write_function(tool: FunctionTool, index: int, losses: Losses) -> dict[str, Any]:
    where = pointer("tools", index)
    members: dict[str, Any] = {"name": tool.name}
    if tool.description is not None:
        members["description"] = tool.description
    # The schema as it came, byte for byte (B-TOOL-28), but for the root type that Anthropic wants (B-SCH-09).
    known = tool.schema is not None and _json.kind_of(tool.schema) == "object"
    members["input_schema"] = Raw(
        _one_object(tool.schema, tool.name, index, losses) if known and tool.schema else _NO_SCHEMA
    )
    if tool.strict is not None:
        members["strict"] = tool.strict
    if tool.defer is not None:
        members["defer_loading"] = tool.defer
    if tool.namespace is not None:
        losses.note(where, "tools have no namespace", "info")
    return members | cache_control(tool.cache) | own_extra(tool.extra, where, losses)


def _one_object(schema: Json, name: str, index: int, losses: Losses) -> Json:
    """Return the schema as Anthropic takes it: an object at the root, and no choice among several (B-SCH-11).

    "input_schema does not support oneOf, allOf, or anyOf at the top level".

    Raises:
        LocalDialectError: a choice that cannot be merged into one object.
    """
    try:
        merged = one_object(schema)
    except _json.JsonError as error:
        raise LocalDialectError(
            f"tool {name!r}: Anthropic takes no allOf, anyOf or oneOf at the root of a schema, and {error}",
            param=f"tools[{index}].parameters",
            code="unsupported_schema",
        ) from None
    if merged is not schema:
        losses.note(pointer("tools", index), "the choice at the root of the schema became one object")
    return rooted(merged)


def _write_choice(
    choice: ToolChoice | None, parallel: bool | None, thinks: bool, losses: Losses
) -> dict[str, Any] | None:
    mode = choice.mode if choice else "auto"
    if thinks and mode in ("required", "named"):
        # "Thinking may not be enabled when tool_choice forces tool use" (B-TOOL-21).
        losses.note("/tool_choice", "thinking forbids forced tool use")
        mode, choice = "auto", ToolChoice(mode="auto")
    if choice is None and parallel is not False:
        return None
    if mode == "none":
        return {"type": "none"}
    chosen: dict[str, Any] = {"type": {"required": "any", "named": "tool"}.get(mode, "auto")}
    if mode == "named" and choice is not None:
        chosen["name"] = choice.names[0]
    if parallel is not None:
        # Parallelism never forces a call (B-TOOL-16).
        chosen["disable_parallel_tool_use"] = not parallel
    return chosen
