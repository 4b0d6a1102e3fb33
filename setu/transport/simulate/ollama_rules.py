"""What Ollama's chat refuses: a body that does not decode into its types. Members it does not know it passes over.

Source: github.com/ollama/ollama/blob/main/api/types.go and server/routes.go, read 2026-11-20.
"""

import base64
import binascii
from typing import Any

from setu.transport.simulate.refused import RefusedError, is_integer, is_number
from setu.transport.simulate.schema_rules import malformed

Json = dict[str, Any]

_ROLES = ("system", "user", "assistant", "tool")
_INTEGERS = ("num_predict", "seed", "top_k", "num_ctx")
_NUMBERS = ("temperature", "top_p", "min_p", "frequency_penalty", "presence_penalty", "repeat_penalty")
_LEVELS = ("low", "medium", "high")


def checked(body: Any) -> Json:
    """Return the request; raise RefusedError for the first rule it breaks."""
    if not isinstance(body, dict):
        raise _mistyped("", "api.ChatRequest")
    request = {name: value for name, value in body.items() if value is not None}
    if not isinstance(request.get("model", ""), str):
        raise _mistyped("model", "string")
    if not request.get("model"):
        raise RefusedError("model is required")
    messages = request.get("messages", [])
    if not isinstance(messages, list):
        raise _mistyped("messages", "[]api.Message")
    for message in messages:
        _message(message)
    _settings(request)
    _tools(request.get("tools", []))
    return request


def _mistyped(field: str, kind: str) -> RefusedError:
    return RefusedError(f"json: cannot unmarshal value into Go struct field ChatRequest.{field} of type {kind}")


def _message(message: Any) -> None:
    if not isinstance(message, dict):
        raise _mistyped("messages", "api.Message")
    if message.get("role") not in _ROLES:
        raise RefusedError(f"invalid role: {message.get('role')!r}, role must be one of {list(_ROLES)}")
    for name in ("content", "thinking", "tool_name"):
        if not isinstance(message.get(name) or "", str):
            raise _mistyped(f"messages.{name}", "string")
    for image in message.get("images") or ():
        try:
            base64.b64decode(image, validate=True)
        except (binascii.Error, TypeError, ValueError):
            raise RefusedError("illegal base64 data at input byte 4") from None
    for call in message.get("tool_calls") or ():
        function = call.get("function") if isinstance(call, dict) else None
        if not isinstance(function, dict) or not isinstance(function.get("name"), str):
            raise _mistyped("messages.tool_calls.function", "api.ToolCallFunction")
        if not isinstance(function.get("arguments") or {}, dict):
            raise _mistyped("messages.tool_calls.function.arguments", "api.ToolCallFunctionArguments")


def _settings(request: Json) -> None:
    if not isinstance(request.get("stream", True), bool):
        raise _mistyped("stream", "bool")
    options = request.get("options", {})
    if not isinstance(options, dict):
        raise _mistyped("options", "map[string]interface {}")
    for names, fits, kind in ((_INTEGERS, is_integer, "integer"), (_NUMBERS, is_number, "float32")):
        for name in names:
            if options.get(name) is not None and not fits(options[name]):
                raise RefusedError(f'option "{name}" must be of type {kind}')
    if not isinstance(options.get("stop") or [], list):
        raise RefusedError('option "stop" must be of type array')
    think = request.get("think", False)
    if not isinstance(think, bool) and think not in _LEVELS:
        raise RefusedError(f'invalid think value: {think!r} (must be "high", "medium", "low", true, or false)')
    form = request.get("format", "")
    problem = malformed(form) if isinstance(form, dict) else None
    if problem is not None or (not isinstance(form, dict) and form not in ("", "json")):
        raise RefusedError(f'invalid format: {problem or form!r}; expected "json" or a valid JSON Schema object')


def _tools(tools: Any) -> None:
    if not isinstance(tools, list):
        raise _mistyped("tools", "api.Tools")
    for tool in tools:
        function = tool.get("function") if isinstance(tool, dict) else None
        if not isinstance(function, dict) or not isinstance(function.get("name"), str):
            raise _mistyped("tools.function", "api.ToolFunction")
        problem = malformed(function.get("parameters") or {})
        if problem is not None:
            raise RefusedError(f"invalid tool parameters: {problem}")
