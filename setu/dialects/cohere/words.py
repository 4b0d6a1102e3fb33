"""The dialect's own words, and what they mean.

Source: docs.cohere.com/reference/chat (API v2), read 2026-11-20.
"""

from typing import Final

from setu.chat.response import Finish, FinishReason

NAME: Final = "cohere"
HOST: Final = "Cohere"

OWN: Final = frozenset({"documents", "citation_options", "safety_mode", "strict_tools", "priority", "raw_prompting"})
"""Members of a request that no other dialect has; they pass from whatever request they stand in."""

REASONS: Final[dict[str, FinishReason]] = {
    "COMPLETE": "stop",
    "STOP_SEQUENCE": "stop",
    "MAX_TOKENS": "length",
    "TOOL_CALL": "tool_calls",
    "ERROR_TOXIC": "content_filter",
    "ERROR_LIMIT": "context_length",
    "ERROR": "error",
    "TIMEOUT": "error",
    "USER_CANCEL": "error",
}
"""Words that end an answer; one that is not here counts as an error (B-FIN-02)."""


def finish_of(word: str | None, *, calls: bool) -> Finish | None:
    """Return what a finish_reason means: `tool_calls` exactly where an answer that ended well has calls (B-FIN-07)."""
    if not word:
        return None
    reason = REASONS.get(word, "error")
    if reason in ("stop", "tool_calls"):
        reason = "tool_calls" if calls else "stop"
    return Finish(reason=reason, native=word)
