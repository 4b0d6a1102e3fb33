"""How Anthropic words what is wrong with a value: its kind, its key, its choice."""

import re
from collections.abc import Mapping
from typing import Any

from setu.transport.simulate.refused import RefusedError

Json = dict[str, Any]

TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
KEYS: Mapping[str, str] = {
    "": (
        "model messages max_tokens system stream stop_sequences temperature top_k top_p tools tool_choice thinking "
        "metadata service_tier output_config output_format container context_management mcp_servers cache_control "
        "inference_geo speed diagnostics user_profile_id workspace_id"
    ),
    "message": "role content",
    "text": "type text cache_control citations",
    "image": "type source cache_control transformations",
    "document": "type source cache_control citations context title",
    "search_result": "type source title content cache_control citations",
    "thinking": "type thinking signature",
    "redacted_thinking": "type data",
    "tool_use": "type id name input cache_control caller toolset_name",
    "tool_result": "type tool_use_id content is_error cache_control toolset_name",
    "server_tool_use": "type id name input cache_control caller",
    "tool": (
        "type name description input_schema cache_control strict allowed_callers defer_loading eager_input_streaming "
        "input_examples"
    ),
    "metadata": "user_id",
    "output_config": "effort format task_budget",
}
"""The keys each kind of object may have."""


def closed(value: Json, kind: str, path: str) -> None:
    allowed = KEYS[kind].split()
    for key in value:
        if key not in allowed:
            where = f"{path}.{key}" if path else key
            raise RefusedError(f"{where}: Extra inputs are not permitted")


def an_object(value: Any, path: str) -> Json:
    if not isinstance(value, dict):
        raise RefusedError(f"{path}: Input should be a valid dictionary")
    return value


def a_list(value: Any, path: str) -> list[Any]:
    if not isinstance(value, list):
        raise RefusedError(f"{path}: Input should be a valid list")
    return value


def a_string(value: Any, path: str) -> str:
    if not isinstance(value, str):
        raise RefusedError(f"{path}: Input should be a valid string")
    return value


def one_of(value: Any, path: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        listed = ", ".join(f"'{choice}'" for choice in choices)
        raise RefusedError(f"{path}: Input should be one of {listed}")
