"""Usage arithmetic: one rule for streams."""

import msgspec

from setu.chat.response import Usage


def merge(before: Usage | None, seen: Usage) -> Usage:
    """Replace field by field; what the later report does not say stays."""
    if before is None:
        return seen
    said = {name: value for name in Usage.__struct_fields__ if (value := getattr(seen, name)) is not None}
    return msgspec.structs.replace(before, **said)
