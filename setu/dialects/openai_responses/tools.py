"""Tools and the choice among them, both ways. This API is flat where chat nests; both shapes are read."""

from typing import Any, Literal

from setu import _json
from setu._json import Json, Raw, kind_of
from setu.chat.request import ChatRequest, CustomTool, FunctionTool, HostedTool, Tool, ToolChoice
from setu.chat.seals import Extra
from setu.dialects.extras import Where, lose
from setu.dialects.openai_responses.extras import give_back
from setu.dialects.openai_responses.words import NAME
from setu.dialects.reader import Obj
from setu.dialects.record import Loss

_ABOUT = "namespace_description"
"""The extra that carries what a namespace says of itself; each of its tools has it."""


def parse_tools(obj: Obj) -> tuple[Tool, ...]:
    """Take `tools`; those of a namespace come one by one."""
    where = obj.at("tools")
    raws = obj.array("tools") or ()
    return tuple(tool for index, raw in enumerate(raws) for tool in _tools(raw, f"{where}[{index}]"))


def _tools(raw: Json, where: str) -> list[Tool]:
    obj = Obj(raw, where)
    kind = obj.text("type")
    if kind is None and not obj.has("function"):
        raise obj.missing("type")
    if kind == "namespace":
        return _namespace(obj, raw)
    return [_tool(obj, kind or "function", raw)]


def _tool(obj: Obj, kind: str, raw: Json) -> Tool:
    inner = obj.obj(kind) if kind_of(obj.members.get(kind, b"")) == "object" else None
    if kind == "function":
        tool: Tool = _function(inner or obj)
    elif kind == "custom":
        tool = _custom(inner or obj)
    else:  # whatever else the host runs passes as it is (B-TOOL-32)
        return HostedTool(kind=kind, dialect=NAME, config=raw)
    return tool


def _function(obj: Obj) -> FunctionTool:
    name = obj.need_text("name")
    if not name:
        raise obj.error(f"'{obj.at('name')}' must not be empty", param=obj.at("name"))
    schema = obj.raw("parameters")
    if schema is not None and kind_of(schema) != "object":
        raise obj.wrong("parameters", "an object")
    return FunctionTool(
        name=name,
        description=obj.text("description"),
        schema=schema,
        # Not strict is what every other API takes for granted, so it is not said.
        strict=obj.flag("strict") or None,
        defer=obj.flag("defer_loading"),
        extra=obj.extra(NAME),
    )


def _custom(obj: Obj) -> CustomTool:
    name, description = obj.need_text("name"), obj.text("description")
    return CustomTool(name=name, description=description, grammar=_nested(obj), extra=obj.extra(NAME))


def _nested(obj: Obj) -> Json | None:
    """Take `format` in chat's shape, which the model holds: the grammar's members one level down."""
    raw = obj.raw("format")
    if raw is None or kind_of(raw) != "object":
        return raw
    members = _json.split(raw, trusted=True)
    if members.get("type") != b'"grammar"' or "grammar" in members:
        return raw
    kind = Raw(members.pop("type"))
    return _json.encode({"type": kind, "grammar": {key: Raw(value) for key, value in members.items()}})


def _flat(grammar: Json) -> Json:
    if kind_of(grammar) != "object":
        return grammar
    members = _json.split(grammar, trusted=True)
    inner = members.pop("grammar", None)
    if inner is None or kind_of(inner) != "object":
        return grammar
    flat: dict[str, Any] = {key: Raw(value) for key, value in members.items()}
    return _json.encode(flat | {key: Raw(value) for key, value in _json.split(inner, trusted=True).items()})


def _namespace(obj: Obj, raw: Json) -> list[Tool]:
    """Read the functions of a namespace; one with anything else in it, or that says more, stays whole."""
    name, about = obj.text("name"), obj.text("description")
    inner = obj.objects("tools") or []
    kinds = {tool.members.get("type") for tool in inner}
    if not name or not inner or kinds != {b'"function"'} or obj.members:
        return [HostedTool(kind="namespace", dialect=NAME, config=raw, name=name)]
    tools: list[Tool] = []
    for each in inner:
        each.text("type")
        tool = _function(each)
        members = dict(tool.extra.members) if tool.extra is not None else {}
        if about is not None:
            members[_ABOUT] = _json.encode(about)
        extra = Extra(dialect=NAME, members=members) if members else None
        tools.append(
            FunctionTool(
                name=tool.name,
                description=tool.description,
                schema=tool.schema,
                strict=tool.strict,
                defer=tool.defer,
                namespace=name,
                extra=extra,
            )
        )
    return tools


_MODES: dict[str, Literal["auto", "none", "required"]] = {"auto": "auto", "none": "none", "required": "required"}


def parse_tool_choice(obj: Obj, tools: tuple[Tool, ...]) -> ToolChoice | None:
    """Take `tool_choice`; the choice of a tool that the host runs stays with the request's extra."""
    raw = obj.members.get("tool_choice")
    if raw is None or raw == b"null":
        obj.raw("tool_choice")
        return None
    where = obj.at("tool_choice")
    if kind_of(raw) == "string":
        word = obj.need_text("tool_choice")
        if word not in _MODES:
            raise obj.error(f"'{where}' must be one of none, auto, required or an object", param=where)
        return ToolChoice(mode=_MODES[word])
    choice = _chosen(Obj(raw, where))
    if choice is None:
        return None
    obj.raw("tool_choice")
    # A hosted tool may load others later, so only a closed list tells that a name is wrong (B-TOOL-20).
    closed = not any(isinstance(tool, HostedTool) for tool in tools)
    known = {tool.name for tool in tools}
    for name in choice.names if closed else ():
        if name not in known:
            raise obj.error(f"'{where}' names a tool that is not in 'tools': {name}", param=where)
    return choice


def _chosen(choice: Obj) -> ToolChoice | None:
    kind = choice.text("type") or "function"
    if kind in {"function", "custom"}:
        return ToolChoice(mode="named", names=(_name(choice, kind),))
    if kind == "allowed_tools":
        allowed = choice.obj("allowed_tools") or choice
        mode = allowed.need_text("mode")
        tools = allowed.objects("tools") or ()
        kinds = [tool.text("type") or "" for tool in tools]
        if not {"function", "custom"}.issuperset(kinds):
            return None
        names = tuple(_name(tool, kind) for tool, kind in zip(tools, kinds, strict=True))
        return ToolChoice(mode="allowed", names=names, must=mode == "required")
    return ToolChoice(mode=_MODES[kind]) if kind in _MODES else None


def _name(choice: Obj, kind: str) -> str:
    """Return the name in either shape: `{type, name}` or chat's `{type, function: {name}}`."""
    inner = choice.obj(kind) if kind_of(choice.members.get(kind, b"")) == "object" else None
    return (inner or choice).need_text("name")


def render_tools(request: ChatRequest, losses: list[Loss]) -> list[dict[str, Any] | Raw]:
    """Return `tools`, flat (B-TOOL-29); a tool that another host runs is a loss."""
    rendered: list[dict[str, Any] | Raw] = []
    spaces: dict[str, list[dict[str, Any]]] = {}
    for index, tool in enumerate(request.tools):
        where: Where = ("tools", index)
        match tool:
            case HostedTool(dialect="openai_responses"):
                rendered.append(Raw(tool.config))
            case HostedTool():
                lose(losses, where, f"only {tool.dialect} runs the tool {tool.name or tool.kind}")
            case CustomTool():
                rendered.append(_render_custom(tool, where, losses))
            case FunctionTool(namespace=str() as name):
                if name not in spaces:
                    spaces[name] = []
                    rendered.append(_render_namespace(tool, name, spaces[name]))
                spaces[name].append(_render_function(tool, where, losses))
            case FunctionTool():
                rendered.append(_render_function(tool, where, losses))
    return rendered


def _render_namespace(tool: FunctionTool, name: str, tools: list[dict[str, Any]]) -> dict[str, Any]:
    about = tool.extra.members.get(_ABOUT) if tool.extra is not None and tool.extra.dialect == NAME else None
    return {"type": "namespace", "name": name, "description": Raw(about or b'""'), "tools": tools}


def _render_function(tool: FunctionTool, where: Where, losses: list[Loss]) -> dict[str, Any]:
    function: dict[str, Any] = {"type": "function", "name": tool.name}
    if tool.description is not None:
        function["description"] = tool.description
    function["parameters"] = Raw(tool.schema) if tool.schema is not None else None
    # Left out, this API makes any schema strict, or refuses it (B-SCH-17).
    function["strict"] = tool.strict or False
    if tool.defer:
        function["defer_loading"] = True
    if tool.cache is not None:
        lose(losses, (*where, "cache"), "a tool takes no cache mark", info=True)
    give_back(function, tool.extra, where, losses)
    function.pop(_ABOUT, None)
    return function


def _render_custom(tool: CustomTool, where: Where, losses: list[Loss]) -> dict[str, Any]:
    custom: dict[str, Any] = {"type": "custom", "name": tool.name}
    if tool.description is not None:
        custom["description"] = tool.description
    if tool.grammar is not None:
        custom["format"] = Raw(_flat(tool.grammar))
    give_back(custom, tool.extra, where, losses)
    return custom


def render_tool_choice(request: ChatRequest) -> str | dict[str, Any] | None:
    """Return `tool_choice`, flat."""
    choice = request.tool_choice
    if choice is None:
        return None
    custom = {tool.name for tool in request.tools if isinstance(tool, CustomTool)}
    named = [{"type": "custom" if name in custom else "function", "name": name} for name in choice.names]
    if choice.mode == "named":
        return named[0] if named else None
    if choice.mode == "allowed":
        return {"type": "allowed_tools", "mode": "required" if choice.must else "auto", "tools": named}
    return choice.mode
