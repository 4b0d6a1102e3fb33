"""What OpenAI's Responses endpoint refuses, in its own words.

Sources: platform.openai.com/docs/api-reference/responses/create and the function calling guide (2026-11). Parameters
it does not know are refused by name, as the real endpoint does: one of these means that a translator leaked.
"""

from collections.abc import Mapping
from typing import Any

from setu.transport.simulate.openai_chat_wording import Json, Param, bad_value, check_param, tool_name, typed
from setu.transport.simulate.refused import RefusedError
from setu.transport.simulate.schema_rules import malformed

_PARAMS: Mapping[str, Param] = {
    "background": Param("boolean"),
    "include": Param("array"),
    "instructions": Param("string"),
    "max_output_tokens": Param("integer", 16),
    "max_tool_calls": Param("integer", 1),
    "metadata": Param("object"),
    "parallel_tool_calls": Param("boolean"),
    "previous_response_id": Param("string"),
    "prompt_cache_key": Param("string"),
    "prompt_cache_retention": Param("string", choices=("in_memory", "in-memory", "24h")),
    "reasoning": Param("object"),
    "safety_identifier": Param("string"),
    "service_tier": Param("string", choices=("auto", "default", "flex", "scale", "priority", "fast")),
    "store": Param("boolean"),
    "stream": Param("boolean"),
    "stream_options": Param("object"),
    "temperature": Param("decimal", 0, 2),
    "text": Param("object"),
    "tools": Param("array"),
    "top_logprobs": Param("integer", 0, 20),
    "top_p": Param("decimal", 0, 1),
    "truncation": Param("string", choices=("auto", "disabled")),
    "user": Param("string"),
}
_UNTYPED = frozenset(
    {
        "model",
        "input",
        "tool_choice",
        "conversation",
        "prompt",
        "moderation",
        "context_management",
        "prompt_cache_options",
    }
)
_EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
_ROLES = ("assistant", "system", "developer", "user")
_CALLS = {"function_call": "arguments", "custom_tool_call": "input"}
_RESULTS = ("function_call_output", "custom_tool_call_output")
_PARTS = {
    "input_text": "text",
    "input_image": None,
    "input_file": None,
    "output_text": "text",
    "refusal": "refusal",
}


def check(body: Json) -> None:
    """Raise RefusedError for the first thing that is wrong."""
    for key in body:
        if key not in _PARAMS and key not in _UNTYPED:
            raise RefusedError(f"Unknown parameter: '{key}'.", param=key, code="unknown_parameter")
    if body.get("model") is None:
        raise RefusedError("Missing required parameter: 'model'.", param="model", code="missing_required_parameter")
    typed(body["model"], "model", "string")
    for name, param in _PARAMS.items():
        if body.get(name) is not None:
            check_param(body[name], name, param)
    for label, value in (body.get("metadata") or {}).items():
        typed(value, f"metadata.{label}", "string")
    effort = (body.get("reasoning") or {}).get("effort")
    if effort is not None and typed(effort, "reasoning.effort", "string") not in _EFFORTS:
        raise bad_value(effort, "reasoning.effort", _EFFORTS)
    _check_input(body)
    _check_tools(body.get("tools") or [])
    _check_choice(body)
    _check_form((body.get("text") or {}).get("format"))


def _there(owner: Json, name: str, where: str) -> Any:
    if name not in owner:
        raise RefusedError(f"Missing required parameter: '{where}'.", param=where, code="missing_required_parameter")
    return owner[name]


def _check_input(body: Json) -> None:
    given = body.get("input")
    held = any(body.get(key) is not None for key in ("previous_response_id", "conversation", "prompt"))
    if given is None or given == []:
        if not held:
            message = "One of 'input' or 'previous_response_id' or 'prompt' or 'conversation' must be provided."
            raise RefusedError(message, param="input", code="missing_required_parameter")
        return
    if isinstance(given, str):
        return
    called: dict[str, bool] = {}
    for place, item in enumerate(typed(given, "input", "array")):
        where = f"input[{place}]"
        typed(item, where, "object")
        _check_item(item, where, called, held=held)
    for identity, answered in called.items():
        if not answered and not held:
            raise RefusedError(f"No tool output found for function call {identity}.", param="input")


def _check_item(item: Json, where: str, called: dict[str, bool], *, held: bool) -> None:
    kind = "message" if item.get("type") is None else typed(item["type"], f"{where}.type", "string")
    if kind == "message":
        role = typed(_there(item, "role", f"{where}.role"), f"{where}.role", "string")
        if role not in _ROLES:
            raise bad_value(role, f"{where}.role", _ROLES)
        _check_content(_there(item, "content", f"{where}.content"), f"{where}.content")
    elif kind in _CALLS:
        if "role" in item:
            raise RefusedError(f"Unknown parameter: '{where}.role'.", param=f"{where}.role", code="unknown_parameter")
        for key in ("call_id", "name", _CALLS[kind]):
            typed(_there(item, key, f"{where}.{key}"), f"{where}.{key}", "string")
        called[item["call_id"]] = False
    elif kind in _RESULTS:
        identity = typed(_there(item, "call_id", f"{where}.call_id"), f"{where}.call_id", "string")
        if identity not in called and not held:
            message = f"No tool call found for function call output with call_id {identity}."
            raise RefusedError(message, param="input")
        called[identity] = True
        _check_content(_there(item, "output", f"{where}.output"), f"{where}.output")
    elif kind == "reasoning":
        _there(item, "summary", f"{where}.summary")


def _check_content(content: Any, where: str) -> None:
    if isinstance(content, str):
        return
    for place, part in enumerate(typed(content, where, "array")):
        at = f"{where}[{place}]"
        kind = typed(_there(typed(part, at, "object"), "type", f"{at}.type"), f"{at}.type", "string")
        if kind not in _PARTS:
            raise bad_value(kind, f"{at}.type", tuple(_PARTS))
        key = _PARTS[kind]
        if key is not None:
            typed(_there(part, key, f"{at}.{key}"), f"{at}.{key}", "string")
        if kind == "input_image" and not (part.get("image_url") or part.get("file_id")):
            raise RefusedError(f"Missing required parameter: '{at}.image_url'.", param=f"{at}.image_url")
        if isinstance(part.get("image_url"), dict):
            typed(part["image_url"], f"{at}.image_url", "string")


def _check_tools(tools: list[Any]) -> None:
    for place, tool in enumerate(tools):
        where = f"tools[{place}]"
        kind = typed(_there(typed(tool, where, "object"), "type", f"{where}.type"), f"{where}.type", "string")
        if kind in ("function", "custom"):
            tool_name(typed(_there(tool, "name", f"{where}.name"), f"{where}.name", "string"), f"{where}.name")
        check_param(tool.get("description"), f"{where}.description", Param("string"))
        if kind == "function":
            check_param(tool.get("strict"), f"{where}.strict", Param("boolean"))
        if kind == "function" and tool.get("parameters") is not None:
            _check_schema(tool["parameters"], f"{where}.parameters")


def _check_schema(schema: Any, where: str) -> None:
    problem = malformed(typed(schema, where, "object"))
    if problem is not None:
        raise RefusedError(f"Invalid schema: {problem}", param=where, code="invalid_function_parameters")


def _check_choice(body: Json) -> None:
    choice = body.get("tool_choice")
    if choice is None or choice in ("auto", "none"):
        return
    if choice != "required" and not isinstance(choice, dict):
        raise bad_value(choice, "tool_choice", ("none", "auto", "required"))
    if not body.get("tools"):
        raise RefusedError("Tool choices are only allowed when 'tools' are specified.", param="tool_choice")
    if isinstance(choice, dict):
        kind = typed(_there(choice, "type", "tool_choice.type"), "tool_choice.type", "string")
        names = [tool.get("name") for tool in body["tools"]]
        if kind in ("function", "custom") and _there(choice, "name", "tool_choice.name") not in names:
            message = f"Tool choice '{choice['name']}' not found in 'tools' parameter."
            raise RefusedError(message, param="tool_choice")
        if kind == "allowed_tools":
            _there(choice, "mode", "tool_choice.mode")
            typed(_there(choice, "tools", "tool_choice.tools"), "tool_choice.tools", "array")


def _check_form(form: Any) -> None:
    if form is None:
        return
    kind = typed(_there(typed(form, "text.format", "object"), "type", "text.format.type"), "text.format.type", "string")
    if kind == "json_schema":
        name = typed(_there(form, "name", "text.format.name"), "text.format.name", "string")
        tool_name(name, "text.format.name")
        _check_schema(_there(form, "schema", "text.format.schema"), "text.format.schema")
    elif kind not in ("text", "json_object"):
        raise bad_value(kind, "text.format.type", ("json_object", "json_schema", "text"))
