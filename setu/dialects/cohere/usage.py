"""Token counts.

`tokens` counts what the model read and wrote, Cohere's own preamble included; `billed_units` only what is paid for.
`cached_tokens` are part of `tokens.input_tokens`. Source: docs.cohere.com/reference/chat, read 2026-11-20.
"""

from setu._json import Json
from setu.chat.response import Usage
from setu.dialects.reader import Obj


def parse_usage(obj: Obj) -> Usage | None:
    """Take `usage`; None when it counts nothing (`{}` after an error)."""
    raw: Json | None = obj.members.get("usage")
    usage = obj.obj("usage")
    if usage is None:
        return None
    tokens, billed = usage.obj("tokens"), usage.obj("billed_units")
    given, taken = (_count(name, tokens, billed) for name in ("input_tokens", "output_tokens"))
    cached = usage.integer("cached_tokens")
    if given is None and taken is None:
        return None
    return Usage(input=given, output=taken, cache_read=cached, raw=raw)


def _count(name: str, tokens: Obj | None, billed: Obj | None) -> int | None:
    for counts in (tokens, billed):
        found = counts.integer(name) if counts is not None else None
        if found is not None and found >= 0:
            return found
    return None
