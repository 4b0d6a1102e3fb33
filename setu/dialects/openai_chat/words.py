"""The dialect's own words, and what other wires' words become here."""

from typing import Final, get_args

from setu.chat.response import FinishReason

NAME: Final = "openai_chat"

CAPABILITIES: Final = frozenset(
    {
        "annotations",
        "cache_control",
        "developer",
        "document_url",
        "extra_content",
        "file_url",
        "max_completion_tokens",
        "reasoning",
        "reasoning_content",
        "reasoning_details",
        "stream_usage",
        "thinking",
        "thinking_parts",
        "tool_media",
        "top_k",
        "video_url",
    }
)
"""What a host may take beyond the common core; a target without the word gets a loss instead (B-PRM-14, B-PRM-15).

`max_completion_tokens`: OpenAI's name of the cap. `reasoning` (OpenRouter's object) and `thinking` (DeepSeek, Z.ai,
LiteLLM: `{type, budget_tokens}`) are forms of the thinking request, default `reasoning_effort`. `reasoning_content`,
`reasoning_details` and `thinking_parts` (Mistral) are forms of replayed thinking. `extra_content` is Google's carrier
of signatures. `developer` is a role of its own there. `stream_usage` means that usage is asked of every stream.
`file_url`, `document_url` (Mistral) and `video_url` take media by address; `tool_media` takes images inside a tool
message. One more word has a cost of its own: `tool_id_9` asks for Mistral's ids of nine letters and digits (B-TOOL-22).
"""

FINISHES: Final[dict[str, FinishReason]] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
    # What compatible hosts say instead (TGI and Together: eos; Databricks and gateways: the vendor's own word).
    "eos": "stop",
    "eos_token": "stop",
    "stop_sequence": "stop",
    "end_turn": "stop",
    "max_tokens": "length",
    "model_length": "length",
    "tool_use": "tool_calls",
    "refusal": "refusal",
    "safety": "content_filter",
    "recitation": "content_filter",
    "error": "error",
}
"""Finish words on the wire, in lower case."""

OWN_FINISHES: Final = frozenset({"stop", "length", "tool_calls", "content_filter"})

FINISH_OUT: Final[dict[FinishReason, str]] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "content_filter": "content_filter",
    "refusal": "content_filter",  # B-FIN-08
    "pause": "stop",
    "context_length": "length",
    # No word for a model that broke off; the only legal one that is not a success (B-FIN-02, B-FIN-06).
    "error": "content_filter",
}
assert FINISH_OUT.keys() == set(get_args(FinishReason))

FINISH_RANK: Final[dict[FinishReason, int]] = {
    "stop": 0,
    "pause": 0,
    "tool_calls": 1,
    "refusal": 2,
    "content_filter": 2,
    "length": 2,
    "context_length": 2,
    "error": 3,
}
"""Which of two reasons for one candidate wins (B-STR-14, B-FIN-11)."""

SERVICE_TIERS: Final = frozenset({"auto", "default", "flex", "scale", "priority", "fast"})
"""Values that OpenAI documents; a host's own word (`on_demand`) breaks strict clients."""


def finish_of(word: object, *, calls: bool) -> FinishReason:
    """Translate a finish word; an unknown or missing one says what the content says."""
    reason = FINISHES.get(word.lower(), "stop") if isinstance(word, str) else "stop"
    return "tool_calls" if reason == "stop" and calls else reason
