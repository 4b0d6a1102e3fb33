"""What OpenAI's chat completions endpoint refuses, in its own words.

Sources: platform.openai.com/docs/api-reference/chat/create and the function calling and structured outputs guides
(2026-11). Parameters it does not know are accepted, as its OpenAPI document has it, except those of other providers'
wires: one of these means that a translator leaked.
"""

import re
from collections.abc import Mapping
from typing import Any

from setu.transport.simulate.openai_chat_tool_rules import check_response_format, check_tools
from setu.transport.simulate.openai_chat_wording import (
    Json,
    Param,
    bad_value,
    check_param,
    needed,
    said,
    tool_name,
    typed,
)
from setu.transport.simulate.refused import RefusedError

_FOREIGN = ("system", "stop_sequences", "max_tokens_to_sample", "contents", "generationConfig", "systemInstruction")
_IMAGE_URL = re.compile(r"https?://|data:[\w.+-]+/[\w.+-]+;base64,", re.IGNORECASE)
_EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
_PARAMS: Mapping[str, Param] = {
    "frequency_penalty": Param("decimal", -2, 2),
    "presence_penalty": Param("decimal", -2, 2),
    "temperature": Param("decimal", 0, 2),
    "top_p": Param("decimal", 0, 1),
    "n": Param("integer", 1, 128),
    "max_tokens": Param("integer", 1),
    "max_completion_tokens": Param("integer", 1),
    "top_logprobs": Param("integer", 0, 20),
    "seed": Param("integer", -(2**63), 2**63 - 1),
    "logprobs": Param("boolean"),
    "parallel_tool_calls": Param("boolean"),
    "store": Param("boolean"),
    "stream": Param("boolean"),
    "user": Param("string"),
    "prompt_cache_key": Param("string"),
    "safety_identifier": Param("string"),
    "reasoning_effort": Param("string", choices=_EFFORTS),
    "verbosity": Param("string", choices=("low", "medium", "high")),
    "service_tier": Param("string", choices=("auto", "default", "flex", "scale", "priority", "fast")),
    "prompt_cache_retention": Param("string", choices=("in_memory", "in-memory", "24h")),
    "logit_bias": Param("object"),
    "metadata": Param("object"),
    "stream_options": Param("object"),
    "response_format": Param("object"),
    "audio": Param("object"),
    "prediction": Param("object"),
    "web_search_options": Param("object"),
    "tools": Param("array"),
    "functions": Param("array"),
    "modalities": Param("array"),
}
_INSTEAD_OF_CONTENT = ("tool_calls", "function_call", "refusal", "audio")
_ROLES = ("system", "assistant", "user", "function", "tool", "developer")
_PARTS: Mapping[str, tuple[str, ...]] = {
    "system": ("text",),
    "developer": ("text",),
    "tool": ("text",),
    "assistant": ("text", "refusal"),
    "user": ("text", "image_url", "input_audio", "file"),
}


def check(body: Json) -> None:
    """Raise RefusedError for the first rule the request breaks."""
    if not isinstance(body.get("model"), str) or not body["model"]:
        raise RefusedError("you must provide a model parameter")
    for name in _FOREIGN:
        if name in body:
            raise RefusedError(f"Unrecognized request argument supplied: {name}")
    for name, rule in _PARAMS.items():
        check_param(body.get(name), name, rule)
    _messages(needed(body, "messages", "array"))
    _stop(body.get("stop"))
    _sampling(body)
    check_tools(body)
    if body.get("response_format") is not None:
        check_response_format(body["response_format"])


def _messages(messages: list[Any]) -> None:
    if not messages:
        raise RefusedError(
            "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.",
            param="messages",
            code="empty_array",
        )
    for index, message in enumerate(messages):
        _message(typed(message, f"messages[{index}]", "object"), f"messages[{index}]")
    _turns(messages)


def _message(message: Json, path: str) -> None:
    role = needed(message, "role", "string", path)
    if role not in _ROLES:
        raise bad_value(role, f"{path}.role", _ROLES)
    content = message.get("content")
    if content is None:
        speaks = role == "assistant" and any(
            message.get(key) for key in ("tool_calls", "function_call", "refusal", "audio")
        )
        if not speaks and role != "function":
            wanted = "a string" if role == "tool" else "one of a string or array of objects"
            raise RefusedError(f"Invalid value for 'content': expected {wanted}, got null.", param=f"{path}.content")
    elif isinstance(content, list):
        for index, part in enumerate(content):
            _part(typed(part, f"{path}.content[{index}]", "object"), role, f"{path}.content[{index}]")
    elif not isinstance(content, str):
        raise RefusedError(
            f"Invalid type for '{path}.content': expected one of a string or array of objects, "
            f"but got {said(content)} instead.",
            param=f"{path}.content",
            code="invalid_type",
        )
    if role == "tool":
        needed(message, "tool_call_id", "string", path)
    if role == "assistant" and message.get("tool_calls") is not None:
        _calls(typed(message["tool_calls"], f"{path}.tool_calls", "array"), f"{path}.tool_calls")


def _part(part: Json, role: str, path: str) -> None:
    kind = needed(part, "type", "string", path)
    allowed = _PARTS.get(role, ("text",))
    if kind not in allowed:
        raise bad_value(kind, f"{path}.type", allowed)
    if kind in ("text", "refusal"):
        needed(part, kind, "string", path)
        return
    inner = needed(part, kind, "object", path)
    if kind == "image_url":
        url = needed(inner, "url", "string", f"{path}.image_url")
        if not _IMAGE_URL.match(url):
            raise RefusedError(
                f"Invalid '{path}.image_url.url': expected a URL or a base64-encoded data URL.",
                param=f"{path}.image_url.url",
                code="invalid_value",
            )
        if inner.get("detail") is not None and inner["detail"] not in ("auto", "low", "high", "original"):
            raise bad_value(inner["detail"], f"{path}.image_url.detail", ("auto", "low", "high"))
    elif kind == "input_audio":
        needed(inner, "data", "string", f"{path}.input_audio")
        needed(inner, "format", "string", f"{path}.input_audio")


def _calls(calls: list[Any], path: str) -> None:
    if not calls:
        raise RefusedError(
            f"Invalid '{path}': empty array. Expected an array with minimum length 1, but got an empty array instead.",
            param=path,
            code="empty_array",
        )
    for index, call in enumerate(calls):
        where = f"{path}[{index}]"
        needed(typed(call, where, "object"), "id", "string", where)
        kind = needed(call, "type", "string", where)
        if kind not in ("function", "custom"):
            raise bad_value(kind, f"{where}.type", ("function", "custom"))
        inner = needed(call, kind, "object", where)
        tool_name(needed(inner, "name", "string", f"{where}.{kind}"), f"{where}.{kind}.name")
        needed(inner, "arguments" if kind == "function" else "input", "string", f"{where}.{kind}")


def _turns(messages: list[Json]) -> None:
    """Tool messages answer the calls of the assistant message just before them, all of them."""
    open_calls: list[str] = []
    for index, message in enumerate(messages):
        if message["role"] == "tool":
            if message["tool_call_id"] not in open_calls:
                raise RefusedError(
                    "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with "
                    "'tool_calls'.",
                    param=f"messages.[{index}].role",
                )
            open_calls.remove(message["tool_call_id"])
            continue
        _all_answered(open_calls, index)
        open_calls = [call["id"] for call in message.get("tool_calls") or ()] if message["role"] == "assistant" else []
    _all_answered(open_calls, len(messages))


def _all_answered(open_calls: list[str], index: int) -> None:
    if open_calls:
        raise RefusedError(
            "An assistant message with 'tool_calls' must be followed by tool messages responding to each "
            f"'tool_call_id'. The following tool_call_ids did not have response messages: {', '.join(open_calls)}",
            param=f"messages.[{index}].role",
        )


def _stop(stop: Any) -> None:
    if stop is None or isinstance(stop, str):
        return
    for index, value in enumerate(typed(stop, "stop", "array")):
        typed(value, f"stop[{index}]", "string")
    if len(stop) > 4:
        raise RefusedError(
            "Invalid 'stop': array too long. Expected an array with maximum length 4, but got an array with length "
            f"{len(stop)} instead.",
            param="stop",
            code="array_above_max_length",
        )


def _sampling(body: Json) -> None:
    if body.get("top_logprobs") is not None and not body.get("logprobs"):
        raise RefusedError("'logprobs' must be true when 'top_logprobs' is set.", param="top_logprobs")
    if body.get("stream_options") is not None and not body.get("stream"):
        raise RefusedError(
            "The 'stream_options' parameter is only allowed when 'stream' is enabled.", param="stream_options"
        )
    if body.get("max_tokens") is not None and body.get("max_completion_tokens") is not None:
        raise RefusedError(
            "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.",
            param="max_tokens",
            code="invalid_parameter_combination",
        )
    for token, bias in (body.get("logit_bias") or {}).items():
        check_param(bias, f"logit_bias.{token}", Param("decimal", -100, 100))
    for name in ("include_usage", "include_obfuscation"):
        check_param((body.get("stream_options") or {}).get(name), f"stream_options.{name}", Param("boolean"))
