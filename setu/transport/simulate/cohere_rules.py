"""What Cohere's chat (API v2) refuses.

Source: docs.cohere.com/reference/chat and /docs/tool-use-overview, read 2026-11-20. The status is 400, for a member
that does not exist 422.
"""

from collections.abc import Mapping
from typing import Any

from setu.transport.simulate.refused import RefusedError, is_integer, is_number
from setu.transport.simulate.schema_rules import malformed

Json = dict[str, Any]

_KNOWN = frozenset(
    {
        *("model", "messages", "stream", "tools", "strict_tools", "tool_choice", "documents", "citation_options"),
        *("response_format", "safety_mode", "max_tokens", "stop_sequences", "temperature", "seed", "k", "p"),
        *("frequency_penalty", "presence_penalty", "logprobs", "thinking", "priority", "raw_prompting"),
    }
)
_ROLES = ("system", "user", "assistant", "tool")
_PARTS: Mapping[str, tuple[str, ...]] = {
    "system": ("text",),
    "user": ("text", "image_url"),
    "assistant": ("text", "thinking"),
    "tool": ("text", "document"),
}
_RANGES: Mapping[str, tuple[float, float]] = {
    "temperature": (0, 1),
    "p": (0.01, 0.99),
    "k": (0, 500),
    "frequency_penalty": (0, 1),
    "presence_penalty": (0, 1),
}
_INTEGERS = ("max_tokens", "seed", "k", "priority")
_STOPS = 5


def checked(body: Any) -> Json:
    """Return the request; raise RefusedError for the first rule it breaks."""
    if not isinstance(body, dict):
        raise RefusedError("invalid request: the body must be an object")
    for name in sorted(body.keys() - _KNOWN):
        raise RefusedError(f"unknown field: parameter '{name}' is not a valid field", status=422)
    request = {name: value for name, value in body.items() if value is not None}
    if not isinstance(request.get("model"), str) or not request["model"]:
        raise RefusedError("invalid request: model is required")
    _messages(request.get("messages"))
    _numbers(request)
    _tools(request)
    _format(request)
    _thinking(request.get("thinking") or {})
    return request


def _messages(messages: Any) -> None:
    if not isinstance(messages, list) or not messages:
        raise RefusedError("invalid request: messages must not be empty")
    pending: list[Any] = []
    for place, message in enumerate(messages):
        if not isinstance(message, dict) or message.get("role") not in _ROLES:
            raise RefusedError(f"invalid request: messages[{place}].role must be one of {', '.join(_ROLES)}")
        _content(message, f"messages[{place}]")
        if message["role"] == "tool":
            if message.get("tool_call_id") not in pending:
                raise RefusedError(f"invalid request: messages[{place}].tool_call_id answers no tool call")
            pending.remove(message["tool_call_id"])
            continue
        if pending:
            raise RefusedError(f"invalid request: missing tool results for the calls {pending}")
        pending = _calls(message, f"messages[{place}]")
    if pending:
        raise RefusedError(f"invalid request: missing tool results for the calls {pending}")
    if messages[-1]["role"] not in ("user", "tool"):
        raise RefusedError("invalid request: the last message must be from the user or a tool")


def _content(message: Json, path: str) -> None:
    content = message.get("content")
    if isinstance(content, list):
        for number, part in enumerate(content):
            kind = part.get("type") if isinstance(part, dict) else None
            if kind not in _PARTS[message["role"]] or not isinstance(part.get(kind), str | dict):
                raise RefusedError(f"invalid request: {path}.content[{number}] is no content of this role")
    elif content is not None and not isinstance(content, str):
        raise RefusedError(f"invalid request: {path}.content must be a string or a list")
    silent = not content and not message.get("tool_calls")
    if silent and message["role"] in ("user", "assistant"):
        raise RefusedError("invalid request: message must be at least 1 token long or tool results must be specified")


def _calls(message: Json, path: str) -> list[Any]:
    calls = message.get("tool_calls") or []
    if calls and message["role"] != "assistant":
        raise RefusedError(f"invalid request: {path}.tool_calls stands in a message of the {message['role']}")
    for number, call in enumerate(calls):
        function = call.get("function") if isinstance(call, dict) else None
        named = isinstance(function, dict) and function.get("name") and isinstance(function.get("arguments"), str)
        if not named or not call.get("id") or call.get("type") != "function":
            raise RefusedError(f"invalid request: {path}.tool_calls[{number}] is not a function call")
    return [call["id"] for call in calls]


def _numbers(request: Json) -> None:
    for name, (low, high) in _RANGES.items():
        value = request.get(name)
        if value is not None and not (is_number(value) and low <= value <= high):
            raise RefusedError(f"invalid request: {name} must be between {low} and {high} inclusive")
    for name in _INTEGERS:
        value = request.get(name)
        if value is not None and not (is_integer(value) and value >= (name == "max_tokens")):
            raise RefusedError(f"invalid request: {name} must be a positive integer")
    stops = request.get("stop_sequences", [])
    if not isinstance(stops, list) or len(stops) > _STOPS or not all(isinstance(stop, str) for stop in stops):
        raise RefusedError(f"invalid request: stop_sequences must be a list of at most {_STOPS} strings")
    for name in ("stream", "logprobs", "strict_tools"):
        if not isinstance(request.get(name, False), bool):
            raise RefusedError(f"invalid request: {name} must be a boolean")


def _tools(request: Json) -> None:
    tools = request.get("tools")
    choice = request.get("tool_choice")
    if choice is not None and (str(choice).upper() not in ("REQUIRED", "NONE") or not tools):
        raise RefusedError("invalid request: tool_choice must be REQUIRED or NONE, and needs tools")
    if tools is None:
        return
    if not isinstance(tools, list) or not tools:
        raise RefusedError("invalid request: tools must not be empty")
    for number, tool in enumerate(tools):
        function = tool.get("function") if isinstance(tool, dict) and tool.get("type") == "function" else None
        if not isinstance(function, dict) or not function.get("name") or "parameters" not in function:
            raise RefusedError(f"invalid request: tools[{number}] is not a function with a name and parameters")
        problem = malformed(function["parameters"])
        if problem is not None:
            raise RefusedError(f"invalid request: tools[{number}].function.parameters: {problem}")


def _format(request: Json) -> None:
    form = request.get("response_format")
    if form is None:
        return
    if not isinstance(form, dict) or form.get("type") not in ("text", "json_object", "json_schema"):
        raise RefusedError("invalid request: response_format.type must be text or json_object")
    if form["type"] != "text" and (request.get("tools") or request.get("documents")):
        raise RefusedError("invalid request: response_format is not supported with tools or documents")
    schema = form.get("json_schema", form.get("schema"))
    problem = malformed(schema) if schema is not None else None
    if problem is not None:
        raise RefusedError(f"invalid request: response_format.json_schema: {problem}")


def _thinking(thinking: Any) -> None:
    if thinking and (not isinstance(thinking, dict) or thinking.get("type") not in ("enabled", "disabled")):
        raise RefusedError("invalid request: thinking.type must be enabled or disabled")
    budget = thinking.get("token_budget") if thinking else None
    if budget is not None and not (is_integer(budget) and budget > 0):
        raise RefusedError("invalid request: thinking.token_budget must be a positive integer")
