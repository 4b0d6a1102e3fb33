"""Token counts, both ways: `completion_tokens` includes reasoning, and the total always adds up."""

from typing import Any

from setu._json import Json
from setu.chat.response import Usage

_CACHE_READ = (
    ("prompt_tokens_details", "cached_tokens"),
    ("prompt_token_details", "cached_tokens"),
    ("prompt_cache_hit_tokens",),  # DeepSeek
    ("cached_tokens",),  # Moonshot, Baseten
    ("num_cached_tokens",),  # Mistral
    ("cache_read_input_tokens",),  # Databricks and others in front of Anthropic
)
_CACHE_WRITE = (
    ("prompt_tokens_details", "cache_write_tokens"),
    ("prompt_tokens_details", "cache_creation_input_tokens"),
    ("cache_creation_input_tokens",),
)
_REASONING = (
    ("completion_tokens_details", "reasoning_tokens"),
    ("completion_token_details", "reasoning_tokens"),
    ("reasoning_tokens",),
)


def parse_usage(value: Any, raw: Json | None = None) -> Usage | None:
    """Read a decoded usage object; None when it counts nothing."""
    if not isinstance(value, dict):
        return None
    given, taken = _count(value, ("prompt_tokens",)), _count(value, ("completion_tokens",))
    total = _count(value, ("total_tokens",))
    if given is None and taken is None and total is None:
        return None
    reasoning = _first(value, _REASONING)
    if None not in (given, taken, total) and reasoning and total == given + taken + reasoning:  # type: ignore[operator]  # checked
        taken = taken + reasoning  # type: ignore[operator]  # xAI counts reasoning beside the completion (B-USG-05)
    return Usage(
        input=given,
        output=taken,
        cache_read=_first(value, _CACHE_READ),
        cache_write=_first(value, _CACHE_WRITE),
        reasoning=reasoning,
        audio_in=_count(value, ("prompt_tokens_details", "audio_tokens")),
        audio_out=_count(value, ("completion_tokens_details", "audio_tokens")),
        total=total,
        raw=raw,
    )


def _first(value: dict[str, Any], paths: tuple[tuple[str, ...], ...]) -> int | None:
    for path in paths:
        found = _count(value, path)
        if found is not None:
            return found
    return None


def _count(value: Any, path: tuple[str, ...]) -> int | None:
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def render_usage(usage: Usage) -> dict[str, Any] | None:
    """Return `usage`; None when nothing was counted, for a count must not be invented (B-USG-11)."""
    if usage.input is None and usage.output is None and usage.total is None:
        return None
    total = usage.total or 0
    given = usage.input if usage.input is not None else max(total - (usage.output or 0), 0)
    taken = usage.output if usage.output is not None else max(total - given, 0)
    members: dict[str, Any] = {"prompt_tokens": given, "completion_tokens": taken, "total_tokens": given + taken}
    details = {
        "cached_tokens": usage.cache_read,
        "cache_write_tokens": usage.cache_write,
        "audio_tokens": usage.audio_in,
    }
    _put_details(members, "prompt_tokens_details", details, given)
    _put_details(
        members,
        "completion_tokens_details",
        {"reasoning_tokens": usage.reasoning, "audio_tokens": usage.audio_out},
        taken,
    )
    return members


def _put_details(members: dict[str, Any], key: str, details: dict[str, int | None], most: int) -> None:
    """Write the parts of a count; none may exceed the whole."""
    said = {name: min(count, most) for name, count in details.items() if count is not None}
    if said:
        members[key] = said
