"""Token counts, both ways: input includes cached tokens, output includes reasoning, the total adds up."""

from typing import Any

from setu._json import Json
from setu.chat.response import Usage
from setu.dialects.reader import Obj


def parse_usage(raw: Json | None) -> Usage | None:
    """Read a usage object; None when it counts nothing."""
    if raw is None:
        return None
    usage = Obj(raw, "usage", lenient=True)
    given, taken, total = (_count(usage, key) for key in ("input_tokens", "output_tokens", "total_tokens"))
    if given is None and taken is None and total is None:
        return None
    before, after = usage.obj("input_tokens_details"), usage.obj("output_tokens_details")
    return Usage(
        input=given,
        output=taken,
        cache_read=_count(before, "cached_tokens"),
        cache_write=_count(before, "cache_write_tokens"),
        reasoning=_count(after, "reasoning_tokens"),
        audio_in=_count(before, "audio_tokens"),
        audio_out=_count(after, "audio_tokens"),
        total=total,
        raw=raw,
    )


def _count(obj: Obj | None, key: str) -> int | None:
    count = obj.integer(key) if obj is not None else None
    return count if count is not None and count >= 0 else None


def render_usage(usage: Usage | None) -> dict[str, Any] | None:
    """Return `usage`; None when nothing was counted, for a count must not be invented (B-USG-11).

    The details are required members; what is unknown of them counts as none.
    """
    if usage is None or (usage.input is None and usage.output is None and usage.total is None):
        return None
    total = usage.total or 0
    given = usage.input if usage.input is not None else max(total - (usage.output or 0), 0)
    taken = usage.output if usage.output is not None else max(total - given, 0)
    return {
        "input_tokens": given,
        "input_tokens_details": {
            "cached_tokens": min(usage.cache_read or 0, given),
            "cache_write_tokens": min(usage.cache_write or 0, given),
        },
        "output_tokens": taken,
        "output_tokens_details": {"reasoning_tokens": min(usage.reasoning or 0, taken)},
        "total_tokens": given + taken,
    }
