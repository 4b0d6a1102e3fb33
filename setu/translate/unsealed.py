"""A request without sealed thinking, for a deployment that cannot open what another one has sealed (B-THK-18).

Encrypted reasoning and signatures are good at the deployment that made them: at another account, region or cloud
they are a 400. One more try without them loses what the model thought before, and keeps everything that was said.
"""

import re
from collections.abc import Callable, Mapping

from setu import _json
from setu._json import Json
from setu.dialects.gemini.messages import UNSIGNED
from setu.errors import ErrorInfo

_CODE = "invalid_encrypted_content"
# Azure sends OpenAI's sentence without the code (openai-agents-python#2063); Anthropic, Bedrock and Google have none
# (claude-code#10627, oh-my-pi#10486, gemini-cli#13467, Antigravity-Manager#3342), all read 2026-11-21.
_SENTENCE = re.compile(
    r"encrypted content .*could not be verified|invalid `?signature`? in `?thinking`? block|thinking\.signature:"
    r"|(?:invalid|corrupted) thought.?signature|thought.?signature is not valid",
    re.IGNORECASE | re.DOTALL,
)
_THINKING = frozenset({b'"thinking"', b'"redacted_thinking"'})
_SIGNATURES = ("thoughtSignature", "thought_signature")
_WRITTEN = frozenset({b'"message"', b'"function_call"', b'"custom_tool_call"'})


def seal_refused(info: ErrorInfo) -> bool:
    """Tell whether an upstream refused a request because it could not open sealed thinking in it."""
    return info.status == 400 and (info.code == _CODE or _SENTENCE.search(info.message) is not None)


def without_seals(dialect: str, body: Json) -> Json | None:
    """Return an upstream's request without sealed thinking; None when it has none, or cannot be read.

    All that stays keeps its bytes.
    """
    take_out = _DIALECTS.get(dialect)
    if take_out is None:
        return None
    try:
        found = take_out(_json.split(body), body)
    except _json.JsonError:
        return None
    return None if found == body else found


def _responses(members: Mapping[str, Json], body: Json) -> Json:
    """Drop reasoning items, also those without their encrypted content: they are refused as well (sub2api#3138).

    What was written after a reasoning item loses its id: under it, the item would be asked for.
    """
    listed = members.get("input", b"")
    if listed[:1] != b"[":
        return body
    items = [(item, _kind(item)) for item in _json.items(listed, trusted=True)]
    kept = [(item, kind) for item, kind in items if kind != b'"reasoning"']
    if len(kept) == len(items):
        return body
    anonymous = [_json.without(item, {"id"}) if kind in _WRITTEN else item for item, kind in kept]
    return _json.splice(body, {"input": _array(anonymous)}) if anonymous else body


def _anthropic(members: Mapping[str, Json], body: Json) -> Json:
    """Drop thinking blocks, and turns of nothing else.

    A turn that ends in a tool's call must begin with its thinking while thinking is on: then it is switched off.
    """
    messages, calling = [], False
    for message in _listed(members.get("messages")):
        inner = _members(message)
        blocks = [(block, _kind(block)) for block in _listed(inner.get("content"))]
        kept = [block for block, kind in blocks if kind not in _THINKING]
        if inner.get("role") == b'"assistant"':
            calling = len(kept) < len(blocks) and any(kind == b'"tool_use"' for _, kind in blocks)
        if len(kept) == len(blocks):
            messages.append(message)
        elif kept:
            messages.append(_json.splice(message, {"content": _array(kept)}))
    if not messages or messages == _listed(members.get("messages")):
        return body
    changed = _json.splice(body, {"messages": _array(messages)})
    return _json.without(changed, {"thinking"}) if calling else changed


def _bedrock(members: Mapping[str, Json], body: Json) -> Json:
    """Drop `reasoningContent` blocks, and turns of nothing else."""

    def thinks(block: Json) -> bool:
        return "reasoningContent" in _members(block)

    turns = [(turn, _listed(_members(turn).get("content"))) for turn in _listed(members.get("messages"))]
    kept = [
        _json.splice(turn, {"content": _array([block for block in blocks if not thinks(block)])})
        if any(map(thinks, blocks))
        else turn
        for turn, blocks in turns
        if not blocks or not all(map(thinks, blocks))
    ]
    return _json.splice(body, {"messages": _array(kept)}) if kept and kept != [turn for turn, _ in turns] else body


def _gemini(members: Mapping[str, Json], body: Json) -> Json:
    """Take signatures off; a call gets the one that Google documents for calls whose signature is lost."""

    def part(raw: Json) -> Json:
        inner = _members(raw)
        if not any(name in inner for name in _SIGNATURES):
            return raw
        bare = _json.without(raw, _SIGNATURES)
        call = "functionCall" in inner or "function_call" in inner
        return _json.splice(bare, {"thoughtSignature": _json.encode(UNSIGNED)}) if call else bare

    def content(raw: Json) -> Json:
        parts = _listed(_members(raw).get("parts"))
        changed = [part(each) for each in parts]
        return raw if changed == parts else _json.splice(raw, {"parts": _array(changed)})

    contents = _listed(members.get("contents"))
    changed = [content(each) for each in contents]
    return body if changed == contents else _json.splice(body, {"contents": _array(changed)})


_DIALECTS: Mapping[str, Callable[[Mapping[str, Json], Json], Json]] = {
    "openai_responses": _responses,
    "anthropic": _anthropic,
    "bedrock": _bedrock,
    "gemini": _gemini,
}


def _members(raw: Json) -> dict[str, Json]:
    return _json.split(raw, trusted=True) if raw[:1] == b"{" else {}


def _listed(raw: Json | None) -> list[Json]:
    return _json.items(raw, trusted=True) if raw is not None and raw[:1] == b"[" else []


def _kind(raw: Json) -> Json | None:
    return _members(raw).get("type")


def _array(items: list[Json]) -> Json:
    return b"[" + b",".join(items) + b"]"
