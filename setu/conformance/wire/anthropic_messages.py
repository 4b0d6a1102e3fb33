"""Anthropic Messages answers as the wire has them: message, error, and the names of the stream.

From Anthropic's API reference (Messages, Streaming, Errors; read 2026-11). Unknown block types are allowed: the
documentation asks clients to expect new ones.
"""

from typing import Any, Literal

import msgspec

STOP_REASONS = (
    "end_turn",
    "max_tokens",
    "stop_sequence",
    "tool_use",
    "pause_turn",
    "compaction",
    "refusal",
    "model_context_window_exceeded",
)

ERROR_STATUS: dict[str, tuple[int, ...]] = {
    "invalid_request_error": (400, 405, 409, 413, 415, 422, 424),
    "authentication_error": (401,),
    "billing_error": (400, 402, 403),
    "permission_error": (403,),
    "not_found_error": (404,),
    "request_too_large": (413,),
    "rate_limit_error": (429,),
    "timeout_error": (408, 504),
    "overloaded_error": (503, 529),
}
"""Documented error types and the statuses they come with; `api_error` is any 5xx."""

DELTAS_OF_BLOCK: dict[str, tuple[str, ...]] = {
    "text": ("text_delta", "citations_delta"),
    "tool_use": ("input_json_delta",),
    "server_tool_use": ("input_json_delta",),
    "mcp_tool_use": ("input_json_delta",),
    "thinking": ("thinking_delta", "signature_delta"),
    "redacted_thinking": (),
    "compaction": ("compaction_delta",),
}
"""Which deltas a content block may grow by; block types not named here are not judged."""


class Usage(msgspec.Struct):
    input_tokens: int
    output_tokens: int
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None


class Message(msgspec.Struct):
    """A whole answer; a stream's `message_start` carries one with empty content and no stop reason."""

    id: str
    type: Literal["message"]
    role: Literal["assistant"]
    model: str
    content: list[dict[str, Any]]
    stop_reason: str | None
    stop_sequence: str | None
    usage: Usage


class Text(msgspec.Struct):
    text: str


class Thinking(msgspec.Struct):
    thinking: str
    signature: str


class RedactedThinking(msgspec.Struct):
    data: str


class ToolUse(msgspec.Struct):
    id: str
    name: str
    input: dict[str, Any]


BLOCKS: dict[str, Any] = {
    "text": Text,
    "thinking": Thinking,
    "redacted_thinking": RedactedThinking,
    "tool_use": ToolUse,
    "server_tool_use": ToolUse,
}


class ErrorBody(msgspec.Struct):
    type: str
    message: str


class ErrorEnvelope(msgspec.Struct):
    type: Literal["error"]
    error: ErrorBody
