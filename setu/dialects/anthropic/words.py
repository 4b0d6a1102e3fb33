"""Anthropic's own words: the name, the legal ids, the stop reasons.

Sources: docs.anthropic.com/en/api/messages and the types of the `anthropic` package 2.11 (2026-11).
"""

import string
from collections.abc import Mapping

from setu.chat.ids import bounded
from setu.chat.response import Finish, FinishReason

NAME = "anthropic"

_LEGAL_ID = frozenset(string.ascii_letters + string.digits + "_-")


def legal_id(call_id: str) -> str:
    """Bound a tool id to `[a-zA-Z0-9_-]{1,64}`, the same way for a call and its result (B-TOOL-23, B-TOOL-24)."""
    return bounded(call_id, prefix="toolu_", length=64, legal=_LEGAL_ID)


_FOREIGN = "toolu_setu_"
"""Marks an id that another upstream made: clients expect `toolu_…`, and the mark is taken off when it comes back."""


def client_id(call_id: str) -> str:
    """Return an id as an Anthropic client expects it (B-ANT-06); reversible for any id that fits."""
    if call_id.startswith(("toolu_", "srvtoolu_")):
        return legal_id(call_id)
    return legal_id(_FOREIGN + call_id)


def own_id(call_id: str) -> str:
    """Return the id that `client_id` was given."""
    return call_id.removeprefix(_FOREIGN) or call_id


_REASON_OF_WORD: Mapping[str, FinishReason] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "tool_use": "tool_calls",
    "pause_turn": "pause",
    "compaction": "pause",
    "refusal": "refusal",
    "model_context_window_exceeded": "context_length",
}

_WORD_OF_REASON: Mapping[FinishReason, str] = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "pause": "pause_turn",
    "refusal": "refusal",
    "content_filter": "refusal",
    "context_length": "model_context_window_exceeded",
    # Anthropic has no word for a failed generation; of those it has, only this one is no success (B-FIN-02).
    "error": "refusal",
}


def finish_of(word: str | None, *, calls: bool, stop_sequence: str | None, detail: bytes | None) -> Finish:
    """Read a stop reason; a turn that called a tool ended for that, whatever word came (B-STR-14, B-FIN-11)."""
    reason = _REASON_OF_WORD.get(word or "", "stop")
    if calls and reason == "stop":
        reason = "tool_calls"
    return Finish(reason=reason, native=word, stop_sequence=stop_sequence, detail=detail)


def word_of(finish: Finish | None, *, calls: bool) -> str:
    """Name a finish in Anthropic's words: its own where it means the same, else the closest (B-FIN-09, B-STR-30)."""
    reason: FinishReason = finish.reason if finish else "stop"
    if calls and reason == "stop":
        return "tool_use"
    if finish is not None and finish.native and _REASON_OF_WORD.get(finish.native) == reason:
        return finish.native
    if finish is not None and finish.stop_sequence is not None and reason == "stop":
        return "stop_sequence"
    return _WORD_OF_REASON[reason]
