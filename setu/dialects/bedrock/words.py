"""Converse's own words: ids, names, model families, stop reasons.

Sources: docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html and the service model
`bedrock-runtime/2023-09-30` of botocore 1.44 (2026-11).
"""

import re
import string
from collections.abc import Mapping
from typing import Literal

from setu.chat.ids import bounded
from setu.chat.response import Finish, FinishReason
from setu.errors import LocalDialectError

NAME = "bedrock"

ANSWER = "setu-json-answer"
"""A tool of Setu's own that stands for structured output where a model has none; its input is the answer."""

_WORD = string.ascii_letters + string.digits + "_"
_LEGAL_ID = frozenset(_WORD + "-.:")
_LEGAL_NAME = frozenset(_WORD + "-")
_PLAIN = frozenset(_WORD)
_LONGEST_NAME = 64

_ESCAPED = "setu--"
_ESCAPE = re.compile(r"-([0-9a-f]+)-")


def legal_id(call_id: str) -> str:
    """Bound a tool use id to `[a-zA-Z0-9_.:-]{1,64}`, the same way for a call and its result (B-TOOL-23)."""
    return bounded(call_id, prefix="tooluse_", length=64, legal=_LEGAL_ID)


def wire_name(name: str, param: str) -> str:
    """Return a tool's name as Converse takes it, `[a-zA-Z0-9_-]{1,64}`; other characters are escaped, reversibly.

    Raises:
        LocalDialectError: it is empty or too long: a name cut short could not be told from another.
    """
    fits = _LEGAL_NAME.issuperset(name) and not name.startswith(_ESCAPED)
    wire = name if fits else _ESCAPED + "".join(c if c in _PLAIN else f"-{ord(c):x}-" for c in name)
    if len(name) > 0 and len(wire) <= _LONGEST_NAME:
        return wire
    raise LocalDialectError(f"Bedrock takes no tool name like {name[:80]!r}: at most 64 characters", param=param)


def own_name(wire: str) -> str:
    """Return the name that `wire_name` was given."""
    if not wire.startswith(_ESCAPED):
        return wire
    return _ESCAPE.sub(_unescaped, wire.removeprefix(_ESCAPED))


def _unescaped(found: re.Match[str]) -> str:
    code = int(found[1], 16)
    return chr(code) if code < 0x110000 else found[0]


Family = Literal["claude", "nova", "gpt-oss", "qwen", "opaque", "other"]

_FAMILIES: tuple[tuple[str, Family], ...] = (
    ("anthropic.", "claude"),
    ("claude", "claude"),
    ("amazon.nova", "nova"),
    ("openai.gpt-oss", "gpt-oss"),
    ("qwen.", "qwen"),
)


def family_of(model: str) -> Family:
    """Tell whose model an id means; an ARN of the user's own profile or deployment says nothing (`opaque`)."""
    for word, family in _FAMILIES:
        if word in model:
            return family
    return "opaque" if model.startswith("arn:") else "other"


_REASON_OF_WORD: Mapping[str, FinishReason] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "guardrail_intervened": "content_filter",
    "content_filtered": "content_filter",
    "malformed_model_output": "error",
    "malformed_tool_use": "error",
    "model_context_window_exceeded": "context_length",
}


def finish_of(word: str | None, *, calls: bool, stop_sequence: str | None = None) -> Finish:
    """Read a stop reason; a turn that called a tool ended for that, one that called none did not.

    The second happens where the only call was Setu's own (`ANSWER`).
    """
    reason = _REASON_OF_WORD.get(word or "", "stop")
    if reason in ("stop", "tool_calls"):
        reason = "tool_calls" if calls else "stop"
    return Finish(reason=reason, native=word, stop_sequence=stop_sequence)
