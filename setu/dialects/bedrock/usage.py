"""Token counts: Converse's input leaves cached tokens out, the model's includes them (B-USG-06)."""

from setu import _json
from setu._json import Json
from setu.chat.response import Usage
from setu.dialects.reader import Obj


def read_usage(raw: Json | None) -> Usage | None:
    """Read a `usage` object, whatever is missing in it; None where there is none."""
    if raw is None or _json.kind_of(raw) != "object":
        return None
    usage = Obj(raw, lenient=True)
    fresh, read, written = (
        usage.integer(key) for key in ("inputTokens", "cacheReadInputTokens", "cacheWriteInputTokens")
    )
    return Usage(
        input=None if fresh is None else fresh + (read or 0) + (written or 0),
        output=usage.integer("outputTokens"),
        cache_read=read,
        cache_write=written,
        cache_write_1h=_for_an_hour(usage),
        total=usage.integer("totalTokens"),
        raw=raw,
    )


def _for_an_hour(usage: Obj) -> int | None:
    details = usage.objects("cacheDetails")
    if details is None:
        return None
    return sum(detail.integer("inputTokens") or 0 for detail in details if detail.text("ttl") == "1h")
