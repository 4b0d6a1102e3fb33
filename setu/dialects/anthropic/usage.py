"""Token counts: Anthropic's input leaves cached tokens out, the model's includes them (B-USG-01, B-USG-02)."""

from collections.abc import Mapping
from typing import Any

from setu import _json
from setu._json import Json, Raw
from setu.chat.response import Usage
from setu.dialects.reader import Obj

_INPUTS = frozenset({"input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens"})
_TIERS = ("standard", "priority", "batch")
_PASSED = ("inference_geo", "iterations", "speed", "fallback_credit")
"""Members of Anthropic's usage that the model has no field for."""


def merge_wire(before: Mapping[str, Json], seen: Mapping[str, Json]) -> dict[str, Json]:
    """Merge usage objects of one stream: the later says how much it is by now, not how much more.

    Null says nothing, and a zero input erases none: compatible servers fill in only what changed (B-USG-03,
    B-USG-04).
    """
    merged = dict(before)
    for key, value in seen.items():
        empty = value == b"null" or (key in _INPUTS and value == b"0")
        if not empty or key not in merged:
            merged[key] = value
    return merged


def read_usage(raw: Json) -> Usage:
    """Read a usage object, whatever is missing in it."""
    usage = Obj(raw, lenient=True)
    fresh, read, written = (usage.integer(key) for key in ("input_tokens", *_CACHED))
    creation, details, hosted = (
        usage.obj(key) for key in ("cache_creation", "output_tokens_details", "server_tool_use")
    )
    return Usage(
        input=None if fresh is None else fresh + (read or 0) + (written or 0),
        output=usage.integer("output_tokens"),
        cache_read=read,
        cache_write=written,
        cache_write_1h=creation.integer("ephemeral_1h_input_tokens") if creation else None,
        reasoning=details.integer("thinking_tokens") if details else None,
        hosted=_counts(hosted),
        raw=raw,
    )


_CACHED = ("cache_read_input_tokens", "cache_creation_input_tokens")


def _counts(hosted: Obj | None) -> dict[str, int] | None:
    if hosted is None:
        return None
    counts = {key: hosted.integer(key) for key in tuple(hosted.members)}
    return {key: count for key, count in counts.items() if count}


def write_usage(usage: Usage | None, service_tier: str | None = None) -> dict[str, Any]:
    """Return the full shape: Claude Code stops at a usage without its cache members (B-USG-07)."""
    usage = usage or Usage()
    read, written = usage.cache_read or 0, usage.cache_write or 0
    members: dict[str, Any] = {
        "input_tokens": max((usage.input or 0) - read - written, 0),
        "cache_creation_input_tokens": written,
        "cache_read_input_tokens": read,
        "cache_creation": {
            "ephemeral_5m_input_tokens": max(written - (usage.cache_write_1h or 0), 0),
            "ephemeral_1h_input_tokens": usage.cache_write_1h or 0,
        },
        "output_tokens": usage.output or 0,
    }
    if service_tier in _TIERS:
        members["service_tier"] = service_tier
    return members | _details(usage) | _passed(usage.raw)


def write_delta_usage(usage: Usage | None) -> dict[str, Any]:
    """Return the usage of a `message_delta`: cumulative, and only what is known beside the output."""
    usage = usage or Usage()
    members: dict[str, Any] = {}
    if usage.input is not None:
        members["input_tokens"] = max(usage.input - (usage.cache_read or 0) - (usage.cache_write or 0), 0)
        members["cache_creation_input_tokens"] = usage.cache_write or 0
        members["cache_read_input_tokens"] = usage.cache_read or 0
    members["output_tokens"] = usage.output or 0
    return members | _details(usage) | _passed(usage.raw, ("iterations",))


def _details(usage: Usage) -> dict[str, Any]:
    members: dict[str, Any] = {}
    if usage.reasoning is not None:
        members["output_tokens_details"] = {"thinking_tokens": usage.reasoning}
    if usage.hosted is not None:
        searches = {"web_search_requests": 0, "web_fetch_requests": 0}
        members["server_tool_use"] = searches | usage.hosted
    return members


def _passed(raw: Json | None, keys: tuple[str, ...] = _PASSED) -> dict[str, Any]:
    """Return what the source's own usage says beyond the model, if the source is Anthropic."""
    if raw is None or _json.kind_of(raw) != "object":
        return {}
    members = _json.split(raw)
    return {key: Raw(members[key]) for key in keys if key in members}
