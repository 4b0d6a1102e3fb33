"""What may be sent to Anthropic's Messages: closed objects wherever another dialect's members have leaked.

From Anthropic's API reference (Messages, including beta members; read 2026-11). Blocks of hosted tools are open: they
are carried, not made.
"""

from typing import Any, Literal

import msgspec

from setu.conformance.wire.model import words

_STABLE = """
cache_control container diagnostics inference_geo max_tokens messages metadata model output_config service_tier speed
stop_sequences stream system temperature thinking tool_choice tools top_k top_p user_profile_id workspace_id
"""
_BETA = """
anthropic_beta anthropic_version billing_policy compaction context_management fallback_credit_token fallbacks
mcp_servers output_format thread
"""
TOP_LEVEL = words(_STABLE) | words(_BETA)


class _Closed(msgspec.Struct, forbid_unknown_fields=True):
    """An object that has no members but these."""


class _Open(msgspec.Struct, tag_field="type"):
    """A block of a hosted tool or of a beta."""


CacheControl = dict[str, Any] | None


class Text(_Closed, tag="text", tag_field="type"):
    text: str
    cache_control: CacheControl = None
    citations: list[dict[str, Any]] | None = None


class Image(_Closed, tag="image", tag_field="type"):
    source: dict[str, Any]
    cache_control: CacheControl = None
    transformations: Any = None


class Document(_Closed, tag="document", tag_field="type"):
    source: dict[str, Any]
    cache_control: CacheControl = None
    citations: dict[str, Any] | None = None
    context: str | None = None
    title: str | None = None


class SearchResult(_Closed, tag="search_result", tag_field="type"):
    content: list[Text]
    source: str
    title: str
    cache_control: CacheControl = None
    citations: dict[str, Any] | None = None


class Thinking(_Closed, tag="thinking", tag_field="type"):
    thinking: str
    signature: str


class RedactedThinking(_Closed, tag="redacted_thinking", tag_field="type"):
    data: str


class ToolUse(_Closed, tag="tool_use", tag_field="type"):
    id: str
    name: str
    input: dict[str, Any]
    cache_control: CacheControl = None
    caller: dict[str, Any] | None = None
    toolset_name: str | None = None


class ToolReference(_Open, tag="tool_reference", tag_field="type"):
    pass


class ToolResult(_Closed, tag="tool_result", tag_field="type"):
    tool_use_id: str
    content: str | list[Text | Image | Document | SearchResult | ToolReference] | None = None
    is_error: bool | None = None
    cache_control: CacheControl = None
    toolset_name: str | None = None


HOSTED = (
    "server_tool_use",
    "web_search_tool_result",
    "web_fetch_tool_result",
    "code_execution_tool_result",
    "bash_code_execution_tool_result",
    "text_editor_code_execution_tool_result",
    "tool_search_tool_result",
    "advisor_tool_result",
    "mcp_tool_use",
    "mcp_tool_result",
    "mcp_tool_listing",
    "container_upload",
    "compaction",
    "tool_addition",
    "tool_removal",
    "fallback",
)
"""Types of blocks that are not judged inside."""

Block = Text | Image | Document | SearchResult | Thinking | RedactedThinking | ToolUse | ToolResult


class Message(_Closed):
    role: Literal["user", "assistant", "system"]
    content: str | list[Block]


class Tool(_Closed):
    """A tool of the client's own; one with another `type` is hosted and not judged."""

    name: str
    input_schema: dict[str, Any]
    type: Literal["custom"] | None = None
    description: str | None = None
    cache_control: CacheControl = None
    strict: bool | None = None
    input_examples: list[dict[str, Any]] | None = None
    allowed_callers: list[str] | None = None
    defer_loading: bool | None = None
    eager_input_streaming: bool | None = None


class AutoChoice(_Closed, tag="auto", tag_field="type"):
    disable_parallel_tool_use: bool | None = None


class AnyChoice(_Closed, tag="any", tag_field="type"):
    disable_parallel_tool_use: bool | None = None


class NamedChoice(_Closed, tag="tool", tag_field="type"):
    name: str
    disable_parallel_tool_use: bool | None = None
    toolset_name: str | None = None


class NoChoice(_Closed, tag="none", tag_field="type"):
    pass


class Request(msgspec.Struct):
    """The body; members outside `TOP_LEVEL` and a missing `max_tokens` are judged apart."""

    model: str
    messages: list[Message]
    max_tokens: int | None = None
    metadata: dict[str, Any] | None = None
    stop_sequences: list[str] | None = None
    stream: bool | None = None
    system: str | list[Text] | None = None
    temperature: float | None = None
    thinking: dict[str, Any] | None = None
    tool_choice: AutoChoice | AnyChoice | NamedChoice | NoChoice | None = None
    tools: list[Tool] | None = None
    top_k: int | None = None
    top_p: float | None = None
