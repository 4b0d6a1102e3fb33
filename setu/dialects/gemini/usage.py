"""Token counts, both ways.

Gemini counts tool-use prompts and thoughts beside prompt and candidates; the canonical sums include them (B-USG-05,
B-USG-06). Source: ai.google.dev/api/generate-content#UsageMetadata, read 2026-11-20.
"""

from typing import Any

from setu._json import Json, Raw
from setu.chat.response import Usage
from setu.dialects.gemini.proto import Fields
from setu.errors import RemoteDialectError

_WORDS = frozenset({"promptTokenCount", "candidatesTokenCount", "totalTokenCount", "trafficType", "serviceTier"})
"""Members that only Gemini's own usage has."""


def parse_usage(raw: Json) -> Usage | None:
    """Read usageMetadata; None when it is no object."""
    try:
        obj = Fields(raw, "usageMetadata", lenient=True)
    except RemoteDialectError:
        return None
    thoughts = obj.integer("thoughtsTokenCount")
    return Usage(
        input=_sum(obj.integer("promptTokenCount"), obj.integer("toolUsePromptTokenCount")),
        output=_sum(obj.integer("candidatesTokenCount"), thoughts),
        cache_read=obj.integer("cachedContentTokenCount"),
        reasoning=thoughts,
        audio_in=_audio(obj, "promptTokensDetails"),
        audio_out=_audio(obj, "candidatesTokensDetails"),
        total=obj.integer("totalTokenCount"),
        raw=raw,
    )


def render_usage(usage: Usage) -> Any:
    """Return usageMetadata: Gemini's own object while it still says the same, else one made from the counts."""
    if _is_own(usage):
        return Raw(usage.raw or b"{}")
    written = {
        "promptTokenCount": usage.input,
        "candidatesTokenCount": None if usage.output is None else max(usage.output - (usage.reasoning or 0), 0),
        "totalTokenCount": usage.total if usage.total is not None else _sum(usage.input, usage.output),
        "cachedContentTokenCount": usage.cache_read,
        "thoughtsTokenCount": usage.reasoning,
    }
    members: dict[str, Any] = {key: count for key, count in written.items() if count is not None}
    for key, count in (("promptTokensDetails", usage.audio_in), ("candidatesTokensDetails", usage.audio_out)):
        if count is not None:
            members[key] = [{"modality": "AUDIO", "tokenCount": count}]
    return members


def _is_own(usage: Usage) -> bool:
    if usage.raw is None or parse_usage(usage.raw) != usage:
        return False
    return not _WORDS.isdisjoint(Fields(usage.raw, "usageMetadata", lenient=True).members)


def _audio(obj: Fields, key: str) -> int | None:
    counts = [
        entry.integer("tokenCount")
        for entry in obj.objects(key) or ()
        if entry.enum("modality", {4: "AUDIO"}) == "AUDIO"
    ]
    return _sum(*counts)


def _sum(*counts: int | None) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None
