"""Tools and the choice among them, both ways."""

from typing import Any, Literal

from setu._json import Json, Raw, kind_of
from setu.chat.request import ChatRequest, CustomTool, FunctionTool, HostedTool, Tool, ToolChoice
from setu.dialects.extras import put_back
from setu.dialects.openai_chat.extras import give_back
from setu.dialects.openai_chat.media import PartWriter, cache_of
from setu.dialects.openai_chat.words import NAME
from setu.dialects.reader import Obj


def parse_tools(obj: Obj) -> tuple[Tool, ...]:
    """Take `tools` and the `functions` of old (B-TOOL-31)."""
    where = obj.at("tools")
    tools: list[Tool] = [_tool(raw, f"{where}[{index}]") for index, raw in enumerate(obj.array("tools") or ())]
    return (*tools, *map(_function, obj.objects("functions") or ()))


def _tool(raw: Json, where: str) -> Tool:
    obj = Obj(raw, where)
    kind = obj.text("type")
    if kind is None and not obj.has("function"):
        raise obj.missing("type")
    if kind in {None, "function"}:
        function = obj.obj("function")
        if function is None:
            raise obj.missing("function")
        tool = _function(function)
        put_back(obj, "function", function)
        return FunctionTool(
            name=tool.name,
            description=tool.description,
            schema=tool.schema,
            strict=tool.strict,
            cache=cache_of(obj),
            extra=obj.extra(NAME),
        )
    if kind == "custom":
        custom = obj.obj("custom")
        if custom is None:
            raise obj.missing("custom")
        name, description, grammar = custom.need_text("name"), custom.text("description"), custom.raw("format")
        put_back(obj, "custom", custom)
        return CustomTool(name=name, description=description, grammar=grammar, extra=obj.extra(NAME))
    return HostedTool(kind=str(kind), dialect=NAME, config=raw, cache=None)


def _function(obj: Obj) -> FunctionTool:
    name = obj.need_text("name")
    if not name:
        raise obj.error(f"'{obj.at('name')}' must not be empty", param=obj.at("name"))
    schema = obj.raw("parameters")
    if schema is not None and kind_of(schema) != "object":
        raise obj.wrong("parameters", "an object")
    return FunctionTool(name=name, description=obj.text("description"), schema=schema, strict=obj.flag("strict"))


_MODES: dict[str, Literal["auto", "none", "required"]] = {
    "auto": "auto",
    "none": "none",
    "required": "required",
    "any": "required",  # Mistral's word
}


def parse_tool_choice(obj: Obj, tools: tuple[Tool, ...]) -> ToolChoice | None:
    """Take `tool_choice`, or the `function_call` of old."""
    key = "tool_choice" if obj.has("tool_choice") else "function_call"
    raw = obj.members.get(key)
    if raw is None or raw == b"null":
        obj.raw(key)
        return None
    if kind_of(raw) == "string":
        word = obj.need_text(key)
        if word not in _MODES:
            where = obj.at(key)
            raise obj.error(f"'{where}' must be one of none, auto, required or an object", param=where)
        return ToolChoice(mode=_MODES[word])
    choice = Obj(raw, obj.at(key))
    names = _chosen(choice, legacy=key == "function_call")
    if names is None:
        return None
    obj.raw(key)
    known = {tool.name for tool in tools if tool.name}
    for name in names.names:
        if name not in known:  # B-TOOL-20
            raise obj.error(f"'{obj.at(key)}' names a tool that is not in 'tools': {name}", param=obj.at(key))
    return names


def _chosen(choice: Obj, *, legacy: bool) -> ToolChoice | None:
    """Read the object form; None for the choice of a tool that the host runs."""
    if legacy:
        return ToolChoice(mode="named", names=(choice.need_text("name"),))
    kind = choice.text("type") or "function"
    if kind in {"function", "custom"}:
        inner = choice.obj(kind)
        if inner is None:
            raise choice.missing(kind)
        return ToolChoice(mode="named", names=(inner.need_text("name"),))
    if kind == "allowed_tools":
        allowed = choice.obj("allowed_tools")
        if allowed is None:
            raise choice.missing("allowed_tools")
        mode = allowed.need_text("mode")
        names = tuple(_allowed_name(tool) for tool in allowed.objects("tools") or ())
        return ToolChoice(mode="allowed", names=names, must=mode == "required")
    if kind in _MODES:
        return ToolChoice(mode=_MODES[kind])
    return None


def _allowed_name(tool: Obj) -> str:
    inner = tool.obj(tool.need_text("type"))
    if inner is None:
        raise tool.error(f"'{tool.param}' must name a function or a custom tool", param=tool.param)
    return inner.need_text("name")


def render_tools(request: ChatRequest, writer: PartWriter) -> list[dict[str, Any] | Raw]:
    """Return `tools`; a tool that another host runs is a loss."""
    rendered = [_render(tool, index, writer) for index, tool in enumerate(request.tools)]
    return [tool for tool in rendered if tool is not None]


def _render(tool: Tool, index: int, writer: PartWriter) -> dict[str, Any] | Raw | None:
    where = ("tools", index)
    match tool:
        case HostedTool(dialect="openai_chat"):
            return Raw(tool.config)
        case HostedTool():
            writer.lose(where, f"only {tool.dialect} runs the tool {tool.name or tool.kind}")
            return None
        case CustomTool():
            custom: dict[str, Any] = {"name": tool.name}
            if tool.description is not None:
                custom["description"] = tool.description
            if tool.grammar is not None:
                custom["format"] = Raw(tool.grammar)
            rendered: dict[str, Any] = {"type": "custom", "custom": custom}
        case FunctionTool():
            rendered = {"type": "function", "function": _render_function(tool)}
            if tool.defer:
                writer.lose((*where, "defer"), "chat sends every tool at once", info=True)
            if tool.namespace is not None:
                writer.lose((*where, "namespace"), "chat's tools have no namespace", info=True)
            writer.mark(rendered, tool.cache, where)
    give_back(rendered, tool.extra, where, writer.losses)
    return rendered


def _render_function(tool: FunctionTool) -> dict[str, Any]:
    function: dict[str, Any] = {"name": tool.name}
    if tool.description is not None:
        function["description"] = tool.description
    if tool.schema is not None:
        function["parameters"] = Raw(tool.schema)
    if tool.strict is not None:
        function["strict"] = tool.strict
    return function


def render_tool_choice(request: ChatRequest) -> str | dict[str, Any] | None:
    """Return `tool_choice`."""
    choice = request.tool_choice
    if choice is None:
        return None
    custom = {tool.name for tool in request.tools if isinstance(tool, CustomTool)}
    named = [_named(name, custom=name in custom) for name in choice.names]
    if choice.mode == "named":
        return named[0] if named else None
    if choice.mode == "allowed":
        mode = "required" if choice.must else "auto"
        return {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": named}}
    return choice.mode


def _named(name: str, *, custom: bool) -> dict[str, Any]:
    kind = "custom" if custom else "function"
    return {"type": kind, kind: {"name": name}}
