"""Why an answer ended, both ways.

Source: ai.google.dev/api/generate-content#FinishReason and #BlockReason, read 2026-11-20; numbers from
google/ai/generativelanguage/v1beta/generative_service.proto.
"""

from collections.abc import Mapping

from setu.chat.response import Finish, FinishReason

NUMBERS: Mapping[int, str] = {
    0: "FINISH_REASON_UNSPECIFIED",
    1: "STOP",
    2: "MAX_TOKENS",
    3: "SAFETY",
    4: "RECITATION",
    5: "OTHER",
    6: "LANGUAGE",
    7: "BLOCKLIST",
    8: "PROHIBITED_CONTENT",
    9: "SPII",
    10: "MALFORMED_FUNCTION_CALL",
    11: "IMAGE_SAFETY",
    12: "UNEXPECTED_TOOL_CALL",
    13: "TOO_MANY_TOOL_CALLS",
}

REASONS: Mapping[str, FinishReason] = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    "SAFETY": "content_filter",
    "RECITATION": "content_filter",
    "LANGUAGE": "content_filter",
    "BLOCKLIST": "content_filter",
    "PROHIBITED_CONTENT": "content_filter",
    "SPII": "content_filter",
    "IMAGE_SAFETY": "content_filter",
    "IMAGE_PROHIBITED_CONTENT": "content_filter",
    "IMAGE_RECITATION": "content_filter",
    "MODEL_ARMOR": "content_filter",
    "MALFORMED_FUNCTION_CALL": "error",
    "UNEXPECTED_TOOL_CALL": "error",
    "TOO_MANY_TOOL_CALLS": "error",
    "MISSING_THOUGHT_SIGNATURE": "error",
    "MALFORMED_RESPONSE": "error",
    "IMAGE_OTHER": "error",
    "NO_IMAGE": "error",
    "OTHER": "error",
}
"""Google's words. One that is not here counts as an error: an ending nobody understands is no success (B-FIN-02)."""

_WORDS: Mapping[FinishReason, str] = {
    "stop": "STOP",
    "length": "MAX_TOKENS",
    "tool_calls": "STOP",
    "content_filter": "SAFETY",
    "refusal": "SAFETY",
    "pause": "STOP",
    "context_length": "MAX_TOKENS",
    "error": "OTHER",
}

_UNSAID = frozenset({"", "FINISH_REASON_UNSPECIFIED"})
_RANK: Mapping[FinishReason, int] = {"stop": 0, "tool_calls": 1, "error": 2, "length": 3, "content_filter": 4}


def parse_finish(word: str | None) -> Finish | None:
    """Return what a finishReason means; None for none."""
    if word is None or word in _UNSAID:
        return None
    return Finish(reason=REASONS.get(word, "error"), native=word)


def stronger(before: Finish | None, after: Finish | None) -> Finish | None:
    """Return the ending that counts when several were said: a filter beats a cut, a cut beats a stop (B-FIN-11)."""
    if before is None or after is None:
        return before or after
    return before if _RANK[before.reason] > _RANK[after.reason] else after


def with_calls(finish: Finish, *, called: bool) -> Finish:
    """Return `tool_calls` for a plain stop after calls: Gemini says STOP either way (B-STR-14, B-FIN-11)."""
    if called and finish.reason == "stop":
        return Finish(reason="tool_calls", native=finish.native)
    return finish


def render_finish(finish: Finish) -> str:
    """Return Google's word; the source's own one where it is Google's and means the same."""
    native = finish.native or ""
    known = REASONS.get(native)
    if known == finish.reason or (native == "STOP" and finish.reason == "tool_calls"):
        return native
    return _WORDS[finish.reason]
