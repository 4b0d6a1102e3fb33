"""What OpenAI refuses about tools, tool choice and structured outputs."""

from typing import Any

from setu.transport.simulate.openai_chat_wording import Json, Param, bad_value, check_param, needed, tool_name, typed
from setu.transport.simulate.refused import RefusedError
from setu.transport.simulate.schema_rules import malformed


def check_tools(body: Json) -> None:
    names: list[str] = []
    for index, tool in enumerate(body.get("tools") or ()):
        path = f"tools[{index}]"
        kind = needed(typed(tool, path, "object"), "type", "string", path)
        if kind not in ("function", "custom"):
            raise bad_value(kind, f"{path}.type", ("function", "custom"))
        names.append(_definition(needed(tool, kind, "object", path), f"{path}.{kind}"))
    for index, function in enumerate(body.get("functions") or ()):
        _definition(typed(function, f"functions[{index}]", "object"), f"functions[{index}]")
    choice = body.get("tool_choice")
    if choice is not None:
        _tool_choice(choice, names)
    if body.get("parallel_tool_calls") is not None and not names:
        raise RefusedError(
            "Invalid value for 'parallel_tool_calls': 'parallel_tool_calls' is only allowed when 'tools' are "
            "specified.",
            param="parallel_tool_calls",
        )


def _definition(function: Json, path: str) -> str:
    name = needed(function, "name", "string", path)
    tool_name(name, f"{path}.name")
    check_param(function.get("description"), f"{path}.description", Param("string"))
    schema = function.get("parameters")
    if schema is None:
        return str(name)
    typed(schema, f"{path}.parameters", "object")
    problem = malformed(schema)
    if schema and schema.get("type", "object") != "object":
        kind = schema.get("type")
        problem = f"schema must be a JSON Schema of 'type: \"object\"', got 'type: \"{kind}\"'."
    if problem is not None:
        raise RefusedError(
            f"Invalid schema for function '{name}': {problem}",
            param=f"{path}.parameters",
            code="invalid_function_parameters",
        )
    if function.get("strict") is True:
        strict_schema(schema, f"function '{name}'", f"{path}.parameters", "invalid_function_parameters")
    return str(name)


def _tool_choice(choice: Any, names: list[str]) -> None:
    if isinstance(choice, str):
        if choice not in ("none", "auto", "required"):
            raise bad_value(choice, "tool_choice", ("none", "auto", "required"))
    else:
        kind = needed(typed(choice, "tool_choice", "object"), "type", "string", "tool_choice")
        if kind not in ("function", "custom", "allowed_tools"):
            raise bad_value(kind, "tool_choice.type", ("function", "custom", "allowed_tools"))
        inner = needed(choice, kind, "object", "tool_choice")
        if kind == "allowed_tools":
            needed(inner, "mode", "string", "tool_choice.allowed_tools")
            for index, tool in enumerate(needed(inner, "tools", "array", "tool_choice.allowed_tools")):
                allowed_name(tool, f"tool_choice.allowed_tools.tools[{index}]")
        else:
            needed(inner, "name", "string", f"tool_choice.{kind}")
    if not names and choice != "none":
        raise RefusedError(
            "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are specified.",
            param="tool_choice",
        )
    named = named_choice(choice)
    if named is not None and named not in names:
        raise RefusedError(f"Tool choice '{named}' not found in 'tools' parameter.", param="tool_choice")


def allowed_name(tool: Any, path: str) -> str:
    """Return the name of an entry of `allowed_tools`, which repeats a tool's type and name."""
    kind = needed(typed(tool, path, "object"), "type", "string", path)
    return str(needed(needed(tool, kind, "object", path), "name", "string", f"{path}.{kind}"))


def named_choice(choice: Any) -> str | None:
    """Return the tool that a tool_choice names."""
    if isinstance(choice, dict) and choice.get("type") in ("function", "custom"):
        name = (choice.get(choice["type"]) or {}).get("name")
        return name if isinstance(name, str) else None
    return None


def check_response_format(form: Json) -> None:
    kind = needed(form, "type", "string", "response_format")
    if kind not in ("text", "json_object", "json_schema"):
        raise bad_value(kind, "response_format.type", ("json_object", "json_schema", "text"))
    if kind != "json_schema":
        return
    inner = needed(form, "json_schema", "object", "response_format")
    name = needed(inner, "name", "string", "response_format.json_schema")
    tool_name(name, "response_format.json_schema.name")
    if inner.get("schema") is None:
        raise RefusedError(
            "Missing required parameter: 'response_format.json_schema.schema'.",
            param="response_format.json_schema.schema",
            code="missing_required_parameter",
        )
    typed(inner["schema"], "response_format.json_schema.schema", "object")
    problem = malformed(inner["schema"])
    if problem is not None:
        raise RefusedError(f"Invalid schema for response_format '{name}': {problem}", param="response_format")
    if inner.get("strict") is True:
        strict_schema(inner["schema"], f"response_format '{name}'", "response_format", None)


def strict_schema(schema: Any, whose: str, param: str, code: str | None, context: str = "()") -> None:
    """Strict mode wants every object closed and every property required (structured outputs guide)."""
    if isinstance(schema, list):
        for item in schema:
            strict_schema(item, whose, param, code, context)
    if not isinstance(schema, dict):
        return
    properties = schema.get("properties")
    if schema.get("type") == "object" or isinstance(properties, dict):
        problem = None
        if schema.get("additionalProperties") is not False:
            problem = "'additionalProperties' is required to be supplied and to be false."
        missing = [name for name in properties or () if name not in (schema.get("required") or ())]
        if problem is None and missing:
            problem = (
                "'required' is required to be supplied and to be an array including every key in properties. "
                f"Missing '{missing[0]}'."
            )
        if problem is not None:
            raise RefusedError(f"Invalid schema for {whose}: In context={context}, {problem}", param=param, code=code)
    for key in ("properties", "$defs", "definitions"):
        for name, inner in (schema.get(key) or {}).items() if isinstance(schema.get(key), dict) else ():
            strict_schema(inner, whose, param, code, f"('{key}', '{name}')")
    for key in ("items", "anyOf", "allOf"):
        strict_schema(schema.get(key), whose, param, code, f"('{key}',)")
