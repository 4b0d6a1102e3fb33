"""The dialect's own words, and what they mean in the canonical model."""

from typing import Final, get_args

from setu.chat.response import FinishReason

NAME: Final = "openai_responses"

CAPABILITIES: Final = frozenset({"input_audio", "prompt_cache_breakpoint"})
"""What a host may take beyond the common core; a target without the word gets a loss instead.

`input_audio`: sound in messages, which OpenAI's own models do not take here. `prompt_cache_breakpoint`: explicit cache
marks on content (OpenAI since GPT-5.6).
"""

HOSTED: Final = frozenset(
    {
        "web_search_call",
        "file_search_call",
        "code_interpreter_call",
        "image_generation_call",
        "mcp_call",
        "tool_search_call",
    }
)
"""Items that tell of a tool the host ran; every other item that is not listed elsewhere stays opaque."""

CALLS: Final = {"function_call": "arguments", "custom_tool_call": "input"}
"""Items that call a tool of the client, by the member that holds the arguments."""

RESULTS: Final = frozenset({"function_call_output", "custom_tool_call_output"})

PREFIXES: Final = {
    "message": "msg_",
    "reasoning": "rs_",
    "function_call": "fc_",
    "custom_tool_call": "ctc_",
    "image_generation_call": "ig_",
    "response": "resp_",
}
"""How ids of items begin; OpenAI refuses an item whose id begins otherwise."""

CUT_SHORT: Final = frozenset({"message", "function_call"})
"""Items that may be incomplete; the others know no such status."""

STATUS_OF: Final[dict[FinishReason, tuple[str, str | None]]] = {
    "stop": ("completed", None),
    "tool_calls": ("completed", None),
    "pause": ("completed", None),
    "length": ("incomplete", "max_output_tokens"),
    "context_length": ("incomplete", "max_output_tokens"),
    "content_filter": ("incomplete", "content_filter"),
    "refusal": ("incomplete", "content_filter"),
    "error": ("failed", None),
}
"""Status and reason of incompleteness of an answer (B-FIN-10); a refusal with words of its own is complete."""
assert STATUS_OF.keys() == set(get_args(FinishReason))

PENDING: Final = ("queued", "in_progress")
"""Statuses of an answer that has not ended: a background run, which its client asks for again."""

SERVICE_TIERS: Final = frozenset({"auto", "default", "flex", "scale", "priority", "fast"})


def finish_of(status: str | None, reason: str | None, *, calls: bool) -> FinishReason:
    """Translate a status and its reason; what is not incomplete says what the content says."""
    if status in {"failed", "cancelled"}:
        return "error"
    if status == "incomplete":
        return "content_filter" if reason == "content_filter" else "length"
    return "tool_calls" if calls else "stop"
