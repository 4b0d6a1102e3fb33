"""Members nobody knows: kept beside what was read, given back where they stood."""

import json
from typing import Any

from setu import _json
from setu._json import Raw
from setu.chat.seals import Extra
from setu.dialects.reader import Obj
from setu.dialects.record import Loss, pointer

Where = tuple[str | int, ...]
"""The steps to a place in a request or an answer."""


def put_back(parent: Obj, key: str, child: Obj) -> None:
    """Return what is left of a nested object to its parent, so that the parent's extra holds it."""
    if child.members:
        parent.members[key] = _json.encode({name: Raw(raw) for name, raw in child.members.items()})


def known(extra: Extra | None, dialect: str) -> dict[str, bytes]:
    """Return the members of a dialect's own extra."""
    return extra.members if extra is not None and extra.dialect == dialect else {}


def lose(losses: list[Loss], where: Where, reason: str, *, info: bool = False, response: bool = False) -> None:
    losses.append(
        Loss(
            phase="response" if response else "request",
            pointer=pointer(*where),
            reason=reason,
            severity="info" if info else "warn",
        )
    )


def give_back(target: dict[str, Any], extra: Extra | None, dialect: str, where: Where, losses: list[Loss]) -> None:
    """Merge a dialect's own members into a rendered object; another dialect's are losses."""
    merge(target, known(extra, dialect))
    if extra is not None and extra.dialect != dialect:
        for key in extra.members:
            lose(losses, (*where, key), f"only {extra.dialect} knows this member")


def merge(target: dict[str, Any], members: dict[str, bytes]) -> None:
    """Add members that are not there yet; objects merge."""
    for key, raw in members.items():
        present = target.get(key)
        if present is None:
            target[key] = Raw(raw)
        elif isinstance(present, dict) and raw[:1] == b"{":
            merge(present, _json.split(raw))


def dump(value: Any) -> bytes:
    """Serialise; half of a surrogate pair goes out as the escape it came as (a stream may cut a pair in two)."""
    try:
        return _json.encode(value)
    except _json.JsonError:
        return _json.encode(_escaped(value))


def _escaped(value: Any) -> Any:
    if isinstance(value, str):
        return Raw(json.dumps(value).encode())
    if isinstance(value, dict):
        return {key: _escaped(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_escaped(item) for item in value]
    return value
