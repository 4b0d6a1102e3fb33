"""Tools and the choice among them, both ways.

Schemas: from other dialects always `parametersJsonSchema`, the client's exact bytes with `type: object` ensured at
the root, because it takes the whole of JSON Schema where `parameters` is an OpenAPI subset that refuses unknown
keywords (B-SCH-01..07). A Gemini client's own `parameters` go back as they came (`native`).
Source: ai.google.dev/api/caching#FunctionDeclaration and #FunctionCallingConfig, read 2026-11-20.
"""

from collections.abc import Mapping
from typing import Any

from setu import schema
from setu._json import Json, JsonError, Raw, kind_of
from setu.chat.request import ChatRequest, CustomTool, FunctionTool, HostedTool, Tool, ToolChoice
from setu.dialects.gemini.parts import own_extra
from setu.dialects.gemini.proto import NAME, Fields
from setu.dialects.gemini.render import Scribe, own_members, refused
from setu.dialects.record import pointer
from setu.errors import LocalDialectError

_MODES: Mapping[int, str] = {0: "MODE_UNSPECIFIED", 1: "AUTO", 2: "ANY", 3: "NONE", 4: "VALIDATED"}

_HOSTED_TWINS = (
    ("web_search", "googleSearch"),
    ("code_execution", "codeExecution"),
    ("code_interpreter", "codeExecution"),
    ("web_fetch", "urlContext"),
)
"""Hosted tools of other dialects that Gemini runs too, by the start of their type (`web_search_20250305`)."""

_TEXT_INPUT: Json = b'{"type":"object","properties":{"input":{"type":"string"}},"required":["input"]}'


def parse_tools(obj: Fields) -> tuple[Tool, ...]:
    """Take `tools`; an object may hold function declarations and several hosted tools at once."""
    tools: list[Tool] = []
    for tool in obj.many("tools"):
        tools += [_function(declaration) for declaration in tool.many("functionDeclarations")]
        tools += [
            HostedTool(kind=key, dialect=NAME, config=b'{"' + key.encode() + b'":' + value + b"}")
            for key, value in tool.members.items()
        ]
    return tuple(tools)


def _function(obj: Fields) -> FunctionTool:
    name = obj.need_text("name")
    if not name:
        raise obj.error(f"'{obj.at('name')}' must not be empty", param=obj.at("name"))
    description = obj.text("description")
    exact = obj.raw("parametersJsonSchema")
    native = obj.raw("parameters") if exact is None else None
    if native is not None and kind_of(native) != "object":
        raise obj.wrong("parameters", "an object")
    if native is not None:
        try:
            exact = schema.from_openapi(native)
        except JsonError as error:
            raise obj.error(f"'{obj.at('parameters')}': {error}", param=obj.at("parameters")) from None
    return FunctionTool(name=name, description=description, schema=exact, native=native, extra=obj.extra("gemini"))


def parse_choice(obj: Fields) -> tuple[ToolChoice | None, dict[str, Json]]:
    """Take `toolConfig`; also return what only Gemini knows of it, by path."""
    config = obj.obj("toolConfig")
    if config is None:
        return None, {}
    calling = config.obj("functionCallingConfig")
    if calling is None:
        return None, config.rest("toolConfig")
    mode = (calling.enum("mode", _MODES) or "AUTO").upper()
    names = tuple(calling.texts("allowedFunctionNames") or ())
    if mode not in _MODES.values():
        where = calling.at("mode")
        raise LocalDialectError(f"'{where}' must be AUTO, ANY, NONE or VALIDATED, not '{mode}'", param=where)
    rest = calling.rest("toolConfig.functionCallingConfig") | config.rest("toolConfig")
    if mode == "VALIDATED" and not names:
        rest["toolConfig.functionCallingConfig.mode"] = b'"VALIDATED"'
    return _choice(mode, names), rest


def _choice(mode: str, names: tuple[str, ...]) -> ToolChoice:
    if mode == "NONE":
        return ToolChoice(mode="none")
    if mode == "ANY" and len(names) == 1:
        return ToolChoice(mode="named", names=names)
    if names:
        return ToolChoice(mode="allowed", names=names, must=mode == "ANY")
    return ToolChoice(mode="required" if mode == "ANY" else "auto")


def render_tools(request: ChatRequest, scribe: Scribe) -> dict[str, Any]:
    """Return the members `tools` and `toolConfig`, each only when there is something in it (B-TOOL-10).

    Raises:
        LocalDialectError: a hosted tool that Gemini does not have (B-TOOL-15), a choice of a tool nobody offered.
    """
    # All functions stand in one object, where the first of them stood.
    declarations: list[dict[str, Any]] = []
    tools: list[Any] = []
    for index, tool in enumerate(request.tools):
        where = pointer("tools", index)
        if isinstance(tool, HostedTool) and tool.kind.startswith("tool_search"):
            scribe.lose(where, "Gemini loads every tool at once and needs no search for tools", "info")
            continue
        if not declarations and not isinstance(tool, HostedTool):
            tools.append({"functionDeclarations": declarations})
        match tool:
            case FunctionTool():
                declarations.append(_declaration(tool, where, scribe))
            case CustomTool():
                declarations.append(_custom(tool, where, scribe))
            case HostedTool():
                tools.append(_hosted(tool, where, scribe))
    members: dict[str, Any] = {}
    if tools:
        members["tools"] = tools
    config = _config(request, scribe)
    if config:
        members["toolConfig"] = config
    return members


def _declaration(tool: FunctionTool, where: str, scribe: Scribe) -> dict[str, Any]:
    written: dict[str, Any] = {"name": tool.name}
    if tool.description is not None:
        written["description"] = tool.description
    if tool.native is not None:
        written["parameters"] = Raw(tool.native)
    elif tool.schema is not None:
        written["parametersJsonSchema"] = Raw(_rooted(tool.schema, where))
    if tool.strict:
        scribe.lose(f"{where}/strict", "Gemini cannot promise strict arguments", "info")
    if tool.namespace is not None or tool.defer:
        scribe.lose(where, "Gemini has no tool namespaces and loads every tool at once", "info")
    if tool.cache is not None:
        scribe.lose(where, "Gemini has no cache marks", "info")
    if tool.extra is not None and tool.extra.dialect != NAME:
        for key in tool.extra.members:
            scribe.lose(f"{where}/{key}", f"only {tool.extra.dialect} knows this member", "info")
    for key, value in own_extra(tool.extra).items():
        written.setdefault(key, Raw(value))
    return written


def _rooted(parameters: Json, where: str) -> Json:
    try:
        return schema.rooted(parameters)
    except JsonError as error:
        raise refused(f"has a schema that is not a JSON object: {error}", where) from None


def _custom(tool: CustomTool, where: str, scribe: Scribe) -> dict[str, Any]:
    """Write a free-text tool as a function with one string."""
    scribe.lose(where, "Gemini has no free-text tools: it became a function with the argument `input`")
    written: dict[str, Any] = {"name": tool.name, "parametersJsonSchema": Raw(_TEXT_INPUT)}
    if tool.description is not None:
        written["description"] = tool.description
    return written


def _hosted(tool: HostedTool, where: str, scribe: Scribe) -> Any:
    if tool.dialect == NAME:
        return Raw(tool.config)
    twin = next((ours for theirs, ours in _HOSTED_TWINS if tool.kind.startswith(theirs)), None)
    if twin is None:
        raise refused(f"is a tool Gemini does not have: {tool.kind}", where, "unsupported_tool")
    scribe.lose(where, f"{tool.kind} became Gemini's {twin}; its settings were dropped")
    return {twin: {}}


def _config(request: ChatRequest, scribe: Scribe) -> dict[str, Any]:
    calling: dict[str, Any] = {}
    choice = request.tool_choice
    if choice is not None:
        _need_offered(choice, request.tools)
        calling["mode"] = _mode(choice)
        if choice.names and choice.mode in ("named", "allowed"):
            calling["allowedFunctionNames"] = list(choice.names)
    if request.parallel is False and request.tools:
        scribe.lose("/parallel", "Gemini cannot be held to one call at a time")
    calling |= own_members(request.extra, "toolConfig.functionCallingConfig")
    own = own_members(request.extra, "toolConfig")
    config: dict[str, Any] = {key: value for key, value in own.items() if not key.startswith("functionCallingConfig.")}
    if calling:
        config["functionCallingConfig"] = calling
    return config


def _need_offered(choice: ToolChoice, tools: tuple[Tool, ...]) -> None:
    """Refuse a choice of what was not offered: Gemini would call anything, or nothing (B-TOOL-20)."""
    offered = {tool.name for tool in tools if not isinstance(tool, HostedTool)}
    missing = [name for name in choice.names if name not in offered]
    if missing:
        raise LocalDialectError(f"tool_choice names {missing[0]!r}, which is not among the tools", param="tool_choice")


def _mode(choice: ToolChoice) -> str:
    """Return Gemini's mode; a list of names needs ANY, or VALIDATED where text may be answered too."""
    match choice.mode:
        case "none":
            return "NONE"
        case "auto":
            return "AUTO"
        case "allowed":
            if not choice.names:
                return "ANY" if choice.must else "AUTO"
            return "ANY" if choice.must else "VALIDATED"
        case _:
            return "ANY"
